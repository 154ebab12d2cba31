/**
 * Stable sorting in kernels that need no atomics and no barriers. Every dtype is first mapped to a uint32 whose
 * unsigned order is the wanted one; then short runs are sorted by counting, for each element, those that come before
 * it, and runs are merged pairwise: an element's place is its own rank plus its rank in the partner run, found by
 * bisection. A line of n elements takes 1 + log₂(n / 64) kernels.
 */
import type { DType } from "../../dtype.js";
import {
  add,
  and,
  binary,
  bitcast,
  cast,
  constant,
  eq,
  type Expr,
  fold,
  ge,
  i32,
  idiv,
  imod,
  le,
  lt,
  max,
  min,
  mul,
  or,
  select,
  sub,
  u32,
  unary,
} from "../../expr/expr.js";
import type { Accessor, LowerBuilder, Source } from "../../op.js";

/** Elements that are ranked by counting. */
const RUN = 64;

const not32 = (e: Expr): Expr => unary("bitNot", e);

/** The place of a value in the order, as a uint32. NaN comes last in either direction; −0 equals 0. */
export function orderKey(x: Expr, dtype: DType, descending: boolean): Expr {
  if (dtype !== "float32") {
    const top = u32(0x80000000);
    const key =
      dtype === "bool" ? cast(x, "u32") : dtype === "int32" ? binary("xor", bitcast(x, "u32"), top) : x;
    return descending ? not32(key) : key;
  }
  const bits = bitcast(x, "u32");
  const magnitude = binary("and", bits, u32(0x7fffffff));
  const positive = binary("or", magnitude, u32(0x80000000));
  const negative = ge(bits, u32(0x80000001));
  const key = select(negative, not32(bits), positive);
  return select(lt(u32(0x7f800000), magnitude), u32(0xffffffff), descending ? not32(key) : key);
}

/** Ranks each element within its run of up to RUN, and writes the order of every run. */
function sortRuns(b: LowerBuilder, keys: Source, lines: number, n: number): Source {
  const order = b.temp("int32", [lines, n]);
  const run = Math.min(n, RUN);
  b.mapInto(order, [lines, n], ([line, i]) => {
    const start = sub(i!, imod(i!, run));
    const mine = keys.at([line!, i!]);
    const [rank] = fold(run, [i32(0)], (j, [count]) => {
      const at = add(start, j);
      const other = keys.at([line!, min(at, i32(n - 1))]);
      const before = and(lt(at, i32(n)), or(lt(other, mine), and(eq(other, mine), lt(at, i!))));
      return [add(count!, cast(before, "i32"))];
    });
    return { position: add(add(mul(line!, i32(n)), start), rank!), value: i! };
  });
  return b.view(order, [lines, n]);
}

/** Merges neighbouring sorted runs of `length`. */
function mergeRuns(
  b: LowerBuilder,
  keys: Source,
  order: Source,
  lines: number,
  n: number,
  length: number,
): Source {
  const merged = b.temp("int32", [lines, n]);
  b.mapInto(merged, [lines, n], ([line, p]) => {
    const run = idiv(p!, length);
    const rank = imod(p!, length);
    const isLeft = eq(imod(run, 2), i32(0));
    const pair = mul(idiv(p!, 2 * length), i32(2 * length));
    const partner = add(pair, select(isLeft, i32(length), i32(0)));
    const partnerLength = max(i32(0), min(i32(length), sub(i32(n), partner)));
    const value = order.at([line!, p!]);
    const mine = keys.at([line!, value]);
    const steps = Math.ceil(Math.log2(length + 1));
    const [found] = fold(steps, [i32(0), partnerLength], (_, [lo, hi]) => {
      const middle = idiv(add(lo!, hi!), 2);
      const at = order.at([line!, min(add(partner, middle), i32(n - 1))]);
      const other = keys.at([line!, at]);
      // Equal elements of the left run come first: that makes the sort stable.
      const before = select(isLeft, lt(other, mine), le(other, mine));
      const open = lt(lo!, hi!);
      return [
        select(and(open, before), add(middle, i32(1)), lo!),
        select(and(open, unary("not", before)), middle, hi!),
      ];
    });
    return { position: add(add(mul(line!, i32(n)), pair), add(rank, found!)), value };
  });
  return b.view(merged, [lines, n]);
}

/** The stable ascending order of each line of uint32 keys [lines, n]: which element stands at each place. */
export function sortOrder(b: LowerBuilder, keys: Source): Source {
  const [lines, n] = keys.shape as [number, number];
  const stored = keys.cached();
  let order = sortRuns(b, stored, lines, n);
  for (let length = RUN; length < n; length *= 2) order = mergeRuns(b, stored, order, lines, n, length);
  return order;
}

/** Which elements are the first k of each line, at [line, place]; by insertion into a sorted list: for k of a few, in one kernel. */
export function firstInOrder(b: LowerBuilder, keys: Source, k: number): Accessor {
  const [lines, n] = keys.shape as [number, number];
  const lists = Array.from({ length: k }, () => b.temp("int32", [lines]));
  b.map(lists, [lines], ([line]) => {
    const init = [
      ...new Array<Expr>(k).fill(u32(0xffffffff)),
      ...new Array<Expr>(k).fill(constant(0x7fffffff, "i32")),
    ];
    const found = fold(n, init, (i, state) => {
      let [key, at]: Expr[] = [keys.at([line!, i]), i];
      const [nextKeys, nextAts]: [Expr[], Expr[]] = [[], []];
      for (let t = 0; t < k; t++) {
        const [heldKey, heldAt] = [state[t]!, state[k + t]!];
        const before = or(lt(key!, heldKey), and(eq(key!, heldKey), lt(at!, heldAt)));
        nextKeys.push(select(before, key!, heldKey));
        nextAts.push(select(before, at!, heldAt));
        [key, at] = [select(before, heldKey, key!), select(before, heldAt, at!)];
      }
      return [...nextKeys, ...nextAts];
    });
    return found.slice(k);
  });
  const views = lists.map((list) => b.view(list, [lines]));
  return ([line, place]) =>
    views.reduceRight<Expr>((rest, v, t) => select(eq(place!, i32(t)), v.at([line!]), rest), i32(0));
}
