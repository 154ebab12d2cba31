/** What a family's results are, in float64: the tuner and the tests compare kernels with it. */
import type { HostArray } from "../dtype.js";
import { evaluator } from "../expr/evaluate.js";
import { numel } from "../shape.js";
import { type Family, plainKernel } from "./family.js";
import { noise } from "./noise.js";

/** Data for a call: the family's own, or noise. In binding order; without the result, unless the family updates it. */
export function inputsOf<P>(family: Family<P>, params: P): readonly HostArray[] {
  if (family.inputs) return family.inputs(params);
  const { reads, out } = family.operands(params);
  return [...reads, ...(family.updates ? [out] : [])].map(({ shape, dtype = "float32" }, i) => {
    if (dtype === "float32") return noise(numel(shape), i + 1);
    throw new Error(`internal: family ${family.name} reads ${dtype}, and says no inputs`);
  });
}

export interface Oracle {
  /** Elements of the result; where it holds shares, of their sum. */
  readonly length: number;
  at(element: number): number;
}

/** The result of a call on these inputs, from the family's expressions, element by element. */
export function oracleOf<P>(family: Family<P>, params: P, inputs: readonly ArrayLike<number>[]): Oracle {
  const shares = family.shares?.(params) ?? 1;
  const length = numel(family.operands(params).out.shape) / shares;
  let latest = Number.NaN;
  const kernel = plainKernel(family, params);
  const data = new Map(
    [...kernel.reads, kernel.outputs[0]!.slot].map((slot, i) => [slot, inputs[i]] as const),
  );
  const compute = evaluator(
    kernel,
    // What lies outside of an operand must not matter.
    (slot, index) => data.get(slot)![index] ?? Number.NaN,
    (_, __, value) => {
      latest = value;
    },
  );
  return {
    length,
    at(element) {
      let sum = 0;
      for (let share = 0; share < shares; share++) {
        compute(share * length + element);
        sum += latest;
      }
      return sum;
    },
  };
}

/** A result as the oracle has it: shares added up. */
export function addShares(result: ArrayLike<number>, length: number): Float64Array {
  const sums = new Float64Array(length);
  for (let i = 0; i < result.length; i++) sums[i % length]! += result[i]!;
  return sums;
}
