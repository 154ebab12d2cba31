/**
 * Momentum contrast, version 2 (Chen et al. 2020, "Improved baselines with momentum contrastive learning").
 *
 * A view (the query) has to find the other view of its image (the key) among keys of earlier batches. The target network
 * makes the keys; it follows slowly, so that those in the queue stay comparable, and their number does not hang on the
 * batch. Shuffled batch norm is for batches over several devices: on one there is nothing to shuffle between.
 */
import { stopGradient } from "@dawnstrap/autograd";
import { Buffer, crossEntropy, Module } from "@dawnstrap/nn";
import {
  add,
  concat,
  type Device,
  gather,
  l2Normalize,
  less,
  matmul,
  minimum,
  mod,
  mul,
  reshape,
  sub,
  sum,
  type Tensor,
  transpose,
  where,
} from "@dawnstrap/tensor";
import { type Objective, type Views, withProbe } from "../learner/learner.js";
import type { Network } from "../learner/network.js";
import { Stream } from "../images/streams.js";

/** The last keys, on the device: a ring that is written from the pointer on. */
export class KeyQueue extends Module {
  /** ℓ2-normalised keys, float32 [length, features]. */
  readonly keys: Buffer;
  /** Where the next key goes, int32 [1]. */
  readonly pointer = new Buffer([1], 0, "int32");

  constructor(length: number, features: number) {
    super();
    this.keys = new Buffer([length, features], 0);
  }

  /** Fills the ring with random directions: a key of zeros would be a negative that is equally far from all. */
  fill(device: Device, seed: number): this {
    const stream = new Stream(seed, "initQueue");
    // The sum of uniform draws has no preferred direction worth speaking of.
    const draw = () => stream.uniform() + stream.uniform() + stream.uniform() - 1.5;
    const [length, features] = this.keys.shape as [number, number];
    const rows = Float32Array.from({ length: length * features }, draw);
    this.keys.assign(l2Normalize(device.tensor(rows, [length, features])));
    return this;
  }

  /** Writes keys over the oldest ones. */
  push(keys: Tensor): void {
    const [length, count] = [this.keys.shape[0]!, keys.shape[0]!];
    const pointer = this.pointer.value;
    const place = mod(sub(keys.device.arange(length), pointer), length);
    const rows = gather(keys, minimum(place, count - 1));
    const fresh = reshape(less(place, count), [length, 1]);
    this.keys.assign(where(fresh, rows, this.keys.value));
    this.pointer.assign(mod(add(pointer, count), length));
  }

  forward(keys: Tensor): Tensor {
    return keys;
  }
}

/**
 * InfoNCE: the mean of −log(exp(q·k⁺/T) / (exp(q·k⁺/T) + Σ exp(q·k⁻/T))).
 *
 * @param q queries, ℓ2-normalised, float32 [B, features]
 * @param k their keys
 * @param negatives keys of other images, float32 [K, features]
 */
export function infoNce(q: Tensor, k: Tensor, negatives: Tensor, temperature: number): Tensor {
  const positive = sum(mul(q, k), -1, true);
  const candidates = concat([positive, matmul(q, transpose(negatives))], 1);
  return crossEntropy(mul(candidates, 1 / temperature), q.device.zeros([q.shape[0]!], "int32"));
}

export interface MoCo {
  readonly online: Network;
  readonly target: Network;
  readonly memory: KeyQueue;
}

export interface MoCoSettings {
  readonly temperature: number;
  /** Each view is the query once: twice the work of a step. The paper takes the first view only. */
  readonly symmetric: boolean;
}

/** The contrastive loss with the online probe's where there are labels. Pushes the keys of the batch. */
export function mocoLoss(
  { online, target, memory }: MoCo,
  { temperature, symmetric }: MoCoSettings,
  [x1, x2]: Views,
  labels: Tensor | undefined,
): Objective {
  const negatives = memory.keys.value;
  const key = (x: Tensor) => stopGradient(l2Normalize(target.project(x).projection));
  const query = (z: Tensor) => l2Normalize(z);
  const o1 = online.project(x1);
  const k2 = key(x2);
  const one = infoNce(query(o1.projection), k2, negatives, temperature);
  if (!symmetric) {
    memory.push(k2);
    return withProbe(online, o1, one, labels);
  }
  const k1 = key(x1);
  const other = infoNce(query(online.project(x2).projection), k1, negatives, temperature);
  memory.push(concat([k1, k2]));
  return withProbe(online, o1, mul(add(one, other), 0.5), labels);
}
