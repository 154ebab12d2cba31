/** Tables of pointwise ops: a row is a name, an expression, a float64 function and a derivative. */
import type { DType } from "../../dtype.js";
import { promote } from "../../dtype.js";
import { ShapeError } from "../../errors.js";
import type { Expr } from "../../expr/expr.js";
import { defineOp, nondifferentiable, type OpDef, type Sampler, type TensorSpec } from "../../op.js";
import { broadcastShapes } from "../../shape.js";
import { apply1 } from "../shared/apply.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import { sampleBroadcast, stretched, wrapped } from "../shared/broadcast.js";
import { tensors } from "../values/operands.js";
import { unbroadcast } from "../reductions/sum.js";
import { cast } from "../values/cast.js";
import { broadcastStrides, generate, positions } from "../shared/reference.js";

/** What a row takes and gives. */
type Kind =
  /** float32 in and out; integer operands are converted first. */
  | "float"
  /** Any dtype, and the same one out; bool counts as int32. */
  | "same"
  /** Any dtype in, bool out; bool operands count as int32. */
  | "test"
  /** bool in and out; other operands are converted first (≠ 0). */
  | "logic";

function operandType(kind: Kind, dtype: DType): DType {
  if (kind === "float") return "float32";
  if (kind === "logic") return "bool";
  return dtype === "bool" ? "int32" : dtype;
}

function resultType(kind: Kind, dtype: DType): DType {
  return kind === "test" || kind === "logic" ? "bool" : dtype;
}

function sampleType(s: Sampler, kind: Kind): DType {
  if (kind === "logic") return "bool";
  return kind === "float" || s.bool() ? "float32" : s.pick<DType>(["int32", "uint32", "uint8"]);
}

function checkOperand(op: string, kind: Kind, dtype: DType): void {
  if (operandType(kind, dtype) !== dtype)
    throw new ShapeError(op, `wants ${operandType(kind, dtype)}, got ${dtype}`, "cast it first");
}

type Values = Omit<TensorSpec, "shape" | "dtype">;

export interface UnaryRow<P> {
  readonly name: string;
  readonly kind: Kind;
  readonly expr: (x: Expr, params: P) => Expr;
  /** In float64. */
  readonly value: (x: number, params: P) => number;
  /** Cotangent of x from the cotangent g of y = f(x); or the reason why there is none. */
  readonly grad: ((g: Tensor, x: Tensor, y: Tensor, params: P) => Tensor) | string;
  readonly keeps?: OpDef<P>["keeps"];
  readonly values?: Values | ((params: P) => Values);
  readonly params?: (s: Sampler) => P;
  readonly tolerance?: number;
}

/** Defines an op of one operand without parameters; returns the function that applies it. */
export function unary(row: UnaryRow<undefined>): (x: Tensor) => Tensor {
  const op = unaryWith(row);
  return (x) => op(x, undefined);
}

/** As `unary`, with parameters. */
export function unaryWith<P>(row: UnaryRow<P>): (x: Tensor, params: P) => Tensor {
  const { name, kind, grad } = row;
  const op: OpDef<P> = defineOp<P>({
    name,
    infer([x]) {
      checkOperand(name, kind, x!.dtype);
      return [{ shape: x!.shape, dtype: resultType(kind, x!.dtype) }];
    },
    reference: ([x], params, [out]) => [generate(out!, (i) => row.value(x!.data[i]!, params))],
    lower:
      (_b, [x], [out], params) =>
      (at) =>
        wrapped(row.expr(x!.at(at), params), out!.dtype),
    vjp:
      typeof grad === "string"
        ? nondifferentiable(grad)
        : ({ inputs, outputs, grads, params }) =>
            inputs[0]!.dtype === "float32" ? [grad(grads[0]!, inputs[0]!, outputs[0]!, params)] : [undefined],
    sample(s) {
      const params = row.params?.(s) as P;
      const values = typeof row.values === "function" ? row.values(params) : row.values;
      const dtype = sampleType(s, kind);
      return {
        inputs: [{ shape: s.shape({ rank: [0, 4] }), dtype, ...(dtype === "float32" ? values : {}) }],
        params,
      };
    },
    keeps: row.keeps,
    ...(row.tolerance ? { tolerance: row.tolerance } : {}),
  });
  return (x, params) => apply1(op, [cast(x, operandType(kind, x.dtype))], params);
}

export interface BinaryRow {
  readonly name: string;
  readonly kind: Kind;
  readonly expr: (a: Expr, b: Expr) => Expr;
  /** In float64 (the result is wrapped to the dtype afterwards). */
  readonly value: (a: number, b: number, dtype: DType) => number;
  /** Cotangents of a and b as if all shapes were equal; undefined where not needed. Or the reason why there are none. */
  readonly grad:
    | ((args: {
        g: Tensor;
        a: Tensor;
        b: Tensor;
        y: Tensor;
        needs: readonly boolean[];
      }) => readonly (Tensor | undefined)[])
    | string;
  readonly values?: readonly [Values, Values];
  readonly tolerance?: number;
  /** See OpDef.accumulates. */
  readonly accumulates?: boolean;
}

/** Defines a broadcasting op of two operands; returns the function that applies it. */
export function binary(row: BinaryRow): (a: TensorLike, b: TensorLike) => Tensor {
  const { name, kind, grad } = row;
  const op = defineOp<undefined>({
    name,
    infer([a, b]) {
      checkOperand(name, kind, a!.dtype);
      if (a!.dtype !== b!.dtype)
        throw new ShapeError(
          name,
          `operands are ${a!.dtype} and ${b!.dtype}`,
          "the public function promotes them",
        );
      return [{ shape: broadcastShapes(name, a!.shape, b!.shape), dtype: resultType(kind, a!.dtype) }];
    },
    reference([a, b], _params, [out]) {
      const pa = positions(out!.shape, broadcastStrides(a!.shape, out!.shape));
      const pb = positions(out!.shape, broadcastStrides(b!.shape, out!.shape));
      return [generate(out!, (i) => row.value(a!.data[pa[i]!]!, b!.data[pb[i]!]!, a!.dtype))];
    },
    lower(_b, [a, b], [out]) {
      const x = stretched(a!, out!.shape);
      const y = stretched(b!, out!.shape);
      return (at) => wrapped(row.expr(x(at), y(at)), out!.dtype);
    },
    vjp:
      typeof grad === "string"
        ? nondifferentiable(grad)
        : ({ inputs: [a, b], outputs, grads, needs }) => {
            if (a!.dtype !== "float32") return [undefined, undefined];
            const [ga, gb] = grad({ g: grads[0]!, a: a!, b: b!, y: outputs[0]!, needs });
            return [
              needs[0] && ga ? unbroadcast(ga, a!.shape) : undefined,
              needs[1] && gb ? unbroadcast(gb, b!.shape) : undefined,
            ];
          },
    sample(s) {
      const [a, b] = sampleBroadcast(s, 2);
      const dtype = sampleType(s, kind);
      const [va, vb] = dtype === "float32" ? (row.values ?? [{}, {}]) : [{}, {}];
      return {
        inputs: [
          { shape: a!, dtype, ...va },
          { shape: b!, dtype, ...vb },
        ],
        params: undefined,
      };
    },
    ...(row.tolerance ? { tolerance: row.tolerance } : {}),
    ...(row.accumulates ? { accumulates: true } : {}),
  });
  return (left, right) => {
    const [a, b] = tensors(name, left, right);
    const dtype = operandType(kind, promote(a!.dtype, b!.dtype));
    return apply1(op, [cast(a!, dtype), cast(b!, dtype)], undefined);
  };
}
