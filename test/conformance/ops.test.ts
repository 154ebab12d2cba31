/**
 * Every op in the registry, on every device, against its float64 reference, over shapes and parameters drawn by
 * fast-check. DAWNSTRAP_DEVICES selects devices, DAWNSTRAP_RUNS the number of batches of 8 cases an op. A failure names
 * its cases, and the seed draws them again; nothing is shrunk, as each attempt would compile kernels anew.
 */
// Registers the ops of optimisers and running averages.
import "@dawnstrap/nn";
import { type Device, ops } from "@dawnstrap/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caseOf, deviceNames, disagreements, open } from "./cases.js";

const batch = 8;
/** Compiling shaders takes a software adapter a hundred times as long as running them. */
const runs = { cpu: 4, webgpu: 1 };

/** Compilers of software adapters are slow when every core is busy. */
const patience = 600_000;

describe.each(deviceNames)("conformance on %s", (name) => {
  let device: Device;
  let cases = 0;
  beforeAll(async () => {
    device = await open(name);
  });
  afterAll(async () => {
    console.log(
      `conformance on ${name} (${device.description}): ${ops.size} ops, ${cases} cases, ` +
        `seed ${fc.readConfigureGlobal()?.seed}`,
    );
    await device.destroy();
  });

  it.each([...ops.values()].map((op) => [op.name, op] as const))(
    "%s",
    async (_, op) => {
      await fc.assert(
        fc.asyncProperty(fc.tuple(...Array.from({ length: batch }, () => caseOf(op))), async (drawn) => {
          cases += drawn.length;
          expect(await disagreements(device, drawn)).toEqual([]);
        }),
        { numRuns: Number(process.env.DAWNSTRAP_RUNS ?? runs[name]), endOnFailure: true },
      );
    },
    patience,
  );
});
