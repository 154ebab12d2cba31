/** A pool of worker threads that decode and resize image files. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DataError } from "../../errors.js";
import type { Fetched, Measured } from "../lazy.js";
import type { Box, BoxFormat } from "../source.js";
import type { ImageFormat } from "../settings.js";

/** An image file, by its path or its bytes. */
export type ImageSource = string | Uint8Array;

type Reply = Fetched | Measured;
type Answer = Reply & { readonly id: number };

interface Member {
  readonly worker: Worker;
  readonly waiting: Map<number, (reply: Reply) => void>;
}

export class Decoder {
  private readonly members: Member[] = [];
  /** What every image is decoded to; the settings may hold more, and each question is copied to its thread. */
  private readonly format: Pick<ImageFormat, "channels" | "background"> & { readonly size: number };
  private next = 0;
  private closed = false;

  /** Workers start with the first image. `threads` defaults to the number of cores, 8 at most. */
  constructor(
    format: ImageFormat,
    private readonly threads = Math.min(availableParallelism(), 8),
  ) {
    const { stored, channels, background } = format;
    this.format = { size: stored, channels, background };
  }

  /**
   * Pixels of an image file, given by its path or its bytes, uint8 [size, size, channels], or the reason why it cannot
   * be read. Never rejects for a bad file.
   */
  decode(file: ImageSource): Promise<Fetched> {
    return this.ask({ file, ...this.format }) as Promise<Fetched>;
  }

  /** Height and width of the upright image, from the file's header. */
  measure(file: ImageSource): Promise<Measured> {
    return this.ask({ file, measure: true }) as Promise<Measured>;
  }

  /** As `decode`, for boxes of the whole image, one above the other; only the boxes are decoded in full. */
  decodeBoxes(file: ImageSource, boxes: readonly Box[], format: BoxFormat): Promise<Fetched> {
    return this.ask({ file, ...this.format, ...format, boxes }) as Promise<Fetched>;
  }

  private ask(message: object): Promise<Reply> {
    if (this.closed) throw new DataError("decode: an image was asked for after close()");
    const member = this.leastBusy();
    const id = this.next++;
    return new Promise((resolve) => {
      member.waiting.set(id, resolve);
      member.worker.ref();
      member.worker.postMessage({ id, ...message });
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.members.map((member) => member.worker.terminate()));
  }

  private leastBusy(): Member {
    const idle = this.members.find((member) => member.waiting.size === 0);
    if (idle) return idle;
    if (this.members.length < this.threads) return this.start();
    return this.members.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
  }

  private start(): Member {
    const worker = new Worker(new URL("./decode-worker.js", import.meta.url));
    const member: Member = { worker, waiting: new Map() };
    worker.on("message", ({ id, ...reply }: Answer) => {
      member.waiting.get(id)?.(reply as Reply);
      member.waiting.delete(id);
      // A pool that waits for nothing must not keep the process alive.
      if (member.waiting.size === 0) worker.unref();
    });
    // A decoder library that dies takes its worker along; the images it held are given up, the next ones start anew.
    const lost = (reason: string) => {
      const at = this.members.indexOf(member);
      if (at >= 0) this.members.splice(at, 1);
      for (const resolve of member.waiting.values()) resolve({ reason });
      member.waiting.clear();
    };
    worker.on("error", (error) =>
      lost(`the decoder failed: ${error instanceof Error ? error.message : error}`),
    );
    worker.on("exit", () => lost("the decoder ended"));
    this.members.push(member);
    return member;
  }
}
