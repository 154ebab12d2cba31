import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clock } from "./progress.js";
import { RunFolder } from "./run-folder.js";
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
