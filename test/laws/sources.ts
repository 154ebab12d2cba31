/** What the laws look at: the sources of each package, and which file imports which. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("../../", import.meta.url));
/** Left to right, as imports between packages may point. */
export const packages = ["tensor", "autograd", "nn", "byol"] as const;
export type Package = (typeof packages)[number];

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The file of the same package that is meant, relative to its `src`; undefined for packages and Node's modules. */
  readonly file?: string;
}

/** Whether a file is published: neither a test nor what only tests use. */
export const isSource = (file: string): boolean =>
  !/\.test\.ts$|(^|\/)testing(-[a-z]+)?(\.ts$|\/)/.test(file);

/** Source files of a package, relative to its `src`, without its tests. */
export function sourcesOf(name: Package): string[] {
  return readdirSync(join(root, "packages", name, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[cm]?[jt]s$/.test(file) && !/\.d\.ts$/.test(file) && isSource(file))
    .sort();
}

export const textOf = (name: Package, file: string): string =>
  readFileSync(join(root, "packages", name, "src", file), "utf8");

/** Everything that a file imports, types and dynamic imports included. */
export function importsOf(name: Package, file: string, known: ReadonlySet<string>): Import[] {
  const { importedFiles } = ts.preProcessFile(textOf(name, file), true, true);
  return importedFiles.map(({ fileName: specifier }) => {
    if (!specifier.startsWith(".")) return { specifier };
    const path = resolve("/", dirname(file), specifier).slice(1);
    const found = [path, path.replace(/\.js$/, ".ts"), `${path}.ts`].find((candidate) =>
      known.has(candidate),
    );
    return found === undefined ? { specifier } : { specifier, file: found };
  });
}

/** Which files of its package each file imports. */
export function graphOf(name: Package): Map<string, string[]> {
  const files = sourcesOf(name);
  const known = new Set(files);
  return new Map(
    files.map((file) => [
      file,
      importsOf(name, file, known).flatMap((imported) =>
        imported.file === undefined ? [] : [imported.file],
      ),
    ]),
  );
}
