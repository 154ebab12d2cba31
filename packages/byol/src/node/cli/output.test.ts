import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultFolder } from "./options.js";
import { checkOutput } from "./output.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "output-test-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("never is a file of a run, nor its checkpoint or lock", () => {
  const run = join(root, "run");
  mkdirSync(join(run, "checkpoints"), { recursive: true });
  writeFileSync(join(run, "metrics.jsonl"), "");
  for (const name of ["config.json", "metrics.jsonl", "encoder.safetensors", "run.lock", "checkpoints/x.npy"])
    expect(() => checkOutput("out", join(run, name)), name).toThrow(
      `${name} is a file of the run in ${run} (choose another name or place with --out)`,
    );
  for (const name of ["run/report.html", "run/mine.npy", "config.json"]) checkOutput("out", join(root, name));
});

it("of a run goes to a folder of its own, in the same second too", () => {
  const now = new Date("2026-01-31T10:15:00Z");
  const two = [defaultFolder("digits", 0, now), defaultFolder("digits", 0, now)];
  for (const folder of two) expect(folder).toMatch(/^runs\/digits-seed0-20260131-101500-[0-9a-f]{6}$/);
  expect(two[0]).not.toBe(two[1]);
});
