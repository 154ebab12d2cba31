/** `npm run tune` as a process: what it tunes is kept and listed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "dawnstrap-tune-"));
afterAll(() => rmSync(folder, { recursive: true }));

function tune(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  return spawnSync(
    process.execPath,
    ["--conditions=@dawnstrap/source", "--import", "tsx", "bench/tune/run.ts", ...args],
    {
      cwd: root,
      encoding: "utf8",
      timeout: 100_000,
      env: { ...process.env, DAWNSTRAP_TUNE_CACHE: join(folder, "tune.json") },
    },
  );
}

describe("npm run tune", () => {
  it("tunes a case within its seconds, keeps the result, and lists it", () => {
    const only = ["--preset", "matmul", "--cases", "128×512×512"];
    const tuned = tune(...only, "--seconds", "0.5");
    expect(tuned.status, tuned.stdout + tuned.stderr).toBe(0);
    const row = /matmul 128×512×512 +[\d.]+ +[\d.]+ +[\d.]+ {2}lanes .*/;
    expect(tuned.stdout).toMatch(row);
    expect(tune(...only, "--list").stdout).toContain(row.exec(tuned.stdout)![0]);
  });
});
