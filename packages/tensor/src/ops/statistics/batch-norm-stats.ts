/**
 * Mean and variance of each channel, in one walk over the data.
 *
 * Rows are cut into blocks. A block sums d = x − s and d² with s the median of three of its rows; since s belongs to
 * the block, Σd² is at most (rows + 1) times the block's sum of squared deviations, so the subtraction that removes the
 * shift cannot cancel more than that, and it takes two outliers among the three to come near. Blocks are then merged by
 * Chan, Golub and LeVeque's formula ("Updating formulae and a pairwise algorithm for computing sample variances",
 * 1979), again shifted by the first of them.
 */
import { ShapeError } from "../../errors.js";
import {
  add,
  cast,
  div,
  type Expr,
  f32,
  fold,
  i32,
  idiv,
  lt,
  max,
  min,
  mul,
  select,
  sub,
} from "../../expr/expr.js";
import { type Aval, defineOp, type LowerBuilder, type Sampler, type Source } from "../../op.js";
import { numel, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply } from "../shared/apply.js";
import { add as plus, mul as times, sub as minus } from "../pointwise/arithmetic.js";
import { expand } from "../reductions/sum.js";
import { zerosLike } from "../shared/reference.js";
import { reindex } from "../views/reshape.js";

/** Rows that one work item sums; more would let rounding errors grow. */
const LONGEST_BLOCK = 512;
const SHORTEST_BLOCK = 32;
/** Blocks that one work item merges. */
const MERGED_AT_ONCE = 128;

/** Partial results: of `rows` rows in blocks of `size`, the last may be shorter. */
interface Blocks {
  readonly count: number;
  readonly size: number;
  readonly mean: Source;
  /** Σ(x − mean of the block)². */
  readonly m2: Source;
}

const f = (e: Expr): Expr => cast(e, "f32");

function blockSize(b: LowerBuilder, rows: number, channels: number): number {
  const wanted = Math.ceil((rows * channels) / b.limits.parallelism);
  // A block is walked once per vector of channels.
  const cached = Math.max(SHORTEST_BLOCK, Math.floor(b.limits.cacheElements / channels));
  return Math.min(rows, LONGEST_BLOCK, cached, Math.max(SHORTEST_BLOCK, wanted));
}

/** Mean and M2 from the sums of d and d² (or their weighted likes) over n values shifted by s. */
function unshifted(s: Expr, sum: Expr, squares: Expr, n: Expr): [Expr, Expr] {
  const offset = div(sum, n);
  return [add(s, offset), max(sub(squares, mul(sum, offset)), f32(0))];
}

/** A NaN among the three may be lost here, but not in the sums that it is subtracted from. */
const median = (a: Expr, b: Expr, c: Expr): Expr => max(min(a, b), min(max(a, b), c));

/** Statistics of block k of `size` rows. */
function sumBlock(x: (row: Expr) => Expr, k: Expr, rows: number, size: number): [Expr, Expr] {
  const start = mul(k, i32(size));
  const whole = rows % size === 0;
  const last = min(add(start, i32(size - 1)), i32(rows - 1));
  const shift = median(x(start), x(idiv(add(start, last), 2)), x(last));
  const [sum, squares] = fold(size, [f32(0), f32(0)], (i, [s, q]) => {
    const row = add(start, i);
    const d0 = sub(x(whole ? row : min(row, i32(rows - 1))), shift);
    const d = whole ? d0 : select(lt(row, i32(rows)), d0, f32(0));
    return [add(s!, d), add(q!, mul(d, d))];
  });
  return unshifted(shift, sum!, squares!, f(min(i32(size), sub(i32(rows), start))));
}

/** Statistics of `group` neighbouring blocks, from block k · group on. */
function mergeBlocks(
  { count, size, mean, m2 }: Blocks,
  k: Expr,
  c: Expr,
  rows: number,
  group: number,
): [Expr, Expr] {
  const start = mul(k, i32(group));
  const shift = mean.at([start, c]);
  const rowsFrom = (block: Expr, blocks: number): Expr =>
    f(max(i32(0), min(i32(size * blocks), sub(i32(rows), mul(block, i32(size))))));
  const [sum, squares] = fold(group, [f32(0), f32(0)], (i, [s, q]) => {
    const block = add(start, i);
    const at = [min(block, i32(count - 1)), c];
    const n = rowsFrom(block, 1);
    const d = sub(mean.at(at), shift);
    const inside = select(lt(block, i32(count)), m2.at(at), f32(0));
    return [add(s!, mul(n, d)), add(q!, add(inside, mul(n, mul(d, d))))];
  });
  return unshifted(shift, sum!, squares!, rowsFrom(start, group));
}

function statistics(b: LowerBuilder, x: Source): Blocks {
  const channels = x.shape.at(-1)!;
  const rows = numel(x.shape) / channels;
  const rowMajor = (row: Expr, c: Expr): Expr => x.at(reindex([row, c], [rows, channels], x.shape));
  const store = (count: number, size: number, of: (k: Expr, c: Expr) => readonly Expr[]): Blocks => {
    const shape = [count, channels];
    const [mean, m2] = [b.temp("float32", shape), b.temp("float32", shape)];
    b.map([mean, m2], shape, ([k, c]) => of(k!, c!));
    return { count, size, mean: b.view(mean, shape), m2: b.view(m2, shape) };
  };
  const size = blockSize(b, rows, channels);
  let blocks = store(Math.ceil(rows / size), size, (k, c) =>
    sumBlock((row) => rowMajor(row, c), k, rows, size),
  );
  while (blocks.count > MERGED_AT_ONCE) {
    const group = Math.ceil(Math.sqrt(blocks.count));
    const from = blocks;
    blocks = store(Math.ceil(from.count / group), from.size * group, (k, c) =>
      mergeBlocks(from, k, c, rows, group),
    );
  }
  return blocks;
}

export const batchNormStatsOp = defineOp<undefined>({
  name: "batchNormStats",
  infer([x]) {
    checkRows("batchNormStats", x!);
    const vector: Aval = { shape: [x!.shape.at(-1)!], dtype: "float32" };
    return [vector, vector];
  },
  reference([x], _, outs) {
    const [mean, variance] = outs.map(zerosLike) as [
      ReturnType<typeof zerosLike>,
      ReturnType<typeof zerosLike>,
    ];
    const channels = mean.data.length;
    const rows = x!.data.length / channels;
    x!.data.forEach((v, i) => {
      mean.data[i % channels]! += v / rows;
    });
    x!.data.forEach((v, i) => {
      variance.data[i % channels]! += (v - mean.data[i % channels]!) ** 2 / rows;
    });
    return [mean, variance];
  },
  lower(b, [x]) {
    const channels = x!.shape.at(-1)!;
    const rows = numel(x!.shape) / channels;
    if (channels === 0) return;
    const blocks = statistics(b, x!);
    b.map([b.out(0), b.out(1)], [channels], ([c]) => {
      const [mean, m2] = mergeBlocks(blocks, i32(0), c!, rows, blocks.count);
      return [mean, div(m2, f32(rows))];
    });
  },
  vjp({ inputs, outputs, grads: [gMean, gVariance] }) {
    const [x, mean] = [inputs[0]!, outputs[0]!];
    const rows = x.size / mean.size;
    const fromMean = gMean && times(gMean, 1 / rows);
    const fromVariance = gVariance && times(times(gVariance, 2 / rows), minus(x, mean));
    if (fromVariance) return [fromMean ? plus(fromVariance, fromMean) : fromVariance];
    return [fromMean && expand(fromMean, x.shape)];
  },
  sample: (s) => ({ inputs: [{ shape: sampleRows(s) }], params: undefined }),
  // The variance of two or three nearly equal values is a small difference of them.
  tolerance: 1e-4,
});

/** Checks that there is at least one row of channels. */
export function checkRows(op: string, x: Aval): void {
  if (x.shape.length < 2)
    throw new ShapeError(
      op,
      `input of shape ${show(x.shape)} has no axis besides the channels`,
      "give it rank 2 or more",
    );
  if (x.dtype !== "float32")
    throw new ShapeError(op, `input is ${x.dtype}, float32 is wanted`, "cast it first");
  if (numel(x.shape.slice(0, -1)) === 0)
    throw new ShapeError(op, `input of shape ${show(x.shape)} has no rows to take statistics of`);
}

export function sampleRows(s: Sampler): number[] {
  const channels = s.pick([1, 2, 3, 4, 5, 8, 17]);
  return s.pick([[s.int(2, 150)], [s.int(1, 9), s.int(2, 9)], [2, 3, s.int(1, 7)]]).concat(channels);
}

/** Mean and biased variance of each channel, over every axis but the last. */
export function batchNormStats(x: Tensor): { mean: Tensor; variance: Tensor } {
  const [mean, variance] = apply(batchNormStatsOp, [x], undefined);
  return { mean: mean!, variance: variance! };
}
