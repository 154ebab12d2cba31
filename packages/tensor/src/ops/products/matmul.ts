/** Matrix products with NumPy's rules, on the `gemm` family. */
import { DawnstrapError, ShapeError } from "../../errors.js";
import { f32 } from "../../expr/expr.js";
import { gemm, type GemmParams } from "../../families/gemm.js";
import { type Aval, defineOp } from "../../op.js";
import { broadcastShapes, numel, type Shape, show, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { unbroadcast } from "../reductions/sum.js";
import { zerosLike } from "../shared/reference.js";
import { reshape } from "../views/reshape.js";

export interface MatmulOptions {
  /** Multiply by the transpose of `a`'s last two axes. */
  readonly transposeA?: boolean;
  /** Multiply by the transpose of `b`'s last two axes. */
  readonly transposeB?: boolean;
}

interface MatmulParams {
  readonly transA: boolean;
  readonly transB: boolean;
}

/** Extents of C[batch…, m, n] = Σ_k A[batch…, m, k] · B[batch…, k, n], and element strides of the batch axes. */
interface Sizes {
  readonly batch: number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aStrides: number[];
  readonly bStrides: number[];
}

function sizesOf(a: Shape, b: Shape, { transA, transB }: MatmulParams): Sizes {
  const [m, ka] = transA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [kb, n] = transB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (ka !== kb)
    throw new ShapeError(
      "matmul",
      `${show(a)}${transA ? " transposed" : ""} times ${show(b)}${transB ? " transposed" : ""}: ` +
        `the summed extents ${ka} and ${kb} differ`,
      ka === b.at(-1) && !transB ? "transposeB: true would make them match" : undefined,
    );
  const batch = batchOf(a, b);
  return { batch, m, n, k: ka, aStrides: batchStrides(a, batch), bStrides: batchStrides(b, batch) };
}

function batchOf(a: Shape, b: Shape): number[] {
  try {
    return broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2));
  } catch {
    throw new ShapeError("matmul", `the batch axes of ${show(a)} and ${show(b)} do not broadcast`);
  }
}

/** Stride of each batch axis of the result within an operand; 0 where the operand is broadcast. */
function batchStrides(shape: Shape, batch: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = batch.length - (shape.length - 2);
  return batch.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!));
}

/** Joins neighbouring batch axes that both operands walk alike, and drops those of extent 1. */
function mergeBatch(s: Sizes): Pick<Sizes, "batch" | "aStrides" | "bStrides"> {
  const batch: number[] = [];
  const aStrides: number[] = [];
  const bStrides: number[] = [];
  for (let i = s.batch.length - 1; i >= 0; i--) {
    const extent = s.batch[i]!;
    if (extent === 1) continue;
    const inner = batch[0];
    if (
      inner !== undefined &&
      s.aStrides[i] === aStrides[0]! * inner &&
      s.bStrides[i] === bStrides[0]! * inner
    ) {
      batch[0] = inner * extent;
      continue;
    }
    batch.unshift(extent);
    aStrides.unshift(s.aStrides[i]!);
    bStrides.unshift(s.bStrides[i]!);
  }
  return { batch, aStrides, bStrides };
}

function gemmParams(a: Aval, b: Aval, p: MatmulParams): GemmParams {
  const s = sizesOf(a.shape, b.shape, p);
  let { m } = s;
  let { batch, aStrides, bStrides } = mergeBatch(s);
  // One right operand for every matrix of a contiguous stack: the stack is a single tall matrix.
  if (batch.length === 1 && !p.transA && bStrides[0] === 0 && aStrides[0] === m * s.k) {
    m *= batch[0]!;
    batch = aStrides = bStrides = [];
  }
  return { m, n: s.n, k: s.k, transA: p.transA, transB: p.transB, batchShape: batch, aStrides, bStrides };
}

export const matmulOp = defineOp<MatmulParams>({
  name: "matmul",
  keeps: "input",
  infer([a, b], p) {
    for (const x of [a!, b!]) {
      if (x.dtype !== "float32")
        throw new ShapeError(
          "matmul",
          `operands are ${a!.dtype} and ${b!.dtype}, float32 is wanted`,
          "cast them first",
        );
      if (x.shape.length < 2)
        throw new ShapeError("matmul", `an operand of shape ${show(x.shape)} is no matrix`);
    }
    const { batch, m, n } = sizesOf(a!.shape, b!.shape, p);
    return [{ shape: [...batch, m, n], dtype: "float32" }];
  },
  reference([a, b], p, [out]) {
    const { batch, m, n, k, aStrides, bStrides } = sizesOf(a!.shape, b!.shape, p);
    const c = zerosLike(out!);
    const outStrides = stridesOf(batch);
    for (let i = 0; i < numel(batch); i++) {
      const at = batch.map((d, x) => Math.floor(i / outStrides[x]!) % d);
      const a0 = at.reduce((o, v, x) => o + v * aStrides[x]!, 0);
      const b0 = at.reduce((o, v, x) => o + v * bStrides[x]!, 0);
      for (let r = 0; r < m; r++)
        for (let j = 0; j < n; j++) {
          let total = 0;
          for (let l = 0; l < k; l++)
            total +=
              a!.data[a0 + (p.transA ? l * m + r : r * k + l)]! *
              b!.data[b0 + (p.transB ? j * k + l : l * n + j)]!;
          c.data[(i * m + r) * n + j] = total;
        }
    }
    return [c];
  },
  lower(b, [x, y], _, p) {
    const params = gemmParams(x!, y!, p);
    if (params.k === 0) return () => f32(0);
    b.call(gemm, params, [x!.buffer(), y!.buffer()], b.out(0));
  },
  vjp({ inputs, grads, params: { transA, transB }, needs }) {
    const [a, b] = inputs as [Tensor, Tensor];
    const g = grads[0];
    if (!g) return [undefined, undefined];
    return [
      needs[0] ? gradA(a, b, g, transA, transB) : undefined,
      needs[1] ? gradB(a, b, g, transA, transB) : undefined,
    ];
  },
  sample(s) {
    const [m, n, k] = [s.pick([1, 2, 5, 8, 9, 17]), s.pick([1, 3, 4, 7, 16, 33]), s.pick([1, 2, 7, 8, 19])];
    const transA = s.bool();
    const transB = s.bool();
    const batch = s.pick([[], [2], [3, 2], [1, 3]]);
    const aBatch = s.pick([batch, [], batch.map((d, i) => (i === 0 ? 1 : d)), batch.slice(1)]);
    const bBatch = s.pick([batch, [], batch.map((d, i) => (i === 0 ? d : 1))]);
    return {
      inputs: [
        { shape: [...aBatch, ...(transA ? [k, m] : [m, k])] },
        { shape: [...bBatch, ...(transB ? [n, k] : [k, n])] },
      ],
      params: { transA, transB },
    };
  },
  multiplyAdds([a, b], p) {
    const { batch, m, n, k } = sizesOf(a!.shape, b!.shape, p);
    return numel(batch) * m * n * k;
  },
  // Sums of k products whose terms may cancel, compared by the size of the result.
  tolerance: 1e-4,
});

function gradA(a: Tensor, b: Tensor, g: Tensor, transA: boolean, transB: boolean): Tensor {
  const full = transA ? matrixProduct(b, g, transB, true) : matrixProduct(g, b, false, !transB);
  return unbroadcast(full, a.shape);
}

function gradB(a: Tensor, b: Tensor, g: Tensor, transA: boolean, transB: boolean): Tensor {
  if (isSingle(b) && !transA && sameBatch(a, g)) {
    // A stack of rows against one matrix is one tall product: its gradient sums over all rows in a single gemm.
    const [rows, k, n] = [numel(a.shape.slice(0, -1)), a.shape.at(-1)!, g.shape.at(-1)!];
    const tallA = reshape(a, [rows, k]);
    const tallG = reshape(g, [rows, n]);
    const product = transB
      ? matrixProduct(tallG, tallA, true, false)
      : matrixProduct(tallA, tallG, true, false);
    return reshape(product, b.shape);
  }
  const full = transB ? matrixProduct(g, a, true, transA) : matrixProduct(a, g, !transA, false);
  return unbroadcast(full, b.shape);
}

const isSingle = (t: Tensor): boolean => numel(t.shape.slice(0, -2)) === 1;
const sameBatch = (t: Tensor, g: Tensor): boolean =>
  numel(t.shape.slice(0, -2)) === numel(g.shape.slice(0, -2));

const matrixProduct = (a: Tensor, b: Tensor, transA: boolean, transB: boolean): Tensor =>
  apply1(matmulOp, [a, b], { transA, transB });

/**
 * Matrix product, as NumPy's `matmul`.
 *
 * `c[…, i, j] = Σ_k a[…, i, k] · b[…, k, j]` over the last two axes; the axes before them are a batch and broadcast.
 * A 1-D `a` is a row and a 1-D `b` a column, and that axis is dropped from the result: two vectors give their dot
 * product.
 *
 * @param a float32 `[…, m, k]`, `[…, k, m]` with `transposeA`, or `[k]`
 * @param b float32 `[…, k, n]`, `[…, n, k]` with `transposeB`, or `[k]`
 * @returns float32 `[…, m, n]`
 * @throws ShapeError when the summed extents differ, the batch axes do not broadcast, or an operand is not float32
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor {
  if (a.rank === 0 || b.rank === 0)
    throw new ShapeError(
      "matmul",
      `a scalar operand (shapes ${show(a.shape)} and ${show(b.shape)})`,
      "use mul",
    );
  if ((a.rank === 1 && transposeA) || (b.rank === 1 && transposeB))
    throw new DawnstrapError(
      `matmul: a vector has no transpose (shapes ${show(a.shape)} and ${show(b.shape)})`,
    );
  const left = a.rank === 1 ? reshape(a, [1, a.size]) : a;
  const right = b.rank === 1 ? reshape(b, [b.size, 1]) : b;
  const c = matrixProduct(left, right, transposeA, transposeB);
  if (a.rank > 1 && b.rank > 1) return c;
  const batch = c.shape.slice(0, -2);
  return reshape(c, [
    ...batch,
    ...(a.rank > 1 ? [c.shape.at(-2)!] : []),
    ...(b.rank > 1 ? [c.shape.at(-1)!] : []),
  ]);
}
