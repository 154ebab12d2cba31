/** Dawnstrap: every case is a captured function, as a training step is. */
import { readFileSync } from "node:fs";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import type { Case } from "../cases.js";
import type { Contender, Counts, OpenRequest, Output, Prepared } from "./contender.js";
import { stepperOf } from "./dawnstrap-cases.js";
import { Meter } from "./meter.js";

export async function open({ device: kind, threads }: OpenRequest): Promise<Contender> {
  const device = await openDevice(kind, kind === "cpu" ? { threads } : {});
  const { version } = JSON.parse(
    readFileSync(new URL("../../../packages/tensor/package.json", import.meta.url), "utf8"),
  ) as { version: string };
  const meter = new Meter(device);
  return {
    versions: { dawnstrap: version },
    description: device.description,
    threads,
    prepare: (c) => prepare(device, meter, c),
  };
}

async function prepare(device: Device, meter: Meter, c: Case): Promise<Prepared> {
  const { names, step, state } = stepperOf(device, c.work);
  await device.flush();
  await device.idle();
  const captured = device.capture(step);
  let results: readonly Tensor[] = [];
  const run = async (iterations: number): Promise<void> => {
    for (let i = 0; i < iterations; i++) results = await captured();
    await device.idle();
  };
  return {
    run,
    async outputs() {
      const outputs: Output[] = (await state?.()) ?? [];
      for (const [i, t] of results.entries())
        outputs.push({ name: names[i]!, shape: t.shape, data: await t.data() });
      return outputs;
    },
    async counts() {
      const { kernels, dispatches, submits, buffers, bindGroups } = meter.counters();
      await run(1);
      const after = meter.counters();
      const made = after.dispatches - dispatches;
      const { arena: arenaBytes, peak: peakBytes } = device.memory();
      const again = device.capture(step);
      const start = performance.now();
      await again();
      await device.idle();
      const firstWarmMs = performance.now() - start;
      again.release();
      const counts: Counts = {
        dispatches: made,
        submits: after.submits - submits,
        buffersCreated: after.buffers - buffers,
        bindGroupsCreated: after.bindGroups - bindGroups,
        kernelsCreated: after.kernels - kernels,
        bytesBound: meter.bytesOf(made),
        hostMicrosPerDispatch: device.kind === "webgpu" ? await meter.hostMicros(() => run(1)) : null,
        firstWarmMs,
        arenaBytes,
        peakBytes,
      };
      return counts;
    },
    release: () => captured.release(),
  };
}
