/** The same training without capture, as one would write it first: bounded memory, and every step does the same work. */
import { openDevice } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { settle } from "./memory.js";
import { makeTrainer } from "./training.js";

const steps = { cpu: 200, webgpu: 60 } as const;

describe.each(["cpu", "webgpu"] as const)("an eager loop on %s", (kind) => {
  it.each(["with a scope a step", "without a scope"])("%s", async (style) => {
    const device = await openDevice(kind);
    const trainer = makeTrainer(device);
    const run = async (step: number): Promise<number> =>
      (await trainer.step(...trainer.inputs(step % 7)).data())[0]!;
    const dispatches: number[] = [];
    const pool: number[] = [];
    let last = 0;
    for (let step = 0; step < steps[kind]; step++) {
      const before = device.backend!.counters.dispatches;
      if (style === "without a scope") last = await run(step);
      else last = await device.scope(() => run(step));
      dispatches.push(device.backend!.counters.dispatches - before);
      pool.push(device.memory().peak);
    }
    expect(Number.isFinite(last)).toBe(true);
    console.log(style, dispatches.slice(0, 5), pool.at(10), pool.at(-1), device.memory());
    expect(new Set(dispatches.slice(2)).size, `dispatches a step: ${[...new Set(dispatches)]}`).toBe(1);
    if (style === "without a scope") {
      // Results are freed when their handles are collected, which the engine does in its own time.
      await settle();
      expect(device.memory().live).toBeLessThan(40);
      expect(pool.at(-1)!).toBeLessThan(64 * 2 ** 20);
    } else {
      expect(pool.at(-1)).toBe(pool[10]);
    }
    await device.destroy();
  });
});
