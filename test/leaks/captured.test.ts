/** A thousand captured training steps: what is live at step 1,000 is what was live at step 10. */
import { openDevice } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { resident, settle } from "./memory.js";
import { makeTrainer } from "./training.js";

const mebi = 2 ** 20;
/**
 * Heaps of the engine and of the driver breathe for some hundred steps. To leak the step's arena would take over 50 MiB
 * in the last 500 steps, to leak the first activation alone 12.5 MiB; smaller leaks show in the device's own counts.
 */
const growth = 12 * mebi;

describe.each(["cpu", "webgpu"] as const)("a thousand captured steps on %s", (kind) => {
  it("hold the memory of ten", async () => {
    const device = await openDevice(kind);
    const trainer = makeTrainer(device);
    const captured = device.capture(trainer.step);
    const losses: number[] = [];
    let at10: unknown;
    let rssAt500 = 0;
    const snapshot = async (): Promise<unknown> => {
      await settle();
      const { kernels, buffers, bindGroups } = device.backend!.counters;
      return { ...device.memory(), kernels, buffers, bindGroups };
    };
    for (let step = 1; step <= 1000; step++) {
      const numbers = await captured(...trainer.inputs(step % 7));
      if (step % 10 === 0) losses.push((await numbers.data())[0]!);
      if (step === 10) at10 = await snapshot();
      if (step === 500) rssAt500 = await resident();
    }
    expect(await snapshot()).toEqual(at10);
    expect((await resident()) - rssAt500).toBeLessThan(growth);
    // It did train.
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
    await device.destroy();
  });
});
