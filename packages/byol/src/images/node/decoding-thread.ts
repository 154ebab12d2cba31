/** One worker thread that decodes one image at a time. */
import { Worker } from "node:worker_threads";
import type { Fetched, Measured } from "../lazy.js";
import { imageSeconds } from "./limits.js";

/** What a thread answers: the image, its size, why there is none, or the bytes that it would take to decode it. */
export type Answer = Fetched | Measured | { readonly needs: number };

export class DecodingThread {
  private readonly worker: Worker;
  private answer: ((answer: Answer) => void) | undefined;
  /** Whether the thread has ended; it answers nothing any more. */
  ended = false;

  /** @param program and @param seconds for tests: another worker, and another limit for an image */
  constructor(
    program: URL = new URL("./decode-worker.js", import.meta.url),
    private readonly seconds = imageSeconds,
  ) {
    this.worker = new Worker(program);
    this.worker.on("message", (answer: Answer) => this.settle(answer));
    this.worker.on("error", (error) =>
      this.end(`the decoder failed: ${error instanceof Error ? error.message : error}`),
    );
    this.worker.on("messageerror", () => this.end("the decoder's answer cannot be read"));
    // A decoder library that dies may take its thread along without an error.
    this.worker.on("exit", () => this.end("the decoder ended"));
    this.worker.unref();
  }

  /** Asks for one image; not before the last answer has come. Never rejects. */
  async ask(message: object): Promise<Answer> {
    if (this.ended) return { reason: "the decoder ended" };
    // A thread that waits for nothing must not keep the process alive.
    this.worker.ref();
    const late = setTimeout(() => {
      this.end(`it was not decoded within ${this.seconds} seconds`);
      void this.worker.terminate();
    }, this.seconds * 1000);
    try {
      return await new Promise<Answer>((resolve) => {
        this.answer = resolve;
        this.worker.postMessage(message);
      });
    } finally {
      clearTimeout(late);
      this.worker.unref();
    }
  }

  async terminate(): Promise<void> {
    this.ended = true;
    this.worker.ref();
    await this.worker.terminate();
  }

  private end(reason: string): void {
    this.ended = true;
    this.settle({ reason });
  }

  private settle(answer: Answer): void {
    this.answer?.(answer);
    this.answer = undefined;
  }
}
