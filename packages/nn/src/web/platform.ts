/** A page has no files. */
import type { Platform } from "../platform.js";

const refuse = async (path: string): Promise<never> => {
  throw new Error(
    `${path}: a page reads and writes no files; fetch the bytes and use decodeStateDict and encodeStateDict`,
  );
};

export const platform: Platform = { readFile: refuse, writeWhole: refuse };
