/** Crops one box per image and resizes it: the geometry of random-resized crops, in one kernel. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import {
  add,
  and,
  cast,
  div,
  eq,
  type Expr,
  f32,
  fold,
  ge,
  i32,
  lt,
  max,
  min,
  mul,
  select,
  sub,
  unary,
} from "../../expr/expr.js";
import { defineOp, type LowerBuilder, type NdArray, nondifferentiable, type Source } from "../../op.js";
import { show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { zerosLike } from "../shared/reference.js";
import {
  checkMethod,
  kernelAt,
  kernelExpr,
  type ResizeMethod,
  resizeMethods,
  supportOf,
  total,
} from "./resampling.js";

interface CropParams {
  readonly outH: number;
  readonly outW: number;
  readonly method: ResizeMethod;
  readonly antialias: boolean;
}

interface AxisOfBoxes {
  /** Which numbers of a box are its start and extent along the axis. */
  readonly start: 0 | 1;
  /** Pixels of the image along the axis. */
  readonly pixels: number;
  readonly out: number;
}

/** Weights of all pixels for output o of a box, for the reference. */
function boxWeights(
  start: number,
  extent: number,
  o: number,
  { pixels, out }: AxisOfBoxes,
  { method, antialias }: CropParams,
): number[] {
  const first = Math.max(0, Math.floor(start));
  const last = Math.min(pixels, Math.ceil(start + extent)) - 1;
  const centre = start + ((o + 0.5) * extent) / out;
  const f = antialias ? Math.max(1, extent / out) : 1;
  const row = Array.from({ length: pixels }, (_, j) => {
    if (j < first || j > last) return 0;
    if (method === "nearest") return Number(j === Math.min(last, Math.max(first, Math.floor(centre))));
    return kernelAt(method, (j + 0.5 - centre) / f);
  });
  const sum = row.reduce((s, w) => s + w, 0);
  return sum === 0 ? row.fill(0) : row.map((w) => w / sum);
}

/**
 * Stores, for every image and output position along an axis, the weights of `taps` neighbouring pixels and (last) the
 * first pixel's index. Distances are taken from the box's own start with a remainder in place of a fraction: for boxes
 * of whole pixels every number on the way is a whole one, and the weights are those of `resize`.
 */
function storeWeights(b: LowerBuilder, boxes: Source, axis: AxisOfBoxes, { method, antialias }: CropParams) {
  const { pixels, out } = axis;
  const batch = boxes.shape[0]!;
  const s = supportOf(method);
  const taps = method === "nearest" ? 1 : antialias ? Math.ceil(2 * s * Math.max(1, pixels / out)) : 2 * s;
  const shape = [batch, out, taps + 1];
  const stored = b.temp("float32", shape);
  const floor = (e: Expr): Expr => unary("floor", e);
  b.map([stored], shape, ([n, o, t]) => {
    const start = boxes.at([n!, i32(axis.start)]);
    const extent = boxes.at([n!, i32(axis.start + 2)]);
    const origin = floor(start);
    const offset = sub(start, origin);
    const unit = f32(2 * out);
    const widened = antialias && method !== "nearest" ? max(f32(1), div(extent, f32(out))) : f32(1);
    // (centre − origin) · 2·out, less half a pixel and the kernel's support, where taps begin.
    const centre = add(mul(cast(add(mul(o!, i32(2)), i32(1)), "f32"), extent), mul(offset, unit));
    const reach = antialias ? max(unit, mul(f32(2), extent)) : unit;
    const edge = method === "nearest" ? centre : sub(centre, add(f32(out), mul(f32(s), reach)));
    const guess = floor(div(edge, unit));
    // A division may be off by a unit in the last place; the remainder, exact, tells.
    const remainder = sub(edge, mul(guess, unit));
    const whole = add(
      guess,
      select(lt(remainder, f32(0)), f32(-1), select(ge(remainder, unit), f32(1), f32(0))),
    );
    const fraction = div(sub(edge, mul(whole, unit)), unit);
    const limit = unary("ceil", add(offset, extent));
    const low = max(f32(0), sub(f32(0), origin));
    const high = min(limit, sub(f32(pixels), origin));
    if (method === "nearest") {
      const nearest = min(max(whole, low), sub(high, f32(1)));
      const inside = lt(low, high);
      return [select(eq(t!, i32(0)), select(inside, f32(1), f32(0)), add(origin, nearest))];
    }
    const first = add(whole, f32(1));
    const raw = (u: Expr): Expr => {
      const k = cast(u, "f32");
      const distance = div(sub(add(k, sub(f32(1), fraction)), mul(f32(s), widened)), widened);
      const pixel = add(first, k);
      return select(and(ge(pixel, low), lt(pixel, high)), kernelExpr(method, distance), f32(0));
    };
    const [sum] = fold(taps, [f32(0)], (u, [part]) => [add(part!, raw(u))]);
    const weight = select(eq(sum!, f32(0)), f32(0), div(raw(t!), sum!));
    return [select(lt(t!, i32(taps)), weight, add(origin, first))];
  });
  const table = b.view(stored, shape);
  return {
    taps,
    weight: (n: Expr, o: Expr, t: Expr): Expr => table.at([n, o, t]),
    pixel: (n: Expr, o: Expr, t: Expr): Expr =>
      min(max(add(cast(table.at([n, o, i32(taps)]), "i32"), t), i32(0)), i32(pixels - 1)),
  };
}

function axesOf(x: readonly number[], p: CropParams): [AxisOfBoxes, AxisOfBoxes] {
  return [
    { start: 0, pixels: x[1]!, out: p.outH },
    { start: 1, pixels: x[2]!, out: p.outW },
  ];
}

const cropAndResizeOp = defineOp<CropParams>({
  name: "cropAndResize",
  infer([x, boxes], { outH, outW }) {
    if (x!.shape.length !== 4)
      throw new ShapeError(
        "cropAndResize",
        `input of shape ${show(x!.shape)} is not [batch, height, width, channels]`,
      );
    if (x!.dtype !== "float32" && x!.dtype !== "uint8")
      throw new ShapeError("cropAndResize", `input is ${x!.dtype}, float32 or uint8 is wanted`);
    const [batch, , , channels] = x!.shape as [number, number, number, number];
    if (
      boxes!.dtype !== "float32" ||
      boxes!.shape.length !== 2 ||
      boxes!.shape[0] !== batch ||
      boxes!.shape[1] !== 4
    )
      throw new ShapeError(
        "cropAndResize",
        `boxes are ${boxes!.dtype} ${show(boxes!.shape)}, float32 [${batch}, 4] is wanted for ${show(x!.shape)}`,
        "one (y, x, height, width) per image",
      );
    return [{ shape: [batch, outH, outW, channels], dtype: "float32" }];
  },
  reference([x, boxes], p, [out]): NdArray[] {
    const y = zerosLike(out!);
    const [batch, h, w, c] = x!.shape as [number, number, number, number];
    const [rows, columns] = axesOf(x!.shape, p);
    for (let n = 0; n < batch; n++) {
      const [top, left, height, width] = boxes!.data.subarray(4 * n, 4 * n + 4) as unknown as [
        number,
        number,
        number,
        number,
      ];
      for (let oy = 0; oy < p.outH; oy++)
        for (let ox = 0; ox < p.outW; ox++) {
          const wy = boxWeights(top, height, oy, rows, p);
          const wx = boxWeights(left, width, ox, columns, p);
          for (let i = 0; i < h; i++)
            for (let j = 0; j < w; j++)
              for (let k = 0; k < c; k++)
                y.data[((n * p.outH + oy) * p.outW + ox) * c + k]! +=
                  wy[i]! * wx[j]! * x!.data[((n * h + i) * w + j) * c + k]!;
        }
    }
    return [y];
  },
  lower(b, [x, boxes], _outs, p) {
    const [rows, columns] = axesOf(x!.shape, p).map((axis) => storeWeights(b, boxes!.cached(), axis, p)) as [
      ReturnType<typeof storeWeights>,
      ReturnType<typeof storeWeights>,
    ];
    const from = x!.cached();
    const value = (at: readonly Expr[]): Expr =>
      scalarOf[x!.dtype] === "f32" ? from.at(at) : cast(from.at(at), "f32");
    return ([n, oy, ox, c]) =>
      total(rows.taps, (t) =>
        mul(
          rows.weight(n!, oy!, t),
          total(columns.taps, (u) =>
            mul(
              columns.weight(n!, ox!, u),
              value([n!, rows.pixel(n!, oy!, t), columns.pixel(n!, ox!, u), c!]),
            ),
          ),
        ),
      );
  },
  vjp: nondifferentiable(
    "crops are taken of data, not of what is learnt; use slice and resize where a gradient is wanted",
  ),
  sample(s) {
    const params = {
      outH: s.pick([1, 3, 6]),
      outW: s.pick([2, 5, 9]),
      method: s.pick(resizeMethods),
      antialias: s.bool(),
    };
    // A bicubic box that sticks out may keep only taps at which the kernel is about zero; normalising those weights
    // magnifies rounding without bound, so such boxes stay inside.
    const inside = params.method === "bicubic";
    const [h, w] = [s.pick(inside ? [7, 12] : [4, 7, 12]), s.pick(inside ? [8, 11] : [3, 8, 11])];
    const batch = s.pick([1, 3]);
    const shape = [batch, h, w, s.pick([1, 3])];
    // One range for starts and extents: boxes stick out of the image now and then, and are no larger than it.
    // "nearest" jumps where rounding decides.
    const range = params.method === "nearest" ? ([0.3, 0.9] as const) : ([0.5, 3] as const);
    const boxes = { shape: [batch, 4], range };
    return { inputs: [s.bool() ? { shape } : { shape, dtype: "uint8", range: [0, 255] }, boxes], params };
  },
  // Fractional boxes give tap positions rounded to float32; each is worth its rounding times the steepest edge.
  tolerance: 1e-4,
});

export interface CropAndResizeOptions {
  /** Default "bilinear". */
  readonly method?: ResizeMethod;
  /** Widen the kernel where a box shrinks. Default false. */
  readonly antialias?: boolean;
}

/**
 * Crops one box out of each image and resizes it to `size`.
 *
 * Equals cropping and then `resize` (see there for what each method equals elsewhere): samples never reach beyond the
 * box. Boxes may be fractional and then see the pixels that they touch; parts of a box outside the image are empty,
 * and a box that misses the image gives zeros. With antialias a box may be no larger than the image.
 *
 * @param x float32 or uint8 `[batch, height, width, channels]`
 * @param boxes float32 `[batch, 4]`: top, left, height and width, in pixels; extents above 0
 * @param size height and width of the result, in pixels
 * @returns float32 `[batch, size[0], size[1], channels]`
 */
export function cropAndResize(
  x: Tensor,
  boxes: Tensor,
  size: readonly [number, number],
  { method = "bilinear", antialias = false }: CropAndResizeOptions = {},
): Tensor {
  checkMethod("cropAndResize", method);
  const [outH, outW] = size;
  if (size.some((v) => !Number.isInteger(v) || v < 1))
    throw new ShapeError("cropAndResize", `size ${show(size)} is not made of whole numbers ≥ 1`);
  return apply1(cropAndResizeOp, [x, boxes], { outH, outW, method, antialias });
}
