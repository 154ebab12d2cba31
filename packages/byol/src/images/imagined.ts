/** Images that are not there, for what only asks how many and how large they are. */
import type { ImageFormat } from "./settings.js";
import { type DataSource, memorySet } from "./source.js";

/** So many black images of the stored size; all of class 0 where there are classes, none held out. */
export function imaginedImages(
  { stored, channels }: Pick<ImageFormat, "stored" | "channels">,
  { images, classes }: { readonly images: number; readonly classes: number },
): DataSource {
  const image = { height: stored, width: stored, channels };
  const black = new Uint8Array(stored * stored * channels);
  const labels = classes > 0 && new Int32Array(images);
  return {
    name: `${images} imagined images`,
    image,
    classes: Array.from({ length: classes }, (_, k) => String(k)),
    train: { length: images, ...(labels && { labels }), read: async () => black },
    heldOut: memorySet(black.subarray(0, 0), image, new Int32Array(0)),
    skipped: () => [],
    close: async () => {},
  };
}
