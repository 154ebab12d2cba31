/**
 * Host-side randomness: streams named by what they are for, so that no draw depends on how many others were made
 * before it. The generator is the tensor package's Philox-4x32-10, counter-based.
 */
import { philox4x32 } from "@dawnstrap/tensor/extend";

const purposes = {
  shuffle: 1,
  augment: 2,
  fewShot: 3,
  subset: 4,
  initOnline: 5,
  initTarget: 6,
  bootstrap: 7,
  initQueue: 8,
  crop: 9,
  map: 10,
} as const;
export type Purpose = keyof typeof purposes;

/** Draws that are a pure function of (seed, purpose, a, b, c). */
export class Stream {
  private block = 0;
  private words: ArrayLike<number> = [];
  private used = 4;

  constructor(
    private readonly seed: number,
    private readonly purpose: Purpose,
    private readonly a = 0,
    private readonly b = 0,
    private readonly c = 0,
  ) {}

  /** The next 32 random bits. */
  bits(): number {
    if (this.used === 4) {
      this.words = philox4x32(
        [this.block++, this.a, this.b, this.c],
        [this.seed >>> 0, purposes[this.purpose]],
      );
      this.used = 0;
    }
    return this.words[this.used++]! >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** Uniform in [lo, hi). */
  between(lo: number, hi: number): number {
    return lo + (hi - lo) * this.uniform();
  }

  /** A whole number 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** The items in random order, every order equally likely. */
  shuffle<T>(items: Iterable<T>): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}

/** A permutation of 0 … n − 1 that is a pure function of (seed, purpose, index). */
export function permutation(seed: number, purpose: Purpose, index: number, n: number): Uint32Array {
  const stream = new Stream(seed, purpose, index);
  const out = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    const swap = out[i]!;
    out[i] = out[j]!;
    out[j] = swap;
  }
  return out;
}
