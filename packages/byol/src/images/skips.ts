/** The records of a source that cannot be read: named once each and counted, or, when strict, the end of the run. */
import { DataError } from "../errors.js";
import type { SkippedImage } from "./source.js";

export class Skips {
  readonly list: SkippedImage[] = [];
  private readonly names = new Set<string>();

  constructor(private readonly strict = false) {}

  /** Throws DataError when strict. */
  add(file: string, reason: string): void {
    if (this.strict)
      throw new DataError(`data: ${file} cannot be read: ${reason} (--strict stops at the first)`);
    if (this.names.has(file)) return;
    this.names.add(file);
    this.list.push({ file, reason });
  }
}
