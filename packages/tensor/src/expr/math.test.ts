import { describe, expect, it } from "vitest";
import { erf } from "../ops/shared/float64.js";
import { evaluateBinary, evaluateBitcast, evaluateCast, evaluateUnary } from "./evaluate.js";
import { childrenOf, type Expr, i32, load } from "./expr.js";
import * as math from "./math.js";
import { postOrder } from "./schedule.js";
import * as trigonometry from "./trigonometry.js";

const slots = [0, 1].map((id) => ({ id, dtype: "float32" as const }));
const [x, y] = slots.map((s) => load(s, i32(0)));

type Step = (v: Float64Array, args: readonly number[]) => number;

/** How to compute one expression from the values of those before it. */
function stepOf(n: Expr, positionOf: (e: Expr) => number): Step {
  const [a, b, c] = childrenOf(n).map(positionOf) as [number, number, number];
  switch (n.kind) {
    case "const":
      return () => n.value;
    case "load":
      return (_, args) => args[n.slot.id]!;
    case "unary":
      return (v) => evaluateUnary(n.fn, n.type, v[a]!);
    case "binary":
      return (v) => evaluateBinary(n.fn, n.a.type, v[a]!, v[b]!);
    case "select":
      return (v) => (v[a] ? v[b]! : v[c]!);
    case "cast":
      return (v) => evaluateCast(n.x.type, n.type, v[a]!);
    case "bitcast":
      return (v) => evaluateBitcast(n.x.type, n.type, v[a]!);
    case "affine": {
      const terms = n.terms.map(([t, k]) => [positionOf(t), k] as const);
      return (v) => terms.reduce((s, [t, k]) => (s + Math.imul(v[t]!, k)) | 0, n.offset);
    }
    default:
      throw new Error(`not expected in a function: ${n.kind}`);
  }
}

/** Evaluates with every f32 result rounded, as a device without fused multiply-add does. */
function rounded(e: Expr): (...args: number[]) => number {
  const order = postOrder([e]);
  const positions = new Map(order.map((n, i) => [n, i]));
  const steps = order.map((n) => stepOf(n, (k) => positions.get(k)!));
  const isFloat = order.map((n) => n.type === "f32");
  const values = new Float64Array(order.length);
  return (...args) => {
    steps.forEach((step, i) => {
      const v = step(values, args);
      values[i] = isFloat[i] ? Math.fround(v) : v;
    });
    return values[positions.get(e)!]!;
  };
}

/** Distance in units of the last place of the exact result (or of `floor`, where that is larger). */
function ulps(actual: number, exact: number, floor: number): number {
  if (Object.is(actual, Math.fround(exact)) || actual === Math.fround(exact)) return 0;
  if (Number.isNaN(actual) || Number.isNaN(exact)) return Infinity;
  const size = Math.max(Math.abs(exact), floor, 2 ** -126);
  return Math.abs(actual - exact) / 2 ** (Math.floor(Math.log2(size)) - 23);
}

const spread = (lo: number, hi: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) =>
    Math.fround(lo + ((hi - lo) * (i + Math.sin(i) / 2 + 0.5)) / count),
  );
/** ±2ᵏ, evenly in the logarithm. */
const scales = (lo: number, hi: number, count: number): number[] =>
  spread(lo, hi, count).flatMap((k) => [Math.fround(2 ** k), -Math.fround(2 ** k)]);

/** Of every size, and where float32 comes closest to a multiple of π/2 (16367173·2⁷² is 1.6e-9 away from one). */
const angles = [
  ...[...spread(-10, 10, 20000), ...spread(-(2 ** 24), 2 ** 24, 20000)],
  ...[...scales(-40, 0, 2000), ...scales(0, 127.99, 10000)],
  ...Array.from({ length: 5000 }, (_, n) => Math.fround(((n + 1) * Math.PI) / 2)),
  16367173 * 2 ** 72,
];

const functions: {
  name: string;
  expr: (x: Expr) => Expr;
  exact: (x: number) => number;
  points: number[];
  /** Largest error allowed, in units of the last place. */
  ulps: number;
  /** Below this size errors are absolute. */
  floor?: number;
}[] = [
  {
    name: "exp",
    expr: math.exp,
    exact: Math.exp,
    points: [...spread(-87, 88.7, 40000), ...scales(-30, 0, 2000)],
    ulps: 1.2,
  },
  {
    name: "expm1",
    expr: math.expm1,
    exact: Math.expm1,
    points: [...spread(-20, 88, 30000), ...spread(-1.5, 1.5, 30000), ...scales(-60, 0, 4000)],
    ulps: 2,
  },
  {
    name: "log",
    expr: math.log,
    exact: Math.log,
    points: [...scales(-125, 127, 40000).map(Math.abs), ...spread(0.5, 2, 40000)],
    ulps: 1.2,
  },
  {
    name: "log1p",
    expr: math.log1p,
    exact: Math.log1p,
    points: [...scales(-60, 0, 20000), ...spread(-0.999, 3, 40000), ...scales(0, 100, 4000).map(Math.abs)],
    ulps: 2,
  },
  {
    name: "sin",
    expr: trigonometry.sin,
    exact: Math.sin,
    points: angles,
    ulps: 2.5,
  },
  {
    name: "cos",
    expr: trigonometry.cos,
    exact: Math.cos,
    points: angles,
    ulps: 2.5,
  },
  {
    name: "tanh",
    expr: math.tanh,
    exact: Math.tanh,
    points: [...spread(-10, 10, 40000), ...scales(-60, 0, 4000)],
    ulps: 2.5,
  },
  {
    name: "sigmoid",
    expr: math.sigmoid,
    exact: (v) => 1 / (1 + Math.exp(-v)),
    points: spread(-87, 30, 40000),
    ulps: 2.5,
  },
  {
    name: "erf",
    expr: math.erf,
    exact: erf,
    points: [...spread(-5, 5, 40000), ...scales(-60, 0, 4000)],
    ulps: 1.5,
  },
];

describe("accuracy of the elementary functions, f32 arithmetic against float64", () => {
  it.each(functions)(
    "$name stays within $ulps units in the last place",
    ({ name, expr, exact, points, ulps: allowed, floor = 0 }) => {
      const f = rounded(expr(x!));
      let worst = { error: 0, at: 0 };
      for (const p of points) {
        const error = ulps(f(p), exact(p), floor);
        if (error > worst.error) worst = { error, at: p };
      }
      console.log(`${name}: ${worst.error.toFixed(2)} ulp at ${worst.at}, ${points.length} points`);
      expect(worst.error, `at ${worst.at}`).toBeLessThanOrEqual(allowed);
    },
  );

  it("pow stays within 3 units in the last place over the whole range", () => {
    const f = rounded(math.pow(x!, y!));
    let worst = { error: 0, at: [0, 0] };
    for (const a of scales(-20, 20, 400)
      .map(Math.abs)
      .concat(spread(0.5, 2, 400)))
      for (const b of [...spread(-30, 30, 60), 2, 3, 0.5, -1, 100, -100, 1000.5]) {
        const exact = a ** b;
        if (exact > 3.4e38 || exact < 1.2e-38) continue;
        const error = ulps(f(a, b), exact, 0);
        if (error > worst.error) worst = { error, at: [a, b] };
      }
    console.log(`pow: ${worst.error.toFixed(2)} ulp at ${worst.at}`);
    expect(worst.error, `at ${worst.at}`).toBeLessThanOrEqual(3);
  });
});

describe("special values", () => {
  const inf = Infinity;
  const cases: Record<string, [number, number][]> = {
    exp: [
      [0, 1],
      [-0, 1],
      [inf, inf],
      [-inf, 0],
      [NaN, NaN],
      [89, inf],
      [-110, 0],
      [1000, inf],
    ],
    expm1: [
      [0, 0],
      [-0, -0],
      [inf, inf],
      [-inf, -1],
      [NaN, NaN],
      [-50, -1],
    ],
    log: [
      [0, -inf],
      [-0, -inf],
      [1, 0],
      [inf, inf],
      [-1, NaN],
      [-inf, NaN],
      [NaN, NaN],
      [2 ** -140, Math.fround(-140 * Math.LN2)],
    ],
    log1p: [
      [0, 0],
      [-0, -0],
      [-1, -inf],
      [inf, inf],
      [-2, NaN],
      [NaN, NaN],
      [1e-30, 1e-30],
    ],
    sin: [
      [0, 0],
      [-0, -0],
      [inf, NaN],
      [-inf, NaN],
      [NaN, NaN],
    ],
    cos: [
      [0, 1],
      [-0, 1],
      [inf, NaN],
      [NaN, NaN],
    ],
    tanh: [
      [0, 0],
      [-0, -0],
      [inf, 1],
      [-inf, -1],
      [NaN, NaN],
      [20, 1],
      [-20, -1],
    ],
    sigmoid: [
      [0, 0.5],
      [inf, 1],
      [-inf, 0],
      [NaN, NaN],
      [-200, 0],
      [200, 1],
    ],
    erf: [
      [0, 0],
      [-0, -0],
      [inf, 1],
      [-inf, -1],
      [NaN, NaN],
      [6, 1],
    ],
  };
  it.each(functions)("$name is right at them", ({ name, expr }) => {
    const f = rounded(expr(x!));
    for (const [at, value] of cases[name]!)
      expect(f(Math.fround(at)), `${name}(${at})`).toBe(Math.fround(value));
  });

  it("pow follows C and NumPy", () => {
    const f = rounded(math.pow(x!, y!));
    const values = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1e30, -1e30, inf, -inf, NaN];
    for (const a of values)
      for (const b of values) {
        // JavaScript differs from C in two places: 1 to the power of NaN, and ±1 to the power of ±∞.
        const c = a === 1 || (Math.abs(a) === 1 && Math.abs(b) === inf) ? 1 : a ** b;
        expect(f(a, b), `${a} to the power of ${b}`).toBe(Math.fround(c));
      }
  });

  it("isNaN tells NaN from everything else", () => {
    const f = rounded(math.isNan(x!));
    for (const v of [0, -0, 1, inf, -inf, 2 ** -149, 3.4e38]) expect(f(v)).toBe(0);
    expect(f(NaN)).toBe(1);
  });
});
