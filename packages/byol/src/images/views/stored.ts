/** Views cropped on the device, from images that were decoded to a stored square. */
import { columnsOf, drawViews } from "../augment/parameters.js";
import type { ViewsSettings } from "../augment/settings.js";
import type { ImageShape } from "../source.js";
import type { ViewSource } from "./view-source.js";

/** @param stored shape of the images as their source hands them out */
export function storedViews({ image, views, sharedViews }: ViewsSettings, stored: ImageShape): ViewSource {
  const geometry = { ...stored, size: image.size };
  return {
    shape: stored,
    columns: views.map(({ blur }) => columnsOf(image.size, stored.channels, blur.kernel).count),
    readable: ({ train }) => train,
    rowsFor: (view, draw) => drawViews(views[view]!, geometry, { ...draw, view: sharedViews ? 0 : view }),
    part: (images) => images,
  };
}
