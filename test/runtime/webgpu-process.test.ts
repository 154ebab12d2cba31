import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Runs a module in a process of its own: Vulkan drivers are chosen once per process. */
function run(
  program: string[],
  env: Record<string, string> = {},
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@dawnstrap/source", "--import", "tsx", ...program],
    { cwd: here("../.."), env: { ...process.env, ...env }, encoding: "utf8", timeout: 240_000 },
  );
  return { status, out: stdout, err: stderr };
}

const script = (body: string): string[] => [
  "--input-type=module",
  "-e",
  `import { openWebGpu } from "@dawnstrap/tensor/testing";\n${body}`,
];

describe("the process", () => {
  test("ends by itself after destroy, though the backend is still referenced", () => {
    const { status, out } = run(
      script(`
        const backend = (globalThis.keep = await openWebGpu());
        const memory = backend.allocate(64);
        backend.write(memory, 0, Int32Array.of(42));
        console.log(new Int32Array(await backend.read(memory, 0, 4))[0]);
        await backend.destroy();`),
    );
    expect(out).toContain("42");
    expect(status).toBe(0);
  });

  test("without any adapter, the error names the remedy", () => {
    const { status, out } = run(
      script(`await openWebGpu().catch((e) => console.log(e.name + ": " + e.message));`),
      { VK_DRIVER_FILES: "/nonexistent.json", VK_ICD_FILENAMES: "/nonexistent.json" },
    );
    expect(out).toMatch(/DeviceError: webgpu: no adapter found \(.*mesa-vulkan-drivers.*--device cpu/);
    expect(status).toBe(0);
  });
});

const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json";

describe("SwiftShader", () => {
  test("computes what llvmpipe computes, with subgroups of four", () => {
    expect(existsSync(swiftShader), `${swiftShader} is missing: run scripts/adapter.mjs`).toBe(true);
    const { status, out, err } = run([here("./swiftshader.child.ts")], {
      VK_DRIVER_FILES: swiftShader,
      VK_ICD_FILENAMES: swiftShader,
    });
    expect(out, err).toMatch(/SwiftShader/i);
    expect(out).toMatch(/\d+ cases agree/);
    expect(status).toBe(0);
  });
});
