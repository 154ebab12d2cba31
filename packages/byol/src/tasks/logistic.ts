/**
 * Regularised logistic regression on fixed features as a convex problem,
 *
 *     min_{W,b}  mean_i loss(x_i·W + b, y_i) + λ/2·‖W‖²
 *
 * whose sums run on a device and whose minimum `lbfgs` of @dawnstrap/nn finds. The bias is not penalised. Where every
 * image has one class the loss is the softmax cross-entropy; where it has any number of them (VOC 2007) it is the sum
 * over the classes of the binary cross-entropies, one-vs-rest.
 */
import { valueAndGrad } from "@dawnstrap/autograd";
import { crossEntropy, lbfgs, type LbfgsOptions, type Minimum } from "@dawnstrap/nn";
import {
  add,
  type Device,
  matmul,
  mean,
  mul,
  reshape,
  slice,
  softplus,
  sub,
  sum,
  type Tensor,
} from "@dawnstrap/tensor";
import { checkSameShape } from "@dawnstrap/tensor/extend";
import { turn } from "../turn.js";

/** What is to be predicted of each image. */
export type Targets =
  /** One class each. */
  | { readonly labels: Int32Array; readonly classes: number }
  /** Any number of classes: 0 or 1, row-major [count, classes]. */
  | { readonly memberships: Float32Array; readonly classes: number };

/** Mean over the rows of Σ_c log(1 + e^x_c) − y_c·x_c, the binary cross-entropies of all classes; y is 0 or 1. */
export function oneVsRest(logits: Tensor, memberships: Tensor): Tensor {
  checkSameShape("oneVsRest", logits, memberships);
  return mean(sum(sub(softplus(logits), mul(memberships, logits)), -1));
}

export class LogisticProblem {
  /** Numbers to find: row-major [width + 1, classes], the biases last. */
  readonly size: number;
  private readonly captured: ReturnType<typeof capture>;

  /** @param features row-major [count, width] */
  constructor(
    private readonly device: Device,
    features: Float32Array,
    width: number,
    targets: Targets,
  ) {
    this.size = (width + 1) * targets.classes;
    this.captured = capture(device, features, width, targets);
  }

  /**
   * Minimises from `start` (zeros unless given) under the penalty λ.
   *
   * @throws the reason of `signal` where that is aborted
   */
  minimise(
    lambda: number,
    { signal, ...options }: LbfgsOptions & { readonly signal?: AbortSignal | undefined } = {},
    start = new Float64Array(this.size),
  ): Promise<Minimum> {
    const penalty = Float32Array.of(lambda);
    return lbfgs(
      async (parameters) => {
        await turn(signal);
        const [value, gradient] = await this.captured(
          this.device.tensor(Float32Array.from(parameters)),
          this.device.tensor(penalty),
        );
        return { value: await value!.item(), gradient: Float64Array.from(await gradient!.data()) };
      },
      start,
      options,
    );
  }

  release(): void {
    this.captured.release();
  }
}

function capture(device: Device, features: Float32Array, width: number, targets: Targets) {
  const { classes } = targets;
  const x = device.tensor(features, [features.length / width, width]);
  const y =
    "labels" in targets
      ? device.tensor(targets.labels)
      : device.tensor(targets.memberships, [x.shape[0]!, classes]);
  return device.capture((flat: Tensor, lambda: Tensor) => {
    const parameters = reshape(flat, [width + 1, classes]);
    const { value, grads } = valueAndGrad((p: Tensor) => {
      const weights = slice(p, [0, 0], [width, classes]);
      const logits = add(matmul(x, weights), slice(p, [width, 0], [width + 1, classes]));
      const loss = "labels" in targets ? crossEntropy(logits, y) : oneVsRest(logits, y);
      return add(loss, reshape(mul(mul(lambda, 0.5), sum(mul(weights, weights))), []));
    })(parameters);
    return [value, reshape(grads[0]!, [flat.size])];
  });
}

/** Rows in one product on the device. */
const chunk = 4096;

/** x·W + b for many rows, [rows, classes] row-major. `parameters` as `LogisticProblem` lays them out. */
export async function logitsOf(
  device: Device,
  features: Float32Array,
  width: number,
  parameters: Float64Array,
): Promise<Float32Array> {
  const classes = parameters.length / (width + 1);
  const weights = device.tensor(Float32Array.from(parameters.subarray(0, width * classes)), [width, classes]);
  const bias = device.tensor(Float32Array.from(parameters.subarray(width * classes)));
  const out = new Float32Array((features.length / width) * classes);
  for (let from = 0; from * width < features.length; from += chunk) {
    const rows = features.subarray(from * width, (from + chunk) * width);
    const logits = await device.scope(async () =>
      add(matmul(device.tensor(rows, [rows.length / width, width]), weights), bias).data(),
    );
    out.set(logits as Float32Array, from * classes);
  }
  return out;
}
