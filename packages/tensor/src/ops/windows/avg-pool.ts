/** Average over windows, and over whole images. */
import {
  add,
  and,
  cast,
  div,
  type Expr,
  f32,
  ge,
  i32,
  lt,
  max,
  min,
  mul,
  select,
  sub,
} from "../../expr/expr.js";
import { type Accessor, defineOp, type OpDef } from "../../op.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { mul as times } from "../pointwise/arithmetic.js";
import { overWindows } from "./over-windows.js";
import {
  checkPooled,
  clamp,
  imageShape,
  overTaps,
  pooledShape,
  type PoolOptions,
  type PoolParams,
  poolParams,
  samplePool,
  tapAt,
} from "./pool-window.js";
import { zerosLike } from "../shared/reference.js";
import { sum } from "../reductions/sum.js";
import { checkImages, eachTap, type Pair } from "./window.js";

export interface AvgPoolOptions extends PoolOptions {
  /** Divide by the window's full size (true, the default, as PyTorch) or by the pixels inside the image (as TensorFlow). */
  readonly countIncludePad?: boolean;
}

interface AvgParams extends PoolParams {
  readonly countIncludePad: boolean;
}

/** Weight of each tap, for the reference: one over what the window is divided by. */
function sizesOf(p: AvgParams): Float64Array {
  const sizes = new Float64Array(p.outH * p.outW).fill(p.countIncludePad ? p.kh * p.kw : 0);
  if (!p.countIncludePad)
    eachTap(p, p.h, p.w, (oy, ox) => {
      sizes[oy * p.outW + ox]! += 1;
    });
  return sizes;
}

/** Pixels of the image among the taps along one axis. */
function inside(o: Expr, k: number, stride: number, before: number, extent: number): Expr {
  const start = tapAt(o, i32(0), stride, before);
  return sub(min(add(start, i32(k)), i32(extent)), max(start, i32(0)));
}

/** What window (oy, ox) is divided by. */
function sizeOf(p: AvgParams, oy: Expr, ox: Expr): Expr {
  if (p.countIncludePad) return f32(p.kh * p.kw);
  const rows = inside(oy, p.kh, p.strideH, p.padTop, p.h);
  const columns = inside(ox, p.kw, p.strideW, p.padLeft, p.w);
  return cast(mul(rows, columns), "f32");
}

export const avgPool2dOp: OpDef<AvgParams> = defineOp<AvgParams>({
  name: "avgPool2d",
  infer([x], p) {
    checkPooled("avgPool2d", "input", x!, imageShape(x!.shape, p));
    return [{ shape: pooledShape(x!.shape, p), dtype: "float32" }];
  },
  reference([x], p, [out]) {
    const y = zerosLike(out!);
    const sizes = sizesOf(p);
    const [n, c] = [x!.shape[0]!, x!.shape[3]!];
    for (let b = 0; b < n; b++)
      eachTap(p, p.h, p.w, (oy, ox, r, s) => {
        const window = oy * p.outW + ox;
        for (let k = 0; k < c; k++)
          y.data[(b * sizes.length + window) * c + k]! +=
            x!.data[((b * p.h + r) * p.w + s) * c + k]! / sizes[window]!;
      });
    return [y];
  },
  lower: (_b, [x], _outs, p): Accessor => {
    const from = p.kh > p.strideH || p.kw > p.strideW ? x!.cached() : x!;
    return ([b, oy, ox, c]) => {
      const [whole] = overTaps(p, [f32(0)], (ky, kx, [total]) => {
        const row = tapAt(oy!, ky, p.strideH, p.padTop);
        const column = tapAt(ox!, kx, p.strideW, p.padLeft);
        const value = from.at([b!, clamp(row, p.h), clamp(column, p.w), c!]);
        const visible = [ge(row, i32(0)), lt(row, i32(p.h)), ge(column, i32(0)), lt(column, i32(p.w))].reduce(
          and,
        );
        return [add(total!, select(visible, value, f32(0)))];
      });
      return div(whole!, sizeOf(p, oy!, ox!));
    };
  },
  vjp: ({ grads: [g], params }) => [apply1(avgPool2dGradOp, [g!], params)],
  sample(s) {
    const { shape, params } = samplePool(s);
    return { inputs: [{ shape }], params: { ...params, countIncludePad: s.bool() } };
  },
});

/** Adjoint of `avgPool2d`: every pixel gets its share of the windows that cover it. */
export const avgPool2dGradOp: OpDef<AvgParams> = defineOp<AvgParams>({
  name: "avgPool2dGrad",
  infer([dy], p) {
    checkPooled("avgPool2dGrad", "output gradient", dy!, pooledShape(dy!.shape, p));
    return [{ shape: imageShape(dy!.shape, p), dtype: "float32" }];
  },
  reference([dy], p, [out]) {
    const dx = zerosLike(out!);
    const sizes = sizesOf(p);
    const [n, c] = [dy!.shape[0]!, dy!.shape[3]!];
    for (let b = 0; b < n; b++)
      eachTap(p, p.h, p.w, (oy, ox, r, s) => {
        const window = oy * p.outW + ox;
        for (let k = 0; k < c; k++)
          dx.data[((b * p.h + r) * p.w + s) * c + k]! +=
            dy!.data[(b * sizes.length + window) * c + k]! / sizes[window]!;
      });
    return [dx];
  },
  lower: (_b, [dy], _outs, p): Accessor => {
    const g = p.kh > p.strideH || p.kw > p.strideW ? dy!.cached() : dy!;
    return ([b, y, x, c]) =>
      overWindows(p, y!, x!, f32(0), (oy, ox, covers, total) =>
        add(total, select(covers, div(g.at([b!, oy, ox, c!]), sizeOf(p, oy, ox)), f32(0))),
      );
  },
  vjp: ({ grads: [h], params }) => [apply1(avgPool2dOp, [h!], params)],
  sample(s) {
    const { shape, params } = samplePool(s);
    return {
      inputs: [{ shape: [...pooledShape(shape, params)] }],
      params: { ...params, countIncludePad: s.bool() },
    };
  },
});

/**
 * Average over windows of an image batch, with zeros outside the image.
 *
 * @param x float32 `[batch, height, width, channels]`
 * @param window height and width of the window, in pixels
 * @param options stride (the window by default), padding ("valid"), countIncludePad (true)
 * @throws ShapeError when the window does not fit, or the padding leaves a window without a pixel
 */
export function avgPool2d(x: Tensor, window: Pair, options: AvgPoolOptions = {}): Tensor {
  const { countIncludePad = true } = options;
  return apply1(avgPool2dOp, [x], { ...poolParams("avgPool2d", x, window, options), countIncludePad });
}

/** Average of each channel over the whole image: float32 `[batch, height, width, channels]` → `[batch, channels]`. */
export function globalAvgPool(x: Tensor): Tensor {
  checkImages("globalAvgPool", x);
  return times(sum(x, [1, 2]), 1 / (x.shape[1]! * x.shape[2]!));
}
