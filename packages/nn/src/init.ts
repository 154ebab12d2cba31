/** First values of parameters. Each parameter draws from its own stream, so that adding a layer changes no other's values. */
import { type Device, mul, type Tensor } from "@dawnstrap/tensor";

/** A random stream: two words that key the counter-based generator. */
export type StreamKey = readonly [number, number];

/** Makes the first value of a parameter. Weights are [..., in, out]; the fan-in is the product of all axes but the last. */
export type Initializer = (device: Device, shape: readonly number[], stream: StreamKey) => Tensor;

/** FNV-1a, 32 bits, of the name's UTF-8 bytes. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** The stream of a parameter: the run's seed and the parameter's name. */
export const streamOf = (seed: number, name: string): StreamKey => [seed >>> 0, hashName(name)];

export const zeros: Initializer = (device, shape) => device.zeros(shape);
export const ones: Initializer = (device, shape) => device.ones(shape);
export const constant =
  (value: number): Initializer =>
  (device, shape) =>
    device.full(shape, value);

export const truncatedNormal = (): Initializer => zeros; // TODO
export const glorotNormal = truncatedNormal, glorotUniform = truncatedNormal, heNormal = truncatedNormal, heUniform = truncatedNormal; // TODO
