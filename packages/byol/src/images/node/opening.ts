/** What the sets of one source share while they are open. */
import { Decoder } from "./decoder.js";
import { Budget } from "../lazy.js";
import { Skips } from "../skips.js";
import type { DataOptions, DataSource, ImageSet, ImageShape, Splits } from "../source.js";
import type { ImageFormat } from "../settings.js";

export class Opening {
  readonly decoder: Decoder;
  readonly skips: Skips;
  readonly budget: Budget;
  private readonly closers: (() => Promise<unknown>)[] = [];

  constructor(
    readonly format: ImageFormat,
    options: DataOptions = {},
  ) {
    this.decoder = new Decoder(format, options.threads);
    this.skips = new Skips(options.strict);
    this.budget = new Budget(options);
  }

  /** Shape of images that the decoder makes. */
  get image(): ImageShape {
    const { stored, channels } = this.format;
    return { height: stored, width: stored, channels };
  }

  onClose(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  async close(): Promise<void> {
    await Promise.all([this.decoder.close(), ...this.closers.map((close) => close())]);
  }

  source(parts: {
    readonly name: string;
    readonly image: ImageShape;
    readonly classes: readonly string[];
    readonly notes?: readonly string[];
    readonly train: ImageSet;
    readonly heldOut: ImageSet;
    readonly splits?: Splits;
  }): DataSource {
    return { ...parts, skipped: () => this.skips.list, close: () => this.close() };
  }
}
