/** A pool of worker threads that decode and resize image files. */
import { availableParallelism } from "node:os";
import { DataError } from "../../errors.js";
import type { Fetched, Measured } from "../lazy.js";
import type { Box, BoxFormat } from "../source.js";
import type { ImageFormat } from "../settings.js";
import { DecodingThread } from "./decoding-thread.js";
import { imageBytes } from "./regular-file.js";
import { decodingBytes, imagePixels, smallImageBytes } from "./limits.js";
import { Room } from "./room.js";

/** An image file, by its path or its bytes. */
export type ImageSource = string | Uint8Array;

type Reply = Fetched | Measured;

export class Decoder {
  private readonly threads: DecodingThread[] = [];
  private readonly idle: DecodingThread[] = [];
  private readonly queue: ((thread: DecodingThread) => void)[] = [];
  private readonly room = new Room(decodingBytes);
  /** What every image is decoded to; the settings may hold more, and each question is copied to its thread. */
  private readonly format: Pick<ImageFormat, "channels" | "background"> & { readonly size: number };
  private closed = false;

  /**
   * Threads start with the first image.
   *
   * @param count of threads, by default the number of cores, 8 at most
   * @param start for tests: how a thread is started
   */
  constructor(
    format: ImageFormat,
    private readonly count = Math.min(availableParallelism(), 8),
    private readonly start = () => new DecodingThread(),
  ) {
    const { stored, channels, background } = format;
    this.format = { size: stored, channels, background };
  }

  /**
   * Pixels of an image file, given by its path or its bytes, uint8 [size, size, channels], or the reason why it cannot
   * be read. Never rejects for a bad file.
   */
  decode(file: ImageSource): Promise<Fetched> {
    return this.ask(file, this.format) as Promise<Fetched>;
  }

  /** Height and width of the upright image, from the file's header. */
  measure(file: ImageSource): Promise<Measured> {
    return this.ask(file, { measure: true }) as Promise<Measured>;
  }

  /** As `decode`, for boxes of the whole image, one above the other; only the boxes are decoded in full. */
  decodeBoxes(file: ImageSource, boxes: readonly Box[], format: BoxFormat): Promise<Fetched> {
    return this.ask(file, { ...this.format, ...format, boxes }) as Promise<Fetched>;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private async ask(source: ImageSource, wanted: object): Promise<Reply> {
    if (this.closed) throw new DataError("decode: an image was asked for after close()");
    const thread = await this.free();
    try {
      const file = typeof source === "string" ? await imageBytes(source) : source;
      if ("reason" in file) return file;
      const message = { file, ...wanted, mostPixels: imagePixels, mostBytes: smallImageBytes };
      const answer = await thread.ask(message);
      if (!("needs" in answer)) return answer;
      const { needs } = answer;
      if (needs > decodingBytes)
        return {
          reason: `to decode it takes ${needs} bytes, more than the ${decodingBytes} of all decoders`,
        };
      const again = () => thread.ask({ ...message, mostBytes: needs }) as Promise<Reply>;
      return await this.room.hold(needs, again);
    } finally {
      this.release(thread);
    }
  }

  /** A thread that has nothing to do, as soon as there is one. */
  private free(): Promise<DecodingThread> {
    const known = this.idle.pop();
    if (known && !known.ended) return Promise.resolve(known);
    if (known) return Promise.resolve(this.another(known));
    if (this.threads.length < this.count) return Promise.resolve(this.another());
    return new Promise((resolve) => this.queue.push(resolve));
  }

  private release(thread: DecodingThread): void {
    const sound = thread.ended && !this.closed ? this.another(thread) : thread;
    const next = this.queue.shift();
    if (next) next(sound);
    else this.idle.push(sound);
  }

  /** A new thread, in the place of one that has ended. */
  private another(ended?: DecodingThread): DecodingThread {
    if (ended) this.threads.splice(this.threads.indexOf(ended), 1);
    const thread = this.start();
    this.threads.push(thread);
    return thread;
  }
}
