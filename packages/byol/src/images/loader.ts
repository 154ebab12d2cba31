/** Batches in an order that is a pure function of (seed, epoch), read ahead of the step that wants them. */
import { permutation } from "./streams.js";
import { DataError } from "../errors.js";
import type { ImageShape } from "./source.js";

export interface Batch {
  /** Place of each image in its set. */
  readonly indices: Int32Array;
  /** uint8 [batch, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** Class of each image; absent where the set carries no single label each. */
  readonly labels?: Int32Array;
}

/** Images by their place, and by the step where what is read differs from step to step. */
export interface Readable {
  readonly length: number;
  readonly labels?: Int32Array;
  read(index: number, step: number): Promise<Uint8Array | undefined>;
}

export class BatchLoader {
  /** Whole batches in one pass over the images; what is left over is dropped, and another part of them next time. */
  readonly stepsPerEpoch: number;
  private readonly ahead = new Map<number, Promise<Batch>>();
  private order: { epoch: number; places: Uint32Array } | undefined;

  constructor(
    private readonly set: Readable,
    private readonly image: ImageShape,
    private readonly options: { batch: number; seed: number; readAhead?: number },
  ) {
    this.stepsPerEpoch = Math.floor(set.length / options.batch);
    if (this.stepsPerEpoch === 0)
      throw new DataError(
        `data: ${set.length} images are fewer than one batch of ${options.batch} (take a smaller batch, or add images)`,
      );
  }

  /** The batch of a step, 0 first. The next ones are begun, so that decoding overlaps with training. */
  at(step: number): Promise<Batch> {
    const batch = this.begun(step);
    const last = step + (this.options.readAhead ?? 2);
    for (let next = step + 1; next <= last; next++) this.ahead.set(next, this.begun(next));
    for (const begun of this.ahead.keys()) if (begun <= step || begun > last) this.ahead.delete(begun);
    return batch;
  }

  private begun(step: number): Promise<Batch> {
    const known = this.ahead.get(step);
    if (known) return known;
    const reading = this.read(step);
    // A failure is reported to the step that wants the batch, not to the process.
    reading.catch(() => {});
    return reading;
  }

  private placesOf(epoch: number): Uint32Array {
    if (this.order?.epoch !== epoch)
      this.order = { epoch, places: permutation(this.options.seed, "shuffle", epoch, this.set.length) };
    return this.order.places;
  }

  private async read(step: number): Promise<Batch> {
    const { batch } = this.options;
    const places = this.placesOf(Math.floor(step / this.stepsPerEpoch));
    const first = (step % this.stepsPerEpoch) * batch;
    const bytes = this.image.height * this.image.width * this.image.channels;
    const pixels = new Uint8Array(batch * bytes);
    const indices = new Int32Array(batch);
    await Promise.all(
      Array.from({ length: batch }, async (_, row) => {
        const { index, image } = await this.readable(places, first + row, step);
        pixels.set(image, row * bytes);
        indices[row] = index;
      }),
    );
    const { labels } = this.set;
    return { indices, pixels, ...(labels && { labels: indices.map((index) => labels[index]!) }) };
  }

  /** The image at a place of the order; the next readable one stands in for one that is not. */
  private async readable(
    places: Uint32Array,
    at: number,
    step: number,
  ): Promise<{ index: number; image: Uint8Array }> {
    for (let tried = 0; tried < places.length; tried++) {
      const index = places[(at + tried) % places.length]!;
      const image = await this.set.read(index, step);
      if (image) return { index, image };
    }
    throw new DataError(`data: none of the ${places.length} images can be read`);
  }
}
