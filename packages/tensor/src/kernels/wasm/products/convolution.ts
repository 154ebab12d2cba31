/** The geometry of a convolution as the cpu device computes it, forward or backward, and how its batch is cut. */
import { cutSegments, type Segments, type Sliding } from "../assembler/segments.js";
import { COPY_BYTES, WEIGHT_BYTES } from "../cache.js";
import { unitsWanted, type WasmOptions } from "../kernel.js";

/** One product of a window: a pixel at distance (y, x) with the weights that stand at element `weight`. */
export interface Tap {
  readonly y: number;
  readonly x: number;
  readonly weight: number;
}

/** Output pixels that see the same taps. Offsets and steps are in elements of the output. */
export interface Phase {
  readonly taps: readonly Tap[];
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
  readonly rowStep: number;
  readonly pixelStep: number;
}

export interface Convolution {
  readonly source: Omit<Sliding, "rows" | "columns" | "minY" | "maxY" | "minX" | "maxX">;
  readonly phases: readonly Phase[];
  readonly groups: number;
  /** Channels of a group that are summed over, and that come out. */
  readonly inner: number;
  readonly outer: number;
  /** Elements between weights of neighbouring summed channels, output channels and groups. */
  readonly weightInner: number;
  readonly weightOuter: number;
  readonly weightGroup: number;
  /** Elements of an output image. */
  readonly outputImage: number;
}

/** Runs of taps that lie side by side in the source are one longer loop. */
export function runsOf(v: Convolution, taps: readonly Tap[]): { tap: Tap; length: number }[] {
  const runs: { tap: Tap; length: number; last: Tap }[] = [];
  for (const tap of taps) {
    const run = runs.at(-1);
    if (run && v.groups === 1 && tap.y === run.last.y && tap.x === run.last.x + 1) {
      run.length += v.inner;
      run.last = tap;
    } else runs.push({ tap, length: v.inner, last: tap });
  }
  return runs;
}

/** Taps whose weights continue each other are packed as one. */
export function weightRuns(v: Convolution, taps: readonly Tap[]): { weight: number; length: number }[] {
  const runs: { weight: number; length: number }[] = [];
  for (const { weight } of taps) {
    const run = runs.at(-1);
    if (run && run.weight + run.length * v.weightInner === weight) run.length += v.inner;
    else runs.push({ weight, length: v.inner });
  }
  return runs;
}

/** Pixels that should share one pass over a panel of weights. */
const PIXELS = 64;

/** The segments of the batch, and how many of them a unit takes together. */
export function divide(v: Convolution, options: WasmOptions): { s: Segments; together: number } {
  const taps = v.phases.flatMap((p) => p.taps);
  const extreme = (f: (...n: number[]) => number, of: (t: Tap) => number): number =>
    taps.length ? f(...taps.map(of)) : 0;
  const s = cutSegments(
    {
      ...v.source,
      rows: Math.max(...v.phases.map((p) => p.rows)),
      columns: Math.max(...v.phases.map((p) => p.columns)),
      minY: extreme(Math.min, (t) => t.y),
      maxY: extreme(Math.max, (t) => t.y),
      minX: extreme(Math.min, (t) => t.x),
      maxX: extreme(Math.max, (t) => t.x),
    },
    COPY_BYTES,
    unitsWanted(options, 16, 4),
  );
  // Weights beyond the second-level cache are fetched anew by every unit, which should then be larger.
  const weights = 4 * Math.max(...v.phases.map((p) => p.taps.length)) * v.inner * v.outer * v.groups;
  const large = weights > WEIGHT_BYTES;
  const pixels = large ? 4 * PIXELS : PIXELS;
  const units = large ? unitsWanted(options, 8, 2) : unitsWanted(options, 16, 4);
  const wanted = Math.ceil(pixels / (s.rows * s.columns));
  const together = s.perImage > 1 ? 1 : Math.max(1, Math.min(wanted, Math.ceil(s.total / units)));
  return { s, together };
}
