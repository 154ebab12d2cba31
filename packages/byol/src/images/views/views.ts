/** From a batch on the host to what views are made from on the device. */
import type { Device, Tensor } from "@dawnstrap/tensor";
import type { ViewsSettings } from "../augment/settings.js";
import type { Batch } from "../loader.js";
import type { ImageShape } from "../source.js";
import { decodedViews } from "./decode.js";
import { storedViews } from "./stored.js";
import type { ViewSource } from "./view-source.js";

/** The views of `image.crop`. */
export const viewSource = (settings: ViewsSettings, stored: ImageShape): ViewSource =>
  settings.image.crop === "decode" ? decodedViews(settings) : storedViews(settings, stored);

/** Shapes of a batch on the device: images as they were read, and the parameters of each of their views. */
export const batchShapes = ({ shape, columns }: ViewSource, images: number) => ({
  images: [images, shape.height, shape.width, shape.channels] as const,
  rows: columns.map((count) => [images, count] as const),
});

/** Images of a batch, uint8, and the parameters of each of their views, float32 [images, columns], on the device. */
export function toDevice(
  device: Device,
  source: ViewSource,
  { indices, pixels }: Pick<Batch, "indices" | "pixels">,
  at: { readonly seed: number; readonly step: number },
): { images: Tensor; rows: Tensor[] } {
  const shapes = batchShapes(source, indices.length);
  const rows = shapes.rows.map((shape, view) =>
    device.tensor(source.rowsFor(view, { ...at, images: indices }), shape),
  );
  return { images: device.tensor(pixels, shapes.images), rows };
}
