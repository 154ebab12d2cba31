/** The command `byol` in a clone: there before anything is built, and never a stranger's of that name. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./readme.js";

const { version } = createRequire(import.meta.url)("../../packages/byol/package.json") as { version: string };

function run(cwd: string, command: string, ...args: string[]) {
  // Where npm would turn to the registry, it finds nobody.
  const env = { ...process.env, NODE_OPTIONS: "", npm_config_registry: "http://127.0.0.1:9/" };
  return spawnSync(command, args, { cwd, env, encoding: "utf8" });
}

it("is linked to a file that is checked in", async () => {
  const file = relative(await realpath(root), await realpath(join(root, "node_modules", ".bin", "byol")));
  const { stdout } = run(root, "git", "ls-files", "--stage", file);
  expect(stdout).toMatch(/^100755 /);
});

describe("npx byol", () => {
  beforeAll(() => {
    const built = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { encoding: "utf8" });
    expect(built.status, built.stderr).toBe(0);
  }, 300_000);
  it.each(["", "packages/byol", "packages/byol/src", "test"])("in ./%s is this repository's", (folder) => {
    const { status, stdout, stderr } = run(join(root, folder), "npx", "byol", "--version");
    expect([status, stdout], stderr).toEqual([0, `${version}\n`]);
  });
  it("of what is not installed fetches nothing, not even where nobody can be asked", () => {
    expect(run(root, "npm", "config", "get", "yes").stdout).toBe("false\n");
  });
});

describe("the bin", () => {
  let folder: string;
  const bin = () => join(folder, "packages", "byol", "bin", "byol.js");
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "byol-bin-"));
    const own = join(folder, "packages", "byol");
    await cp(join(root, "packages", "byol", "bin"), join(own, "bin"), { recursive: true });
    await mkdir(join(own, "src"));
    await mkdir(join(folder, "scripts"));
    await writeFile(join(own, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(folder, "scripts", "build.mjs"),
      `import { mkdirSync, writeFileSync } from "node:fs";
      mkdirSync(${JSON.stringify(join(own, "dist"))}, { recursive: true });
      writeFileSync(${JSON.stringify(join(own, "dist", "cli.js"))}, "console.log('ran', process.argv[2])");
      console.log("built");
      process.exit(Number(process.env.BUILD ?? 0));`,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("builds where there are sources, says so on stderr, and runs; not where the build fails", () => {
    expect(run(folder, process.execPath, bin(), "word")).toMatchObject({
      ...{ status: 0, stdout: "ran word\n", stderr: "built\n" },
    });
    const env = { ...process.env, BUILD: "3" };
    const failed = spawnSync(process.execPath, [bin(), "word"], { env, encoding: "utf8" });
    expect(failed).toMatchObject({ status: 3, stdout: "" });
  });
  it("runs what was built where there are none", async () => {
    await rm(join(folder, "packages", "byol", "src"), { recursive: true });
    expect(run(folder, process.execPath, bin(), "word")).toMatchObject({
      ...{ status: 0, stdout: "ran word\n", stderr: "" },
    });
  });
});
