/** Sets of images that are fetched when they are first asked for and then kept, as far as the memory goes. */
import type { Skips } from "./skips.js";
import type { DataOptions, ImageSet, Box, BoxFormat } from "./source.js";

/** Height and width of an upright image, or the reason why they are not known. */
export type Measured =
  | { readonly size: readonly [height: number, width: number] }
  | { readonly reason: string };
export type Fetched = { readonly pixels: Uint8Array } | { readonly reason: string };

/** Bytes for decoded images that the sets of one source share. */
export class Budget {
  private left: number;
  constructor({ cacheBytes = 2 ** 31 }: DataOptions = {}) {
    this.left = cacheBytes;
  }
  /** Whether so many bytes are left; if so, they are taken. */
  take(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }
}

export interface LazyOptions {
  readonly count: number;
  /** Pixels of an image or the reason why there are none. Does not reject for a bad record. */
  readonly fetch: (index: number) => Promise<Fetched>;
  /** Boxes of an image, where these can be decoded by themselves. */
  readonly boxes?: {
    readonly measure: (index: number) => Promise<Measured>;
    readonly fetch: (index: number, boxes: readonly Box[], format: BoxFormat) => Promise<Fetched>;
  };
  readonly nameOf: (index: number) => string;
  readonly skips: Skips;
  readonly budget: Budget;
  readonly labels?: Int32Array;
  readonly presence?: Int8Array;
}

export function lazyImages(options: LazyOptions): ImageSet {
  const { count, fetch, boxes, nameOf, skips, budget, ...known } = options;
  const kept = new Map<number, Promise<Uint8Array | undefined>>();
  const sizes = new Map<number, readonly [number, number]>();
  const checked = (index: number, fetched: Fetched): Uint8Array | undefined => {
    if ("pixels" in fetched) return fetched.pixels;
    skips.add(nameOf(index), fetched.reason);
    return undefined;
  };
  /** An image is measured once, the first time that boxes of it are wanted. */
  const sizeOf = async (index: number, { measure }: NonNullable<typeof boxes>): Promise<Measured> => {
    const known = sizes.get(index);
    if (known) return { size: known };
    const measured = await measure(index);
    if ("size" in measured) sizes.set(index, measured.size);
    return measured;
  };
  const get = async (index: number): Promise<Uint8Array | undefined> => {
    const pixels = checked(index, await fetch(index));
    if (pixels && !budget.take(pixels.byteLength)) kept.delete(index);
    return pixels;
  };
  return {
    length: count,
    ...(known.labels && { labels: known.labels }),
    ...(known.presence && { presence: known.presence }),
    name: nameOf,
    read: (index) => {
      const known = kept.get(index);
      if (known) return known;
      const reading = get(index);
      // Kept from the start, so that two readers of one image wait for one decoding.
      kept.set(index, reading);
      return reading;
    },
    ...(boxes && {
      readBoxes: async (index, draw, format) => {
        const measured = await sizeOf(index, boxes);
        return checked(
          index,
          "reason" in measured ? measured : await boxes.fetch(index, draw(...measured.size), format),
        );
      },
    }),
  };
}
