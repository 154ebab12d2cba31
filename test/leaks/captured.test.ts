/** A thousand captured training steps: what is live at step 1,000 is what was live at step 10. */
import { openDevice } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { resident, settle } from "./memory.js";
import { makeTrainer } from "./training.js";

const mebi = 2 ** 20;
/**
 * Resident memory may grow by this much from step 500 on. Heaps breathe: on cpu by a few MiB, and a leak of the first
 * activation alone would be 12.5 MiB; on webgpu the software driver's by up to 30 MiB (flat over 4,000 steps), and a leak
 * of the step's arena would be over 50 MiB. Smaller leaks show in the device's own counts.
 */
const growth = { cpu: 12 * mebi, webgpu: 48 * mebi };

describe.each(["cpu", "webgpu"] as const)("a thousand captured steps on %s", (kind) => {
  it("hold the memory of ten", async () => {
    const device = await openDevice(kind);
    const trainer = makeTrainer(device);
    const captured = device.capture(trainer.step);
    const losses: number[] = [];
    let at10: unknown;
    const memory: number[] = [];
    const snapshot = async (): Promise<unknown> => {
      await settle();
      const { kernels, buffers, bindGroups } = device.backend!.counters;
      return { ...device.memory(), kernels, buffers, bindGroups };
    };
    for (let step = 1; step <= 1000; step++) {
      const numbers = await captured(...trainer.inputs(step % 7));
      if (step % 10 === 0) losses.push((await numbers.data())[0]!);
      if (step === 10) at10 = await snapshot();
      if (step > 250 && step % 50 === 0) {
        await device.idle();
        memory.push(await resident());
      }
    }
    expect(await snapshot()).toEqual(at10);
    const [before, after] = [memory.slice(0, 5), memory.slice(-5)].map((m) => Math.min(...m)) as [
      number,
      number,
    ];
    expect(after - before, `${memory}`).toBeLessThan(growth[kind]);
    // It did train.
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
    await device.destroy();
  });
});
