/** Drawing cases of ops and running them on a device, in Node or in a browser. */
import { type Device, neg, not, type Tensor } from "@dawnstrap/tensor";
import { apply, type NdArray, type OpDef } from "@dawnstrap/tensor/extend";
import { drawValues, generator, mismatch, samplerOf } from "@dawnstrap/tensor/testing";
import fc from "fast-check";

export interface Case {
  readonly op: OpDef;
  readonly params: unknown;
  readonly inputs: readonly NdArray[];
  /** Surround the op with pointwise ops that change nothing, so that it fuses on both sides. */
  readonly fused: boolean;
}

/**
 * Draws with a seed of its own for each draw: `fc.gen()` alone leaves the random state where it was, so that an array of
 * such draws would hold one case many times.
 */
export const drawing = <T>(
  make: (int: (lo: number, hi: number) => number, seed: number) => T,
): fc.Arbitrary<T> =>
  fc
    .integer({ min: 0, max: 2 ** 31 - 1 })
    .chain((seed) => fc.gen().map((draw) => make((min, max) => draw(fc.integer, { min, max }), seed)));

/** Cases of an op, drawn by fast-check: shapes and parameters shrink, values come from a drawn seed. */
export const caseOf = (op: OpDef): fc.Arbitrary<Case> =>
  drawing((int, seed) => {
    const { inputs, params } = op.sample(samplerOf(int));
    const next = generator(seed);
    return { op, params, inputs: inputs.map((spec) => drawValues(spec, next)), fused: int(0, 1) === 1 };
  });

export const describeCase = ({ op, params, inputs, fused }: Case): string =>
  `${op.name}(${inputs.map((x) => `${x.dtype} [${x.shape}]`).join(", ")}) ${JSON.stringify(params)}${fused ? ", fused" : ""}`;

const twice = (x: Tensor): Tensor => (x.dtype === "bool" ? not(not(x)) : neg(neg(x)));

/** Records a case; nothing runs yet. */
export function record(device: Device, { op, params, inputs, fused }: Case): Tensor[] {
  const leaves = inputs.map((x) => device.tensor(x.data, x.shape, x.dtype));
  const outs = apply(op, fused ? leaves.map(twice) : leaves, params, device);
  return fused ? outs.map(twice) : outs;
}

/** Runs cases in one program and compares every output with the reference. Returns a line per disagreement. */
export async function disagreements(device: Device, cases: readonly Case[]): Promise<string[]> {
  return device.scope(async () => {
    const outputs = cases.map((c) => record(device, c));
    await device.flush();
    const lines: string[] = [];
    for (const [i, c] of cases.entries()) {
      const avals = c.op.infer(c.inputs, c.params);
      const want = c.op.reference(c.inputs, c.params, avals);
      for (const [k, expected] of want.entries()) {
        const actual = await outputs[i]![k]!.data();
        const allowed = expected.dtype === "float32" ? (c.op.tolerance ?? 1e-5) : 0;
        const worst = mismatch(actual, expected.data, allowed);
        if (worst)
          lines.push(
            `${describeCase(c)}: output ${k}[${worst.index}] is ${worst.actual}, the reference has ${worst.expected}` +
              ` (error ${worst.error.toExponential(1)}, allowed ${allowed})`,
          );
      }
    }
    return lines;
  });
}

/**
 * Draws `batches` times `batch` cases of an op and compares every output with the reference. Returns the number of
 * cases; throws naming those that disagree. Nothing is shrunk, as each attempt would compile kernels anew.
 */
export async function conforms(device: Device, op: OpDef, batch: number, batches: number): Promise<number> {
  await fc.assert(
    fc.asyncProperty(fc.tuple(...Array.from({ length: batch }, () => caseOf(op))), async (drawn) => {
      const lines = await disagreements(device, drawn);
      if (lines.length) throw new Error(lines.join("\n"));
    }),
    { numRuns: batches, endOnFailure: true },
  );
  return batch * batches;
}
