/**
 * Gradient of a convolution with respect to its weight: dw[ky, kx, ic, oc] = Σ x[…, ic] · dy[…, oc] over all output
 * pixels, in `splits` shares that the op adds up.
 */
import { add, and, type Expr, f32, i32, idiv, lt, mul, select, unflatten } from "../expr/expr.js";
import {
  awkward,
  type ConvParams,
  convFlops,
  convParams,
  imageShape,
  inRange,
  perGroup,
  tapAt,
  times,
  usual,
  weightShape,
} from "./convolution.js";
import { defineFamily, type ParamsOf, sumOver } from "./family.js";

const params = { ...convParams, splits: "number" } as const;
export type ConvWeightGradParams = ParamsOf<typeof params>;

/** As the op cuts its rows for some thousand work items. */
function usually(p: ConvParams): ConvWeightGradParams {
  const weights = weightShape(p).reduce((n, d) => n * d, 1);
  const most = Math.floor((p.batch * p.outH * p.outW) / 64);
  return { ...p, splits: Math.max(1, Math.min(Math.ceil(1024 / (weights / 32)), most)) };
}

export const conv2dWeightGrad = defineFamily({
  name: "conv2dWeightGrad",
  params,
  operands: (p) => ({
    reads: [{ shape: imageShape(p) }, { shape: [p.batch * p.outH * p.outW, p.outC] }],
    out: { shape: [p.splits, ...weightShape(p)] },
  }),
  plain(p, [s, ky, kx, ic, oc], [input, dy]) {
    const { inG, outG } = perGroup(p);
    const rows = p.batch * p.outH * p.outW;
    const share = Math.ceil(rows / p.splits);
    return sumOver([share], ([r]) => {
      const row = add(times(s!, share), r!);
      const [n, oy, ox] = unflatten(row, [p.batch, p.outH, p.outW]) as [Expr, Expr, Expr];
      const { y, z } = tapAt(p, oy, ox, ky!, kx!);
      const c = add(times(idiv(oc!, outG), inG), ic!);
      const value = input!([n, y, z, c]);
      const grad = dy!([row, oc!]);
      const ok = and(lt(row, i32(rows)), and(inRange(y, p.h), inRange(z, p.w)));
      return select(ok, mul(value, grad), f32(0));
    });
  },
  flops: convFlops,
  shares: (p) => p.splits,
  samples: {
    awkward: [1, 3].flatMap((splits) => awkward.map((p) => ({ ...p, splits }))),
    usual: usual.map(usually),
  },
});
