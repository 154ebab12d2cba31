/** Timing one case with the package `benchmark`. */
import Benchmark from "benchmark";
import type { Device } from "@dawnstrap/tensor";
import { type Case, type Unit, unitSize } from "./case.js";

export interface Measurement {
  readonly layer: string;
  readonly name: string;
  readonly unit: Unit;
  readonly work: number;
  readonly samples: number;
  /** Seconds of one run. */
  readonly median: number;
  readonly fastest: number;
  /** In `unit`, from the median. */
  readonly rate: number;
  /** Null on the reference device, which has no kernels. */
  readonly dispatches: number | null;
  /** Kernels that the case compiled, its check included; those of cases before it in its layer are there already. */
  readonly kernels: number | null;
}

/** Checks a case, then times it for about `seconds`. */
export async function measure(
  layer: string,
  { name, unit, work, setup }: Case,
  device: Device,
  seconds: number,
): Promise<Measurement> {
  const counters = device.backend?.counters;
  const compiled = counters?.kernels ?? 0;
  const prepared = await setup(device);
  try {
    await prepared.check();
    await prepared.run();
    const dispatched = counters?.dispatches ?? 0;
    await prepared.run();
    const dispatches = counters ? counters.dispatches - dispatched : null;
    const kernels = counters ? counters.kernels - compiled : null;
    const times = await timed(name, seconds, () => prepared.run());
    const median = quantile(times, 0.5);
    const rate = work / median / unitSize[unit];
    return {
      layer,
      name,
      unit,
      work,
      samples: times.length,
      median,
      fastest: times[0]!,
      rate,
      dispatches,
      kernels,
    };
  } finally {
    prepared.release?.();
  }
}

/** Seconds per run of each sample, ascending. */
function timed(name: string, seconds: number, run: () => Promise<void>): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const benchmark = new Benchmark(name, {
      defer: true,
      maxTime: seconds,
      minSamples: 3,
      fn: (deferred: { resolve(): void; benchmark: Benchmark }) => {
        run().then(
          () => deferred.resolve(),
          (error) => {
            reject(error);
            benchmark.abort();
            deferred.resolve();
          },
        );
      },
      onComplete: () => {
        const { error, stats } = benchmark as unknown as { error?: unknown; stats: { sample: number[] } };
        if (error || stats.sample.length === 0) reject(error ?? new Error(`${name}: no sample was taken`));
        else resolve([...stats.sample].sort((a, b) => a - b));
      },
    });
    benchmark.run({ async: true });
  });
}

const quantile = (sorted: readonly number[], q: number): number => {
  const at = (sorted.length - 1) * q;
  const [lo, hi] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return lo + (hi - lo) * (at - Math.floor(at));
};
