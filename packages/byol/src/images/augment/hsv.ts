/** Turning the hue and scaling the saturation of a pixel (Smith 1978, "Color gamut transform pairs"), written once for numbers and once for kernels. */
import { expr as e } from "@dawnstrap/tensor/extend";

type Expr = e.Expr;
type Pixel<T> = readonly [T, T, T];

/** What both forms need of arithmetic. */
interface Arithmetic<T> {
  of(value: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  min(a: T, b: T): T;
  max(a: T, b: T): T;
  floor(a: T): T;
  /** b where a > 0, else c. */
  ifPositive(a: T, b: T, c: T): T;
  /** c where a = b, else d. */
  ifEqual(a: T, b: T, c: T, d: T): T;
}

export const onNumbers: Arithmetic<number> = {
  of: (value) => value,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  floor: Math.floor,
  ifPositive: (a, b, c) => (a > 0 ? b : c),
  ifEqual: (a, b, c, d) => (a === b ? c : d),
};

export const onExpressions: Arithmetic<Expr> = {
  of: e.f32,
  add: e.add,
  sub: e.sub,
  mul: e.mul,
  div: e.div,
  min: e.min,
  max: e.max,
  floor: (a) => e.unary("floor", a),
  ifPositive: (a, b, c) => e.select(e.gt(a, e.f32(0)), b, c),
  ifEqual: (a, b, c, d) => e.select(e.eq(a, b), c, d),
};

/** 0.2989 R + 0.587 G + 0.114 B, as both forms have it. */
export const luma = <T>(m: Arithmetic<T>, [r, g, b]: Pixel<T>): T =>
  m.add(m.add(m.mul(r, m.of(0.2989)), m.mul(g, m.of(0.587))), m.mul(b, m.of(0.114)));

/** x kept within [0, 1]. */
export const unit = <T>(m: Arithmetic<T>, x: T): T => m.min(m.max(x, m.of(0)), m.of(1));

/**
 * The pixel (values in [0, 1]) with its hue H turned by `turn` (in turns, H ← (H + turn) mod 1) and its saturation
 * scaled and clipped (S ← clip(S·factor, 0, 1)); its value V = max(r, g, b) stays.
 */
export function turnAndScale<T>(m: Arithmetic<T>, [r, g, b]: Pixel<T>, turn: T, factor: T): Pixel<T> {
  const { of, add, sub, mul, div, min, max, floor, ifPositive, ifEqual } = m;
  const v = max(r, max(g, b));
  const chroma = sub(v, min(r, min(g, b)));
  const one = of(1);
  // A grey pixel has no hue and a black one no saturation; divide by 1 instead of 0, the result is multiplied by 0.
  const c = ifPositive(chroma, chroma, one);
  const sixths = ifEqual(
    v,
    r,
    div(sub(g, b), c),
    ifEqual(v, g, add(div(sub(b, r), c), of(2)), add(div(sub(r, g), c), of(4))),
  );
  const h = add(div(sixths, of(6)), turn);
  const hue = mul(sub(h, floor(h)), of(6));
  const s = unit(m, mul(div(chroma, ifPositive(v, v, one)), factor));
  const vs = mul(v, s);
  // f(n) = V − V·S·clip(min(k, 4 − k), 0, 1), k = (n + H/60°) mod 6, at n = 5, 3, 1.
  const channel = (n: number): T => {
    const raw = div(add(hue, of(n)), of(6));
    const k = mul(sub(raw, floor(raw)), of(6));
    return sub(v, mul(vs, unit(m, min(k, sub(of(4), k)))));
  };
  return [channel(5), channel(3), channel(1)];
}
