/** The law of the layers: tensor ← autograd ← nn ← byol, imports point left only. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { byPath } from "./exceptions.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const layers = ["tensor", "autograd", "nn", "byol"];

interface Manifest {
  exports: Record<string, unknown>;
  imports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const manifests = new Map(
  layers.map((layer) => [
    layer,
    JSON.parse(readFileSync(join(root, "packages", layer, "package.json"), "utf8")) as Manifest,
  ]),
);

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => join(folder, file));
}

/** What is wrong with an import of `specifier` in `file` of `layer`; undefined where nothing is. */
function offence(layer: string, file: string, specifier: string): string | undefined {
  const folder = join(root, "packages", layer, "src");
  if (specifier.startsWith(".")) {
    const target = resolve(dirname(file), specifier);
    const path = relative(folder, target);
    return path.startsWith("..") && path !== "../package.json" ? "leaves the package's sources" : undefined;
  }
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith("#"))
    return specifier in (manifests.get(layer)!.imports ?? {})
      ? undefined
      : "is not among the package's imports";
  if (builtinModules.includes(specifier)) return "names a Node module without node:";

  const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  const own = /^@dawnstrap\/(.*)$/.exec(name ?? "")?.[1];
  if (own !== undefined) {
    if (own === layer) return "names its own package; a relative path is meant";
    if (!layers.includes(own)) return "names no package of the four";
    if (layers.indexOf(own) > layers.indexOf(layer)) return "points right";
    if (!(`.${rest ?? ""}` in manifests.get(own)!.exports)) return `is not among the exports of ${name}`;
  }
  // Tests beside their sources use the workspace's own tools; what is published may use its dependencies only.
  if (/(\.test|\/testing[^/]*)\.ts$/.test(file) && own === undefined) return undefined;
  const { dependencies = {}, peerDependencies = {} } = manifests.get(layer)!;
  if (!(name! in dependencies) && !(name! in peerDependencies)) return "is not a dependency of the package";
  return undefined;
}

describe("imports between packages", () => {
  for (const layer of layers) {
    it(`${layer} imports only from its left`, () => {
      const files = sources(join(root, "packages", layer, "src"));
      expect(files.length).toBeGreaterThan(0);
      const offences = files.flatMap((file) =>
        ts
          .preProcessFile(readFileSync(file, "utf8"), true, true)
          .importedFiles.map(({ fileName }) => ({ fileName, why: offence(layer, file, fileName) }))
          .filter(({ why }) => why !== undefined)
          .map(({ fileName, why }) => `${relative(root, file)}: "${fileName}" ${why}`),
      );
      expect(offences).toEqual([]);
    });
  }

  it("sees an offence where there is one", () => {
    const file = join(root, "packages/tensor/src/ops/example.ts");
    expect(offence("tensor", file, "@dawnstrap/nn")).toBe("points right");
    expect(offence("tensor", file, "../../../nn/src/index.ts")).toBe("leaves the package's sources");
    expect(offence("tensor", file, "../index.ts")).toBeUndefined();
    expect(offence("nn", file, "@dawnstrap/tensor")).toBeUndefined();
    expect(offence("nn", file, "@dawnstrap/tensor/src/shape.ts")).toMatch("not among the exports");
    expect(offence("autograd", file, "sharp")).toBe("is not a dependency of the package");
    expect(offence("tensor", file, "fs")).toBe("names a Node module without node:");
  });
});

describe("tests and benchmarks", () => {
  it("import packages by their names, never by the path of a source", () => {
    const reaching = ["test", "bench"]
      .flatMap((folder) => sources(join(root, folder)))
      .filter((file) => !file.includes("node_modules"))
      .filter((file) =>
        ts
          .preProcessFile(readFileSync(file, "utf8"), true, true)
          .importedFiles.some(({ fileName }) => /packages\/[a-z]+\/src\//.test(fileName)),
      );
    expect(reaching.map((file) => relative(root, file)).sort()).toEqual([...byPath]);
  });
});
