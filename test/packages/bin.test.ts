/** The command `byol` in a clone: there before anything is built, and never a stranger's of that name. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./readme.js";

/** Where npm would turn to the registry, it finds nobody. */
const offline = { NODE_OPTIONS: "", npm_config_registry: "http://127.0.0.1:9/" };

function run(cwd: string, command: string, ...args: string[]) {
  return spawnSync(command, args, { cwd, env: { ...process.env, ...offline }, encoding: "utf8" });
}

it("is linked to a file that is checked in", async () => {
  const file = relative(await realpath(root), await realpath(join(root, "node_modules", ".bin", "byol")));
  const { stdout } = run(root, "git", "ls-files", "--stage", file);
  expect(stdout).toMatch(/^100755 /);
});

describe("npx byol", () => {
  // Says which file Node is about to run, and ends there: nothing is built for it.
  const hook = `import { basename } from "node:path";
    if (/^byol/.test(basename(process.argv[1]))) { console.log(process.argv[1]); process.exit(0); }`;
  it.each(["", "packages/byol", "packages/byol/src", "test"])(
    "in ./%s is this repository's",
    async (folder) => {
      const env = {
        ...process.env,
        ...offline,
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
      };
      const { stdout, stderr } = spawnSync("npx", ["byol"], {
        ...{ cwd: join(root, folder), env, encoding: "utf8" },
      });
      expect(stdout, stderr).not.toBe("");
      expect(await realpath(stdout.trim())).toBe(await realpath(join(root, "packages/byol/bin/byol.js")));
    },
  );
  it("of what is not installed fetches nothing without being asked", () => {
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
