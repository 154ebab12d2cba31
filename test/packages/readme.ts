/** The programs that the documentation shows. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const packages = ["tensor", "autograd", "nn", "byol"] as const;

export interface Program {
  /** What shows it: a package's README, or the function whose docstring it stands in. */
  readonly name: string;
  readonly text: string;
}

const block = /^```ts\b[^\n]*\n([\s\S]*?)^```/m;

/** The first TypeScript block of a package's README: the program that it opens with. */
export function firstProgram(name: string): string {
  const program = block.exec(readFileSync(join(root, "packages", name, "README.md"), "utf8"))?.[1];
  if (program === undefined)
    throw new Error(`packages/${name}/README.md opens with no program in a \`\`\`ts block`);
  return program;
}

/** Exported functions named `define…`, each with the example of its docstring; undefined where it has none. */
export function definitions(): { readonly name: string; readonly example: string | undefined }[] {
  return packages.flatMap((name) => {
    const folder = join(root, "packages", name, "src");
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .flatMap((file) => {
        const text = readFileSync(join(folder, file), "utf8");
        return [
          ...text.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export (?:const|function) (define[A-Z]\w*)/g),
        ].map(([, doc, defined]) => ({ name: defined!, example: exampleOf(doc) }));
      });
  });
}

/** The program after `@example` in a docstring. */
export function exampleOf(doc: string | undefined): string | undefined {
  const lines = doc?.replaceAll(/^ *\* ?/gm, "");
  const at = lines?.indexOf("@example") ?? -1;
  return at < 0 ? undefined : block.exec(lines!.slice(at))?.[1];
}
