/** What the long-running scripts of bench/ share: journals that can be gone on with, results in sections, earlier runs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presetNamed } from "@dawnstrap/byol";
import { afterAll, describe, expect, it } from "vitest";
import { evaluationTable, type Row } from "../../bench/evaluations/rows.js";
import { earlierRun } from "../../bench/methods/earlier.js";
import { Journal } from "../../bench/shared/journal.js";
import { appendSection } from "../../bench/shared/section.js";

const root = mkdtempSync(join(tmpdir(), "bench-results-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("a journal", () => {
  const file = join(root, "rows.jsonl");
  it("goes on with whole lines, drops one that was cut off, and begins anew where not resumed", () => {
    writeFileSync(file, '{"n":1}\n{"n":2}\n{"n":');
    const journal = new Journal<{ n: number }>(file, true);
    journal.add({ n: 3 });
    expect(journal.rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(new Journal(file, true).rows).toEqual(journal.rows);
    expect(new Journal(file, false).rows).toEqual([]);
    expect(readFileSync(file, "utf8")).toBe("");
  });
  it("names a line that is not JSON", () => {
    writeFileSync(file, '{"n":1}\nn=2\n');
    expect(() => new Journal(file, true)).toThrow(/line 2 of .*rows.jsonl is not JSON/);
  });
});

it("a section goes to the end of the results", () => {
  const file = join(root, "RESULTS.md");
  appendSection(file, "## One\n");
  appendSection(file, "## Other\n");
  expect(readFileSync(file, "utf8")).toMatch(/^# Measured\n.*\n\n## One\n\n## Other\n$/s);
});

it("an earlier run counts where preset, seed and device are the same", () => {
  const [preset, folder] = [presetNamed("digits"), join(root, "digits-1")];
  expect(earlierRun(folder, preset, 1, "cpu")).toBeUndefined();
  mkdirSync(folder);
  const accuracies = { knn: 0.5, linear: 0.5, few_shot: 0.5 };
  const summary = {
    ...{ device: "cpu", data: "digits", preset: "digits", seed: 1, epochs: 1, steps: 5, seconds: 9 },
    ...{
      images_per_second: 90,
      loss_first: 4,
      loss_last: 3,
      random_init: accuracies,
      pretrained: accuracies,
    },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ data: "digits", seed: 1, steps: 5, preset }));
  expect(earlierRun(folder, preset, 1, "cpu")).toBeUndefined();
  writeFileSync(join(folder, "summary.json"), JSON.stringify(summary));
  expect(earlierRun(folder, preset, 1, "cpu")).toEqual(summary);
  expect(earlierRun(folder, preset, 2, "cpu")).toBeUndefined();
  expect(earlierRun(folder, preset, 1, "webgpu")).toBeUndefined();
  expect(earlierRun(folder, { ...preset, epochs: 1 }, 1, "cpu")).toBeUndefined();
});

it("the table of evaluations has a line a protocol and a column a start, seeds in order", () => {
  const row = (seed: number, start: Row["start"], value: number) =>
    ({ protocol: "kNN", target: "digits", start, seed, top1: { value } }) as Row;
  const rows = [row(1, "byol", 0.9), row(0, "byol", 0.8), row(0, "random", 0.5)];
  const [head, , knn, , , , semi] = evaluationTable("digits", rows).split("\n");
  expect(head).toMatch(/on digits \| random initialisation \| BYOL on digits \|/);
  expect(knn).toBe("| kNN | 50.0 | 85.0 (80.0, 90.0) | – | – |");
  expect(semi).toMatch(/semi 1 % \| –/);
});
