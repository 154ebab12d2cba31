/** Tuning results in a file. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { TuneStore } from "../platform.js";

export function fileStore(path: string): TuneStore {
  return {
    place: path,
    read: () =>
      readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
        throw error;
      }),
    async write(text) {
      await mkdir(dirname(path), { recursive: true });
      // Whoever reads meanwhile sees the old file or the new one, never a part.
      const fresh = `${path}.${process.pid}`;
      await writeFile(fresh, text);
      await rename(fresh, path);
    },
  };
}
