/** Sets of images that are fetched when they are first asked for and then kept, as far as the memory goes. */
import type { Skips } from "./skips.js";
import type { DataOptions, ImageSet } from "./source.js";

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
  readonly nameOf: (index: number) => string;
  readonly skips: Skips;
  readonly budget: Budget;
  readonly labels?: Int32Array;
  readonly presence?: Int8Array;
}

export function lazyImages({ count, fetch, nameOf, skips, budget, ...known }: LazyOptions): ImageSet {
  const kept = new Map<number, Promise<Uint8Array | undefined>>();
  const get = async (index: number): Promise<Uint8Array | undefined> => {
    const fetched = await fetch(index);
    if ("reason" in fetched) {
      skips.add(nameOf(index), fetched.reason);
      return undefined;
    }
    if (!budget.take(fetched.pixels.byteLength)) kept.delete(index);
    return fetched.pixels;
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
  };
}
