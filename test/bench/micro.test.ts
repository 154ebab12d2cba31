/** `npm run bench` as a process: a few cases of every layer, and its JSON. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "dawnstrap-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const program = fileURLToPath(new URL("../../bench/micro/run.ts", import.meta.url));
  return spawnSync(
    process.execPath,
    ["--conditions=@dawnstrap/source", "--import", "tsx", program, ...args],
    { cwd: fileURLToPath(new URL("../../", import.meta.url)), encoding: "utf8", timeout: 100_000 },
  );
}

describe("npm run bench", () => {
  it("checks and times cases of every layer, and writes what it measured", () => {
    const json = join(folder, "run.json");
    const only = "^tensor: (matmul 128|sort)|^autograd: host|^nn: batch norm|^byol: two views";
    const { status, stdout, stderr } = bench(
      "--device",
      "cpu",
      "--seconds",
      "0.02",
      "--only",
      only,
      "--json",
      json,
    );
    expect(status, stdout + stderr).toBe(0);
    const { results, failures, machine, device, commit, date } = JSON.parse(readFileSync(json, "utf8"));
    expect(failures).toEqual([]);
    expect(results.map((r: { layer: string }) => r.layer)).toEqual([
      "tensor",
      "tensor",
      "autograd",
      "autograd",
      "nn",
      "byol",
    ]);
    for (const { name, median, rate, samples, kernels, dispatches } of results) {
      expect(stdout).toContain(name);
      expect(median).toBeGreaterThan(0);
      expect(rate).toBeGreaterThan(0);
      expect(samples).toBeGreaterThanOrEqual(3);
      expect(dispatches > 0 || name.startsWith("host")).toBe(true);
      expect(kernels).toBeGreaterThan(0);
    }
    expect(device.kind).toBe("cpu");
    expect(machine.cores).toBeGreaterThan(0);
    expect(commit).toMatch(/^([0-9a-f]{40}\+?|unknown)$/);
    expect(Date.parse(date)).toBeGreaterThan(0);
  });
});
