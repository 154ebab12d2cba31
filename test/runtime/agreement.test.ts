/** The same first training steps on every device: augmentation, networks, gradients, optimiser and EMA in one figure. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json";
const steps = 20;

async function losses(
  device: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ description: string; losses: number[] }> {
  const script = join(root, "test/runtime/steps.ts");
  const flags = ["--conditions=@dawnstrap/source", "--import", "tsx", script, "tiny", device, String(steps)];
  const { stdout } = await run(process.execPath, flags, { cwd: root, env: { ...process.env, ...env } });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

// Software adapters compile some 300 shaders first, two processes at a time.
describe("the first 20 steps of the tiny preset", { timeout: 600_000 }, () => {
  const reference = losses("reference");
  const agrees = async (other: Promise<{ losses: number[] }>): Promise<void> => {
    const [want, got] = [(await reference).losses, (await other).losses];
    expect(want).toHaveLength(steps);
    expect(got).toHaveLength(steps);
    const worst = Math.max(...got.map((loss, i) => Math.abs(loss - want[i]!) / Math.abs(want[i]!)));
    expect(worst, `losses ${got} against ${want}`).toBeLessThan(1e-3);
  };

  it("lose on cpu what they lose on reference", () => agrees(losses("cpu")));

  it("lose on webgpu (the default adapter) what they lose on reference", () => agrees(losses("webgpu")));

  it("lose on webgpu (SwiftShader) what they lose on reference", async () => {
    expect(existsSync(swiftShader), `${swiftShader} is missing; run: npm run adapter -- --all`).toBe(true);
    const other = losses("webgpu", { VK_DRIVER_FILES: swiftShader });
    await agrees(other);
    expect((await other).description).toMatch(/SwiftShader/i);
  });

  it("move", async () => {
    const { losses: all } = await reference;
    expect(new Set(all.map((l) => l.toFixed(6))).size).toBe(steps);
  });
});
