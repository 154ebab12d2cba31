/** The images of a run by their features: where they lie on a map, which are alike, and what they look like. */
import sharp from "sharp";
import { UMAP } from "umap-js";
import { unitRows } from "../../../tasks/features.js";
import { Nearest } from "../../../tasks/nearest.js";
import { Stream } from "../../../images/streams.js";
import type { Sample } from "./sample.js";

export interface ImageMap {
  /** UMAP of the ℓ2-normalised features, each coordinate scaled to [0, 1]. */
  readonly x: number[];
  readonly y: number[];
  readonly labels: number[];
  readonly classes: readonly string[];
  /** Of each image the most alike others by cosine, the nearest first: [image, similarity]. */
  readonly near: [number, number][][];
  /** All thumbnails, row by row, as a data URL. */
  readonly sprite: string;
  readonly columns: number;
  readonly side: number;
}

const [columns, neighbours] = [25, 8];

/** Undefined for fewer images than UMAP can place. */
export async function mapOf(sample: Sample, seed: number): Promise<ImageMap | undefined> {
  const count = sample.labels.length;
  if (count < 4) return undefined;
  const unit = unitRows(sample.features, sample.width);
  const rows = Array.from({ length: count }, (_, i) =>
    Array.from(unit.subarray(i * sample.width, (i + 1) * sample.width)),
  );
  const random = new Stream(seed, "map");
  const umap = new UMAP({ nNeighbors: Math.min(15, count - 1), random: () => random.uniform() });
  const places = umap.fit(rows);
  return {
    x: scaled(places.map(([x]) => x!)),
    y: scaled(places.map(([, y]) => y!)),
    labels: [...sample.labels],
    classes: sample.classes,
    near: rows.map((row, i) => nearest(row, i, rows)),
    sprite: await spriteOf(sample),
    ...{ columns, side: sample.side },
  };
}

function scaled(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((v) => Number(((v - low) / (high - low || 1)).toFixed(4)));
}

function nearest(
  row: readonly number[],
  at: number,
  rows: readonly (readonly number[])[],
): [number, number][] {
  const found = new Nearest(Math.min(neighbours, rows.length - 1));
  for (const [i, other] of rows.entries())
    if (i !== at)
      found.offer(
        i,
        row.reduce((sum, v, j) => sum + v * other[j]!, 0),
      );
  return found.sorted().map(({ place, similarity }) => [place, Number(similarity.toFixed(4))]);
}

async function spriteOf({ thumbnails, side, channels, labels }: Sample): Promise<string> {
  const height = Math.ceil(labels.length / columns) * side;
  const width = columns * side;
  const pixels = new Uint8Array(height * width * channels).fill(255);
  const line = side * channels;
  for (let i = 0; i < labels.length; i++)
    for (let y = 0; y < side; y++) {
      const from = (i * side + y) * line;
      const to = (Math.floor(i / columns) * side + y) * width * channels + (i % columns) * line;
      pixels.set(thumbnails.subarray(from, from + line), to);
    }
  const image = sharp(pixels, { raw: { height, width, channels } }).toColourspace("srgb");
  return `data:image/webp;base64,${(await image.webp({ quality: 85 }).toBuffer()).toString("base64")}`;
}
