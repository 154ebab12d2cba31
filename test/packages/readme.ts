import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const packages = ["tensor", "autograd", "nn", "byol"] as const;

/** The first TypeScript block of a README: the program that it opens with. */
export function firstProgram(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  return /^```ts\b[^\n]*\n([\s\S]*?)^```/m.exec(readFileSync(file, "utf8"))?.[1];
}

/** Whether a package has anything to show yet. A placeholder index owes no program. */
export async function isPlaceholder(name: string): Promise<boolean> {
  return Object.keys(await import(`@dawnstrap/${name}`)).length === 0;
}

export function readmeOf(name: string): string {
  return join(root, "packages", name, "README.md");
}
