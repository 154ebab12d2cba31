/** Crops made while images are decoded, from the whole of them: the two views of an image, one above the other. */
import { drawBox } from "./augment/parameters.js";
import { DataError } from "../errors.js";
import type { ViewsSettings } from "./augment/settings.js";
import { Stream } from "./streams.js";
import type { Readable } from "./loader.js";
import type { DataSource, ImageShape } from "./source.js";

const kernels = { bilinear: "linear", bicubic: "cubic" } as const;

/**
 * Reads uint8 [2·size, size, channels]: the boxes of both views, drawn as on the device but in the whole image, as a pure
 * function of (seed, step, image, view). Resizing is sharp's, which smooths where it shrinks; the device's does not.
 *
 * Throws DataError for images that are not files.
 */
export function croppedViews(
  data: DataSource,
  preset: ViewsSettings,
  seed: number,
): Readable & { image: ImageShape } {
  const { length, labels, readBox } = data.train;
  const { size, channels, resize } = preset.image;
  if (!readBox)
    throw new DataError(
      `data: ${data.name} does not come as image files, so image.crop cannot be "decode"; use "stored"`,
    );
  const bytes = size * size * channels;
  const crop = (index: number, step: number, view: 0 | 1) =>
    readBox(
      index,
      (height, width) =>
        drawBox(
          new Stream(seed, "crop", step, index, preset.sharedViews ? 0 : view),
          height,
          width,
          preset.views[view],
        ),
      { size, kernel: kernels[resize] },
    );
  return {
    ...{ length, ...(labels && { labels }), image: { height: 2 * size, width: size, channels } },
    async read(index, step) {
      const views = await Promise.all([crop(index, step, 0), crop(index, step, 1)]);
      if (!views[0] || !views[1]) return undefined;
      const both = new Uint8Array(2 * bytes);
      for (const [view, pixels] of views.entries()) both.set(pixels!, view * bytes);
      return both;
    },
  };
}
