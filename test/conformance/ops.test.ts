/**
 * Every op in the registry, on every device, against its float64 reference, over shapes and parameters drawn by
 * fast-check. DAWNSTRAP_DEVICES selects devices, DAWNSTRAP_RUNS the number of batches of 8 cases an op. A failure names
 * its cases, and the seed draws them again.
 */
import type { Device } from "@dawnstrap/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { registry } from "../registry.js";
import { conforms } from "./cases.js";
import { deviceNames, open } from "./devices.js";

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
      `conformance on ${name} (${device.description}): ${registry.size} ops, ${cases} cases, ` +
        `seed ${fc.readConfigureGlobal()?.seed}`,
    );
    await device.destroy();
  });

  it.each([...registry.values()].map((op) => [op.name, op] as const))(
    "%s",
    async (_, op) => {
      cases += await conforms(device, op, batch, Number(process.env.DAWNSTRAP_RUNS ?? runs[name]));
    },
    patience,
  );
});
