/** Resizing of image batches, and its adjoint. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import { cast, type Expr } from "../../expr/expr.js";
import {
  type Accessor,
  defineOp,
  type LowerBuilder,
  type NdArray,
  type OpDef,
  type Sampler,
} from "../../op.js";
import { type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { zerosLike } from "../shared/reference.js";
import {
  type Axis,
  type AxisSpec,
  checkMethod,
  denseWeights,
  gatherAlong,
  planAxis,
  type ResizeMethod,
  resizeMethods,
  scatterAlong,
} from "./resampling.js";

interface ResizeParams {
  readonly rows: AxisSpec;
  readonly columns: AxisSpec;
}

/** Positions and weights stay exact in 32-bit integers up to here. */
const LARGEST_PRODUCT = 2 ** 28;

/** Up to this many taps a pixel, one kernel reads them all; beyond, rows and columns are two passes. */
const DIRECT_TAPS = 16;

type Along = (axis: Axis, spec: AxisSpec, at: Expr, value: (k: Expr) => Expr) => Expr;

/** Applies `along` to the rows and the columns of `x`: [batch, ·, ·, channels] of the given inner extents. */
function separable(
  b: LowerBuilder,
  x: Accessor,
  p: ResizeParams,
  along: Along,
  reads: (axis: Axis) => number,
  [batch, middleRows, middleColumns, channels]: readonly [number, number, number, number],
): Accessor {
  const [rows, columns] = [planAxis(b, p.rows), planAxis(b, p.columns)];
  const overRows =
    (from: Accessor): Accessor =>
    ([n, i, j, c]) =>
      along(rows, p.rows, i!, (k) => from([n!, k, j!, c!]));
  const overColumns =
    (from: Accessor): Accessor =>
    ([n, i, j, c]) =>
      along(columns, p.columns, j!, (k) => from([n!, i!, k, c!]));
  if (reads(rows) * reads(columns) <= DIRECT_TAPS) return overColumns(overRows(x));
  const shape: Shape = [batch, middleRows, middleColumns, channels];
  const temp = b.temp("float32", shape);
  b.map([temp], shape, (at) => [overRows(x)(at)]);
  return overColumns(b.view(temp, shape).at);
}

/** y = R x Cᵀ for every image and channel, with the weight matrices of the axes. */
function apply2d(x: NdArray, y: NdArray, rows: number[][], columns: number[][], transposed: boolean): void {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [batch, outH, outW] = y.shape as [number, number, number];
  const row = (o: number, i: number): number => (transposed ? rows[i]![o]! : rows[o]![i]!);
  const column = (o: number, i: number): number => (transposed ? columns[i]![o]! : columns[o]![i]!);
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outH; oy++)
      for (let ox = 0; ox < outW; ox++)
        for (let i = 0; i < h; i++)
          for (let j = 0; j < w; j++) {
            const weight = row(oy, i) * column(ox, j);
            if (weight === 0) continue;
            for (let k = 0; k < c; k++)
              y.data[((n * outH + oy) * outW + ox) * c + k]! +=
                weight * x.data[((n * h + i) * w + j) * c + k]!;
          }
}

function checkImage(op: string, x: { shape: Shape; dtype: string }, h: number, w: number): void {
  if (x.shape.length !== 4)
    throw new ShapeError(op, `input of shape ${show(x.shape)} is not [batch, height, width, channels]`);
  if (x.dtype !== "float32" && x.dtype !== "uint8")
    throw new ShapeError(op, `input is ${x.dtype}, float32 or uint8 is wanted`);
  if (x.shape[1] !== h || x.shape[2] !== w)
    throw new ShapeError(op, `input has shape ${show(x.shape)}, ${h} × ${w} pixels are wanted`);
}

const resizeOp: OpDef<ResizeParams> = defineOp<ResizeParams>({
  name: "resize",
  infer([x], { rows, columns }) {
    checkImage("resize", x!, rows.from, columns.from);
    return [{ shape: [x!.shape[0]!, rows.to, columns.to, x!.shape[3]!], dtype: "float32" }];
  },
  reference([x], { rows, columns }, [out]) {
    const y = zerosLike(out!);
    apply2d(x!, y, denseWeights(rows), denseWeights(columns), false);
    return [y];
  },
  lower(b, [x], [out], p) {
    const from = x!.cached();
    const value: Accessor = scalarOf[x!.dtype] === "f32" ? from.at : (at) => cast(from.at(at), "f32");
    const [n, , , c] = x!.shape as [number, number, number, number];
    return separable(b, value, p, gatherAlong, (axis) => axis.taps, [n, out!.shape[1]!, p.columns.from, c]);
  },
  vjp: ({ inputs: [x], grads: [g], params }) => [
    x!.dtype === "float32" ? apply1<ResizeParams>(resizeGradOp, [g!], params) : undefined,
  ],
  sample(s) {
    const params = sampleParams(s);
    const shape = [s.pick([1, 2]), params.rows.from, params.columns.from, s.pick([1, 3])];
    return { inputs: [s.int(0, 3) ? { shape } : { shape, dtype: "uint8", range: [0, 255] }], params };
  },
});

const resizeGradOp: OpDef<ResizeParams> = defineOp<ResizeParams>({
  name: "resizeGrad",
  infer([dy], { rows, columns }) {
    checkImage("resizeGrad", dy!, rows.to, columns.to);
    return [{ shape: [dy!.shape[0]!, rows.from, columns.from, dy!.shape[3]!], dtype: "float32" }];
  },
  reference([dy], { rows, columns }, [out]) {
    const dx = zerosLike(out!);
    apply2d(dy!, dx, denseWeights(rows), denseWeights(columns), true);
    return [dx];
  },
  lower(b, [dy], [out], p) {
    const [n, , , c] = dy!.shape as [number, number, number, number];
    return separable(b, dy!.cached().at, p, scatterAlong, (axis) => axis.covers, [
      n,
      out!.shape[1]!,
      p.columns.to,
      c,
    ]);
  },
  vjp: ({ grads: [h], params }) => [apply1<ResizeParams>(resizeOp, [h!], params)],
  sample(s) {
    const params = sampleParams(s);
    return {
      inputs: [{ shape: [s.pick([1, 2]), params.rows.to, params.columns.to, s.pick([1, 3])] }],
      params,
    };
  },
});

function sampleParams(s: Sampler): ResizeParams {
  const [method, antialias] = [s.pick(resizeMethods), s.bool()];
  const axis = (): AxisSpec => ({
    from: s.pick([1, 2, 3, 5, 8, 13]),
    to: s.pick([1, 2, 4, 5, 7, 16]),
    method,
    antialias,
  });
  return { rows: axis(), columns: axis() };
}

export interface ResizeOptions {
  /** Default "bilinear". */
  readonly method?: ResizeMethod;
  /** Widen the kernel by the factor of reduction, so that shrinking does not alias. Default false. */
  readonly antialias?: boolean;
}

/**
 * Resizes an image batch, with pixel centres at half-integers.
 *
 * Output o samples the input at (o + ½) · in / out − ½ (in pixel centres); taps outside the image are dropped and the
 * rest normalised. What each choice equals:
 * - "nearest": TensorFlow 2's `tf.image.resize`, PyTorch's "nearest-exact" (antialias has no effect);
 * - "bilinear": `tf.image.resize`, and PyTorch with align_corners=False;
 * - "bicubic" (Keys, a = −½): `tf.image.resize`, but for TensorFlow's rounding of tap positions to 1/1024. PyTorch's
 *   plain bicubic has a = −¾ and repeats the edge; it differs;
 * - with antialias, "bilinear" and "bicubic": `tf.image.resize(antialias=True)`, PyTorch's `antialias=True`, Pillow.
 *
 * @param x float32 or uint8 `[batch, height, width, channels]`
 * @param size height and width of the result
 * @returns float32 `[batch, size[0], size[1], channels]`; bicubic may leave the input's range
 * @throws ShapeError when the size is not made of whole numbers ≥ 1, or the method is unknown
 */
export function resize(
  x: Tensor,
  size: readonly [number, number],
  { method = "bilinear", antialias = false }: ResizeOptions = {},
): Tensor {
  checkMethod("resize", method);
  if (x.rank !== 4) checkImage("resize", x, 0, 0);
  const [h, w] = [x.shape[1]!, x.shape[2]!];
  for (const [from, to] of [
    [h, size[0]],
    [w, size[1]],
  ] as const) {
    if (!Number.isInteger(to) || to < 1)
      throw new ShapeError("resize", `size ${show(size)} is not made of whole numbers ≥ 1`);
    if (from < 1) throw new ShapeError("resize", `input of shape ${show(x.shape)} has no pixels`);
    if (from * to > LARGEST_PRODUCT)
      throw new ShapeError("resize", `from ${from} to ${to} pixels is too far for exact positions`);
  }
  const axis = (from: number, to: number): AxisSpec => ({ from, to, method, antialias });
  return apply1<ResizeParams>(resizeOp, [x], { rows: axis(h, size[0]), columns: axis(w, size[1]) });
}
