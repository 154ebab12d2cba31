/** Any folder of images: JPEG, PNG and WebP, with a sub-folder per class where there are labels. */
import { stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { DataError } from "../../errors.js";
import { entriesIn, filesBelow, type Skip } from "./entries.js";
import { imageFiles } from "./files.js";
import { Opening } from "./opening.js";
import type { DataOptions, DataSource } from "../source.js";
import type { ImageFormat } from "../settings.js";
import { heldOutPlaces, pickPerClass, proportional, splitsOf } from "./split.js";

const extensions = new Set([".jpg", ".jpeg", ".png", ".webp"]);
const heldOutNames = ["test", "val", "valid", "validation"];

/** Every image file below a folder, sorted by path, so that the order is the same on every system. */
async function imagesBelow(folder: string, skip: Skip): Promise<string[]> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory())
    throw new DataError(
      `data: ${folder} ${found ? "is not a folder" : "does not exist"}; --data takes digits, emoji, KIND:PATH or a folder of images`,
    );
  const files = await filesBelow(folder, skip);
  return files.filter((file) => extensions.has(extname(file).toLowerCase()));
}

interface Labelled {
  readonly files: readonly string[];
  readonly labels: readonly number[];
}

/** Class of each file by the first folder on its way; undefined unless every image lies in one of two or more. */
function classesOf(root: string, files: readonly string[]): string[] | undefined {
  const names = files.map((file) => relative(root, file).split(sep));
  if (names.some((path) => path.length < 2)) return undefined;
  const classes = [...new Set(names.map((path) => path[0]!))];
  return classes.length >= 2 ? classes.sort() : undefined;
}

function label(root: string, files: readonly string[], classes: readonly string[]): Labelled {
  const codes = new Map(classes.map((name, code) => [name, code]));
  return { files, labels: files.map((file) => codes.get(relative(root, file).split(sep)[0]!)!) };
}

/** `train/CLASS/…` beside `val/CLASS/…` (or test, valid, validation): the split that the folder itself gives. */
async function givenSplit(root: string, files: readonly string[]) {
  const top = new Set(files.map((file) => relative(root, file).split(sep)[0]!));
  const held = heldOutNames.find((name) => top.has(name));
  if (!top.has("train") || !held) return undefined;
  const inside = (name: string) => files.filter((file) => file.startsWith(join(root, name) + sep));
  const train = inside("train");
  const classes = classesOf(join(root, "train"), train);
  if (!classes) return undefined;
  const all = await withEmpty(classes, join(root, "train"), join(root, held));
  const known = new Set(all);
  const heldOut = inside(held).filter((file) => known.has(relative(join(root, held), file).split(sep)[0]!));
  return {
    classes: all,
    train: label(join(root, "train"), train, all),
    heldOut: label(join(root, held), heldOut, all),
  };
}

/** The classes and those whose folders hold no images on one side: evaluation refuses these by name. */
async function withEmpty(classes: readonly string[], ...folders: string[]): Promise<string[]> {
  const lists = await Promise.all(folders.map((folder) => entriesIn(folder)));
  // A link without images of its own leads to a folder that has been read under another name.
  const named = lists.flatMap((list) => list.folders.filter(({ linked }) => !linked).map(({ name }) => name));
  return [...new Set([...classes, ...named])].sort();
}

/** A fifth of each class is held out, by the names of the files. */
function ownSplit(root: string, files: readonly string[], classes: readonly string[]) {
  const all = label(root, files, classes);
  const held = new Set<number>();
  classes.forEach((_, k) => {
    const members = files.map((_, i) => i).filter((i) => all.labels[i] === k);
    const names = members.map((i) => relative(root, files[i]!).split(sep).join("/"));
    for (const place of heldOutPlaces(names, 0.2)) held.add(members[place]!);
  });
  const side = (wanted: boolean): Labelled => ({
    files: files.filter((_, i) => held.has(i) === wanted),
    labels: all.labels.filter((_, i) => held.has(i) === wanted),
  });
  return { classes, train: side(false), heldOut: side(true) };
}

/**
 * A folder of images. Without labels all of them are trained on. Bad files are skipped; see `skipped()`.
 */
export async function openFolder(
  folder: string,
  format: ImageFormat,
  options: DataOptions = {},
): Promise<DataSource> {
  const opening = new Opening(format, options);
  const nameOf = (file: string) => relative(folder, file);
  const files = await imagesBelow(folder, (path, reason) => opening.skips.add(nameOf(path), reason));
  if (files.length === 0)
    throw new DataError(
      `data: ${folder} holds no images (looked for .jpg, .jpeg, .png and .webp, sub-folders too)`,
    );
  const classes = classesOf(folder, files);
  const split =
    (await givenSplit(folder, files)) ??
    (classes && ownSplit(folder, files, await withEmpty(classes, folder)));
  const known = { name: folder, image: opening.image };
  if (!split) {
    const [train, heldOut] = [imageFiles(files, opening, { nameOf }), imageFiles([], opening)];
    return opening.source({ ...known, classes: [], train, heldOut });
  }
  const set = (side: Labelled) =>
    imageFiles(side.files, opening, { labels: Int32Array.from(side.labels), nameOf });
  const train = set(split.train);
  const heldOut = set(split.heldOut);
  const names = split.train.files.map((file) => nameOf(file).split(sep).join("/"));
  const val = pickPerClass(names, split.train.labels, proportional(split.train.labels, 0.1));
  return opening.source({
    ...{ ...known, classes: split.classes, train, heldOut, splits: splitsOf(train, val, heldOut) },
  });
}
