/**
 * Everything random about a view, drawn on the host: one row of numbers per image. A captured training step then
 * replays with new rows, and equal seeds give equal views on every device.
 */
import type { ViewAugmentation } from "./settings.js";
import { Stream } from "../streams.js";

/** Codes of the colour operations, as they stand in the `round` columns. */
export const colourCodes = { brightness: 0, contrast: 1, saturation: 2, hue: 3 } as const;
export type ColourOp = keyof typeof colourCodes;

/** Where each parameter stands in a row. */
export interface Columns {
  /** Crop box in pixels of the stored image: top, left, height, width. */
  readonly box: number;
  /** 1 to mirror. */
  readonly flip: number;
  /** `rounds` columns: the code of the colour operation of each round, or −1 for none. */
  readonly round: number;
  readonly rounds: number;
  /** Four columns, by colour code: brightness shift (torchvision's form: factor), contrast and saturation factor, hue shift. */
  readonly strength: number;
  /** 1 to make grey. */
  readonly grey: number;
  /** `taps` columns: half of the symmetric blur kernel, the centre first; (1, 0, …) leaves the image as it is. */
  readonly blur: number;
  readonly taps: number;
  /** 1 to solarise. */
  readonly solarize: number;
  /** Numbers in a row. */
  readonly count: number;
}

/** Radius of the blur of an image of the given side: the kernel has int(side/10/2)·2 + 1 taps (paper's code). */
export const blurRadius = (side: number): number => Math.floor(side / 10 / 2);

/** Colour operations that change an image of so many channels: grey ones have no saturation and no hue. */
export const colourOps = (channels: number): readonly ColourOp[] =>
  channels === 3 ? ["brightness", "contrast", "saturation", "hue"] : ["brightness", "contrast"];

/** The layout of a row for views of `size` pixels and the given number of channels; `kernel` taps of the blur, if set. */
export function columnsOf(size: number, channels: number, kernel = 2 * blurRadius(size) + 1): Columns {
  const rounds = colourOps(channels).length;
  const taps = (kernel + 1) / 2;
  const round = 5;
  const strength = round + rounds;
  const grey = strength + 4;
  const blur = grey + 1;
  const solarize = blur + taps;
  return { box: 0, flip: 4, round, rounds, strength, grey, blur, taps, solarize, count: solarize + 1 };
}

/**
 * Half of a normalised Gaussian kernel: w₀ … w_radius with w₀ + 2·Σ w_t = 1. `sigma` in pixels.
 */
export function gaussianTaps(sigma: number, taps: number): number[] {
  const raw = Array.from({ length: taps }, (_, t) => Math.exp(-(t * t) / (2 * sigma * sigma)));
  const total = 2 * raw.reduce((sum, w) => sum + w, 0) - raw[0]!;
  return raw.map((w) => w / total);
}

/** A crop box [top, left, height, width]: area and aspect ratio drawn, rounded to whole pixels, placed at random. */
export function drawBox(
  stream: Stream,
  height: number,
  width: number,
  { form, crop }: Pick<ViewAugmentation, "form" | "crop">,
): number[] {
  const draw = (): readonly [h: number, w: number] => {
    const area = stream.between(crop.area[0], crop.area[1]) * height * width;
    const aspect = Math.exp(stream.between(Math.log(crop.aspect[0]), Math.log(crop.aspect[1])));
    return [Math.round(Math.sqrt(area / aspect)), Math.round(Math.sqrt(area * aspect))];
  };
  const place = (h: number, w: number) => [stream.below(height - h + 1), stream.below(width - w + 1), h, w];
  if (form === "deepmind") {
    const [h, w] = draw();
    return place(Math.min(height, Math.max(1, h)), Math.min(width, Math.max(1, w)));
  }
  for (let attempt = 0; attempt < 10; attempt++) {
    const [h, w] = draw();
    if (h > 0 && w > 0 && h <= height && w <= width) return place(h, w);
  }
  return centralBox(height, width, crop.aspect);
}

/** The largest central box whose aspect ratio is allowed: torchvision's way out when no draw fits. */
function centralBox(height: number, width: number, [narrowest, widest]: readonly [number, number]): number[] {
  const h = Math.min(height, Math.round(width / narrowest));
  const w = Math.min(width, Math.round(height * widest));
  return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
}

/** The stored image, and the view made of it. */
export interface ViewGeometry {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Side of the view. */
  readonly size: number;
}

/**
 * Rows for a batch, float32 [images, columns.count]. A row depends on (seed, step, image, view) alone, not on the
 * other images of the batch.
 */
export function drawViews(
  settings: ViewAugmentation,
  geometry: ViewGeometry,
  at: {
    readonly seed: number;
    readonly step: number;
    readonly view: number;
    readonly images: ArrayLike<number>;
  },
): Float32Array {
  const columns = columnsOf(geometry.size, geometry.channels, settings.blur.kernel);
  const rows = new Float32Array(at.images.length * columns.count);
  for (let i = 0; i < at.images.length; i++) {
    const stream = new Stream(at.seed, "augment", at.step, at.images[i]!, at.view);
    const row = drawView(stream, settings, geometry, columns);
    rows.set(row, i * columns.count);
  }
  return rows;
}

function drawView(
  stream: Stream,
  settings: ViewAugmentation,
  geometry: ViewGeometry,
  columns: Columns,
): number[] {
  const { jitter, blur } = settings;
  const row = new Array<number>(columns.count).fill(0);
  const set = (at: number, values: readonly number[]) => {
    for (const [k, value] of values.entries()) row[at + k] = value;
  };

  set(columns.box, drawBox(stream, geometry.height, geometry.width, settings));
  row[columns.flip] = stream.chance(settings.flip) ? 1 : 0;

  // Everything is drawn whether it is used or not: switching one operation off leaves the others' draws alone.
  const on = stream.chance(jitter.probability);
  const order = stream.shuffle(colourOps(geometry.channels)).map((op) => colourCodes[op]);
  set(columns.round, on ? order : order.map(() => -1));
  const shifted = settings.form === "deepmind" ? 0 : 1;
  row[columns.strength + colourCodes.brightness] = stream.between(
    shifted - jitter.brightness,
    shifted + jitter.brightness,
  );
  row[columns.strength + colourCodes.contrast] = stream.between(1 - jitter.contrast, 1 + jitter.contrast);
  row[columns.strength + colourCodes.saturation] = stream.between(
    1 - jitter.saturation,
    1 + jitter.saturation,
  );
  row[columns.strength + colourCodes.hue] = stream.between(-jitter.hue, jitter.hue);
  row[columns.grey] = stream.chance(settings.grey) ? 1 : 0;

  const blurred = stream.chance(blur.probability);
  const sigma = stream.between(blur.sigma[0], blur.sigma[1]);
  set(columns.blur, blurred ? gaussianTaps(sigma, columns.taps) : [1]);
  row[columns.solarize] = stream.chance(settings.solarize) ? 1 : 0;
  return row;
}
