/** The program that a README opens with runs as it stands, against the sources. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstProgram, isPlaceholder, packages, readmeOf, root } from "./readme.js";

const run = promisify(execFile);

describe("the first program of the README of", () => {
  let folder: string;
  beforeAll(async () => {
    // Inside the workspace, so that the program finds its packages and the dependencies of them.
    folder = await mkdtemp(join(root, "node_modules", ".readme-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const readmes = [
    ["the project", join(root, "README.md")],
    ...packages.map((name) => [name, readmeOf(name)]),
  ];
  for (const [name, file] of readmes) {
    it(`${name} runs`, async ({ skip }) => {
      const program = firstProgram(file!);
      if (program === undefined) {
        const owes = name === "the project" ? false : !(await isPlaceholder(name!));
        expect(owes, `${file} must open with a program in a \`\`\`ts block`).toBe(false);
        return skip("no program, and nothing to show yet");
      }
      const path = join(folder, `${name!.replace(" ", "-")}.mts`);
      await writeFile(path, program);
      const flags = ["--conditions=@dawnstrap/source", "--import", "tsx"];
      await run(process.execPath, [...flags, path], { cwd: root });
    });
  }
});
