import { copyFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { defineConfig, type Options } from "tsup";

/**
 * How each package's programs are built: ESM with source maps (build.mjs adds the types). Dependencies, the other packages among them, are
 * imported, not bundled (two copies of tensor's op registry would be two registries).
 */
export function library(entry: Record<string, string>): Options {
  return {
    entry,
    format: ["esm"],
    target: ["node20", "es2022"],
    platform: "node",
    sourcemap: true,
    clean: true,
    external: [/^@dawnstrap\//, /^#/],
    onSuccess: copyAssets,
  };
}

/**
 * Worker files are plain modules named `*-worker.js`, what a written page is made of is named `*-page.js` and
 * `*-page.css`. They land flat in dist, because the code that reads them is bundled flat:
 * `new URL("./decode-worker.js", import.meta.url)` holds in the sources and in dist.
 */
async function copyAssets(): Promise<void> {
  const taken = new Set<string>();
  for (const file of await readdir("src", { recursive: true })) {
    if (!/-worker\.js$|-page\.(js|css)$/.test(file)) continue;
    const name = basename(file);
    if (taken.has(name)) throw new Error(`two files to copy are named ${name}; dist is flat`);
    taken.add(name);
    await copyFile(join("src", file), join("dist", name));
  }
}

export default defineConfig(library({ index: "src/index.ts" }));
