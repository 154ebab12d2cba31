/** Views cropped while an image is decoded, from the whole of it, every time anew: they come one above the other. */
import { narrow } from "@dawnstrap/tensor";
import { DataError } from "../../errors.js";
import { drawBox } from "../augment/parameters.js";
import type { ViewsSettings } from "../augment/settings.js";
import { Stream } from "../streams.js";
import { storedViews } from "./stored.js";
import type { ViewSource } from "./view-source.js";

const kernels = { bilinear: "linear", bicubic: "cubic" } as const;

/**
 * Each image is read as uint8 [views·size, size, channels]: boxes drawn as on the device, but in the whole image, as a
 * pure function of (seed, step, image, view). Resizing is sharp's, which smooths where it shrinks; the device's does not.
 *
 * `readable` throws DataError for images that are not files.
 */
export function decodedViews(settings: ViewsSettings): ViewSource {
  const { image, views, sharedViews } = settings;
  const { size, channels, resize } = image;
  // What the device still does to a view is what it does to a stored image of the view's size.
  const cut = storedViews(settings, { height: size, width: size, channels });
  return {
    ...cut,
    shape: { height: views.length * size, width: size, channels },
    readable({ name, train: { length, labels, readBoxes } }, seed) {
      if (!readBoxes)
        throw new DataError(
          `data: ${name} does not come as image files, so image.crop cannot be "decode"; use "stored"`,
        );
      return {
        length,
        ...(labels && { labels }),
        read: (index, step) =>
          readBoxes(
            index,
            (height, width) =>
              views.map((view, k) => {
                const stream = new Stream(seed, "crop", step, index, sharedViews ? 0 : k);
                return drawBox(stream, height, width, view);
              }),
            { size, kernel: kernels[resize] },
          ),
      };
    },
    rowsFor(view, draw) {
      const rows = cut.rowsFor(view, draw);
      // The view is cropped already: its box is all of what was read for it.
      const count = draw.images.length;
      for (let i = 0; i < count; i++) rows.set([0, 0, size, size], (i * rows.length) / count);
      return rows;
    },
    part: (images, view) => narrow(images, 1, view * size, (view + 1) * size),
  };
}
