/** Data sets whose classes and splits stand in text files beside the images. */
import { joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";
import { jpeg } from "../pictures.js";
import { pathOf } from "../trial.js";

interface Layout {
  readonly kind: string;
  lists: { name: string; lines: string[] }[];
  images: string[];
  ending: "\n" | "\r\n";
  mark: boolean;
}

/** 1 … count. */
const upTo = <T>(count: number, make: (k: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i + 1));
const classes = ["ant", "bee"];
/** Six images of each class, named CLASS/CLASS_k or otherwise. */
const images = (path: (name: string, k: number) => string) =>
  classes.flatMap((name) => upTo(6, (k) => path(name, k)));

/** The voc classes, of which each needs its lists. */
const voc =
  "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor".split(
    " ",
  );

/** Lists and images of each layout, in the least form that is read. */
const layouts: readonly (() => Pick<Layout, "kind" | "images"> & { lists: Record<string, string[]> })[] = [
  () => {
    const lines = images((name, k) => `${name}/${name}_${k}.jpg`);
    const part = (at: number) => lines.filter((_, i) => i % 3 === at);
    const lists = { "labels/train1.txt": part(0), "labels/val1.txt": part(1), "labels/test1.txt": part(2) };
    return { kind: "dtd", lists, images: lines.map((line) => `images/${line}`) };
  },
  () => {
    const lines = images((name, k) => `${name}_${k} ${classes.indexOf(name) + 1} 1 1`);
    return {
      kind: "pets",
      lists: { "annotations/trainval.txt": lines.slice(0, 9), "annotations/test.txt": lines.slice(9) },
      images: lines.map((line) => `images/${line.split(" ")[0]}.jpg`),
    };
  },
  () => {
    const lines = images((name, k) => `${name}/${k}`);
    return {
      kind: "food101",
      lists: {
        "meta/classes.txt": classes,
        "meta/train.txt": lines.filter((_, i) => i % 3),
        "meta/test.txt": lines.filter((_, i) => i % 3 === 0),
      },
      images: lines.map((line) => `images/${line}.jpg`),
    };
  },
  () => {
    const lines = images((name, k) => `${classes.indexOf(name)}${k} ${name}`);
    const part = (at: number) => lines.filter((_, i) => i % 3 === at);
    const list = (name: string) => `data/images_variant_${name}.txt`;
    return {
      kind: "aircraft",
      lists: {
        ...{ "data/variants.txt": classes, [list("train")]: part(0) },
        ...{ [list("val")]: part(1), [list("test")]: part(2) },
      },
      images: lines.map((line) => `data/images/${line.split(" ")[0]}.jpg`),
    };
  },
  () => {
    const paths = images((name, k) => `${name}/${k}.jpg`);
    const rows = paths.map((path) => `${path}\t${classes.indexOf(path.split("/")[0]!) + 1}`);
    return {
      kind: "birdsnap",
      lists: {
        "species.txt": ["id\tcommon", ...classes.map((name, i) => `${i + 1}\t${name}`)],
        "images.txt": ["path\tspecies_id", ...rows],
        "test_images.txt": ["path", ...paths.filter((_, i) => i % 3 === 0)],
      },
      images: paths.map((path) => `images/${path}`),
    };
  },
  () => {
    const paths = images((name, k) => `/a/${name}/${k}.jpg`);
    return {
      kind: "sun397",
      lists: {
        "ClassName.txt": classes.map((name) => `/a/${name}`),
        "Training_01.txt": paths.filter((_, i) => i % 2),
        "Testing_01.txt": paths.filter((_, i) => i % 2 === 0),
      },
      images: paths.map((path) => path.slice(1)),
    };
  },
  () => {
    const train = images((name, k) => `${name}/${k}.jpg`);
    const val = images((name, k) => `${name}${k}.jpg`);
    return {
      kind: "places365",
      lists: {
        "categories_places365.txt": classes.map((name, i) => `/a/${name} ${i}`),
        "places365_train_standard.txt": train.map(
          (path) => `/${path} ${classes.indexOf(path.split("/")[0]!)}`,
        ),
        "places365_val.txt": val.map((path, i) => `${path} ${i < 6 ? 0 : 1}`),
      },
      images: [...train.map((path) => `data_256_standard/${path}`), ...val.map((path) => `val_256/${path}`)],
    };
  },
  () => {
    const val = upTo(4, (k) => `val_${k}`);
    return {
      kind: "imagenet",
      lists: {
        "LOC_val_solution.csv": ["ImageId,PredictionString", ...val.map((id) => `${id},bee 1 2 3 4`)],
      },
      images: [...images((name, k) => `train/${name}/${k}.jpg`), ...val.map((id) => `val/${id}.JPEG`)],
    };
  },
  () => {
    const ids = { train: ["01", "02"], val: ["03", "04"], test: ["05"] };
    const lists: Record<string, string[]> = {};
    for (const [side, of] of Object.entries(ids)) {
      lists[`ImageSets/Main/${side}.txt`] = of;
      for (const name of voc)
        lists[`ImageSets/Main/${name}_${side}.txt`] = of.map((id, i) => `${id} ${(i % 3) - 1}`);
    }
    return {
      kind: "voc2007",
      lists,
      images: Object.values(ids)
        .flat()
        .map((id) => `JPEGImages/${id}.jpg`),
    };
  },
];

function layout(draws: Draws): Layout {
  const { lists, ...rest } = draws.pick(layouts)();
  const named = Object.entries(lists).map(([name, lines]) => ({ name, lines: [...lines] }));
  return { ...rest, lists: named, ending: "\n", mark: false };
}

/** A change of the fields of a line. */
function changed(line: string, draws: Draws): string {
  const parts = line.split(/([\s,/]+)/);
  const place = 2 * draws.below(Math.ceil(parts.length / 2));
  parts[place] = draws.once(3)
    ? draws.pick(["..", "../../..", "/etc", ".", "toString"])
    : draws.word(parts[place]!);
  return parts.join("");
}

export const lists = defineFormat<Layout>({
  name: "lists",
  sample: layout,
  changes: [
    ({ lists: all }, draws) => {
      const { lines } = draws.pick(all);
      const place = draws.below(lines.length);
      if (lines[place] !== undefined) lines[place] = changed(lines[place], draws);
    },
    ({ lists: all }, draws) => {
      const { lines } = draws.pick(all);
      lines.splice(draws.below(lines.length), 1 + draws.below(lines.length));
    },
    ({ lists: all }, draws) => {
      const { lines } = draws.pick(all);
      lines.splice(draws.below(lines.length), 0, ...draws.pick(all).lines.slice(0, 3));
    },
    ({ lists: all }, draws) => {
      draws.pick(all).lines.push(draws.word("x"), "a".repeat(2 ** 20));
    },
    (sample, draws) => {
      sample.ending = draws.pick(["\r\n", "\n"]);
      sample.mark = draws.once(2);
    },
    ({ images: all }, draws) => {
      all.splice(draws.below(all.length), 1 + draws.below(3));
    },
  ],
  encode: ({ lists: all, images: files, ending, mark }) =>
    new Map([
      ...files.map((path) => [pathOf(path), { bytes: jpeg }] as const),
      ...all.map(
        ({ name, lines }) =>
          [pathOf(name), { bytes: joined(mark ? "\uFEFF" : "", lines.join(ending), ending) }] as const,
      ),
    ]),
  attempts: (draws, { kind }) => [
    { read: "data", name: draws.once(4) ? "{}" : `${kind}:{}`, strict: draws.once(4) },
  ],
});
