/**
 * The command line as its users meet it, with exit codes and two streams: as a process where a run or an error ends one, and
 * else in this one, which says the same by the same function.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors } from "@dawnstrap/nn";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callByol, startByol } from "./run.js";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cli-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const pretrain = (...words: string[]) => callByol("pretrain", ...words);
const asProcess = (...words: string[]) => startByol("pretrain", ...words).ended;

describe("byol pretrain refuses, in one line and with a non-zero exit,", () => {
  const cases: Record<string, [words: string[], message: RegExp]> = {
    "an unknown preset": [["--preset", "nope"], /preset: there is no "nope"; there are digits, emoji/],
    "an unknown field": [["--set", "bach=3"], /set: a preset has no field "bach" \(did you mean "batch"\?\)/],
    "a value that does not fit": [["--set", "epochs=many"], /preset: epochs: /],
    "a configuration that is not there": [["--config", "/nowhere.json"], /\/nowhere.json cannot be read/],
    "an unknown option": [["--learning-rate", "3"], /unknown option '--learning-rate'/],
    "an unknown device": [["--device", "tpu"], /Allowed choices are auto, webgpu, cpu, reference/],
    "data that are not there": [["--data", "/nowhere/at/all"], /\/nowhere\/at\/all does not exist/],
    "epochs that are no number": [["--epochs", "many"], /It is not a number/],
    "negative epochs": [["--epochs", "-1"], /greater than 0/],
    "half a step": [["--steps", "1.5"], /whole number/],
    "a batch of one": [["--batch", "1"], /whole number, 2 or more/],
    "steps beside epochs": [["--steps", "3", "--epochs", "2"], /cannot be used with/],
    "a stray word": [["digits"], /too many arguments/],
    "an output folder that cannot be made": [
      ["--out", "/proc/nothing"],
      /cannot write to \/proc\/nothing.*--out/,
    ],
    "a batch larger than the data": [
      ["--data", "digits", "--preset", "tiny", "--batch", "9000", "--device", "cpu"],
      /8004 images do not fill a batch of 9000 \(use --batch 4096\)/,
    ],
  };
  for (const [name, [words, message]] of Object.entries(cases))
    it(name, async () => {
      const folder = join(root, name.replaceAll(" ", "-"));
      const out = words.includes("--out") ? [] : ["--out", folder];
      // One of the program's own refusals and one of the command line's are seen to end a process.
      const called = /unknown (preset|option)/.test(name) ? asProcess : pretrain;
      const { code, err } = await called(...words, ...out);
      expect(code).not.toBe(0);
      expect(err).toMatch(message);
      expect(err).not.toMatch(/\n\s+at /);
      expect(err.split("\n").filter((line) => line.startsWith("error:"))).toHaveLength(1);
      expect(existsSync(folder)).toBe(false);
    });

  it("a folder that holds a run, be the data there or not, and changes nothing in it", async () => {
    const old = join(root, "old");
    await mkdir(old);
    await writeFile(join(old, "metrics.jsonl"), "precious");
    for (const data of ["digits", "/nowhere/at/all"]) {
      const { code, err } = await pretrain("--data", data, "--out", old);
      expect(code).toBe(2);
      expect(err).toMatch(
        /^error: out: .*old holds metrics.jsonl of an earlier run .*choose another folder/m,
      );
    }
    expect(await readdir(old)).toEqual(["metrics.jsonl"]);
    expect(await readFile(join(old, "metrics.jsonl"), "utf8")).toBe("precious");
  });

  it("an empty folder", async () => {
    await mkdir(join(root, "empty"));
    const { code, err } = await pretrain("--data", join(root, "empty"), "--out", join(root, "empty-out"));
    expect(code).toBe(1);
    expect(err).toMatch(/^error: data: .*holds no images/m);
  });

  it("a place where no folder can be made", async () => {
    await writeFile(join(root, "file"), "");
    const { code, err } = await pretrain("--out", join(root, "file", "run"));
    expect(code).toBe(2);
    expect(err).toMatch(/^error: out: cannot write to .*run: a file stands in its way/);
  });
});

it("byol presets lists all, and prints one with what was changed in it", async () => {
  const all = await callByol("presets");
  expect(all.code).toBe(0);
  for (const preset of ["digits", "emoji", "folder", "imagenet-r50", "tiny"])
    expect(all.out).toContain(preset);
  const one = await callByol(
    "presets",
    "imagenet-r50",
    "--set",
    "optimizer.learningRate=0.3",
    "--batch",
    "64",
  );
  expect(one.code).toBe(0);
  expect(JSON.parse(one.out)).toMatchObject({
    name: "imagenet-r50",
    optimizer: { kind: "lars", learningRate: 0.3 },
    batch: 64,
  });
});

it("byol plan refuses what does not fit with 1, and what it proposes fits and ends with 0", async () => {
  const plan = (...words: string[]) =>
    callByol(
      "plan",
      "--preset",
      "tiny",
      "--images",
      "100",
      "--device",
      "cpu",
      "--memory",
      "0.0006",
      ...words,
    );
  const refused = await plan();
  expect(refused.code).toBe(1);
  expect(refused.out).toMatch(/^parameters +[\d,]+ \(encoder 1,388, /m);
  const wanted = /^error: plan: a step of 16 images needs .*; what fits: (--batch \d+ --accumulate \d+)\n$/;
  const [, flags] = wanted.exec(refused.err)!;
  const { code, out, err } = await plan(...flags!.split(" "));
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(out).toMatch(/^length +100 images in batches of \d: 6 steps an epoch/m);
});

it("--help shows every option", async () => {
  const { code, out } = await pretrain("--help");
  expect(code).toBe(0);
  for (const option of [
    "data",
    "preset",
    "device",
    "epochs",
    "steps",
    "batch",
    "seed",
    "out",
    "set",
    "config",
  ])
    expect(out).toContain(`--${option}`);
});

describe("byol pretrain runs", () => {
  it("the tiny preset, and leaves a complete folder", async () => {
    const folder = join(root, "tiny");
    const { code, out, err } = await asProcess(
      "--preset",
      "tiny",
      "--device",
      "cpu",
      "--steps",
      "6",
      "--seed",
      "3",
      "--out",
      folder,
    );
    expect(err).not.toMatch(/error/);
    expect(code).toBe(0);
    expect(out).toMatch(/weighted kNN +\d+\.\d % +\d+\.\d %/);
    expect(err).toMatch(/step 6\/6 +loss \d\.\d+ +\d+ images\/s/);

    const summary = JSON.parse(await readFile(join(folder, "summary.json"), "utf8"));
    expect(Object.keys(summary)).toEqual([
      ...["device", "data", "preset", "seed", "epochs", "steps", "seconds", "images_per_second"],
      ...["loss_first", "loss_last", "random_init", "pretrained"],
    ]);
    expect(summary).toMatchObject({ device: "cpu", data: "digits", preset: "tiny", seed: 3, steps: 6 });
    for (const which of ["random_init", "pretrained"] as const) {
      expect(Object.keys(summary[which])).toEqual(["knn", "linear", "few_shot"]);
      for (const share of Object.values(summary[which]) as number[])
        expect(share).toSatisfy((v: number) => v > 0 && v < 1);
    }
    const lines = (await readFile(join(folder, "metrics.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const line of lines) {
      for (const key of ["loss", "lr", "tau", "std", "images_per_second"])
        expect(line[key]).toBeTypeOf("number");
      expect(line.loss).toSatisfy((v: number) => v > 0 && v < 8);
    }
    expect(lines[0].loss).toBe(summary.loss_first);
    expect(lines[5].loss).toBe(summary.loss_last);
    expect(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))).toMatchObject({
      seed: 3,
      steps: 6,
      preset: { name: "tiny", batch: 16 },
    });
    const { tensors, metadata } = decodeSafetensors(await readFile(join(folder, "embeddings.safetensors")));
    expect([...tensors].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ["features", 500, expect.any(Number)],
      ["labels", 500],
      ["thumbnails", 500, 28, 28, expect.any(Number)],
    ]);
    expect(JSON.parse(metadata.classes!)).toHaveLength(10);
    const safetensors = await readFile(join(folder, "encoder.safetensors"));
    const header = JSON.parse(safetensors.subarray(8, 8 + Number(safetensors.readBigUInt64LE(0))).toString());
    expect(Object.keys(header)).toEqual(expect.arrayContaining(["conv1.weight", "layer1.0.bn1.runningMean"]));
    expect(Object.keys(header).join()).not.toMatch(/projector|predictor|probe/);
  });

  it("a folder without labels, past corrupt images, which it names and --strict stops at", async () => {
    const folder = join(root, "images");
    await mkdir(folder);
    for (let i = 0; i < 20; i++) {
      const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, (_, k) => (k * (i + 3) * 40503) >>> 7);
      const png = await sharp(pixels, { raw: { width: 24, height: 24, channels: 3 } })
        .png()
        .toBuffer();
      await writeFile(join(folder, `${i}.png`), i === 7 ? png.subarray(0, png.length / 2) : png);
    }
    await writeFile(join(folder, "broken.jpg"), "this is no image");
    const three = (out: string, ...words: string[]) =>
      pretrain(
        ...["--data", folder, "--preset", "tiny", "--device", "cpu", "--steps", "3", "--batch", "8"],
        ...["--out", join(root, out), ...words],
      );
    const { code, out, err } = await three("plain");
    expect(code).toBe(0);
    expect(err).toMatch(/no labels/);
    expect(err).toMatch(/skipped 2 images.*\n.*7\.png.*\n.*broken\.jpg/);
    expect(out).toMatch(/no accuracies: the images carry no labels/);
    const strict = await three("strict", "--strict");
    expect(strict.code).toBe(1);
    expect(strict.err).toMatch(/^error: data: .*(7\.png|broken\.jpg) cannot be read: .*--strict/m);
    expect(strict.err).not.toMatch(/\n\s+at /);
    const summary = JSON.parse(await readFile(join(root, "plain", "summary.json"), "utf8"));
    expect(summary.pretrained).toEqual({ knn: null, linear: null, few_shot: null });
  });
});
