/** Cross-entropy between the softmax of logits and labels or probabilities. */
import { ShapeError } from "../../errors.js";
import { add, and, eq, type Expr, f32, ge, i32, lt, max, mul, select, sub } from "../../expr/expr.js";
import { exp, log } from "../../expr/math.js";
import { defineOp, type NdArray, type Source } from "../../op.js";
import { show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { add as plus, mul as times, sub as minus } from "../pointwise/arithmetic.js";
import { cast as castTo } from "../values/cast.js";
import { greaterEqual, less, logicalAnd } from "../pointwise/comparison.js";
import { oneHot } from "../indexing/one-hot.js";
import { reduce } from "../reductions/reduce.js";
import { zerosLike } from "../shared/reference.js";
import { reshape } from "../views/reshape.js";
import { logSoftmax, softmax } from "./softmax.js";
import { sum } from "../reductions/sum.js";

interface CrossEntropyParams {
  readonly labelSmoothing: number;
}

/** Smoothed target of class c in the reference; a label that is no class has none. */
function target(labels: NdArray, classes: number, row: number, c: number, smoothing: number): number {
  if (labels.dtype === "float32")
    return (1 - smoothing) * labels.data[row * classes + c]! + smoothing / classes;
  const label = labels.data[row]!;
  if (label < 0 || label >= classes) return 0;
  return (label === c ? 1 - smoothing : 0) + smoothing / classes;
}

function targetExpr(labels: Source, classes: number, [row, c]: readonly Expr[], smoothing: number): Expr {
  const share = f32(smoothing / classes);
  if (labels.dtype === "float32") return add(mul(labels.at([row!, c!]), f32(1 - smoothing)), share);
  const label = labels.at([row!]);
  const known = and(ge(label, i32(0)), lt(label, i32(classes)));
  return select(eq(label, c!), f32(1 - smoothing + smoothing / classes), select(known, share, f32(0)));
}

/** The smoothed targets as a tensor [batch, classes]. */
function targets(labels: Tensor, classes: number, smoothing: number): Tensor {
  if (labels.dtype === "float32")
    return smoothing === 0 ? labels : plus(times(labels, 1 - smoothing), smoothing / classes);
  const hot = oneHot(labels, classes);
  if (smoothing === 0) return hot;
  const known = castTo(logicalAnd(greaterEqual(labels, 0), less(labels, classes)), "float32");
  return plus(times(hot, 1 - smoothing), times(reshape(known, [labels.size, 1]), smoothing / classes));
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
  reference([logits, labels], { labelSmoothing }, [out]) {
    const losses = zerosLike(out!);
    const [batch, classes] = logits!.shape as [number, number];
    for (let row = 0; row < batch; row++) {
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
  lower(b, [logits, labels], _outs, { labelSmoothing }) {
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
      return sub(mul(weight, log(total)), inner);
    };
  },
  vjp({ inputs, grads, params: { labelSmoothing }, needs }) {
    const [logits, labels] = inputs as [Tensor, Tensor];
    const [batch, classes] = logits.shape as [number, number];
    const g = reshape(grads[0]!, [batch, 1]);
    const t = targets(labels, classes, labelSmoothing);
    const weight = sum(t, 1, true);
    return [
      needs[0] ? times(minus(times(softmax(logits, 1), weight), t), g) : undefined,
      needs[1] && labels.dtype === "float32"
        ? times(logSoftmax(logits, 1), times(g, labelSmoothing - 1))
        : undefined,
    ];
  },
  sample(s) {
    const [batch, classes] = [s.pick([1, 3, 8]), s.pick([1, 2, 10, 33])];
    const labels = s.bool()
      ? { shape: [batch], dtype: "int32" as const, range: [0, classes - 1] as const }
      : { shape: [batch, classes], range: [0, 1] as const };
    return {
      inputs: [{ shape: [batch, classes], range: [-4, 4] }, labels],
      params: { labelSmoothing: s.pick([0, 0.1]) },
    };
  },
});

export interface CrossEntropyOptions {
  /** ε: every class gets ε / classes of the target, the label 1 − ε more. Default 0. */
  readonly labelSmoothing?: number;
  /** "mean" over the batch (a scalar; the default) or "none" (one loss per example). */
  readonly reduction?: "mean" | "none";
}

/**
 * Cross-entropy of softmax(logits) against labels: `−Σ_c t_c · log softmax(logits)_c`, with t the label's indicator or
 * the given probabilities, smoothed.
 *
 * @param logits float32 `[batch, classes]`
 * @param labels int32 `[batch]` (an example whose label is no class has loss 0 and no gradient), or float32
 *   probabilities `[batch, classes]`
 * @returns float32 scalar, or `[batch]` with reduction "none"
 * @throws ShapeError when the shapes do not belong together, or the smoothing is not in 0 … 1
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing = 0, reduction = "mean" }: CrossEntropyOptions = {},
): Tensor {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ShapeError("crossEntropy", `labelSmoothing ${labelSmoothing} is not in 0 … 1`);
  const asInt = labels.dtype === "uint8" || labels.dtype === "uint32" ? castTo(labels, "int32") : labels;
  const losses = apply1(crossEntropyOp, [logits, asInt], { labelSmoothing });
  return reduction === "none" ? losses : times(sum(losses), 1 / losses.size);
}
