/** Law 3: whatever a source defines is in the registry that the suites walk. */
import { join } from "node:path";
import { methods } from "@dawnstrap/byol";
import { protocols } from "@dawnstrap/byol/tasks";
import { optimizers } from "@dawnstrap/nn";
import { expect, it } from "vitest";
import { families } from "@dawnstrap/tensor/testing";
import { registry } from "../registry.js";
import { packages, root, sourcesOf, textOf } from "./sources.js";

/** Files that call a `define…` and are not the one that declares it. */
const definers = (what: string): string[] =>
  packages.flatMap((name) =>
    sourcesOf(name)
      .filter((file) => new RegExp(`\\b${what}(<[^(]*>)?\\(`).test(textOf(name, file)))
      .filter((file) => !new RegExp(`(function|const) ${what}\\b`).test(textOf(name, file)))
      .map((file) => join(root, "packages", name, "src", file)),
  );

it("every method that a file defines is listed by methods/index.ts", async () => {
  const listed = new Set<unknown>(methods);
  const files = definers("defineMethod");
  expect(files.length).toBeGreaterThan(5);
  const modules = (await Promise.all(files.map((file) => import(file)))) as object[];
  const isMethod = (value: unknown) => typeof value === "object" && value !== null && "schema" in value;
  expect(new Set(modules.flatMap((module) => Object.values(module)).filter(isMethod))).toEqual(listed);
});

it("every op that a file defines is registered by the packages' indices", async () => {
  const registered = new Set(registry.keys());
  const files = definers("defineOp");
  expect(files.length).toBeGreaterThan(30);
  // A file that no index reaches would add its op now.
  for (const file of files) await import(file);
  expect([...registry.keys()].filter((name) => !registered.has(name))).toEqual([]);
});

/** Everything that the files which call a `define…` export. */
const exportsOf = async (what: string): Promise<unknown[]> => {
  const modules = (await Promise.all(definers(what).map((file) => import(file)))) as object[];
  return modules.flatMap((module) => Object.values(module));
};

it("every optimiser that a file defines is in the table", async () => {
  const found = (await exportsOf("defineOptimizer")).filter(
    (value) => typeof value === "function" && "definition" in value,
  );
  expect(found.length).toBeGreaterThan(2);
  expect(new Set(found)).toEqual(new Set(optimizers.values()));
});

it("every protocol that a file defines is in the table", async () => {
  const found = (await exportsOf("defineProtocol")).filter(
    (value) => typeof value === "object" && value !== null && "run" in value && "metrics" in value,
  );
  expect(found.length).toBeGreaterThan(5);
  expect(new Set(found)).toEqual(new Set(protocols));
});

it("every kernel family that a file defines is in the table", async () => {
  const registered = new Set(families.keys());
  const files = definers("defineFamily");
  expect(files.length).toBe(registered.size);
  for (const file of files) await import(file);
  expect([...families.keys()].filter((name) => !registered.has(name))).toEqual([]);
});
