import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRun } from "./run.js";
import { decodeSample, encodeSample } from "./sample.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "report-run-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const line = (step: number, loss: number | null = 4) =>
  `${JSON.stringify({ step, loss, lr: 0.1, std: 0.1, images_per_second: 9 })}\n`;

const result = {
  ...{ id: "1", protocol: "knn", version: "0", date: "2026", encoder: "tiny", encoder_file: "e" },
  ...{ encoder_sha256: "0", image: {}, view: {}, data: "d", device: "cpu", device_description: "", seed: 0 },
  ...{ settings: {}, images: { train: 2, test: 1, skipped: 0 }, classes: ["a"], seconds: 1 },
  metrics: { top1: { value: 1, low: 1, high: 1 }, confusion: [1] },
};

/** A run's folder with these files, besides a sound configuration. */
async function folder(files: Record<string, string | Uint8Array>): Promise<string> {
  const path = await mkdtemp(join(root, "run-"));
  const config = JSON.stringify({ data: "digits", seed: 0, steps: 3, preset: { name: "tiny" } });
  for (const [name, content] of Object.entries({ "config.json": config, ...files })) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return path;
}

describe("readRun", () => {
  it("reads a run that was killed while it wrote a line", async () => {
    const run = readRun(await folder({ "metrics.jsonl": `${line(4)}${line(5)}{"step":6,"lo` }));
    expect(run.metrics.map(({ step }) => step)).toEqual([4, 5]);
    expect([run.summary, run.sample]).toEqual([undefined, undefined]);
  });

  // Windows has no pipes among its files.
  it.skipIf(process.platform === "win32")("refuses pipes and folders in the place of files", async () => {
    for (const name of ["config.json", "metrics.jsonl", "summary.json", "embeddings.safetensors"])
      for (const make of ["mkfifo", "mkdir"]) {
        const path = await folder({ "metrics.jsonl": line(0) });
        await rm(join(path, name), { force: true });
        execFileSync(make, [join(path, name)]);
        expect(() => readRun(path), `${make} ${name}`).toThrow(
          new RegExp(`${name.replaceAll(".", "\\.")}.* is no regular file$`),
        );
      }
    const path = await folder({ "metrics.jsonl": line(0), evaluations: "a file" });
    expect(() => readRun(path)).toThrow(/cannot read .*evaluations: ENOTDIR/);
  });

  const sound = { "metrics.jsonl": line(0) };
  const cases: Record<string, [files: Record<string, string | Uint8Array>, message: RegExp]> = {
    "a line that is cut": [
      { "metrics.jsonl": `${line(0)}{"step":1,\n` },
      /metrics\.jsonl, line 2 is not JSON/,
    ],
    "a line that is missing": [{ "metrics.jsonl": line(0) + line(2) }, /, line 2: steps .*: 2 follows 0/],
    "a line twice": [{ "metrics.jsonl": line(0) + line(0) }, /, line 2: steps .*: 0 follows 0/],
    "an empty line": [{ "metrics.jsonl": `${line(0)}\n${line(1)}` }, /, line 2 is not JSON/],
    "a loss that is no number": [{ "metrics.jsonl": line(0, null) }, /, line 1: loss: .*number/],
    "no lines": [{ "metrics.jsonl": "" }, /metrics\.jsonl holds no line/],
    "no metrics": [{}, /is no run: it holds no metrics\.jsonl/],
    "another summary": [{ ...sound, "summary.json": "[]" }, /summary\.json: /],
    "another configuration": [{ ...sound, "config.json": '{"seed":1}' }, /config\.json: data: /],
    "another result": [
      { ...sound, "evaluations/knn.json": '{"id":"1"}' },
      /evaluations\/knn\.json: protocol: .*string/,
    ],
    "a confusion that is cut": [
      { ...sound, "evaluations/knn.json": JSON.stringify({ ...result, classes: ["a", "b"] }) },
      /knn\.json: metrics: confusion: it has not a count for every two classes/,
    ],
    "a cut sample": [
      { ...sound, "embeddings.safetensors": "short" },
      /embeddings\.safetensors: safetensors: the file has 5 bytes/,
    ],
  };
  for (const [name, [files, message]] of Object.entries(cases))
    it(`names ${name}`, async () => {
      const path = await folder(files);
      expect(() => readRun(path)).toThrow(message);
    });

  it("reads results, and says whether they are of the encoder that is there", async () => {
    const sha256 = createHash("sha256").update("weights").digest("hex");
    const run = readRun(
      await folder({
        ...{ ...sound, "encoder.safetensors": "weights" },
        "evaluations/a.json": JSON.stringify(result),
        "evaluations/b.json": JSON.stringify({ ...result, encoder_sha256: sha256 }),
        "evaluations/c.json.partial": "{",
      }),
    );
    expect(run.evaluations.map(({ current }) => current)).toEqual([false, true]);
  });

  it("says that a folder is no run, or is not there", () => {
    expect(() => readRun(root)).toThrow(/is no run: it holds no config\.json/);
    expect(() => readRun(join(root, "nowhere"))).toThrow(/there is no .*nowhere/);
  });
});

it("a sample comes back from its file as it was, and one with a broken feature is refused", () => {
  const sample = {
    ...{ features: Float32Array.of(1, 2, 3, 4), width: 2, labels: Int32Array.of(0, -1), classes: ["ä"] },
    ...{ thumbnails: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), side: 2, channels: 1 as const },
  };
  expect(decodeSample(encodeSample(sample))).toEqual(sample);
  const broken = { ...sample, features: Float32Array.of(1, Number.NaN, 3, 4) };
  expect(() => decodeSample(encodeSample(broken))).toThrow(/feature 1 is NaN/);
});
