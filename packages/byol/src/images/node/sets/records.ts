/** Images as raw bytes, plane after plane, in records of one size: CIFAR, STL-10, MNIST. */
import { basename } from "node:path";
import { DataError } from "../../../errors.js";
import { type Fetched, lazyImages } from "../../lazy.js";
import { mostRecords } from "../limits.js";
import type { Opening } from "../opening.js";
import { fileHandle } from "../regular-file.js";
import type { ImageSet, ImageShape } from "../../source.js";

/** How the pixels of a record lie. */
export interface RecordLayout {
  readonly height: number;
  readonly width: number;
  readonly planes: 1 | 3;
  /** Whether planes run down the columns instead of along the rows. */
  readonly byColumns?: boolean;
}

/** Pixels [height, width, channels] of a record; grey ones are repeated, coloured ones weighed by ITU-R 601. */
export function pixelsOf(record: Uint8Array, layout: RecordLayout, channels: 1 | 3): Uint8Array {
  const { height, width, planes, byColumns } = layout;
  const plane = height * width;
  const out = new Uint8Array(plane * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = byColumns ? x * height + y : y * width + x;
      const to = (y * width + x) * channels;
      const at = (c: number) => record[from + (planes === 3 ? c * plane : 0)]!;
      if (channels === 3) for (let c = 0; c < 3; c++) out[to + c] = at(c);
      else out[to] = planes === 1 ? at(0) : Math.round(0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2));
    }
  }
  return out;
}

/** A file's records: where the pixels of each lie, and which are known to be bad. */
export interface RecordFile {
  readonly name: string;
  readonly count: number;
  /** The record's pixels as they lie in the file, or why they are not to be had. */
  readonly fetch: (index: number) => Promise<Uint8Array | string>;
}

/** Records of files that were read whole. */
export function recordsInMemory(
  file: string,
  bytes: Uint8Array,
  lies: { count: number; first: number; stride: number; size: number; bad?: ReadonlyMap<number, string> },
): RecordFile {
  const fetch = async (index: number): Promise<Uint8Array | string> => {
    const at = lies.first + index * lies.stride;
    if (at + lies.size > bytes.length) return "the file ends before the record does";
    return lies.bad?.get(index) ?? bytes.subarray(at, at + lies.size);
  };
  return { name: basename(file), count: lies.count, fetch };
}

/** Records that are read from the file when they are asked for, for files too large to be held. */
export async function recordsOnDisk(file: string, size: number, opening: Opening): Promise<RecordFile> {
  const handle = await fileHandle(file);
  opening.onClose(() => handle.close());
  const { size: total } = await handle.stat();
  const count = Math.ceil(total / size);
  if (count > mostRecords)
    throw new DataError(`data: ${file} holds ${count} records, more than the ${mostRecords} that are read`);
  const fetch = async (index: number): Promise<Uint8Array | string> => {
    const record = new Uint8Array(size);
    const { bytesRead } = await handle.read(record, 0, size, index * size);
    return bytesRead === size ? record : "the file ends before the record does";
  };
  return { name: basename(file), count, fetch };
}

/** The records of files, one after the other, as images in the format that was asked for. */
export function recordImages(
  files: readonly RecordFile[],
  layout: RecordLayout,
  opening: Opening,
  labels?: Int32Array,
): ImageSet {
  const starts: number[] = [];
  let count = 0;
  for (const file of files) {
    starts.push(count);
    count += file.count;
  }
  const find = (index: number) => {
    const at = starts.findLastIndex((start) => start <= index);
    return { file: files[at]!, place: index - starts[at]! };
  };
  return lazyImages({
    ...{ count, skips: opening.skips, budget: opening.budget, ...(labels && { labels }) },
    fetch: async (index): Promise<Fetched> => {
      const { file, place } = find(index);
      const record = await file.fetch(place);
      if (typeof record === "string") return { reason: record };
      return { pixels: pixelsOf(record, layout, opening.format.channels) };
    },
    nameOf: (index) => {
      const { file, place } = find(index);
      return `${file.name}, record ${place}`;
    },
  });
}

export const shapeOf = ({ height, width }: RecordLayout, { format }: Opening): ImageShape => ({
  height,
  width,
  channels: format.channels,
});

/**
 * Labels that must be `least` … `most`, brought to 0 … most − least. What is out of range is named in `bad` by its place,
 * and becomes 0: its image is never handed out.
 */
export function checkedLabels(
  raw: ArrayLike<number>,
  least: number,
  most: number,
): { labels: Int32Array; bad: Map<number, string> } {
  const bad = new Map<number, string>();
  const labels = Int32Array.from(raw, (label, place) => {
    if (label >= least && label <= most) return label - least;
    bad.set(place, `label ${label} is out of the range ${least} to ${most}`);
    return 0;
  });
  return { labels, bad };
}
