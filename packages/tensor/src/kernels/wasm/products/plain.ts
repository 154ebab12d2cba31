/**
 * The hand-written families as plain expressions: each output element is one fold. What the families mean, in the
 * shortest form; the fast kernels fall back on these for shapes that they do not take, and are tested against them.
 */
import * as x from "../../../expr/expr.js";
import type { Expr, Slot } from "../../../expr/expr.js";
import type { MapKernel } from "../../../program.js";
import type { ConvParams, ConvWeightGradParams, GemmParams } from "./params.js";

const slot = (id: number): Slot => ({ id, dtype: "float32" });

/** Builds a kernel that reads slots 0 and 1 and writes slot 2, one element per index of `shape`. */
function kernel(shape: readonly number[], value: (at: readonly Expr[], a: Slot, b: Slot) => Expr): MapKernel {
  const [a, b, out] = [slot(0), slot(1), slot(2)];
  const axes = shape.map((extent) => x.index(extent));
  const at = axes.map((axis) => (axis.extent === 1 ? x.i32(0) : axis));
  return {
    family: "map",
    axes: axes.filter((axis) => axis.extent !== 1),
    reads: [a, b],
    outputs: [{ slot: out, index: x.flatten(at, shape), value: value(at, a, b) }],
  };
}

/** Σ over nested loops. */
function sum(extents: readonly number[], term: (at: readonly Expr[]) => Expr): Expr {
  const nest = (at: readonly Expr[], start: Expr): Expr => {
    if (at.length === extents.length) return x.add(start, term(at));
    return x.fold(extents[at.length]!, [start], (i, [s]) => [nest([...at, i], s!)])[0]!;
  };
  return nest([], x.f32(0));
}

const inRange = (i: Expr, extent: number): Expr => x.and(x.ge(i, x.i32(0)), x.lt(i, x.i32(extent)));
const times = (i: Expr, n: number): Expr => x.mul(i, x.i32(n));

export function plainGemm(p: GemmParams): MapKernel {
  return kernel([...p.batchShape, p.m, p.n], (at, a, b) => {
    const batch = at.slice(0, -2);
    const [i, j] = at.slice(-2) as [Expr, Expr];
    const base = (strides: readonly number[]): Expr =>
      batch.reduce<Expr>((s, index, axis) => x.add(s, times(index, strides[axis]!)), x.i32(0));
    return sum([p.k], ([k]) => {
      const atA = p.transA ? x.flatten([k!, i], [p.k, p.m]) : x.flatten([i, k!], [p.m, p.k]);
      const atB = p.transB ? x.flatten([j, k!], [p.n, p.k]) : x.flatten([k!, j], [p.k, p.n]);
      return x.mul(x.load(a, x.add(base(p.aStrides), atA)), x.load(b, x.add(base(p.bStrides), atB)));
    });
  });
}

export function plainConv2d(p: ConvParams): MapKernel {
  const [inPer, outPer] = [p.inC / p.groups, p.outC / p.groups];
  return kernel([p.batch, p.outH, p.outW, p.outC], ([n, oy, ox, oc], input, weight) =>
    sum([p.kh, p.kw, inPer], ([ky, kx, ic]) => {
      const y = x.add(x.add(times(oy!, p.strideH), times(ky!, p.dilationH)), x.i32(-p.padTop));
      const z = x.add(x.add(times(ox!, p.strideW), times(kx!, p.dilationW)), x.i32(-p.padLeft));
      const c = x.add(times(x.idiv(oc!, outPer), inPer), ic!);
      const value = x.load(input, x.flatten([n!, y, z, c], [p.batch, p.h, p.w, p.inC]));
      const w = x.load(weight, x.flatten([ky!, kx!, ic!, oc!], [p.kh, p.kw, inPer, p.outC]));
      return x.select(x.and(inRange(y, p.h), inRange(z, p.w)), x.mul(value, w), x.f32(0));
    }),
  );
}

export function plainConv2dInputGrad(p: ConvParams): MapKernel {
  const [inPer, outPer] = [p.inC / p.groups, p.outC / p.groups];
  return kernel([p.batch, p.h, p.w, p.inC], ([n, y, z, ic], dy, weight) =>
    sum([p.kh, p.kw, outPer], ([ky, kx, k]) => {
      // y = oy·stride + ky·dilation − pad has a solution oy only where the difference divides.
      const position = (
        at: Expr,
        kernelAt: Expr,
        pad: number,
        dilation: number,
        stride: number,
        extent: number,
      ) => {
        const offset = x.add(x.add(at, x.i32(pad)), times(kernelAt, -dilation));
        const positive = x.max(offset, x.i32(0));
        const o = x.idiv(positive, stride);
        const fits = x.and(x.ge(offset, x.i32(0)), x.eq(x.imod(positive, stride), x.i32(0)));
        return { o, ok: x.and(fits, x.lt(o, x.i32(extent))) };
      };
      const v = position(y!, ky!, p.padTop, p.dilationH, p.strideH, p.outH);
      const h = position(z!, kx!, p.padLeft, p.dilationW, p.strideW, p.outW);
      const oc = x.add(times(x.idiv(ic!, inPer), outPer), k!);
      const grad = x.load(dy, x.flatten([n!, v.o, h.o, oc], [p.batch, p.outH, p.outW, p.outC]));
      const w = x.load(weight, x.flatten([ky!, kx!, x.imod(ic!, inPer), oc], [p.kh, p.kw, inPer, p.outC]));
      return x.select(x.and(v.ok, h.ok), x.mul(grad, w), x.f32(0));
    }),
  );
}

/** Rows of dy (n·outH·outW) that split `s` covers: s·rowsPerSplit … */
export const rowsPerSplit = (p: ConvWeightGradParams): number =>
  Math.ceil((p.batch * p.outH * p.outW) / p.splits);

export function plainConv2dWeightGrad(p: ConvWeightGradParams): MapKernel {
  const [inPer, outPer] = [p.inC / p.groups, p.outC / p.groups];
  const rows = p.batch * p.outH * p.outW;
  const share = rowsPerSplit(p);
  return kernel([p.splits, p.kh, p.kw, inPer, p.outC], ([s, ky, kx, ic, oc], input, dy) =>
    sum([share], ([r]) => {
      const row = x.add(times(s!, share), r!);
      const [n, oy, ox] = x.unflatten(row, [p.batch, p.outH, p.outW]) as [Expr, Expr, Expr];
      const y = x.add(x.add(times(oy, p.strideH), times(ky!, p.dilationH)), x.i32(-p.padTop));
      const z = x.add(x.add(times(ox, p.strideW), times(kx!, p.dilationW)), x.i32(-p.padLeft));
      const c = x.add(times(x.idiv(oc!, outPer), inPer), ic!);
      const value = x.load(input, x.flatten([n, y, z, c], [p.batch, p.h, p.w, p.inC]));
      const grad = x.load(dy, x.add(times(row, p.outC), oc!));
      const ok = x.and(x.lt(row, x.i32(rows)), x.and(inRange(y, p.h), inRange(z, p.w)));
      return x.select(ok, x.mul(value, grad), x.f32(0));
    }),
  );
}
