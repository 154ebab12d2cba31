/** From a batch of stored images to a batch of views, on the device (the paper, App. B). */
import {
  add,
  clip,
  cropAndResize,
  div,
  flip,
  greater,
  less,
  mean,
  mul,
  narrow,
  reshape,
  resize,
  slice,
  stack,
  sub,
  type Tensor,
  where,
} from "@dawnstrap/tensor";
import type { ImageSettings } from "../settings.js";
import { gaussianBlur } from "./blur.js";
import { colourRound } from "./colour-round.js";
import { type Columns, columnsOf } from "./parameters.js";
import type { ViewAugmentation } from "./settings.js";

/** A column of the rows as float32 [images, 1, …, 1], to broadcast over images of the given rank. */
const column = (rows: Tensor, at: number, rank: number): Tensor =>
  reshape(narrow(rows, 1, at, at + 1), [rows.shape[0]!, ...new Array<number>(rank - 1).fill(1)]);

const isSet = (rows: Tensor, at: number, rank: number): Tensor => greater(column(rows, at, rank), 0.5);

/**
 * The views that `rows` describe: crop and resize, mirror, colour jitter, grey, blur, solarize, clip, normalise.
 *
 * What a preset never does (probability 0) is left out of the program.
 *
 * @param images uint8 [images, height, width, channels]
 * @param rows float32 [images, columns], from `drawViews`
 * @returns float32 [images, size, size, channels], normalised
 */
export function makeViews(
  images: Tensor,
  rows: Tensor,
  settings: ViewAugmentation,
  image: ImageSettings,
): Tensor {
  return normalise(augment(images, rows, settings, image), image);
}

/** As `makeViews`, before the channels are normalised: values in [0, 1]. */
export function augment(
  images: Tensor,
  rows: Tensor,
  settings: ViewAugmentation,
  image: ImageSettings,
): Tensor {
  const columns = columnsOf(image.size, image.channels, settings.blur.kernel);
  const torchvision = settings.form === "torchvision";
  const size = [image.size, image.size] as const;
  const boxes = slice(rows, [0, columns.box], [rows.shape[0]!, columns.box + 4]);
  // Bicubic resizing overshoots, hence the clip.
  const resampling = { method: image.resize, antialias: torchvision };
  let x = clip(div(cropAndResize(images, boxes, size, resampling), 255), 0, 1);
  if (settings.flip > 0) x = where(isSet(rows, columns.flip, 4), flip(x, 2), x);
  x = colours(x, rows, settings, columns);
  if (settings.blur.probability > 0) x = gaussianBlur(x, rows, columns, torchvision ? "reflect" : "zero");
  if (settings.solarize > 0) {
    const inverted = where(less(x, 0.5), x, sub(1, x));
    x = where(isSet(rows, columns.solarize, 4), inverted, x);
  }
  return clip(x, 0, 1);
}

function colours(x: Tensor, rows: Tensor, settings: ViewAugmentation, columns: Columns): Tensor {
  const jitter = settings.jitter.probability > 0;
  const grey = settings.grey > 0 && x.shape[3] === 3;
  if (!jitter && !grey) return x;
  // Channel by channel: a pixel's channels are then neighbours in a kernel, whatever the layout.
  let planes = Array.from({ length: x.shape[3]! }, (_, c) =>
    reshape(narrow(x, 3, c, c + 1), x.shape.slice(0, 3)),
  );
  for (let round = 0; jitter && round < columns.rounds; round++) {
    const means = planes.map((plane) => mean(plane, [1, 2]));
    planes = colourRound(planes, means, rows, columns, round, settings.form);
  }
  if (grey) {
    const [r, g, b] = planes as [Tensor, Tensor, Tensor];
    const luma = add(add(mul(r, 0.2989), mul(g, 0.587)), mul(b, 0.114));
    const chosen = isSet(rows, columns.grey, 3);
    planes = planes.map((plane) => where(chosen, luma, plane));
  }
  return stack(planes, 3);
}

function centralSquare(images: Tensor, share: number): Tensor {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const side = Math.floor(share * Math.min(height, width));
  const [top, left] = [(height - side + 1) >> 1, (width - side + 1) >> 1];
  return slice(images, [0, top, left, 0], [count, top + side, left + side, channels]);
}

/** (x − mean) / deviation, per channel. */
export function normalise(x: Tensor, { mean: centre, deviation }: ImageSettings): Tensor {
  const channel = (values: readonly number[]) => x.device.tensor(Float32Array.from(values));
  return div(sub(x, channel(centre)), channel(deviation));
}

/**
 * Images as evaluation sees them: their central squares (⌊share·side⌋ wide, App. C.1) or all of them, resized to the
 * views' size where they have another, normalised.
 */
export function plainViews(images: Tensor, image: ImageSettings): Tensor {
  const { size, centre = 1 } = image;
  const seen = centre < 1 ? centralSquare(images, centre) : images;
  const same = seen.shape[1] === size && seen.shape[2] === size;
  const x = same ? seen : resize(seen, [size, size], { method: image.resize, antialias: true });
  return normalise(clip(div(x, 255), 0, 1), image);
}
