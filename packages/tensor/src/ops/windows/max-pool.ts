/** Maximum over windows; its gradient goes to the first maximum of each window, in row-major order. */
import { add, and, eq, type Expr, f32, gt, i32, idiv, imod, mul, not, or, select } from "../../expr/expr.js";
import { isNan } from "../../expr/math.js";
import {
  type Accessor,
  defineOp,
  type LowerBuilder,
  type NdArray,
  type OpDef,
  type Source,
} from "../../op.js";
import type { Shape } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
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
import { eachTap, type Pair } from "./window.js";

/** For every output element, the flat position in `x` of the first maximum of its window. A NaN counts as largest. */
function maxima(x: NdArray, p: PoolParams): Int32Array {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const found = new Int32Array(n * p.outH * p.outW * c).fill(-1);
  for (let b = 0; b < n; b++)
    eachTap(p, h, w, (oy, ox, y, x0) => {
      for (let k = 0; k < c; k++) {
        const o = ((b * p.outH + oy) * p.outW + ox) * c + k;
        const at = ((b * h + y) * w + x0) * c + k;
        const [v, best] = [x.data[at]!, x.data[found[o]!]!];
        if (found[o] === -1 || v > best || (Number.isNaN(v) && !Number.isNaN(best))) found[o] = at;
      }
    });
  return found;
}

/**
 * Taps outside the image are moved to its edge: the pixel there belongs to the window already, so the maximum is
 * unchanged, pixels are still met in row-major order, and no value of padding is needed.
 */
function scan(x: Source, p: PoolParams, [b, oy, ox, c]: readonly Expr[]): { value: Expr; pixel: Expr } {
  const tap = (ky: Expr, kx: Expr) => {
    const row = clamp(tapAt(oy!, ky, p.strideH, p.padTop), p.h);
    const column = clamp(tapAt(ox!, kx, p.strideW, p.padLeft), p.w);
    return { value: x.at([b!, row, column, c!]), pixel: add(mul(row, i32(p.w)), column) };
  };
  const start = tap(i32(0), i32(0));
  const [value, pixel] = overTaps(p, [start.value, start.pixel], (ky, kx, [best, at]) => {
    const t = tap(ky, kx);
    // A NaN is never passed by; for the pixel, it is the first one that counts.
    const passes = or(gt(t.value, best!), isNan(t.value));
    const first = and(passes, not(isNan(best!)));
    return [select(passes, t.value, best!), select(first, t.pixel, at!)];
  });
  return { value: value!, pixel: pixel! };
}

/** Overlapping windows read a pixel several times: then it is better stored. */
const source = (x: Source, p: PoolParams): Source => (p.kh > p.strideH || p.kw > p.strideW ? x.cached() : x);

/** Stores the position row·w + column of every window's maximum. */
function storeMaxima(b: LowerBuilder, x: Source, p: PoolParams): Source {
  const shape: Shape = pooledShape(x.shape, p);
  const pixels = b.temp("int32", shape);
  const from = source(x, p);
  b.map([pixels], shape, (at) => [scan(from, p, at).pixel]);
  return b.view(pixels, shape);
}

export const maxPool2dOp: OpDef<PoolParams> = defineOp<PoolParams>({
  name: "maxPool2d",
  infer([x], p) {
    checkPooled("maxPool2d", "input", x!, imageShape(x!.shape, p));
    return [{ shape: pooledShape(x!.shape, p), dtype: "float32" }];
  },
  reference([x], p, [out]) {
    const at = maxima(x!, p);
    return [{ ...out!, data: Float64Array.from(at, (i) => x!.data[i]!) }];
  },
  lower: (_b, [x], _outs, p): Accessor => {
    const from = source(x!, p);
    return (at) => scan(from, p, at).value;
  },
  vjp: ({ inputs: [x], grads: [g], params }) => [apply1(maxPool2dGradOp, [x!, g!], params)],
  sample(s) {
    const { shape, params } = samplePool(s);
    return { inputs: [{ shape, distinct: true }], params };
  },
});

/** Adjoint of "pick each window's maximum": linear in the cotangent, piecewise constant in x. */
export const maxPool2dGradOp: OpDef<PoolParams> = defineOp<PoolParams>({
  name: "maxPool2dGrad",
  infer([x, dy], p) {
    checkPooled("maxPool2dGrad", "input", x!, imageShape(x!.shape, p));
    checkPooled("maxPool2dGrad", "output gradient", dy!, pooledShape(x!.shape, p));
    return [{ shape: x!.shape, dtype: "float32" }];
  },
  reference([x, dy], p, [out]) {
    const dx = zerosLike(out!);
    maxima(x!, p).forEach((at, o) => {
      dx.data[at]! += dy!.data[o]!;
    });
    return [dx];
  },
  lower(b, [x, dy], _outs, p) {
    const pixels = storeMaxima(b, x!, p);
    const g = dy!.cached();
    return ([n, y, x0, c]) => {
      const here = add(mul(y!, i32(p.w)), x0!);
      return overWindows(p, y!, x0!, f32(0), (oy, ox, covers, total) => {
        const at = [n!, oy, ox, c!];
        const mine = and(covers, eq(pixels.at(at), here));
        return add(total, select(mine, g.at(at), f32(0)));
      });
    };
  },
  vjp: ({ inputs: [x], grads: [h], params, needs }) => [
    undefined,
    needs[1] ? apply1(maxPool2dPickOp, [x!, h!], params) : undefined,
  ],
  sample(s) {
    const { shape, params } = samplePool(s);
    return { inputs: [{ shape, distinct: true }, { shape: pooledShape(shape, params) }], params };
  },
});

/** Picks from `h` the element at the first maximum of each window of `x`. */
export const maxPool2dPickOp: OpDef<PoolParams> = defineOp<PoolParams>({
  name: "maxPool2dPick",
  infer([x, h], p) {
    checkPooled("maxPool2dPick", "input", x!, imageShape(x!.shape, p));
    checkPooled("maxPool2dPick", "values", h!, x!.shape);
    return [{ shape: pooledShape(x!.shape, p), dtype: "float32" }];
  },
  reference: ([x, h], p, [out]) => [{ ...out!, data: Float64Array.from(maxima(x!, p), (i) => h!.data[i]!) }],
  lower(b, [x, h], _outs, p) {
    const pixels = storeMaxima(b, x!, p);
    const from = h!.cached();
    return (at) => {
      const pixel = clamp(pixels.at(at), p.h * p.w);
      return from.at([at[0]!, idiv(pixel, p.w), imod(pixel, p.w), at[3]!]);
    };
  },
  vjp: ({ inputs: [x], grads: [g], params, needs }) => [
    undefined,
    needs[1] ? apply1(maxPool2dGradOp, [x!, g!], params) : undefined,
  ],
  sample(s) {
    const { shape, params } = samplePool(s);
    return { inputs: [{ shape, distinct: true }, { shape }], params };
  },
});

/**
 * Maximum over windows of an image batch; padding never wins.
 *
 * `y[b, i, j, c] = max_{u,v} x[b, i·stride + u − top, j·stride + v − left, c]`. The gradient of a window goes to its
 * first maximum in row-major order; a window with a NaN gives NaN.
 *
 * @param x float32 `[batch, height, width, channels]`
 * @param window height and width of the window, in pixels
 * @param options stride (the window by default), padding ("valid")
 * @throws ShapeError when the window does not fit, or the padding leaves a window without a pixel
 */
export function maxPool2d(x: Tensor, window: Pair, options: PoolOptions = {}): Tensor {
  return apply1(maxPool2dOp, [x], poolParams("maxPool2d", x, window, options));
}
