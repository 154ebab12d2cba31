/** Random draws that are the same for the same seed, format and number of the input, whatever was tried before. */
import { philox4x32 } from "@dawnstrap/tensor/extend";

/** Values at which readers go wrong: beside zero, beside the ends of a byte, of 16, 31, 32 and 53 bits. */
const edges = [0, 1, 2, -1, 127, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 2];
const far = [2 ** 53, -(2 ** 31), 400_000_000, 100_000, 4096, 1e15];

export class Draws {
  private readonly key: readonly [number, number];
  private count = 0;

  constructor(seed: number, name: string, index: number) {
    // FNV-1a, so that another format in the table changes nothing of this one's inputs.
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    this.key = [seed >>> 0, (hash ^ Math.imul(index, 0x9e3779b1)) >>> 0];
  }

  /** 0 … 2³² − 1. */
  bits(): number {
    return philox4x32([this.count++, 0, 0, 0], this.key)[0]!;
  }

  /** 0 … below − 1. */
  below(below: number): number {
    return Math.floor((this.bits() / 2 ** 32) * below);
  }

  /** true once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.bits() & 255);
  }

  /** A wrong value of a number that was `right`: next to it, a multiple of it, or at an edge. */
  number(right: number): number {
    const near = [right - 1, right + 1, right * 2, right * 1000, -right, Math.floor(right / 2)];
    return this.pick([near, near, edges, far][this.below(4)]!);
  }

  /** Words that stand for numbers, and other things, in text. */
  word(right: string): string {
    const odd = [
      "",
      "NaN",
      "-1",
      "1e9",
      "Infinity",
      "0x10",
      "1.5",
      "null",
      "true",
      "[]",
      "{}",
      '"',
      "__proto__",
    ];
    const long = [
      "9".repeat(400),
      "a".repeat(100_000),
      "\u0000",
      "\u001b[2J",
      "\u202e",
      "💥",
      "../../x",
      "/etc/passwd",
    ];
    return this.once(3) ? String(this.number(Number(right) || 1)) : this.pick(this.once(2) ? odd : long);
  }
}
