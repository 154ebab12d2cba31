/** The example of each `define…`, run as it stands, against the sources; tarball.test.ts runs the programs of the READMEs. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definitions, exampleOf, root } from "./readme.js";

const exec = promisify(execFile);
let folder: string;
beforeAll(async () => {
  // Inside the workspace, so that the program finds its packages and the dependencies of them.
  folder = await mkdtemp(join(root, "node_modules", ".programs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(name: string, program: string): Promise<void> {
  const path = join(folder, `${name}.mts`);
  await writeFile(path, program);
  const flags = ["--conditions=@dawnstrap/source", "--import", "tsx"];
  await exec(process.execPath, [...flags, path], { cwd: root });
}

describe("the example of", () => {
  const all = definitions();
  it("every define… is there", () => {
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter(({ example }) => example === undefined).map(({ name }) => name)).toEqual([]);
  });
  it.each(all.filter(({ example }) => example !== undefined))("$name runs", ({ name, example }) =>
    run(name, example!),
  );
});

it("an example is what stands after @example in a docstring", () => {
  const doc =
    "/**\n * Text.\n *\n * ```ts\n * no();\n * ```\n * @example\n * ```ts\n * if (yes) {\n *   run();\n * }\n * ```\n */\n";
  expect(exampleOf(doc)).toBe("if (yes) {\n  run();\n}\n");
  expect(exampleOf("/** Text. */\n")).toBeUndefined();
});
