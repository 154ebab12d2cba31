/** Running sums. */
import { scalarOf } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import type { Expr } from "../../expr/expr.js";
import * as e from "../../expr/expr.js";
import { type Accessor, defineOp, type LowerBuilder, type OpDef } from "../../op.js";
import { normalizeAxis, type Shape, stridesOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { cast } from "../values/cast.js";
import { positions, zerosLike } from "../shared/reference.js";

interface Params {
  readonly axis: number;
  /** Sums from the end of the axis. */
  readonly reverse: boolean;
  /** Leaves out the element itself. */
  readonly exclusive: boolean;
}

/** Elements that one invocation adds up. */
const block = 32;

/**
 * The exclusive running sum of `shape` along `axis`, from its start. Each element adds up the block it is in; what
 * comes before the block is the running sum of block sums.
 */
function running(b: LowerBuilder, x: Accessor, shape: Shape, axis: number, zero: Expr): Accessor {
  const extent = shape[axis]!;
  const blocks = Math.ceil(extent / block);
  const inBlock = (at: readonly Expr[], first: Expr, count: Expr): Expr => {
    const [sum] = e.fold(Math.min(block, extent), [zero], (i, [s]) => {
      const position = e.min(e.add(first, i), e.i32(extent - 1));
      return [e.add(s!, e.select(e.lt(i, count), x(at.with(axis, position)), zero))];
    });
    return sum!;
  };
  if (blocks <= 1) return (at) => inBlock(at, e.i32(0), at[axis]!);
  const coarse = shape.with(axis, blocks);
  const sums = b.temp(zero.type === "f32" ? "float32" : zero.type === "i32" ? "int32" : "uint32", coarse);
  b.map([sums], coarse, (at) => {
    const first = e.mul(at[axis]!, e.i32(block));
    return [inBlock(at, first, e.sub(e.i32(extent), first))];
  });
  const stored = b.view(sums, coarse);
  const before = running(b, (at) => stored.at(at), coarse, axis, zero);
  const starts = b.temp(stored.dtype, coarse);
  b.map([starts], coarse, (at) => [before(at)]);
  const start = b.view(starts, coarse);
  return (at) => {
    const k = e.idiv(at[axis]!, block);
    const first = e.mul(k, e.i32(block));
    return e.add(start.at(at.with(axis, k)), inBlock(at, first, e.sub(at[axis]!, first)));
  };
}

const cumsumOp: OpDef<Params> = defineOp<Params>({
  name: "cumsum",
  infer([x]) {
    if (x!.dtype === "bool" || x!.dtype === "uint8")
      throw new ShapeError("cumsum", `${x!.dtype} is too narrow to sum in`);
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  reference([x], { axis, reverse, exclusive }, [out]) {
    const y = zerosLike(out!);
    const [extent, stride] = [x!.shape[axis]!, stridesOf(x!.shape)[axis]!];
    for (const start of positions(x!.shape.with(axis, 1), stridesOf(x!.shape))) {
      let sum = 0;
      for (let k = 0; k < extent; k++) {
        const p = start + (reverse ? extent - 1 - k : k) * stride;
        y.data[p] = exclusive ? sum : sum + x!.data[p]!;
        sum += x!.data[p]!;
      }
    }
    return [y];
  },
  lower(b, [input], [out], { axis, reverse, exclusive }) {
    const shape = input!.shape;
    if (shape.includes(0)) return (at) => input!.at(at);
    const x = input!.cached();
    const turned = (at: readonly Expr[]): Expr[] =>
      reverse ? at.with(axis, e.sub(e.i32(shape[axis]! - 1), at[axis]!)) : [...at];
    const before = running(b, (at) => x.at(turned(at)), shape, axis, e.constant(0, scalarOf[out!.dtype]));
    return (at) => (exclusive ? before(turned(at)) : e.add(before(turned(at)), x.at(at)));
  },
  vjp: ({ grads, params }) => [apply1(cumsumOp, [grads[0]!], { ...params, reverse: !params.reverse })],
  sample: (s) => {
    const shape = s.shape({ rank: [1, 4], max: s.pick([60, 600, 3000]) });
    const dtype = s.pick(["float32", "float32", "int32"] as const);
    const params = { axis: s.int(0, shape.length - 1), reverse: s.bool(), exclusive: s.bool() };
    return { inputs: [{ shape, dtype }], params };
  },
});

export interface CumsumOptions {
  /** Sum from the end of the axis. */
  readonly reverse?: boolean;
  /** Leave out the element itself. */
  readonly exclusive?: boolean;
}

/** Running sum along an axis: element i is the sum of the elements up to i. bool and uint8 are summed in int32. */
export function cumsum(
  x: Tensor,
  axis = 0,
  { reverse = false, exclusive = false }: CumsumOptions = {},
): Tensor {
  const wide = x.dtype === "bool" || x.dtype === "uint8" ? cast(x, "int32") : x;
  return apply1(cumsumOp, [wide], { axis: normalizeAxis("cumsum", axis, x.rank), reverse, exclusive });
}
