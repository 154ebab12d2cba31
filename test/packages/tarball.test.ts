/** What would be published works where nothing else of this repository is: packed, installed, typed and run. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { presetNamed } from "@dawnstrap/byol";
import { openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { host, swiftShader } from "../browser/page.js";
import { trained } from "../browser/training.js";
import { firstProgram, packages, root } from "./readme.js";
import type { Trained } from "./training.page.js";

const exec = promisify(execFile);

/** Runs a command and throws with what it printed. The conditions of the test runner must not leak into it. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: "" };
  try {
    return (await exec(command, args, { cwd, env, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
}

describe("the packed packages", () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dawnstrap-packed-"));
    project = join(folder, "project");
    await mkdir(project);
    await run(root, process.execPath, "scripts/build.mjs");
    await run(
      root,
      "npm",
      "pack",
      ...packages.map((name) => `./packages/${name}`),
      "--pack-destination",
      folder,
    );
    const tarballs = (await readdir(folder)).filter((file) => file.endsWith(".tgz"));
    expect(tarballs).toHaveLength(packages.length);
    await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-package-lock"];
    await run(project, "npm", "install", ...quiet, ...tarballs.map((file) => join(folder, file)));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("byol's command runs from what was packed, and builds nothing", async () => {
    const { version } = JSON.parse(await readFile(join(root, "packages/byol/package.json"), "utf8"));
    expect(await run(project, "npx", "--offline", "byol", "--version")).toBe(`${version}\n`);
    const packed = await readdir(join(project, "node_modules", "@dawnstrap", "byol", "bin"));
    expect(packed).toEqual(["byol.js"]);
  });

  for (const name of packages) {
    it(`${name} contains its program, its licence and nothing of its sources`, async () => {
      const files = await readdir(join(project, "node_modules", "@dawnstrap", name), { recursive: true });
      expect(files).toEqual(expect.arrayContaining(["LICENSE", "dist/index.js", "dist/types/index.d.ts"]));
      expect(files.filter((file) => /^src|\.test\.|\.built$/.test(file))).toEqual([]);
    });
  }

  it("the program that each README opens with passes tsc", async () => {
    for (const name of packages) await writeFile(join(project, `${name}.ts`), firstProgram(name));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];
    const flags = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", ...types];
    await run(project, process.execPath, tsc, ...flags, ...packages.map((name) => `${name}.ts`));
  });

  it.each(packages)("%s's program runs in plain Node", async (name) => {
    await run(project, process.execPath, `${name}.js`);
  });

  describe("in Chromium, bundled by", () => {
    const steps = 10;
    const names = ["browser/training.ts", "packages/training.page.ts"];
    let want: number[][];

    beforeAll(async () => {
      for (const name of names) {
        await mkdir(join(project, name, ".."), { recursive: true });
        await copyFile(join(root, "test", name), join(project, name));
      }
      await writeFile(
        join(project, "index.html"),
        '<!doctype html><script type="module" src="./packages/training.page.ts"></script>',
      );
      const device = await openDevice("cpu");
      want = await trained(device, presetNamed("tiny"), steps);
      await device.destroy();
    });

    it.each([
      ["esbuild", [names[1]!, "--bundle", "--format=esm", "--outfile=esbuild/script.js"]],
      ["vite", ["build", "--outDir", "vite"]],
    ])(
      "%s without flags of its own, BYOL trains on webgpu and on cpu as in Node",
      async (bundler, args) => {
        await run(project, join(root, "node_modules", ".bin", bundler), ...args);
        const folder = join(project, bundler);
        const files = new Map<string, Uint8Array>();
        for (const file of await readdir(folder, { recursive: true, withFileTypes: true }))
          if (file.isFile()) {
            const path = join(file.parentPath, file.name);
            files.set(relative(folder, path).replaceAll("\\", "/"), await readFile(path));
          }
        const site = await host(files, swiftShader);
        try {
          const page = await site.open("/");
          for (const kind of ["webgpu", "cpu"]) {
            const { description, losses } = await page.evaluate<Trained>(`page.train("${kind}", ${steps})`);
            console.log(`${description}: ${losses.map(([loss]) => loss!.toFixed(5)).join(", ")}`);
            expect(losses).toHaveLength(steps);
            for (const [k, both] of want.entries())
              for (const [i, loss] of both.entries())
                expect(Math.abs(losses[k]![i]! - loss), `${kind}, step ${k}`).toBeLessThan(1e-3);
          }
        } finally {
          await site.close();
        }
      },
      600_000,
    );
  });
});
