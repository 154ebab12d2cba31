/** A picture of what the network sees: a row per image, the original and then its views. */
import type { Device } from "@dawnstrap/tensor";
import { augment } from "../../images/augment/view.js";
import type { ImageShape } from "../../images/source.js";
import { storedViews } from "../../images/views/stored.js";
import type { Preset } from "../../presets/preset.js";
import { type Placed, sheet, type Words } from "./sheet.js";

export interface SheetImage {
  /** Stands beside the row. */
  readonly label: string;
  /** The image's place in its set: its views depend on it. */
  readonly place: number;
  /** uint8 [height, width, channels]. */
  readonly pixels: Uint8Array;
}

export interface SheetOptions {
  readonly device: Device;
  readonly preset: Preset;
  readonly seed: number;
  /** Views of each image by T, and as many by T'. */
  readonly count: number;
  readonly shape: ImageShape;
}

/** Pixels of the labels' column and of the headings' row, between cells, and a cell's at least. */
const layout = { labels: 130, headings: 26, gap: 4, cell: 96 } as const;

/** The sheet as PNG. View k of an image is the one of training step k. */
export async function contactSheet(images: readonly SheetImage[], options: SheetOptions): Promise<Buffer> {
  const { preset, count, shape } = options;
  const { size } = preset.image;
  const cell = size * Math.max(1, Math.ceil(layout.cell / size));
  const pitch = cell + layout.gap;
  const left = (column: number) =>
    layout.labels + column * pitch + (column > 0 ? 8 : 0) + (column > count ? 8 : 0);
  const top = (row: number) => layout.headings + row * pitch;
  const width = left(2 * count + 1);
  const height = top(images.length);

  const cells: Placed[] = images.map(({ pixels }, row) => ({ pixels, shape, left: left(0), top: top(row) }));
  const viewShape = { height: size, width: size, channels: shape.channels };
  const bytes = size * size * shape.channels;
  for (const view of [0, 1] as const) {
    const views = await viewsOf(images, view, options);
    for (let i = 0; i < images.length * count; i++)
      cells.push({
        pixels: views.subarray(i * bytes, (i + 1) * bytes),
        shape: viewShape,
        left: left(1 + view * count + (i % count)),
        top: top(Math.floor(i / count)),
      });
  }
  const heading = (text: string, column: number): Words => ({
    text,
    left: left(column),
    base: 18,
    bold: true,
  });
  return sheet({ width, height, side: cell }, cells, [
    heading("original", 0),
    heading("T, first view", 1),
    heading("T′, second view", count + 1),
    ...images.map(({ label }, row) => ({ text: shortened(label), left: 8, base: top(row) + cell / 2 + 4 })),
  ]);
}

/** uint8 [images, count, size, size, channels], before the channels are normalised. */
async function viewsOf(
  images: readonly SheetImage[],
  view: 0 | 1,
  { device, preset, seed, count, shape }: SheetOptions,
): Promise<Uint8Array> {
  const { image, views: settings } = preset;
  const source = storedViews({ image, views: settings }, shape);
  const total = images.length * count;
  const pixels = new Uint8Array(total * shape.height * shape.width * shape.channels);
  const rows: number[] = [];
  for (const [i, { pixels: original, place }] of images.entries())
    for (let step = 0; step < count; step++) {
      pixels.set(original, (i * count + step) * original.length);
      rows.push(...source.rowsFor(view, { seed, step, images: [place] }));
    }
  const views = await augment(
    device.tensor(pixels, [total, shape.height, shape.width, shape.channels]),
    device.tensor(Float32Array.from(rows), [total, rows.length / total]),
    settings[view],
    image,
  ).data();
  return Uint8Array.from(views, (v) => Math.round(255 * v));
}

const shortened = (label: string): string => (label.length > 17 ? `…${label.slice(-16)}` : label);
