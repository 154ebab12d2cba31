/**
 * Norms of every parameter in an arena: sums of squares of blocks of 64, then sums of up to 64 of those,
 * until one is left for each parameter. Short sums of sums, so float32 stays accurate, and no atomics, so
 * equal inputs give equal bits.
 */
import { type Device, ShapeError, type Tensor } from "@dawnstrap/tensor";
import {
  type Aval,
  apply,
  defineOp,
  expr as e,
  type NdArray,
  nondifferentiable,
} from "@dawnstrap/tensor/extend";
import { BLOCK, type Segment } from "../arena.js";

interface BlockSquaresParams {
  /** Square g + decay·w instead of g alone. */
  readonly decayed: boolean;
}

const column = (data: Float64Array): NdArray => ({ shape: [data.length], dtype: "float32", data });

function expectArena(op: string, [w, g]: readonly Aval[]): number {
  const n = w!.shape[0]!;
  if (n % BLOCK !== 0 || g!.shape.join() !== w!.shape.join())
    throw new ShapeError(
      op,
      `weights [${w!.shape}] and gradient [${g!.shape}] are not two arenas`,
      "pack the gradients with arena.pack",
    );
  return n / BLOCK;
}

/** (w [N], g [N], decay [segments], segmentOfBlock int32 [N/64]) → per block Σw² and Σu². */
const blockSquaresOp = defineOp<BlockSquaresParams>({
  name: "blockSquares",
  infer(inputs) {
    const shape = [expectArena("blockSquares", inputs)];
    return [
      { shape, dtype: "float32" },
      { shape, dtype: "float32" },
    ];
  },
  reference([w, g, decay, segmentOf], { decayed }, [out]) {
    const sums = [0, 1].map(() => new Float64Array(out!.shape[0]!));
    w!.data.forEach((x, i) => {
      const block = Math.floor(i / BLOCK);
      const u = g!.data[i]! + (decayed ? decay!.data[segmentOf!.data[block]!]! * x : 0);
      sums[0]![block]! += x * x;
      sums[1]![block]! += u * u;
    });
    return sums.map(column);
  },
  lower(b, [w, g, decay, segmentOf], [out], { decayed }) {
    const [weights, gradient] = [w!.cached(), g!.cached()];
    b.map([b.out(0), b.out(1)], out!.shape, ([block]) => {
      const rate = decayed ? decay!.at([segmentOf!.at([block!])]) : undefined;
      return e.fold(BLOCK, [e.f32(0), e.f32(0)], (j, [ww, uu]) => {
        const at = [e.add(e.mul(block!, e.i32(BLOCK)), j)];
        const [x, d] = [weights.at(at), gradient.at(at)];
        const u = rate ? e.add(d, e.mul(rate, x)) : d;
        return [e.add(ww!, e.mul(x, x)), e.add(uu!, e.mul(u, u))];
      });
    });
  },
  vjp: nondifferentiable("an optimiser step is not differentiated"),
  sample: (s) => {
    const [blocks, segments] = [s.int(1, 9), s.int(1, 4)];
    const flat = { shape: [blocks * BLOCK] };
    return {
      inputs: [
        flat,
        flat,
        { shape: [segments] },
        { shape: [blocks], dtype: "int32", range: [0, segments - 1] },
      ],
      params: { decayed: s.bool() },
    };
  },
});

interface RunSumsParams {
  /** The longest run; longer counts are cut. */
  readonly longest: number;
}

/**
 * (a [n], b [n], start int32 [k], count int32 [k]) → sums of a and of b over runs start … start + count − 1,
 * within range.
 */
const runSumsOp = defineOp<RunSumsParams>({
  name: "runSums",
  infer: ([, , start]) => [
    { shape: start!.shape, dtype: "float32" },
    { shape: start!.shape, dtype: "float32" },
  ],
  reference([a, b, start, count], { longest }, [out]) {
    const run = (of: Float64Array, k: number): number => {
      const from = start!.data[k]!;
      return of.subarray(from, from + Math.min(count!.data[k]!, longest)).reduce((s, x) => s + x, 0);
    };
    return [a, b].map((x) =>
      column(Float64Array.from({ length: out!.shape[0]! }, (_, k) => run(x!.data, k))),
    );
  },
  lower(builder, [a, b, start, count], [out], { longest }) {
    const [x, y] = [a!.cached(), b!.cached()];
    const last = a!.shape[0]! - 1;
    builder.map([builder.out(0), builder.out(1)], out!.shape, ([k]) => {
      const [from, length] = [start!.at([k!]), count!.at([k!])];
      return e.fold(longest, [e.f32(0), e.f32(0)], (j, sums) => {
        const at = e.add(from, j);
        const inside = e.and(e.lt(j, length), e.le(at, e.i32(last)));
        const safe = [e.min(at, e.i32(last))];
        return [x, y].map((of, i) => e.add(sums[i]!, e.select(inside, of.at(safe), e.f32(0))));
      });
    });
  },
  vjp: nondifferentiable("an optimiser step is not differentiated"),
  sample: (s) => {
    const [n, k] = [s.int(1, 150), s.int(1, 7)];
    const index = (range: [number, number]) => ({ shape: [k], dtype: "int32" as const, range });
    return {
      inputs: [{ shape: [n] }, { shape: [n] }, index([0, n - 1]), index([0, 80])],
      params: { longest: s.int(1, 64) },
    };
  },
});

/** Runs to be added at one level; `longest` bounds their length. */
interface Level {
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly longest: number;
}

const FAN_IN = 64;

/** Levels of sums until each segment has one number. */
function levelsOf(blocks: readonly number[]): Level[] {
  const levels: Level[] = [];
  let counts = [...blocks];
  do {
    const runs: [start: number, count: number][] = [];
    let at = 0;
    const next = counts.map((n) => {
      for (let done = 0; done < n; done += FAN_IN) runs.push([at + done, Math.min(FAN_IN, n - done)]);
      at += n;
      return Math.ceil(n / FAN_IN);
    });
    levels.push({
      start: Int32Array.from(runs, ([s]) => s),
      count: Int32Array.from(runs, ([, c]) => c),
      longest: Math.max(...runs.map(([, c]) => c)),
    });
    counts = next;
  } while (counts.some((n) => n > 1));
  return levels;
}

/** Index arrays of an arena, on the device: made once, before any step. */
export class ArenaTables {
  /** Segment of each block, int32 [N/64]. */
  readonly segmentOfBlock: Tensor;
  private readonly levels: { start: Tensor; count: Tensor; longest: number }[];

  constructor(device: Device, segments: readonly Segment[]) {
    const of = Int32Array.from(segments.flatMap((s, i) => new Array<number>(s.blocks).fill(i)));
    this.segmentOfBlock = device.tensor(of);
    this.levels = levelsOf(segments.map((s) => s.blocks)).map(({ start, count, longest }) => ({
      start: device.tensor(start),
      count: device.tensor(count),
      longest,
    }));
  }

  /** Σw² and Σu² of each segment, float32 [segments]; u = g + decay·w where `decayed`, else g. */
  squares(w: Tensor, g: Tensor, decay: Tensor, decayed: boolean): [ww: Tensor, uu: Tensor] {
    let sums = apply(blockSquaresOp, [w, g, decay, this.segmentOfBlock], { decayed });
    for (const { start, count, longest } of this.levels)
      sums = apply(runSumsOp, [...sums, start, count], { longest });
    return [sums[0]!, sums[1]!];
  }
}
