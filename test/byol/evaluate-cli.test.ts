/** byol evaluate, embed, search and report on a small folder of patterns, from the words to the files. */
import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resultTable, type Result } from "@dawnstrap/byol/tasks";
import { decodeSafetensors, encodeSafetensors, type RawTensor } from "@dawnstrap/nn";
import { parquetReadObjects } from "hyparquet";
import { parse } from "npyjs";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bits } from "../golden/formula.js";
import { callByol, type Ended, startByol } from "./run.js";

const side = 16;
const classes = ["bars", "columns", "plain"];
const perClass = 15;

let root: string;
let data: string;
let run: string;
const inRoot = (name: string) => join(root, name);

async function png(kind: number, stream: string): Promise<Buffer> {
  const noise = bits(stream, side * side);
  const grey = Uint8Array.from(noise, (bit, at) => {
    const on = [at >> 5, (at % side) >> 1, 0][kind]! % 2;
    return 60 + 90 * on + (bit % 60);
  });
  return sharp(grey, { raw: { width: side, height: side, channels: 1 } })
    .png()
    .toBuffer();
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "evaluate-cli-"));
  [data, run] = [inRoot("images"), inRoot("run")];
  for (const [kind, name] of classes.entries()) {
    await mkdir(join(data, name), { recursive: true });
    for (let i = 0; i < perClass; i++)
      await writeFile(join(data, name, `${i}.png`), await png(kind, `${name} ${i}`));
  }
  const words = ["--preset", "tiny", "--steps", "2", "--batch", "8", "--device", "cpu", "--out", run];
  expect(await callByol("pretrain", "--data", data, ...words)).toMatchObject({ code: 0 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const subject = () => ["--encoder", run, "--data", data, "--device", "cpu"];
const filed = async () => readdir(join(run, "evaluations")).catch(() => []);
const json = async (file: string): Promise<Result> => JSON.parse(await readFile(file, "utf8"));

describe("byol evaluate", () => {
  it("as a process prints a table, writes the result and files it with the run", async () => {
    const file = inRoot("knn.json");
    const knn = [...subject(), "--k", "3", "--json", file];
    const { code, out, err } = await startByol("evaluate", "knn", ...knn).ended;
    expect(err).toMatch(/^device: cpu/m);
    expect(code).toBe(0);
    const result = await json(file);
    expect(out).toBe(`${resultTable([result])}\n`);
    const encoder = await readFile(join(run, "encoder.safetensors"));
    expect(result).toMatchObject({
      ...{ protocol: "knn", data, device: "cpu", seed: 0, classes, encoder: "tiny" },
      encoder_file: join(run, "encoder.safetensors"),
      encoder_sha256: createHash("sha256").update(encoder).digest("hex"),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      image: { size: 16, channels: 3 },
      data_options: { strict: false, anySize: false, cacheBytes: 2 ** 31 },
      settings: { k: 3, distance: "cosine", vote: "weighted", temperature: 0.1, leave_one_out: false },
      images: { train: 36, test: 9, skipped: 0 },
    });
    expect(result.metrics.confusion!.reduce((a, b) => a + b, 0)).toBe(9);
    const [name, ...others] = await filed();
    expect(others).toEqual([]);
    expect(await json(join(run, "evaluations", name!))).toEqual(result);

    // The same question once more has the same file, another one its own.
    expect(await callByol("evaluate", "knn", ...knn)).toMatchObject({ code: 0 });
    expect(await filed()).toEqual([name]);
    await callByol("evaluate", "knn", ...subject(), "--k", "4", "--leave-one-out");
    expect(await filed()).toHaveLength(2);
  });

  const protocols: Record<string, [words: string[], protocol: string, settings: object]> = {
    linear: [
      ["linear", "--rates", "1,0.1", "--epochs", "2", "--batch", "12", "--regularised"],
      "linear (regularised)",
      { rates: [1, 0.1], epochs: 2, batch: 12, regularised: true, chosen: { rate: expect.any(Number) } },
    ],
    "linear, cached": [
      ["linear", "--variant", "cached"],
      "linear (cached features)",
      { penalty: 1 / 36, iterations: 150, converged: true },
    ],
    semi: [
      ["semi", "--share", "0.5", "--rates", "0.05", "--epochs", "1", "--batch", "6", "--from", "scratch"],
      "semi 50 % from scratch",
      { share: 0.5, subset: "balanced", epochs: [1], steps: [3], from: "scratch" },
    ],
    finetune: [
      ["finetune", "--rates", "0.05,0.01", "--decays", "0", "--steps", "2", "--batch", "8"],
      "finetune",
      { rates: [0.05, 0.01], weight_decays: [0], steps: [2], tried: expect.any(Array) },
    ],
    transfer: [
      ["transfer", "--lambdas", "0.1,10", "--iterations", "20"],
      "transfer",
      { lambdas: [0.1, 10], iterations: 20, at_edge: true },
    ],
  };
  for (const [name, [words, protocol, settings]] of Object.entries(protocols))
    it(name, async () => {
      const file = inRoot(`${name}.json`);
      const before = await filed();
      const { code, out } = await callByol("evaluate", ...words, ...subject(), "--seed", "2", "--json", file);
      expect([code, out.split("\n")[2]]).toEqual([0, expect.stringContaining(`| ${protocol} |`)]);
      const result = await json(file);
      expect(result).toMatchObject({ protocol, seed: 2, settings, images: { test: 9 } });
      expect(result.metrics.top1!.value).toBeGreaterThanOrEqual(result.metrics.top1!.low);
      expect(await filed()).toHaveLength(before.length + 1);
    });

  it("of a file that is no run's folder files nothing", async () => {
    const before = await filed();
    const encoder = join(run, "encoder.safetensors");
    const words = ["--encoder", encoder, "--data", data, "--device", "cpu"];
    expect(await callByol("evaluate", "knn", ...words)).toMatchObject({ code: 0 });
    expect(await filed()).toEqual(before);
  });
});

describe("bad input is refused in one line and with a non-zero exit:", () => {
  const evaluate = (...words: string[]) => callByol("evaluate", "knn", ...words, "--device", "cpu");
  const refuses = async (ended: Promise<Ended>, message: RegExp, expected = 1) => {
    const { code, err } = await ended;
    expect(err.split("\n").filter((line) => !/^(device: .*|)$/.test(line))).toEqual([
      expect.stringMatching(message),
    ]);
    expect(code).toBe(expected);
  };
  /** Oxford-IIIT Pets, two breeds, in its layout. */
  const pets = async (name: string, trainval: readonly string[], test?: readonly string[]) => {
    await mkdir(join(inRoot(name), "annotations"), { recursive: true });
    await mkdir(join(inRoot(name), "images"));
    const put = (part: string, lines: readonly string[]) =>
      writeFile(join(inRoot(name), "annotations", part), `${lines.join("\n")}\n`);
    await put("trainval.txt", trainval);
    if (test) await put("test.txt", test);
    return `pets:${inRoot(name)}`;
  };
  const cats = [1, 2, 3, 4].flatMap((i) => [`Abyssinian_${i} 1 1 1`, `Bengal_${i} 2 1 2`]);
  /** The run's encoder, changed. */
  const encoder = async (name: string, change: (tensors: Map<string, RawTensor>) => void) => {
    const { tensors, metadata } = decodeSafetensors(await readFile(join(run, "encoder.safetensors")));
    const all = new Map(tensors);
    change(all);
    await writeFile(inRoot(name), encodeSafetensors([...all], metadata));
    return inRoot(name);
  };

  it("a missing split file", async () => {
    const name = await pets("no-split", cats);
    const message = /^error: pets: .* it lacks annotations\/test\.txt \(unpack/;
    await refuses(evaluate("--encoder", run, "--data", name), message);
    const semi = callByol("evaluate", "semi", ...subject(), "--subset", inRoot("1percent.txt"));
    await refuses(semi, /^error: subset: cannot read .*1percent\.txt: ENOENT.* \(name a list/);
  });

  it("options that would do nothing", async () => {
    const cached = ["linear", "--variant", "cached", "--rates", "1", "--regularised"];
    const useless = /^error: linear: --variant cached has no use for --rates, --regularised \(leave/;
    await refuses(callByol("evaluate", ...cached, ...subject()), useless, 2);
    const twice = await callByol("evaluate", "semi", ...subject(), "--share", "0.5", "--subset", "x.txt");
    expect([twice.code, twice.err]).toEqual([
      2,
      expect.stringMatching(/--subset.*cannot be used with.*--share/),
    ]);
  });

  it("a label out of range, and parts of other than the published sizes", async () => {
    const test = await pets("labels", cats, ["Abyssinian_9 38 1 1"]);
    const label = /^error: data: annotations\/test\.txt, Abyssinian_9: label 38 is out of the range 1 to 37/;
    await refuses(evaluate("--encoder", run, "--data", test, "--any-size"), label);
    const small = await pets("small", cats, ["Abyssinian_9 1 1 1"]);
    const sizes = /^error: pets: .* is not the whole of .*: train 4 instead of 2940, .*--any-size/;
    await refuses(evaluate("--encoder", run, "--data", small), sizes);
  });

  it("a class without training images", async () => {
    const folder = inRoot("gaps");
    for (const [name, sides] of Object.entries({
      bars: ["train", "val"],
      plain: ["train"],
      columns: ["val"],
    }))
      for (const side of sides) {
        await mkdir(join(folder, side, name), { recursive: true });
        await copyFile(join(data, name, "0.png"), join(folder, side, name, "0.png"));
      }
    const message = /^error: evaluation: .*gaps has no training image of class columns \(add some/;
    await refuses(evaluate("--encoder", run, "--data", folder), message);
  });

  it("an encoder of another architecture, whose names and shapes are listed", async () => {
    const wider = await encoder("wider.safetensors", (all) => {
      const bn = all.get("bn1.weight")!;
      all.set("layer1.0.se.weight", bn).set("layer1.0.bn2.weight", { ...bn, shape: [2, 2] });
      all.delete("layer1.0.bn2.bias");
    });
    const message =
      /^error: encoder: .*wider\.safetensors does not fit the ResNet .*missing: layer1\.0\.bn2\.bias \[4\] unexpected: layer1\.0\.se\.weight \[4\] wrong shape: layer1\.0\.bn2\.weight is \[2, 2\], the module has \[4\]/;
    await refuses(evaluate("--encoder", wider, "--data", data, "--preset", "tiny"), message);
  });

  it("weights that are not numbers", async () => {
    const broken = await encoder("nan.safetensors", (all) => {
      const { bytes, ...conv } = all.get("conv1.weight")!;
      all.set("conv1.weight", { ...conv, bytes: new Uint8Array(bytes.length).fill(255) });
    });
    const message = /^error: features: feature 0 of image 0 is NaN; .*trained past a NaN loss/;
    await refuses(evaluate("--encoder", broken, "--data", data), message);
  });

  it("an image that cannot be read, with --strict; else it is left out and named", async () => {
    const folder = inRoot("damaged");
    await cp(data, folder, { recursive: true });
    await writeFile(join(folder, "bars", "2.png"), "no image");
    const words = ["--encoder", run, "--data", folder];
    await refuses(evaluate(...words, "--strict"), /^error: .*bars\/2\.png/);
    const file = inRoot("damaged.json");
    const { code, err } = await evaluate(...words, "--json", file);
    expect([code, err]).toEqual([0, expect.stringMatching(/^skipped bars\/2\.png: /m)]);
    const { images } = await json(file);
    expect(images.skipped).toBe(1);
    expect(images.train + images.test).toBe(44);
  });

  it("a place that cannot be written, before anything is computed", async () => {
    const message = /^error: json: cannot write .*nowhere\/x\.json: ENOENT/;
    await refuses(evaluate("--encoder", run, "--data", data, "--json", inRoot("nowhere/x.json")), message, 2);
    const npy = callByol("embed", ...subject(), "--out", inRoot("nowhere/x.npy"));
    await refuses(npy, /^error: out: cannot write .*nowhere\/x\.npy: ENOENT.*--out/, 2);
    const csv = callByol("embed", ...subject(), "--out", inRoot("x.csv"));
    await refuses(csv, /^error: embed: .*x\.csv ends neither/, 2);
  });
});

it("byol embed writes the same features to .npy and to .parquet with paths and classes", async () => {
  const [npy, parquet] = [inRoot("features.npy"), inRoot("features.parquet")];
  expect(await callByol("embed", ...subject(), "--out", npy)).toMatchObject({
    code: 0,
    out: `45 images, 8 features each, in ${npy}\n`,
  });
  expect(await callByol("embed", ...subject(), "--out", parquet)).toMatchObject({ code: 0 });
  const array = parse(Uint8Array.from(await readFile(npy)).buffer);
  expect(array.shape).toEqual([45, 8]);
  const rows = await parquetReadObjects({ file: Uint8Array.from(await readFile(parquet)).buffer });
  expect(rows).toHaveLength(45);
  expect(new Set(rows.map((row) => row.class))).toEqual(new Set(classes));
  for (const [i, row] of rows.entries()) {
    expect(row.path).toMatch(new RegExp(`^${row.class}/\\d+\\.png$`));
    const features = Array.from({ length: 8 }, (_, j) => row[`feature_${j}`]);
    expect(features).toEqual([...(array.data as Float32Array).subarray(8 * i, 8 * i + 8)]);
  }
});

it("byol search finds the image itself, then others, and shows them", async () => {
  const sheet = inRoot("sheet.png");
  const image = join(data, "bars", "3.png");
  const { code, out } = await callByol("search", image, ...subject(), "--count", "3", "--out", sheet);
  expect(code).toBe(0);
  const lines = out.split("\n");
  expect(lines[0]).toBe(`${image}\t1\t1.0000\tbars/3.png`);
  expect(lines.slice(0, -1)).toHaveLength(3);
  // A row of four tiles of 96 pixels, the image and what was found; the image is the nearest to itself.
  const { data: pixels, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 4 * 102 + 6, height: 20 + 96 + 12 });
  const tile = (column: number) =>
    Array.from({ length: 96 }, (_, x) => pixels[(60 * info.width + 6 + 102 * column + x) * info.channels]);
  expect(tile(1)).toEqual(tile(0));
  expect(new Set(tile(0)).size).toBeGreaterThan(8);
});

it("byol report shows what was filed, and what is of an earlier encoder", async () => {
  const page = inRoot("report.html");
  const first = (await filed())[0]!;
  const old = {
    ...(await json(join(run, "evaluations", first))),
    encoder_sha256: "0",
    id: "0",
    data: "cifar10",
  };
  await writeFile(join(run, "evaluations", "old.json"), JSON.stringify({ ...old, protocol: "transfer" }));
  const { code, out } = await startByol("report", run, "--out", page).ended;
  expect(code).toBe(0);
  const html = await readFile(page, "utf8");
  for (const protocol of ["knn", "linear (regularised)", "semi 50 % from scratch", "finetune", "transfer"]) {
    expect(html).toContain(`<td>${protocol}</td><td>${data}</td><td>run</td>`);
    expect(out).toContain(`| ${protocol} | ${data} | run |`);
  }
  expect(html).toContain("<td>run, an encoder that it holds no more</td>");
  expect(html).toContain("the paper's Table 3</td><td></td><td>91.3</td>");
  expect(html.match(/<table class="heat">/g)).toHaveLength((await filed()).length);
});
