/** Cross-entropy between the softmax of logits and labels or probabilities. */
import { ShapeError } from "../../errors.js";
import { add, and, eq, type Expr, f32, ge, i32, lt, max, mul, select, sub } from "../../expr/expr.js";
import { exp, log } from "../../expr/math.js";
import { defineOp, type NdArray, type Source } from "../../op.js";
import { show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { add as plus, div as over, maximum, mul as times, sub as minus } from "../pointwise/arithmetic.js";
import { where } from "../pointwise/where.js";
import { cast as castTo } from "../values/cast.js";
import { equal, greaterEqual, less, logicalAnd, notEqual } from "../pointwise/comparison.js";
import { oneHot } from "../indexing/one-hot.js";
import { reduce } from "../reductions/reduce.js";
import { zerosLike } from "../shared/reference.js";
import { reshape } from "../views/reshape.js";
import { checkLabels, isClass } from "./labels.js";
import { logSoftmax, softmax } from "./softmax.js";
import { sum } from "../reductions/sum.js";

interface CrossEntropyParams {
  readonly labelSmoothing: number;
  readonly ignoreIndex: number | undefined;
}

/** Smoothed target of class c in the reference. */
function target(labels: NdArray, classes: number, row: number, c: number, smoothing: number): number {
  const weight = labels.dtype === "float32" ? labels.data[row * classes + c]! : +(labels.data[row] === c);
  return (1 - smoothing) * weight + smoothing / classes;
}

function targetExpr(labels: Source, classes: number, [row, c]: readonly Expr[], smoothing: number): Expr {
  const share = f32(smoothing / classes);
  if (labels.dtype === "float32") return add(mul(labels.at([row!, c!]), f32(1 - smoothing)), share);
  return select(eq(labels.at([row!]), c!), f32(1 - smoothing + smoothing / classes), share);
}

/** The smoothed targets as a tensor [batch, classes]. */
function targets(labels: Tensor, classes: number, smoothing: number): Tensor {
  const weights = labels.dtype === "float32" ? labels : oneHot(labels, classes);
  return smoothing === 0 ? weights : plus(times(weights, 1 - smoothing), smoothing / classes);
}

/** A loss (or row of its gradient): 0 where the label is the ignored one, NaN where it is no class. */
function counted(labels: Tensor, classes: number, ignoreIndex: number | undefined, row: Tensor): Tensor {
  if (labels.dtype === "float32") return row;
  const label = reshape(labels, [labels.size, 1]);
  const known = where(logicalAnd(greaterEqual(label, 0), less(label, classes)), row, Number.NaN);
  return ignoreIndex === undefined ? known : where(equal(label, ignoreIndex), 0, known);
}

const crossEntropyOp = defineOp<CrossEntropyParams>({
  name: "crossEntropy",
  infer([logits, labels]) {
    if (logits!.dtype !== "float32" || logits!.shape.length !== 2 || logits!.shape[1] === 0)
      throw new ShapeError(
        "crossEntropy",
        `logits are ${logits!.dtype} ${show(logits!.shape)}, float32 [batch, classes] is wanted`,
      );
    const [batch, classes] = logits!.shape as [number, number];
    const wanted = labels!.dtype === "float32" ? [batch, classes] : [batch];
    if ((labels!.dtype !== "float32" && labels!.dtype !== "int32") || show(labels!.shape) !== show(wanted))
      throw new ShapeError(
        "crossEntropy",
        `labels are ${labels!.dtype} ${show(labels!.shape)}; logits ${show(logits!.shape)} want int32 [${batch}] or float32 [${batch}, ${classes}]`,
      );
    return [{ shape: [batch], dtype: "float32" }];
  },
  reference([logits, labels], { labelSmoothing, ignoreIndex }, [out]) {
    const losses = zerosLike(out!);
    const [batch, classes] = logits!.shape as [number, number];
    for (let row = 0; row < batch; row++) {
      if (labels!.dtype !== "float32") {
        const label = labels!.data[row]!;
        if (label === ignoreIndex) continue;
        if (!isClass(label, classes)) {
          losses.data[row] = Number.NaN;
          continue;
        }
      }
      const x = logits!.data.subarray(row * classes, (row + 1) * classes);
      const top = Math.max(...x);
      const logSum = top + Math.log(x.reduce((s, v) => s + Math.exp(v - top), 0));
      x.forEach((v, c) => {
        const t = target(labels!, classes, row, c, labelSmoothing);
        if (t !== 0) losses.data[row]! += t * (logSum - v);
      });
    }
    return [losses];
  },
  lower(b, [logits, labels], _outs, { labelSmoothing, ignoreIndex }) {
    const [batch, classes] = logits!.shape as [number, number];
    const from = logits!.cached();
    const wanted = labels!.cached();
    const top = reduce(b, from.shape, [1], {
      types: ["float32"],
      init: [f32(-3.4028234663852886e38)],
      element: (at) => [from.at(at)],
      merge: ([s], [v]) => [max(s!, v!)],
    });
    const stored = b.temp("float32", [batch]);
    b.map([stored], [batch], (at) => [top(at)[0]!]);
    const tops = b.view(stored, [batch]);
    const sums = reduce(b, from.shape, [1], {
      types: ["float32", "float32", "float32"],
      init: [f32(0), f32(0), f32(0)],
      element: (at) => {
        const d = sub(from.at(at), tops.at([at[0]!]));
        const t = targetExpr(wanted, classes, at, labelSmoothing);
        // A class without weight adds nothing, even where its logit is −∞.
        return [exp(d), t, select(eq(t, f32(0)), f32(0), mul(t, d))];
      },
      merge: (s, v) => s.map((e, k) => add(e, v[k]!)),
      blocked: true,
    });
    return (at) => {
      const [total, weight, inner] = sums(at) as [Expr, Expr, Expr];
      const loss = sub(mul(weight, log(total)), inner);
      if (wanted.dtype === "float32") return loss;
      const label = wanted.at(at);
      const known = select(and(ge(label, i32(0)), lt(label, i32(classes))), loss, f32(Number.NaN));
      return ignoreIndex === undefined ? known : select(eq(label, i32(ignoreIndex)), f32(0), known);
    };
  },
  vjp({ inputs, grads, params: { labelSmoothing, ignoreIndex }, needs }) {
    const [logits, labels] = inputs as [Tensor, Tensor];
    const [batch, classes] = logits.shape as [number, number];
    const g = reshape(grads[0]!, [batch, 1]);
    const t = targets(labels, classes, labelSmoothing);
    const weight = sum(t, 1, true);
    return [
      needs[0]
        ? counted(labels, classes, ignoreIndex, times(minus(times(softmax(logits, 1), weight), t), g))
        : undefined,
      needs[1] && labels.dtype === "float32"
        ? times(logSoftmax(logits, 1), times(g, labelSmoothing - 1))
        : undefined,
    ];
  },
  sample(s) {
    const [batch, classes] = [s.pick([1, 3, 8]), s.pick([1, 2, 10, 33])];
    const logits = { shape: [batch, classes], range: [-4, 4] as const };
    const labelSmoothing = s.pick([0, 0.1]);
    if (s.bool())
      return {
        inputs: [logits, { shape: [batch, classes], range: [0, 1] }],
        params: { labelSmoothing, ignoreIndex: undefined },
      };
    const ignoreIndex = s.pick([undefined, 0, -1]);
    return {
      inputs: [logits, { shape: [batch], dtype: "int32", range: [ignoreIndex === -1 ? -1 : 0, classes - 1] }],
      params: { labelSmoothing, ignoreIndex },
    };
  },
});

export interface CrossEntropyOptions {
  /** ε: every class gets ε / classes of the target, the label 1 − ε more. Default 0. */
  readonly labelSmoothing?: number;
  /** The label of examples that do not count: their loss and gradient are 0. None when left out. */
  readonly ignoreIndex?: number;
  /** "mean" over the examples that count (a scalar; the default) or "none" (one loss per example). */
  readonly reduction?: "mean" | "none";
}

/**
 * Cross-entropy of softmax(logits) against labels: `−Σ_c t_c · log softmax(logits)_c`, with t the label's indicator or
 * the given probabilities, smoothed. The mean divides by the number of examples whose label is not `ignoreIndex`; it
 * is 0 where there are none.
 *
 * Labels that are no class throw while their values are at hand: before they were first used on a device. Labels that
 * the device computed cannot be looked at while recording; the loss and the gradient of such an example are NaN.
 *
 * @param logits float32 `[batch, classes]`
 * @param labels int32 (or uint8, uint32) `[batch]`, 0 … classes − 1 or `ignoreIndex`; or float32 probabilities
 *   `[batch, classes]`
 * @returns float32 scalar, or `[batch]` with reduction "none"
 * @throws ShapeError when the shapes do not belong together, the smoothing is not in 0 … 1, a label is known to be no
 *   class, or `ignoreIndex` is not an int32 or comes with probabilities
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing = 0, ignoreIndex, reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ShapeError("crossEntropy", `labelSmoothing ${labelSmoothing} is not in 0 … 1`);
  if (ignoreIndex !== undefined && labels.dtype === "float32")
    throw new ShapeError(
      "crossEntropy",
      "ignoreIndex is a label, but the labels are float32 probabilities",
      "cast them to int32 if they are classes",
    );
  const asInt = labels.dtype === "uint8" || labels.dtype === "uint32" ? castTo(labels, "int32") : labels;
  const losses = apply1(crossEntropyOp, [logits, asInt], { labelSmoothing, ignoreIndex });
  if (asInt.dtype === "int32") checkLabels("crossEntropy", logits, labels, ignoreIndex);
  if (reduction === "none") return losses;
  if (ignoreIndex === undefined) return times(sum(losses), 1 / losses.size);
  const count = sum(castTo(notEqual(asInt, ignoreIndex), "float32"));
  return over(sum(losses), maximum(count, 1));
}
