/**
 * The typed expression language of kernels.
 *
 * An op that can be said as "output element = f(index)" is written once in this language; code generators turn the
 * expression into WGSL, WebAssembly SIMD and plain JavaScript. Nodes are interned, so equal expressions are the same
 * object: common sub-expressions cost nothing, and memoising by identity is safe. Index arithmetic (i32) is kept in
 * affine form with value ranges, so that reshape ∘ permute ∘ slice chains simplify to plain strides.
 */
import type { ScalarType } from "../dtype.js";
import { scalarOf } from "../dtype.js";
import type { BinaryFn, Expr, FoldResult, Index, Load, Slot, State, UnaryFn } from "./types.js";

import { simplifyBool, simplifyFloat } from "./exact.js";
import { bool, constant, freshId, i32, index, intern } from "./interned.js";
import { affineParts, rangeOf } from "./range.js";

export { bool, constant, f32, i32, index, resetExpressions, u32 } from "./interned.js";
export { affineParts, rangeOf } from "./range.js";
export type * from "./types.js";

// ---------------------------------------------------------------- affine arithmetic (i32)

function makeAffine(entries: Iterable<readonly [Expr, number]>, offset: number): Expr {
  const sum = new Map<Expr, number>();
  for (const [t, c] of entries) sum.set(t, (sum.get(t) ?? 0) + c);
  offset += rejoin(sum);
  const terms = [...sum].filter(([, c]) => c !== 0).sort((x, y) => x[0].id - y[0].id);
  if (terms.length === 0) return i32(offset);
  if (terms.length === 1 && terms[0]![1] === 1 && offset === 0) return terms[0]![0];
  const key = `a${terms.map(([t, c]) => `${t.id}*${c}`).join("+")}+${offset}`;
  return intern(key, (id) => ({ id, kind: "affine", type: "i32", terms, offset }));
}

/**
 * Undoes a division and remainder whose parts meet again: (x ÷ n)·(c·n) + (x mod n)·c = c·x. Flattening an
 * unflattened index then gives the index back. Changes `sum` in place and returns what joins the offset.
 */
function rejoin(sum: Map<Expr, number>): number {
  let offset = 0;
  for (let again = true; again; ) {
    again = false;
    for (const [rest, c] of sum) {
      if (c === 0 || rest.kind !== "binary" || rest.fn !== "imod" || rest.b.kind !== "const") continue;
      const n = rest.b.value;
      const quotient = binary("idiv", rest.a, rest.b);
      if (quotient.kind !== "binary" || sum.get(quotient) !== c * n) continue;
      sum.delete(rest);
      sum.delete(quotient);
      const whole = affineParts(rest.a);
      for (const [t, k] of whole.terms) sum.set(t, (sum.get(t) ?? 0) + k * c);
      offset += whole.offset * c;
      again = true;
      break;
    }
  }
  return offset;
}

/** a·scale for i32. */
function scaleBy(a: Expr, scale: number): Expr {
  const p = affineParts(a);
  return makeAffine(
    p.terms.map(([t, c]) => [t, c * scale] as const),
    p.offset * scale,
  );
}

/** Splits Σ into (quotient, remainder) by a positive constant where the remainder provably stays in [0, n). */
function splitBy(a: Expr, n: number): { q: Expr; r: Expr } | undefined {
  if (rangeOf(a)[0] < 0) return undefined;
  const p = affineParts(a);
  const whole = p.terms.filter(([, c]) => c % n === 0);
  const rest = p.terms.filter(([, c]) => c % n !== 0);
  const offQ = Math.floor(p.offset / n);
  const r = makeAffine(rest, p.offset - offQ * n);
  const [lo, hi] = rangeOf(r);
  if (lo < 0 || hi >= n) return undefined;
  return {
    q: makeAffine(
      whole.map(([t, c]) => [t, c / n] as const),
      offQ,
    ),
    r,
  };
}

// ---------------------------------------------------------------- constructors

export function load(slot: Slot, at: Expr): Load {
  return intern(`l${slot.id}@${at.id}`, (id) => ({
    id,
    kind: "load",
    type: scalarOf[slot.dtype],
    slot,
    index: at,
  }));
}

export function unary(fn: UnaryFn, x: Expr): Expr {
  if (fn === "not" && x.kind === "const") return bool(!x.value);
  if (fn === "neg" && x.type === "i32") return scaleBy(x, -1);
  return intern(`u${fn}${x.id}`, (id) => ({ id, kind: "unary", type: x.type, fn, x }));
}

const comparisons = new Set<BinaryFn>(["lt", "le", "gt", "ge", "eq", "ne"]);
const commutative = new Set<BinaryFn>(["add", "mul", "and", "or", "xor", "eq", "ne"]);

export function binary(fn: BinaryFn, a: Expr, b: Expr): Expr {
  if (a.type !== b.type) throw new Error(`internal: ${fn} of ${a.type} and ${b.type}`);
  const simple =
    a.type === "i32"
      ? simplifyInt(fn, a, b)
      : a.type === "f32"
        ? simplifyFloat(fn, a, b)
        : simplifyBool(fn, a, b);
  if (simple) return simple;
  const type: ScalarType = comparisons.has(fn) ? "bool" : a.type;
  const [x, y] = commutative.has(fn) && a.id > b.id ? [b, a] : [a, b];
  return intern(`b${fn}${x.id},${y.id}`, (id) => ({ id, kind: "binary", type, fn, a: x, b: y }));
}

function simplifyInt(fn: BinaryFn, a: Expr, b: Expr): Expr | undefined {
  const [al, ah] = rangeOf(a);
  const [bl, bh] = rangeOf(b);
  const known = bl === bh ? bl : undefined;
  switch (fn) {
    case "add": {
      const p = affineParts(a);
      const q = affineParts(b);
      return makeAffine([...p.terms, ...q.terms], p.offset + q.offset);
    }
    case "sub":
      return binary("add", a, scaleBy(b, -1));
    case "mul":
      if (b.kind === "const") return scaleBy(a, b.value);
      if (a.kind === "const") return scaleBy(b, a.value);
      return undefined;
    case "idiv": {
      if (b.kind !== "const" || b.value <= 0) return undefined;
      if (b.value === 1) return a;
      if (a.kind === "const") return i32(Math.trunc(a.value / b.value));
      const split = splitBy(a, b.value);
      if (split) return split.q;
      // Whole multiples of the divisor come out, which leaves the numerator that the remainder has, too.
      if (al < 0) return undefined;
      const p = affineParts(a);
      const whole = p.terms.filter(([, c]) => c % b.value === 0);
      if (whole.length === 0 || whole.length === p.terms.length) return undefined;
      const rest = makeAffine(
        p.terms.filter(([, c]) => c % b.value !== 0),
        p.offset % b.value,
      );
      if (rangeOf(rest)[0] < 0) return undefined;
      const quotients = whole.map(([t, c]) => [t, c / b.value] as const);
      return makeAffine([...quotients, [binary("idiv", rest, b), 1]], Math.trunc(p.offset / b.value));
    }
    case "imod": {
      if (b.kind !== "const" || b.value <= 0) return undefined;
      if (b.value === 1) return i32(0);
      if (a.kind === "const") return i32(a.value % b.value);
      const split = splitBy(a, b.value);
      if (split) return split.r;
      // Whole multiples of the divisor never change a remainder; dropping them leaves a smaller expression.
      if (al < 0) return undefined;
      const p = affineParts(a);
      const rest = p.terms.filter(([, c]) => c % b.value !== 0);
      if (rest.length === p.terms.length) return undefined;
      const smaller = makeAffine(rest, p.offset % b.value);
      return rangeOf(smaller)[0] >= 0 ? binary("imod", smaller, b) : undefined;
    }
    case "min":
      return ah <= bl ? a : bh <= al ? b : undefined;
    case "max":
      return al >= bh ? a : bl >= ah ? b : undefined;
    case "lt":
      return ah < bl ? bool(true) : al >= bh ? bool(false) : undefined;
    case "le":
      return ah <= bl ? bool(true) : al > bh ? bool(false) : undefined;
    case "gt":
      return simplifyInt("lt", b, a);
    case "ge":
      return simplifyInt("le", b, a);
    case "eq":
      if (a === b) return bool(true);
      return ah < bl || bh < al ? bool(false) : al === ah && known === al ? bool(true) : undefined;
    case "ne": {
      const e = simplifyInt("eq", a, b);
      return e ? bool(e.kind === "const" && !e.value) : undefined;
    }
    default:
      return undefined;
  }
}

export function select(cond: Expr, a: Expr, b: Expr): Expr {
  if (a.type !== b.type) throw new Error(`internal: select between ${a.type} and ${b.type}`);
  if (cond.kind === "const") return cond.value ? a : b;
  if (a === b) return a;
  return intern(`s${cond.id},${a.id},${b.id}`, (id) => ({ id, kind: "select", type: a.type, cond, a, b }));
}

export function cast(x: Expr, type: ScalarType): Expr {
  if (x.type === type) return x;
  if (x.kind === "const")
    return constant(type === "i32" || type === "u32" ? Math.trunc(x.value) : x.value, type);
  return intern(`t${type}${x.id}`, (id) => ({ id, kind: "cast", type, x }));
}

export function bitcast(x: Expr, type: ScalarType): Expr {
  if (x.type === type) return x;
  return intern(`k${type}${x.id}`, (id) => ({ id, kind: "bitcast", type, x }));
}

/**
 * state ← init; for i in 0 … extent − 1: state ← body(i, state). Returns the final state.
 * The body sees loads at indices that may depend on `i`; all next states are computed from the old ones.
 */
export function fold(
  extent: number,
  init: readonly Expr[],
  body: (i: Index, state: readonly Expr[]) => readonly Expr[],
): Expr[] {
  if (extent === 0) return [...init];
  const f = { id: freshId(), index: index(extent), init, states: [] as State[], next: [] as readonly Expr[] };
  f.states = init.map((e, k) => ({ id: freshId(), kind: "state", type: e.type, fold: f, k }));
  f.next = body(f.index, f.states);
  return init.map(
    (e, k) => ({ id: freshId(), kind: "foldResult", type: e.type, fold: f, k }) satisfies FoldResult,
  );
}

// ---------------------------------------------------------------- shorthands

export const add = (a: Expr, b: Expr): Expr => binary("add", a, b);
export const sub = (a: Expr, b: Expr): Expr => binary("sub", a, b);
export const mul = (a: Expr, b: Expr): Expr => binary("mul", a, b);
export const div = (a: Expr, b: Expr): Expr => binary("div", a, b);
export const idiv = (a: Expr, n: number): Expr => binary("idiv", a, constant(n, a.type));
export const imod = (a: Expr, n: number): Expr => binary("imod", a, constant(n, a.type));
export const min = (a: Expr, b: Expr): Expr => binary("min", a, b);
export const max = (a: Expr, b: Expr): Expr => binary("max", a, b);
export const lt = (a: Expr, b: Expr): Expr => binary("lt", a, b);
export const le = (a: Expr, b: Expr): Expr => binary("le", a, b);
export const gt = (a: Expr, b: Expr): Expr => binary("gt", a, b);
export const ge = (a: Expr, b: Expr): Expr => binary("ge", a, b);
export const eq = (a: Expr, b: Expr): Expr => binary("eq", a, b);
export const ne = (a: Expr, b: Expr): Expr => binary("ne", a, b);
export const and = (a: Expr, b: Expr): Expr => binary("and", a, b);
export const or = (a: Expr, b: Expr): Expr => binary("or", a, b);
export const not = (a: Expr): Expr => unary("not", a);

/** Row-major flat index of a multi-index. */
export function flatten(at: readonly Expr[], shape: readonly number[]): Expr {
  let flat: Expr = i32(0);
  for (let i = 0; i < shape.length; i++) flat = add(mul(flat, i32(shape[i]!)), at[i]!);
  return flat;
}

/** Multi-index of a row-major flat index. */
export function unflatten(flat: Expr, shape: readonly number[]): Expr[] {
  const at = new Array<Expr>(shape.length);
  let rest = flat;
  for (let i = shape.length - 1; i >= 0; i--) {
    const d = shape[i]!;
    // The outermost index needs no remainder: a flat index in range leaves it in range.
    at[i] = i === 0 ? rest : d === 0 ? i32(0) : imod(rest, d);
    rest = d === 0 ? i32(0) : idiv(rest, d);
  }
  return at;
}

/** Direct sub-expressions (a fold's own parts are reached through its results). */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case "const":
    case "index":
    case "state":
      return [];
    case "affine":
      return e.terms.map(([t]) => t);
    case "load":
      return [e.index];
    case "unary":
    case "cast":
    case "bitcast":
      return [e.x];
    case "binary":
      return [e.a, e.b];
    case "select":
      return [e.cond, e.a, e.b];
    case "foldResult":
      return [...e.fold.init, ...e.fold.next];
  }
}
