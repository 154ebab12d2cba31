import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clock } from "./progress.js";
import { RunFolder } from "../run/folder.js";
import { accuracyTable } from "./table.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "run-folder-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("RunFolder", () => {
  it("writes a line a step", async () => {
    const folder = new RunFolder(join(root, "deep", "run"));
    const metrics = { step: 0, epoch: 0, loss: 4, lr: 0.1, tau: 0.99, std: 0.1, images_per_second: 100 };
    folder.append(metrics);
    folder.append({ ...metrics, step: 1 });
    folder.close();
    const lines = (await readFile(folder.file("metrics.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([metrics, { ...metrics, step: 1 }]);
  });

  it("goes on from a step: later lines and a half one go, every step is there once", async () => {
    const metrics = { epoch: 0, loss: 4, lr: 0.1, tau: 0.99, std: 0.1, images_per_second: 100 };
    const path = join(root, "resumed");
    const first = new RunFolder(path);
    for (let step = 0; step < 6; step++) first.append({ step, ...metrics });
    first.close();
    const file = first.file("metrics.jsonl");
    await appendFile(file, '{"step":6,"epo');
    const again = new RunFolder(path, 4);
    expect(again.past.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    again.append({ step: 4, ...metrics });
    again.sync();
    again.close();
    const steps = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).step);
    expect(steps).toEqual([0, 1, 2, 3, 4]);

    expect(() => new RunFolder(path, 9)).toThrow(/steps are missing in .*4 is the last before 9/);
    await writeFile(file, '{"step":0}\n{"step":2}\n');
    expect(() => new RunFolder(path, 3)).toThrow(/2 follows 0/);
    await rm(file);
    const anew = new RunFolder(path, 3);
    anew.append({ step: 3, ...metrics });
    anew.close();
    expect(new RunFolder(path, 4).past.map(({ step }) => step)).toEqual([3]);
  });

  it("refuses a folder that cannot be made, at once and with the remedy", async () => {
    await writeFile(join(root, "file"), "");
    expect(() => new RunFolder(join(root, "file"))).toThrow(/a file stands in its way.*--out/);
    expect(() => new RunFolder(join(root, "file", "below"))).toThrow(/cannot write/);
    expect(() => new RunFolder("/proc/nothing/here")).toThrow(/cannot write/);
  });
});

it("accuracyTable shows points gained, or why there are none", () => {
  const random_init = { knn: 0.637, linear: 0.746, few_shot: 0.416 };
  const pretrained = { knn: 0.76, linear: 0.85, few_shot: 0.4 };
  const table = accuracyTable({ random_init, pretrained });
  expect(table).toMatch(/weighted kNN\s+63\.7 %\s+76\.0 %\s+\+12\.3/);
  expect(table).toMatch(/ten labels a class\s+41\.6 %\s+40\.0 %\s+−1\.6/);
  const none = { knn: null, linear: null, few_shot: null };
  expect(accuracyTable({ random_init: none, pretrained: none })).toMatch(/no labels/);
});

it("clock", () => {
  expect([5, 75, 3700, Number.POSITIVE_INFINITY].map(clock)).toEqual(["0:05", "1:15", "1:01:40", "?"]);
});
