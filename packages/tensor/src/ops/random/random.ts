/**
 * Counter-based random tensors: equal bits on every device, because all arithmetic that rounds is exact or done once.
 * Element i is made of word i mod 4 of Philox block ⌊i / 4⌋ of the key, so a prefix of a longer draw is the shorter one.
 */
import { ShapeError } from "../../errors.js";
import { bool, lt, u32 } from "../../expr/expr.js";
import { normalTable } from "./normal-table.js";
import { type Aval, defineOp, nondifferentiable, type Sampler, type TensorSpec } from "../../op.js";
import { hostRandomBits, normalOf, scaledLikeDevice, truncatedNormalOf, uniformOf } from "./bits.js";
import { checkShape, numel, type Shape, show } from "../../shape.js";
import type { Device, Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { normalExpr, scaled, uniformExpr, wordsOf } from "./philox.js";
import { argsort } from "../indexing/sort.js";

interface StreamParams {
  readonly shape: Shape;
  readonly stream: number;
}

const reason = "random numbers do not depend on the key continuously";

function checkKey(op: string, key: Aval, { shape, stream }: StreamParams): void {
  checkShape(op, shape);
  if (key.dtype !== "uint32" || key.shape.length !== 1 || key.shape[0] !== 2)
    throw new ShapeError(
      op,
      `key is ${key.dtype} ${show(key.shape)}, uint32 [2] is wanted`,
      "make one with randomKey(device, seed)",
    );
  if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32)
    throw new ShapeError(op, `stream ${stream} is not a whole number from 0 to 2³² − 1`);
}

const sampleStream = (s: Sampler): StreamParams => ({
  shape: s.shape({ rank: [0, 3] }),
  stream: s.int(0, 1000),
});
const keySpec: TensorSpec = { shape: [2], dtype: "uint32", range: [0, 2 ** 32 - 1] };

const randomBitsOp = defineOp<StreamParams>({
  name: "randomBits",
  infer([key], p) {
    checkKey("randomBits", key!, p);
    return [{ shape: p.shape, dtype: "uint32" }];
  },
  reference: ([key], { shape, stream }, [out]) => [
    { ...out!, data: Float64Array.from(hostRandomBits(key!.data, numel(shape), stream)) },
  ],
  lower: (_b, [key], _outs, { shape, stream }) => wordsOf(key!, shape, stream),
  vjp: nondifferentiable(reason),
  sample: (s) => ({ inputs: [keySpec], params: sampleStream(s) }),
});

interface UniformParams extends StreamParams {
  readonly lo: number;
  readonly hi: number;
}

const randomUniformOp = defineOp<UniformParams>({
  name: "randomUniform",
  infer([key], p) {
    checkKey("randomUniform", key!, p);
    return [{ shape: p.shape, dtype: "float32" }];
  },
  reference: ([key], { shape, stream, lo, hi }, [out]) => [
    {
      ...out!,
      data: Float64Array.from(hostRandomBits(key!.data, numel(shape), stream), (w) =>
        scaledLikeDevice(uniformOf(w), hi - lo, lo),
      ),
    },
  ],
  lower(_b, [key], _outs, { shape, stream, lo, hi }) {
    const word = wordsOf(key!, shape, stream);
    return (at) => scaled(uniformExpr(word(at)), hi - lo, lo, hi - lo);
  },
  vjp: nondifferentiable(reason),
  sample: (s) => ({
    inputs: [keySpec],
    params: { ...sampleStream(s), lo: s.pick([0, -1, 0.3]), hi: s.pick([1, 2.5]) },
  }),
});

interface NormalParams extends StreamParams {
  readonly mean: number;
  readonly std: number;
  readonly truncated: boolean;
}

const randomNormalOp = defineOp<NormalParams>({
  name: "randomNormal",
  infer([key], p) {
    checkKey(p.truncated ? "randomTruncatedNormal" : "randomNormal", key!, p);
    return [{ shape: p.shape, dtype: "float32" }];
  },
  reference([key, table], { shape, stream, mean, std, truncated }, [out]) {
    const of = truncated ? truncatedNormalOf : normalOf;
    const words = hostRandomBits(key!.data, numel(shape), stream);
    return [
      { ...out!, data: Float64Array.from(words, (w) => scaledLikeDevice(of(w, table!.data), std, mean)) },
    ];
  },
  lower(_b, [key, table], _outs, { shape, stream, mean, std, truncated }) {
    const word = wordsOf(key!, shape, stream);
    const entries = table!.cached();
    return (at) => scaled(normalExpr(word(at), entries, truncated), std, mean, 8 * std);
  },
  vjp: nondifferentiable(reason),
  sample(s) {
    const table: TensorSpec = { shape: [normalTable().length], dtype: "uint32", range: [0, 2 ** 22] };
    const params = {
      ...sampleStream(s),
      mean: s.pick([0, 0.5]),
      std: s.pick([1, 0.02]),
      truncated: s.bool(),
    };
    return { inputs: [keySpec, table], params };
  },
});

interface BernoulliParams extends StreamParams {
  /** A word below this is a success. */
  readonly threshold: number;
}

const randomBernoulliOp = defineOp<BernoulliParams>({
  name: "randomBernoulli",
  infer([key], p) {
    checkKey("randomBernoulli", key!, p);
    return [{ shape: p.shape, dtype: "bool" }];
  },
  reference: ([key], { shape, stream, threshold }, [out]) => [
    {
      ...out!,
      data: Float64Array.from(hostRandomBits(key!.data, numel(shape), stream), (w) => Number(w < threshold)),
    },
  ],
  lower(_b, [key], _outs, { shape, stream, threshold }) {
    if (threshold >= 2 ** 32) return () => bool(true);
    const word = wordsOf(key!, shape, stream);
    return (at) => lt(word(at), u32(threshold));
  },
  vjp: nondifferentiable(reason),
  sample: (s) => ({
    inputs: [keySpec],
    params: { ...sampleStream(s), threshold: s.pick([0, 2 ** 20, 2 ** 31, 2 ** 32]) },
  }),
});

const tables = new WeakMap<Device, Tensor>();

/** The quantile table on a device, uploaded once (again where a scope has freed it). */
function tableOn(device: Device): Tensor {
  const known = tables.get(device);
  if (known && !known.node.storages[0]?.released) return known;
  const table = device.tensor(normalTable());
  tables.set(device, table);
  return table;
}

export interface RandomOptions {
  /** Draws of one key and different streams are independent. Default 0. */
  readonly stream?: number;
}

/**
 * The key of random draws: two uint32 words, from a seed below 2⁵³ or given as they are. Pass it to a captured step as
 * an argument to vary its draws.
 */
export function randomKey(device: Device, seed: number | readonly [number, number]): Tensor {
  if (typeof seed === "number" && !(Number.isSafeInteger(seed) && seed >= 0))
    throw new ShapeError("randomKey", `seed ${seed} is not a whole number from 0 to 2⁵³ − 1`);
  const words = typeof seed === "number" ? [seed >>> 0, Math.floor(seed / 2 ** 32)] : seed;
  return device.tensor(Uint32Array.from(words));
}

/** Uniform random words, uint32 of the given shape. */
export const randomBits = (key: Tensor, shape: Shape, { stream = 0 }: RandomOptions = {}): Tensor =>
  apply1(randomBitsOp, [key], { shape: [...shape], stream });

export interface RandomUniformOptions extends RandomOptions {
  /** Default 0. */
  readonly lo?: number;
  /** Default 1. */
  readonly hi?: number;
}

/** Uniform in [lo, hi), in steps of (hi − lo) · 2⁻²⁴: float32 of the given shape. */
export function randomUniform(
  key: Tensor,
  shape: Shape,
  { lo = 0, hi = 1, stream = 0 }: RandomUniformOptions = {},
): Tensor {
  if (!(lo < hi)) throw new ShapeError("randomUniform", `the range from ${lo} to ${hi} is empty`);
  return apply1(randomUniformOp, [key], { shape: [...shape], stream, lo, hi });
}

export interface RandomNormalOptions extends RandomOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation (of the distribution before truncation, where there is one). Default 1. */
  readonly std?: number;
}

function normal(
  key: Tensor,
  shape: Shape,
  { mean = 0, std = 1, stream = 0 }: RandomNormalOptions,
  truncated: boolean,
): Tensor {
  if (!(std >= 0))
    throw new ShapeError(
      truncated ? "randomTruncatedNormal" : "randomNormal",
      `standard deviation ${std} is below 0`,
    );
  return apply1(randomNormalOp, [key, tableOn(key.device)], {
    shape: [...shape],
    stream,
    mean,
    std,
    truncated,
  });
}

/**
 * Normal with the given mean and standard deviation: float32 of the given shape. Standard normals come on a grid of
 * 2⁻²¹ out to ±6.3, from 32 random bits each.
 */
export const randomNormal = (key: Tensor, shape: Shape, options: RandomNormalOptions = {}): Tensor =>
  normal(key, shape, options, false);

/** Normal, conditioned on lying within two standard deviations of the mean: float32 of the given shape. */
export const randomTruncatedNormal = (key: Tensor, shape: Shape, options: RandomNormalOptions = {}): Tensor =>
  normal(key, shape, options, true);

/** True with probability p (to 2⁻³²): bool of the given shape. */
export function randomBernoulli(
  key: Tensor,
  shape: Shape,
  p: number,
  { stream = 0 }: RandomOptions = {},
): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ShapeError("randomBernoulli", `probability ${p} is not in 0 … 1`);
  return apply1(randomBernoulliOp, [key], { shape: [...shape], stream, threshold: Math.round(p * 2 ** 32) });
}

/** The numbers 0 … n − 1 in random order: int32 [n]. Each number gets a random word; the stable order of the words it is. */
export const randomPermutation = (key: Tensor, n: number, options: RandomOptions = {}): Tensor =>
  argsort(randomBits(key, [n], options));
