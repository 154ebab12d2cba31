/** Scalar functions made of one op, to differentiate, in Node or in a browser. */
import { grad } from "@dawnstrap/autograd";
import { type Device, type DType, mul, sum, type Tensor } from "@dawnstrap/tensor";
import { apply, type NdArray, type OpDef, registry } from "@dawnstrap/tensor/extend";
import { drawValues, generator, mismatch, samplerOf } from "@dawnstrap/tensor/testing";
import fc from "fast-check";
import { drawing } from "../conformance/cases.js";

export interface GradientCase {
  readonly op: OpDef;
  readonly params: unknown;
  readonly inputs: readonly NdArray[];
  /** One array of weights per float32 output: the function is Σ weights · output. */
  readonly weights: readonly (NdArray | undefined)[];
  readonly seed: number;
}

const isFloat = (x: { readonly dtype: DType }): boolean => x.dtype === "float32";

/** Cases that have something to differentiate: a float32 input and a float32 output. */
export const gradientCaseOf = (op: OpDef): fc.Arbitrary<GradientCase> =>
  drawing((int, seed) => {
    const { inputs: specs, params } = op.sample(samplerOf(int));
    const next = generator(seed);
    const inputs = specs.map((spec) => drawValues(spec, next));
    const weights = op
      .infer(inputs, params)
      .map((out) => (isFloat(out) ? drawValues({ shape: out.shape, range: [0.5, 1.5] }, next) : undefined));
    return { op, params, inputs, weights, seed };
  }).filter(({ inputs, weights }) => inputs.some(isFloat) && weights.some((w) => w !== undefined));

/** The function of the float32 inputs (the other ones are constants), and those inputs. */
export function functionOf(
  device: Device,
  { op, params, inputs, weights }: GradientCase,
): { f: (...xs: Tensor[]) => Tensor; xs: Tensor[] } {
  const leaves = inputs.map((x) => device.tensor(x.data, x.shape, x.dtype));
  const scales = weights.map((w) => w && device.tensor(w.data, w.shape, w.dtype));
  return {
    xs: leaves.filter(isFloat),
    f: (...xs) => {
      const rest = [...xs];
      const outs = apply(
        op,
        leaves.map((leaf) => (isFloat(leaf) ? rest.shift()! : leaf)),
        params,
        device,
      );
      return outs
        .flatMap((out, k) => (scales[k] ? [sum(mul(out, scales[k]))] : []))
        .reduce((a, b) => a.add(b));
    },
  };
}

export const describeGradient = ({ op, params, inputs, seed }: GradientCase): string =>
  `${op.name}(${inputs.map((x) => `${x.dtype} [${x.shape}]`).join(", ")}) ${JSON.stringify(params)}, values of seed ${seed}`;

/** Every op that has a derivative. */
export const differentiable = (): OpDef[] =>
  [...registry.values()].filter((op) => typeof op.vjp === "function");

/**
 * Draws cases of an op and compares each gradient with that of the reference device. Returns the number of cases;
 * throws naming those that disagree. Nothing is shrunk.
 */
export async function gradientsAgree(
  device: Device,
  reference: Device,
  op: OpDef,
  batch: number,
): Promise<number> {
  await fc.assert(
    fc.asyncProperty(fc.tuple(...Array.from({ length: batch }, () => gradientCaseOf(op))), async (drawn) => {
      const lines = await device.scope(() => gradientDisagreements(device, reference, drawn));
      if (lines.length) throw new Error(lines.join("\n"));
    }),
    { numRuns: 1, endOnFailure: true },
  );
  return batch;
}

async function gradientDisagreements(
  device: Device,
  reference: Device,
  cases: readonly GradientCase[],
): Promise<string[]> {
  const gradients = cases.map((c) => {
    const { f, xs } = functionOf(device, c);
    return grad(f)(...xs);
  });
  await device.flush();
  const found: string[] = [];
  for (const [i, c] of cases.entries()) {
    const { f, xs } = functionOf(reference, c);
    const tolerance = Math.max(1e-4, 10 * (c.op.tolerance ?? 0));
    for (const [k, expected] of grad(f)(...xs).entries()) {
      const worst = mismatch(await gradients[i]![k]!.data(), await expected.float64(), tolerance);
      if (worst)
        found.push(
          `${describeGradient(c)}: gradient ${k}[${worst.index}] is ${worst.actual}, ` +
            `the reference has ${worst.expected}`,
        );
    }
  }
  return found;
}
