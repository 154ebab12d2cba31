/** What every method is to the training loop: networks, a loss over two views, and an optimiser. */
import { stopGradient, valueAndGrad } from "@dawnstrap/autograd";
import { crossEntropy, type Module, type Optimizer, topKAccuracy } from "@dawnstrap/nn";
import { add, concat, reshape, type Tensor, type Variable } from "@dawnstrap/tensor";
import { spread } from "./loss.js";
import type { Network, Outputs } from "./network.js";

/** x₁ ~ T and x₂ ~ T' of the same images, normalised, float32 [batch, h, w, channels]. */
export type Views = readonly [Tensor, Tensor];

/** Names of the numbers that a step returns, in order; the last two only where there are labels. */
export const stepNumbers = ["loss", "std", "probe_loss", "probe_accuracy"] as const;

/** What a batch is worth: the scalar to descend, and the scalars named by `stepNumbers`. */
export interface Objective {
  readonly loss: Tensor;
  readonly numbers: readonly Tensor[];
}

export interface Learner {
  /** Trained by gradient; its encoder is what is evaluated and exported. */
  readonly online: Network;
  /** Follows the online network and never sees a gradient; in some methods only. */
  readonly target?: Network;
  /** Holds what else the method carries from step to step, such as a queue of keys. */
  readonly memory?: Module;
  /** Updates the online network and then, in the same pass, the target. */
  readonly optimizer: Optimizer;
  /**
   * Records the method's loss. Running statistics and memory move with it.
   *
   * @param labels int32 [batch], for the online probe, or for the supervised loss
   */
  loss(views: Views, labels: Tensor | undefined): Objective;
}

/** Records the loss of a batch and its gradient by the online parameters, in the arena's order. */
export function gradients(
  { online, loss }: Pick<Learner, "online" | "loss">,
  views: Views,
  labels: Tensor | undefined,
): { grads: Tensor[]; numbers: Tensor } {
  const { grads, aux } = valueAndGrad(() => {
    const objective = loss(views, labels);
    return { loss: objective.loss, aux: objective.numbers };
  })(...online.arena.values());
  return { grads, numbers: concat(aux.map((number) => reshape(number, [1]))) };
}

/**
 * Records one step: loss, gradient, update of the online network and of the target.
 *
 * @param scalars learning rate and τ of the step, from `optimizer.numbers`
 * @returns see `stepNumbers`, float32 [4] or [2]
 */
export function learnerStep(
  learner: Learner,
  views: Views,
  labels: Tensor | undefined,
  scalars: Tensor,
): Tensor {
  const { grads, numbers } = gradients(learner, views, labels);
  learner.optimizer.update(grads, scalars);
  return numbers;
}

/** The label −1 marks an image without one: it teaches the encoder, and does not count where labels do. */
export const unlabelled = { ignoreIndex: -1 } as const;

/**
 * The method's loss with that of the linear probe, which learns from labels beside it. The encoder must not learn from
 * them: no gradient of the probe reaches it.
 */
export function withProbe(
  { probe }: Network,
  { embedding, projection }: Pick<Outputs, "embedding" | "projection">,
  loss: Tensor,
  labels: Tensor | undefined,
): Objective {
  const numbers = [loss, spread(stopGradient(projection))];
  if (!probe || !labels) return { loss, numbers };
  const logits = probe.forward(stopGradient(embedding));
  const classification = crossEntropy(logits, labels, unlabelled);
  return {
    loss: add(loss, classification),
    numbers: [...numbers, classification, topKAccuracy(stopGradient(logits), labels, 1, unlabelled)],
  };
}

/**
 * Everything that changes from step to step, by name: with these values (and the step's number) a run goes on bit for
 * bit. Parameters and optimiser state are flat arrays, laid out by the arena's `segments`.
 */
export function learnerState({ online, target, memory, optimizer }: Learner): Map<string, Variable> {
  const state = new Map<string, Variable>();
  for (const [name, module] of Object.entries({ online, target, memory })) {
    if (!module) continue;
    if (module.parameters().length > 0) state.set(`${name}.parameters`, module.arena.flat);
    for (const [path, { variable }] of module.namedBuffers()) state.set(`${name}.${path}`, variable);
  }
  for (const [name, variable] of optimizer.states) state.set(`optimizer.${name}`, variable);
  return state;
}
