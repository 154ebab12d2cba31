/** Law 2: what needs Node lies below a `node/` folder, in a worker's entry or in a test, so that the rest runs in a page. */
import { describe, expect, it } from "vitest";
import { nodeOutside } from "./exceptions.js";
import { importsOf, packages, sourcesOf } from "./sources.js";

/** Packages that only work in Node. */
const needNode = ["commander", "glob", "hyparquet-writer", "npyjs", "sharp", "tar", "uplot"];

export const wantsNode = (specifier: string): boolean =>
  specifier.startsWith("node:") ||
  needNode.some((name) => specifier === name || specifier.startsWith(`${name}/`));
export const mayUseNode = (file: string): boolean => /(^|\/)node\/|-worker\.js$/.test(file);

describe.each(packages)("%s", (name) => {
  it("asks for Node below node/ only", () => {
    const files = sourcesOf(name);
    const known = new Set(files);
    const asking = files.filter(
      (file) =>
        !mayUseNode(file) &&
        importsOf(name, file, known).some(
          // What lies below node/ may be imported from there alone, too, but for a dynamic import by its opener.
          ({ specifier, file: target }) =>
            wantsNode(specifier) || (target !== undefined && mayUseNode(target)),
        ),
    );
    expect(asking).toEqual([...(nodeOutside[name] ?? [])].sort());
  });
});

it("knows what needs Node", () => {
  expect(wantsNode("node:fs")).toBe(true);
  expect(wantsNode("sharp")).toBe(true);
  expect(wantsNode("zod")).toBe(false);
  expect(mayUseNode("images/node/decoder.ts")).toBe(true);
  expect(mayUseNode("images/decode-worker.js")).toBe(true);
  expect(mayUseNode("images/nodes.ts")).toBe(false);
});
