/** Tuning results in a file. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { TuneStore } from "../platform.js";
import { writeWhole } from "./whole.js";

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
      await writeWhole(path, text);
    },
  };
}
