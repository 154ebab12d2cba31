/** The same training without capture, as one would write it first: bounded memory, and every step does the same work. */
import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterEach, describe, expect, it } from "vitest";
import { collect, settle } from "./memory.js";
import { makeTrainer } from "./training.js";

const steps = { cpu: 200, webgpu: 60 } as const;

describe.each(["cpu", "webgpu"] as const)("an eager loop on %s", (kind) => {
  let device: Device;
  afterEach(() => device.destroy());

  /** What `after` says after each step; every step but the first dispatches as many kernels. */
  async function train(
    wrap: (step: () => Promise<number>) => Promise<number>,
    after: (step: number) => number | Promise<number>,
  ) {
    device = await openDevice(kind);
    const trainer = makeTrainer(device);
    const dispatches: number[] = [];
    const watched: number[] = [];
    const losses: number[] = [];
    for (let step = 0; step < steps[kind]; step++) {
      const before = device.backend!.counters.dispatches;
      losses.push(await wrap(async () => (await trainer.step(...trainer.inputs(step % 7)).data())[0]!));
      dispatches.push(device.backend!.counters.dispatches - before);
      watched.push(await after(step));
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
    // The first one also makes the optimiser's state.
    expect(new Set(dispatches.slice(1)).size, `dispatches: ${dispatches.slice(0, 20)} …`).toBe(1);
    return watched;
  }

  it("with a scope around each step holds the same memory after every step", async () => {
    const live = await train(
      (step) => device.scope(step),
      async (step) => {
        // No scope owns the initial values. The arena's views hold them until the second step; collected here, they
        // are not collected in the middle. Later steps get no such help, so that what a scope leaves is seen.
        if (step < 2) await settle();
        return device.memory().live;
      },
    );
    expect(new Set(live.slice(1)).size, `live: ${live.slice(0, 20)} …`).toBe(1);
    const { pool, peak } = device.memory();
    expect(pool).toBeLessThan(64 * 1024);
    expect(peak).toBeLessThan(512 * 1024);
  });

  it("without a scope gets the memory of collected handles back, and never leaves its promises", async () => {
    const live = await train(
      (step) => step(),
      (step) => {
        // The engine collects in its own time; here, every 20 steps. What it says thereafter must be heard.
        if (step % 20 === 19) collect();
        return device.memory().live;
      },
    );
    expect(Math.max(...live), `live: ${live}`).toBeLessThan(4 * (20 + 20) + 32);
    await settle();
    expect(device.memory().live).toBeLessThan(20);
  });
});
