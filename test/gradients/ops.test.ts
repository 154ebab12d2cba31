/**
 * Derivatives of every op: in float64 against finite differences, first and second ones; in float32 on every device
 * against those of the reference.
 */
import { grad, gradcheck } from "@dawnstrap/autograd";
import { type Device, mul, sum, type Tensor } from "@dawnstrap/tensor";
import type { OpDef } from "@dawnstrap/tensor/extend";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registry } from "../registry.js";
import { deviceNames, open } from "../conformance/devices.js";
import {
  describeGradient,
  differentiable,
  functionOf,
  type GradientCase,
  gradientCaseOf,
  gradientsAgree,
} from "./cases.js";

const runs = Number(process.env.DAWNSTRAP_RUNS ?? 6);
/** Cases an op in float32: compiling shaders takes a software adapter long. */
const batch = { cpu: 8, webgpu: 3 };
const named = differentiable().map((op) => [op.name, op] as const);

it("every op has a derivative or says why not", () => {
  const neither = [...registry.values()].filter(
    ({ vjp }) => typeof vjp !== "function" && !(vjp?.nondifferentiable?.trim().length > 0),
  );
  expect(neither.map((op) => op.name)).toEqual([]);
});

describe("finite differences, float64", () => {
  let reference: Device;
  let cases = 0;
  beforeAll(async () => {
    reference = await open("reference");
  });
  afterAll(async () => {
    console.log(`derivatives: ${named.length} ops, ${cases} checks, seed ${fc.readConfigureGlobal()?.seed}`);
    await reference.destroy();
  });

  const check = (op: OpDef, numRuns: number, of: (c: GradientCase) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(gradientCaseOf(op), async (c) => {
        cases++;
        await of(c).catch((error: Error) => {
          throw new Error(`${describeGradient(c)}: ${error.message}`, { cause: error });
        });
      }),
      { numRuns },
    );

  it.each(named)("%s", (_, op) =>
    check(op, runs, async (c) => {
      const { f, xs } = functionOf(reference, c);
      await gradcheck(f, xs, { directions: 2, seed: c.seed });
    }),
  );

  it.each(named)("%s, second derivative", (_, op) =>
    check(op, Math.ceil(runs / 3), async (c) => {
      const { f, xs } = functionOf(reference, c);
      // The derivative along a constant direction (other tensors with the same values), once more differentiated.
      const { xs: direction } = functionOf(reference, c);
      const along = (...at: Tensor[]): Tensor =>
        grad(f)(...at)
          .map((g, i) => sum(mul(g, direction[i]!)))
          .reduce((a, b) => a.add(b));
      await gradcheck(along, xs, { directions: 1, seed: c.seed, tolerance: 1e-5 });
    }),
  );
});

/** Compilers of software adapters are slow when every core is busy. */
const patience = 600_000;

describe.each(deviceNames)("derivatives on %s, float32", (name) => {
  let device: Device;
  let reference: Device;
  let cases = 0;
  beforeAll(async () => {
    [device, reference] = [await open(name), await open("reference")];
  });
  afterAll(async () => {
    console.log(`derivatives on ${name}: ${cases} cases, seed ${fc.readConfigureGlobal()?.seed}`);
    await device.destroy();
    await reference.destroy();
  });

  it.each(named)(
    "%s",
    async (_, op) => {
      cases += await gradientsAgree(device, reference, op, batch[name]);
    },
    patience,
  );
});
