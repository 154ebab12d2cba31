/** Padding by a constant, by the edge, or by reflection. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import * as e from "../../expr/expr.js";
import { defineOp } from "../../op.js";
import { show, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { add } from "../pointwise/arithmetic.js";
import { generate } from "../shared/reference.js";
import { flip, narrow, place } from "../views/slice.js";
import { sum } from "../reductions/sum.js";

export type PadMode = "constant" | "edge" | "reflect";

interface Params {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: PadMode;
  readonly value: number;
}

/** The element of an axis of extent d that stands at position i of the padded axis; −1 for the constant. */
function origin(i: number, d: number, before: number, mode: PadMode): number {
  const k = i - before;
  if (k >= 0 && k < d) return k;
  if (mode === "constant") return -1;
  if (mode === "edge") return k < 0 ? 0 : d - 1;
  return k < 0 ? -k : 2 * (d - 1) - k;
}

const padOp = defineOp<Params>({
  name: "pad",
  infer([x], { before, after, mode }) {
    x!.shape.forEach((d, i) => {
      const widest = Math.max(before[i]!, after[i]!);
      if (mode === "reflect" && widest >= Math.max(1, d) && widest > 0)
        throw new ShapeError(
          "pad",
          `reflecting ${widest} elements needs more than ${d} in axis ${i} of ${show(x!.shape)}`,
        );
      if (mode === "edge" && d === 0 && widest > 0)
        throw new ShapeError("pad", `axis ${i} of ${show(x!.shape)} is empty and has no edge to repeat`);
    });
    return [{ shape: x!.shape.map((d, i) => d + before[i]! + after[i]!), dtype: x!.dtype }];
  },
  reference([x], { before, mode, value }, [out]) {
    const strides = stridesOf(x!.shape);
    const outStrides = stridesOf(out!.shape);
    return [
      generate(out!, (flat) => {
        let from = 0;
        for (let k = 0; k < strides.length; k++) {
          const i = origin(
            Math.floor(flat / outStrides[k]!) % out!.shape[k]!,
            x!.shape[k]!,
            before[k]!,
            mode,
          );
          if (i < 0) return value;
          from += i * strides[k]!;
        }
        return x!.data[from]!;
      }),
    ];
  },
  lower(_b, [x], [out], { before, after, mode, value }) {
    const filler = e.constant(value, scalarOf[out!.dtype]);
    if (x!.shape.includes(0)) return () => filler;
    return (at) => {
      let inside: e.Expr = e.bool(true);
      const from = x!.shape.map((d, k) => {
        if (!before[k] && !after[k]) return at[k]!;
        const i = e.sub(at[k]!, e.i32(before[k]!));
        if (mode === "reflect") {
          const folded = e.select(e.lt(i, e.i32(0)), e.sub(e.i32(0), i), i);
          return e.select(e.ge(folded, e.i32(d)), e.sub(e.i32(2 * (d - 1)), folded), folded);
        }
        if (mode === "constant") inside = e.and(inside, e.and(e.ge(i, e.i32(0)), e.lt(i, e.i32(d))));
        return e.max(e.min(i, e.i32(d - 1)), e.i32(0));
      });
      return e.select(inside, x!.at(from), filler);
    };
  },
  vjp: ({ inputs, grads, params }) => [unpad(grads[0]!, inputs[0]!.shape, params)],
  sample: (s) => {
    const mode = s.pick<PadMode>(["constant", "edge", "reflect"]);
    const shape = s.shape({ rank: [0, 4], max: 200 }).map((d) => (mode === "constant" ? d : Math.max(1, d)));
    const width = (d: number): number => s.int(0, mode === "reflect" ? Math.min(2, d - 1) : 2);
    const value = s.pick([0, 1]);
    return {
      inputs: [{ shape }],
      params: { before: shape.map(width), after: shape.map(width), mode, value },
    };
  },
});

/** The transpose: what was copied into the margins is added back to where it came from, axis by axis. */
function unpad(g: Tensor, shape: readonly number[], { before, after, mode }: Params): Tensor {
  return shape.reduce((t, d, axis) => {
    const [b, a] = [before[axis]!, after[axis]!];
    let inner = narrow(t, axis, b, b + d);
    if (mode === "constant") return inner;
    // Margins, the first element of x that they mirror, and the edge that they repeat.
    for (const [from, to, mirrored, edge] of [
      [0, b, 1, 0],
      [b + d, b + d + a, d - 1 - a, d - 1],
    ] as const) {
      if (from === to) continue;
      const margin = narrow(t, axis, from, to);
      const folded = mode === "edge" ? sum(margin, axis, true) : flip(margin, axis);
      const begin = inner.shape.map((_, k) => (k === axis ? (mode === "edge" ? edge : mirrored) : 0));
      inner = add(inner, place(folded, inner.shape, begin));
    }
    return inner;
  }, g);
}

export interface PadOptions {
  /** "constant" fills with `value`; "edge" repeats the outermost element; "reflect" mirrors without repeating it. */
  readonly mode?: PadMode;
  readonly value?: number;
}

/** Adds elements around `x`: a pair [before, after] per axis, or one width for all sides. */
export function pad(
  x: Tensor,
  widths: number | readonly (readonly [number, number])[],
  { mode = "constant", value = 0 }: PadOptions = {},
): Tensor {
  const pairs = typeof widths === "number" ? x.shape.map(() => [widths, widths] as const) : widths;
  if (pairs.length !== x.rank)
    throw new ShapeError("pad", `${pairs.length} pairs of widths for ${x.rank} axes of ${show(x.shape)}`);
  for (const width of pairs.flat())
    if (!Number.isInteger(width) || width < 0)
      throw new ShapeError("pad", `width ${width} is not a whole number ≥ 0`, "cut with slice");
  const params = { before: pairs.map((p) => p[0]), after: pairs.map((p) => p[1]), mode, value };
  return pairs.flat().every((w) => w === 0) ? x : apply1(padOp, [x], params);
}
