/** What a microbenchmark is, and the means to write one. */
import type { Device, Tensor } from "@dawnstrap/tensor";

/** Work of one run: floating-point operations, bytes moved, … in the singular. */
export type Unit = "GFLOP/s" | "GB/s" | "Melem/s" | "images/s" | "steps/s" | "kops/s";
export const unitSize: Readonly<Record<Unit, number>> = {
  "GFLOP/s": 1e9,
  "GB/s": 1e9,
  "Melem/s": 1e6,
  "images/s": 1,
  "steps/s": 1,
  "kops/s": 1e3,
};

export interface Prepared {
  /** Throws when what is about to be timed is wrong. */
  check(): Promise<void>;
  /** One run, finished when the promise resolves. */
  run(): Promise<void>;
  /** Gives the memory of captured programs back. */
  release?(): void;
}

export interface Case {
  readonly name: string;
  readonly unit: Unit;
  /** Work of one run, in single operations, bytes, elements, … */
  readonly work: number;
  setup(device: Device): Promise<Prepared>;
}

/** Reproducible numbers in [−1, 1). */
export function numbers(length: number, seed = 1): Float32Array {
  let state = Math.imul(seed, 0x9e3779b9) | 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** Throws where a computed value differs from the reference by more than `tolerance`, relative above 1. */
export function expectClose(what: string, got: number, want: number, tolerance = 1e-4): void {
  if (!(Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want))))
    throw new Error(`wrong: ${what} is ${got}, ${want} is right`);
}

/** Positions to look at: the ends and some between. */
export const samples = (length: number, count = 16): number[] =>
  Array.from({ length: count }, (_, k) => Math.floor((k * (length - 1)) / (count - 1)));

/**
 * A case that replays a captured function of no arguments: what it reads is on the device already, and only what it
 * computes is timed. `make` may also return variables' updates; `check` sees the results of the first run.
 */
export function replayed(
  about: Omit<Case, "setup">,
  make: (device: Device) => Promise<{
    readonly step: () => Tensor | readonly Tensor[];
    readonly check: (results: readonly ArrayLike<number>[]) => void | Promise<void>;
  }>,
): Case {
  return {
    ...about,
    async setup(device) {
      const { step, check } = await make(device);
      await device.flush();
      const captured = device.capture(() => {
        const result = step();
        return Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
      });
      return {
        async check() {
          const results = await captured();
          await check(await Promise.all(results.map((t) => t.float64())));
        },
        async run() {
          await captured();
          await device.idle();
        },
        release: () => captured.release(),
      };
    },
  };
}
