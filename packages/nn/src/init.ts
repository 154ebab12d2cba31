/**
 * First values of parameters. Each parameter draws from its own stream, so that adding a layer changes no
 * other's values.
 */
import {
  type Device,
  randomKey,
  randomNormal,
  randomTruncatedNormal,
  randomUniform,
  type Tensor,
} from "@dawnstrap/tensor";

/** A random stream: two words that key the counter-based generator. */
export type StreamKey = readonly [number, number];

/** Makes the first value of a parameter. Weights are [..., in, out]. */
export type Initializer = (device: Device, shape: readonly number[], stream: StreamKey) => Tensor;

/** FNV-1a, 32 bits, of the name's UTF-8 bytes. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** The stream of a parameter: the run's seed and the parameter's name. */
export const streamOf = (seed: number, name: string): StreamKey => [seed >>> 0, hashName(name)];

const product = (extents: readonly number[]): number => extents.reduce((n, d) => n * d, 1);
/** Inputs that one output sums over: every axis but the last. */
const fanIn = (shape: readonly number[]): number => product(shape.slice(0, -1));
/** Outputs that one input goes to: the taps and the last axis. */
const fanOut = (shape: readonly number[]): number => product(shape.slice(0, -2)) * shape.at(-1)!;

export const zeros: Initializer = (device, shape) => device.zeros(shape);
export const ones: Initializer = (device, shape) => device.ones(shape);
export const constant =
  (value: number): Initializer =>
  (device, shape) =>
    device.full(shape, value);

/** A normal of standard deviation √(scale/fan), or what is left of it within two of them. */
const scaledNormal =
  (fan: (shape: readonly number[]) => number, scale: number, draw = randomNormal): Initializer =>
  (device, shape, stream) =>
    draw(randomKey(device, stream), shape, { std: Math.sqrt(scale / fan(shape)) });

/** Uniform in ±√(3·scale/fan), whose variance is scale/fan. */
const scaledUniform =
  (fan: (shape: readonly number[]) => number, scale: number): Initializer =>
  (device, shape, stream) => {
    const limit = Math.sqrt((3 * scale) / fan(shape));
    return randomUniform(randomKey(device, stream), shape, { lo: -limit, hi: limit });
  };

/**
 * Normal with σ = 1/√fan-in, cut off at ±2σ and not rescaled (so its standard deviation is 0.88σ): Haiku's
 * default for linear and convolutional weights, and that of every layer here.
 */
export const truncatedNormal = (): Initializer => scaledNormal(fanIn, 1, randomTruncatedNormal);

/** Normal of variance 2/fan-in. He et al. 2015. */
export const heNormal = (): Initializer => scaledNormal(fanIn, 2);
/** Uniform of variance 2/fan-in. */
export const heUniform = (): Initializer => scaledUniform(fanIn, 2);
/** Normal of variance 2/(fan-in + fan-out). Glorot & Bengio 2010. */
export const glorotNormal = (): Initializer => scaledNormal((s) => fanIn(s) + fanOut(s), 2);
/** Uniform of variance 2/(fan-in + fan-out). */
export const glorotUniform = (): Initializer => scaledUniform((s) => fanIn(s) + fanOut(s), 2);
