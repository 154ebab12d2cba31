/** Sets of image files, decoded by the worker threads. */
import type { Opening } from "./opening.js";
import { lazyImages } from "../lazy.js";
import type { ImageSet } from "../source.js";

/** @param nameOf how a file is called where it is reported */
export function imageFiles(
  files: readonly string[],
  { decoder, skips, budget }: Opening,
  known: { labels?: Int32Array; presence?: Int8Array; nameOf?: (file: string) => string } = {},
): ImageSet {
  const { nameOf = (file) => file, ...targets } = known;
  return lazyImages({
    ...{ count: files.length, skips, budget, ...targets },
    fetch: (index) => decoder.decode(files[index]!),
    boxes: {
      measure: (index) => decoder.measure(files[index]!),
      fetch: (index, ...boxes) => decoder.decodeBoxes(files[index]!, ...boxes),
    },
    nameOf: (index) => nameOf(files[index]!),
  });
}
