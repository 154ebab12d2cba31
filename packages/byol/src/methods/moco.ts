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
import { checkSameShape } from "@dawnstrap/tensor/extend";
import { z } from "zod";
import { Stream } from "../images/streams.js";
import { withProbe } from "../learner/learner.js";
import { head, headSchema, plainHead, targetSchema } from "../learner/settings.js";
import { defineMethod } from "./method.js";
import { adamw, both, moderate, sgd, still } from "./recipes.js";

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
}

/**
 * InfoNCE: the mean of −log(exp(q·k⁺/T) / (exp(q·k⁺/T) + Σ exp(q·k⁻/T))).
 *
 * @param q queries, ℓ2-normalised, float32 [B, features]
 * @param k their keys
 * @param negatives keys of other images, float32 [K, features]
 */
export function infoNce(q: Tensor, k: Tensor, negatives: Tensor, temperature: number): Tensor {
  checkSameShape("infoNce", q, k);
  const positive = sum(mul(q, k), -1, true);
  const candidates = concat([positive, matmul(q, transpose(negatives))], 1);
  return crossEntropy(mul(candidates, 1 / temperature), q.device.zeros([q.shape[0]!], "int32"));
}

export const moco = defineMethod({
  name: "moco",
  settings: {
    projector: headSchema,
    temperature: z.number().positive(),
    /** Keys of earlier batches that a query is compared with. */
    queue: z.number().int().positive(),
    /** Each view is the query once, at twice the work of a step; the paper takes the first view only. */
    symmetric: z.boolean(),
    target: targetSchema,
  },
  heads: ({ projector }) => ({ projector }),
  target: ({ target }) => target,
  memory: ({ queue, projector }, device, seed) =>
    new KeyQueue(queue, projector.output).init(device).fill(device, seed),
  check({ queue, symmetric }, { batch }) {
    const keys = batch * (symmetric ? 2 : 1);
    if (queue >= keys) return undefined;
    return { field: "queue", message: `holds ${queue} keys, a step pushes ${keys} (use ${keys} or more)` };
  },
  recipes: {
    small: {
      method: {
        projector: head([256], 64, plainHead),
        ...{ temperature: 0.2, queue: 4096, symmetric: true, target: still(0.99) },
      },
      optimizer: adamw(4e-3),
    },
    // There τ rises to 0.999.
    medium: {
      method: {
        projector: head([2048], 256, plainHead),
        ...{ temperature: 0.2, queue: 32_768, symmetric: true, target: still(0.99) },
      },
      optimizer: sgd(0.3, 1e-4),
    },
    paper: {
      method: {
        projector: head([2048], 128, plainHead),
        ...{ temperature: 0.2, queue: 65_536, symmetric: false, target: still(0.999) },
      },
      optimizer: sgd(0.03, 1e-4),
      schedule: { warmupEpochs: 0 },
      views: both(moderate),
    },
  },
  loss({ online, target, memory }, [x1, x2], labels, { temperature, symmetric }) {
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
  },
});
