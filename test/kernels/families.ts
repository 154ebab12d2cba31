/** Kernel families on a device, against what they mean: their own expressions in float64. Knows no test framework. */
import { registry } from "@dawnstrap/tensor/extend";
import {
  addShares,
  type Backend,
  bindingsOf,
  type BoundCall,
  type Family,
  inputsOf,
  kernelOf,
  oracleOf,
  type PreparedProgram,
  scatterAdd,
} from "@dawnstrap/tensor/testing";
import { type HostBinding, runKernel } from "./run-kernel.js";

/** A call with data: the family's, or what is given; the result stands as NaN, so that gaps show. */
export function hostBindings<P>(
  family: Family<P>,
  params: P,
  inputs = inputsOf(family, params),
): HostBinding[] {
  return bindingsOf(family, params).map((b, i) => ({
    ...b,
    data: inputs[i] ?? new Float32Array(b.bytes / 4).fill(Number.NaN),
  }));
}

/** The largest difference, relative to the largest value, or to the largest of `sizes`. */
export function difference(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  sizes: ArrayLike<number> = expected,
): number {
  if (got.length !== expected.length) throw new Error(`${got.length} elements instead of ${expected.length}`);
  let [worst, size] = [0, 1e-3];
  for (let i = 0; i < expected.length; i++) {
    size = Math.max(size, Math.abs(sizes[i]!));
    const d = Math.abs(got[i]! - expected[i]!);
    if (!(d <= worst)) worst = d;
  }
  return worst / size;
}

/** Operations beyond which the op of the family's name is asked: its loops are as true, and faster than expressions. */
const MANY = 2e6;

/** The whole result in float64, shares added up. */
export function expectedOf<P>(family: Family<P>, params: P, inputs = inputsOf(family, params)): Float64Array {
  const op = family.flops(params) > MANY ? registry.get(family.name) : undefined;
  if (op && !family.updates) {
    const arrays = family.operands(params).reads.map(({ shape, dtype = "float32" }, i) => {
      return { shape, dtype, data: Float64Array.from(inputs[i]!) };
    });
    const { length } = oracleOf(family, params, inputs);
    return op.reference(arrays, params, [{ shape: [length], dtype: "float32" }])[0]!.data;
  }
  const oracle = oracleOf(family, params, inputs);
  return Float64Array.from({ length: oracle.length }, (_, i) => oracle.at(i));
}

export interface Options {
  /** Of the largest value; a twentieth of it, of the largest sum of the sizes of its terms. */
  readonly tolerance: number;
  readonly prepare?: (call: BoundCall) => Promise<PreparedProgram>;
}

/** Runs a call on the backends, wants equal bits of all, and compares them with the family's meaning. */
export async function check<P>(
  backends: readonly Backend[],
  family: Family<P>,
  params: P,
  { tolerance, prepare }: Options,
): Promise<void> {
  const inputs = inputsOf(family, params);
  const what = `${family.name} ${JSON.stringify(params)}`;
  const results: ArrayBufferLike[] = [];
  for (const backend of backends) {
    const all = await runKernel(
      backend,
      kernelOf(family, params),
      hostBindings(family, params, inputs),
      prepare,
    );
    results.push(all.at(-1)!.buffer);
  }
  const [first, ...others] = results;
  for (const other of others)
    if (!Buffer.from(other).equals(Buffer.from(first!)))
      throw new Error(`${what}: other bits on another number of threads`);
  const want = expectedOf(family, params, inputs);
  const got = addShares(new Float32Array(first!), want.length);
  const d = difference(got, want);
  if (d < tolerance) return;
  // Where all sums cancel, their terms say how exact they can be: all families but the noise are linear in each operand.
  const sizes = expectedOf(
    family,
    params,
    inputs.map((x) => (x as Float32Array).map(Math.abs)),
  );
  const least = difference(got, want, sizes);
  if (!(least < tolerance / 20))
    throw new Error(`${what}: differs by ${d} of the largest value, ${least} of the largest sum of sizes`);
}

/** scatterAdd's sums are those of float32 in the order of the updates. */
export async function addsInOrder(
  backends: readonly Backend[],
  samples = scatterAdd.samples.awkward,
): Promise<void> {
  for (const p of samples) {
    const bindings = hostBindings(scatterAdd, p);
    const [rowOf, order, updates, out] = bindings.map((b) => b.data);
    const want = Float32Array.from(out!);
    rowOf!.forEach((row, j) => {
      if (row < 0 || row >= p.rows) return;
      for (let e = 0; e < p.inner; e++) want[row * p.inner + e]! += updates![order![j]! * p.inner + e]!;
    });
    for (const backend of backends) {
      const results = await runKernel(backend, kernelOf(scatterAdd, p), bindings);
      const at = results[3]!.findIndex((v, i) => v !== want[i]);
      if (at >= 0)
        throw new Error(
          `scatterAdd ${JSON.stringify(p)}: element ${at} is ${results[3]![at]}, not ${want[at]}`,
        );
    }
  }
}
