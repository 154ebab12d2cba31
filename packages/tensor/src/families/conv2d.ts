/** Convolution of image batches: y[n, oy, ox, oc] = Σ x[n, oy·stride + ky·dilation − pad, …, ic] · w[ky, kx, ic, oc]. */
import { add, and, f32, idiv, mul, select } from "../expr/expr.js";
import {
  awkward,
  convFlops,
  convParams,
  imageShape,
  inRange,
  outputShape,
  perGroup,
  tapAt,
  times,
  usual,
  weightShape,
} from "./convolution.js";
import { defineFamily, sumOver } from "./family.js";

export const conv2d = defineFamily({
  name: "conv2d",
  params: convParams,
  operands: (p) => ({
    reads: [{ shape: imageShape(p) }, { shape: weightShape(p) }],
    out: { shape: outputShape(p) },
  }),
  plain(p, [n, oy, ox, oc], [input, weight]) {
    const { inG, outG } = perGroup(p);
    return sumOver([p.kh, p.kw, inG], ([ky, kx, ic]) => {
      const { y, z } = tapAt(p, oy!, ox!, ky!, kx!);
      const c = add(times(idiv(oc!, outG), inG), ic!);
      const value = input!([n!, y, z, c]);
      const w = weight!([ky!, kx!, ic!, oc!]);
      return select(and(inRange(y, p.h), inRange(z, p.w)), mul(value, w), f32(0));
    });
  },
  flops: convFlops,
  samples: { awkward, usual },
});
