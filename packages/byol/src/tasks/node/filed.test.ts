import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fileNameOf, fileResult, openEvaluations } from "./filed.js";
import type { Result } from "../result.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "filed-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const result = { protocol: "semi 1 %", data: "dtd:/../Éx/DTD", seed: 3, id: "0a1b2c3d" } as Result;

it("names a file by protocol, data, seed and id, whatever characters the data's path has", () => {
  expect(fileNameOf(result)).toBe("semi-1-dtd-x-dtd-seed3-0a1b2c3d.json");
});

it("files with runs only, over an earlier answer, and leaves nothing half written", async () => {
  expect(openEvaluations(root)).toBeUndefined();
  await writeFile(join(root, "config.json"), "{}");
  const folder = openEvaluations(root)!;
  const file = await fileResult(folder, result);
  expect(await fileResult(folder, { ...result, seconds: 2 })).toBe(file);
  expect(await readdir(folder)).toEqual([fileNameOf(result)]);
  await mkdir(join(folder, `${fileNameOf({ ...result, id: "1" })}`));
  await expect(fileResult(folder, { ...result, id: "1" })).rejects.toThrow(
    /cannot write .*-1\.json: .*--json/,
  );
  expect(await readdir(folder)).toHaveLength(2);
});

it("says before anything is computed that a run cannot be written, and what to name instead", async () => {
  const run = join(root, "blocked");
  await mkdir(run);
  await writeFile(join(run, "config.json"), "{}");
  await writeFile(join(run, "evaluations"), "a file in its way");
  expect(() => openEvaluations(run)).toThrow(/cannot be filed in .*name .*encoder\.safetensors instead/);
});
