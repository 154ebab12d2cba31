/** The table of `npm run bench:methods`, and that the script starts. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { methodTable, type Row } from "../../bench/methods/rows.js";

const row = (method: string, seed: number, knn: number | null): Row => ({
  ...{ method, seed, epochs: 1, steps: 125, loss: 1 },
  accuracies: { knn, linear: 0.5, few_shot: 0.25 },
  ...{ seconds: 1, commit: "c" },
});

describe("table", () => {
  it("has the mean and each seed in order, a line a method", () => {
    const rows = [row("byol", 1, 0.9), row("simclr", 0, 0.7), row("byol", 0, 0.8), row("moco", 0, null)];
    expect(methodTable(["byol", "simclr", "moco"], rows).split("\n").slice(2)).toEqual([
      "| byol | 0, 1 | 85.0 (80.0, 90.0) | 50.0 (50.0, 50.0) | 25.0 (25.0, 25.0) |",
      "| simclr | 0 | 70.0 | 50.0 | 25.0 |",
      "| moco | 0 | – | 50.0 | 25.0 |",
    ]);
  });
});

describe("npm run bench:methods", () => {
  it("ends with exit code 1 where an option is wrong", () => {
    const program = fileURLToPath(new URL("../../bench/methods/run.ts", import.meta.url));
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--conditions=@dawnstrap/source", "--import", "tsx", program, "--epochs", "0"],
      { encoding: "utf8", timeout: 100_000 },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/above 0/);
  });
});
