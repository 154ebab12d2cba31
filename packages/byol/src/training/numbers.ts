/** The numbers that a step returns, put together on the device and named on the host. */
import { concat, reshape, type Tensor } from "@dawnstrap/tensor";
import { stepNumbers } from "../learner/learner.js";
import type { StepMetrics } from "../metrics.js";

/** Of the loss: `stepNumbers`, as many as there are; of the optimiser: ‖g‖. */
export type Numbers = Pick<StepMetrics, (typeof stepNumbers)[number] | "grad_norm">;

/** @returns float32 [numbers + 1], which `named` takes apart */
export const together = (numbers: Tensor, norm: Tensor): Tensor => concat([numbers, reshape(norm, [1])]);

export function named(read: ArrayLike<number>): Numbers {
  const values = Array.from(read);
  const norm = values.pop()!;
  return { ...Object.fromEntries(values.map((v, k) => [stepNumbers[k]!, v])), grad_norm: norm } as Numbers;
}
