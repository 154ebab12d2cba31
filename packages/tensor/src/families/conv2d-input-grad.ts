/** Gradient of a convolution with respect to its input: dx sums over the taps that read a pixel. Reads dy, then w. */
import { add, and, eq, type Expr, f32, ge, i32, idiv, imod, lt, max, mul, select } from "../expr/expr.js";
import {
  awkward,
  convFlops,
  convParams,
  imageShape,
  outputShape,
  perGroup,
  times,
  usual,
  weightShape,
} from "./convolution.js";
import { defineFamily, sumOver } from "./family.js";

/** y = oy·stride + ky·dilation − pad has a solution oy only where the difference divides. */
function outputOf(
  at: Expr,
  tap: Expr,
  axis: { readonly pad: number; readonly dilation: number; readonly stride: number; readonly extent: number },
): { o: Expr; ok: Expr } {
  const offset = add(add(at, i32(axis.pad)), times(tap, -axis.dilation));
  const positive = max(offset, i32(0));
  const o = idiv(positive, axis.stride);
  const fits = and(ge(offset, i32(0)), eq(imod(positive, axis.stride), i32(0)));
  return { o, ok: and(fits, lt(o, i32(axis.extent))) };
}

export const conv2dInputGrad = defineFamily({
  name: "conv2dInputGrad",
  params: convParams,
  operands: (p) => ({
    reads: [{ shape: outputShape(p) }, { shape: weightShape(p) }],
    out: { shape: imageShape(p) },
  }),
  plain(p, [n, y, z, ic], [dy, weight]) {
    const { inG, outG } = perGroup(p);
    return sumOver([p.kh, p.kw, outG], ([ky, kx, k]) => {
      const v = outputOf(y!, ky!, {
        pad: p.padTop,
        dilation: p.dilationH,
        stride: p.strideH,
        extent: p.outH,
      });
      const h = outputOf(z!, kx!, {
        pad: p.padLeft,
        dilation: p.dilationW,
        stride: p.strideW,
        extent: p.outW,
      });
      const oc = add(times(idiv(ic!, inG), outG), k!);
      const grad = dy!([n!, v.o, h.o, oc]);
      const w = weight!([ky!, kx!, imod(ic!, inG), oc]);
      return select(and(v.ok, h.ok), mul(grad, w), f32(0));
    });
  },
  flops: convFlops,
  samples: { awkward, usual },
});
