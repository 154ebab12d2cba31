/** The nets of the training steps over whatever arrays a library has; both JavaScript peers run this very code. */
import type { ConvNorm, Net } from "./networks.js";

/** The few ops of a ResNet. Images are in the library's own layout. */
export interface NetOps<T> {
  conv(x: T, w: T, c: ConvNorm): T;
  /** Batch statistics, scale, offset. */
  norm(x: T, scale: T, offset: T): T;
  relu(x: T): T;
  add(a: T, b: T): T;
  /** Mean over each image: [batch, channels]. */
  pool(x: T): T;
  /** x · w + b */
  linear(x: T, w: T, b?: T): T;
  /** Another handle on a value that is used once more. */
  keep(x: T): T;
}

/** Finds a parameter's value; every call is one use. */
export type Parameters<T> = (name: string) => T;

/** Pooled features, [batch, features]. */
export function features<T>(ops: NetOps<T>, net: Net, p: Parameters<T>, x: T): T {
  const convNorm = (x: T, c: ConvNorm): T =>
    ops.norm(ops.conv(x, p(`${c.conv}.weight`), c), p(`${c.norm}.weight`), p(`${c.norm}.bias`));
  let y = ops.relu(convNorm(x, net.stem));
  for (const { branch, shortcut } of net.blocks) {
    const kept = ops.keep(y);
    branch.forEach((part, i) => {
      y = convNorm(i === 0 ? y : ops.relu(y), part);
    });
    y = ops.relu(ops.add(y, shortcut ? convNorm(kept, shortcut) : kept));
  }
  return ops.pool(y);
}

/** Linear, norm, ReLU, linear without bias. */
export function mlp<T>(ops: NetOps<T>, p: Parameters<T>, name: string, x: T): T {
  const hidden = ops.linear(x, p(`${name}.0.weight`), p(`${name}.0.bias`));
  return ops.linear(
    ops.relu(ops.norm(hidden, p(`${name}.1.weight`), p(`${name}.1.bias`))),
    p(`${name}.3.weight`),
  );
}
