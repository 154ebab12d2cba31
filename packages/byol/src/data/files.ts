/** Sets of image files, decoded when they are first asked for and then kept. */
import type { Decoder } from "./decoder.js";
import type { ImageSet, SkippedImage } from "./source.js";

/** Decoded images are kept up to this many bytes; the rest are decoded again each time. */
const defaultCacheBytes = 2 ** 31;

export class ImageFiles implements ImageSet {
  readonly length: number;
  readonly skipped: SkippedImage[] = [];
  private readonly cache: (Promise<Uint8Array | undefined> | undefined)[];
  private room: number;
  private readonly unreadable = new Set<number>();

  constructor(
    private readonly files: readonly string[],
    readonly labels: Int32Array | undefined,
    private readonly decoder: Decoder,
    options: { cacheBytes?: number; nameOf?: (file: string) => string } = {},
  ) {
    this.length = files.length;
    this.cache = new Array(files.length);
    this.room = options.cacheBytes ?? defaultCacheBytes;
    this.nameOf = options.nameOf ?? ((file) => file);
  }
  private readonly nameOf: (file: string) => string;

  read(index: number): Promise<Uint8Array | undefined> {
    const kept = this.cache[index];
    if (kept) return kept;
    const reading = this.decode(index);
    // Kept from the start, so that two readers of one image wait for one decoding.
    this.cache[index] = reading;
    return reading;
  }

  private async decode(index: number): Promise<Uint8Array | undefined> {
    const file = this.files[index]!;
    const decoded = await this.decoder.decode(file);
    if ("reason" in decoded) {
      if (!this.unreadable.has(index)) this.skipped.push({ file: this.nameOf(file), reason: decoded.reason });
      this.unreadable.add(index);
      return undefined;
    }
    if (this.room >= decoded.pixels.byteLength) this.room -= decoded.pixels.byteLength;
    else delete this.cache[index];
    return decoded.pixels;
  }
}
