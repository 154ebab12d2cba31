/** `@dawnstrap/byol/images`: images as sources hand them out, batches of them, and the views that augmentation makes. */

// Sources. Those that read the disk are opened by `@dawnstrap/byol/node`.
export type { ImageFormat, ImageSettings } from "./settings.js";
export {
  type DataOptions,
  type DataSource,
  type ImageSet,
  type ImageShape,
  memorySet,
  type SkippedImage,
  type Splits,
  subset,
} from "./source.js";
export { type Batch, BatchLoader } from "./loader.js";

// Augmentation: parameters are drawn on the host, views are made on the device.
export { firstView, secondView, type ViewAugmentation } from "./augment/settings.js";
export { drawViews, type ViewGeometry } from "./augment/parameters.js";
export { augment, makeViews, normalise, plainViews } from "./augment/view.js";
