/** Runs in a page that is bundled from the packed packages. */
import { presetNamed } from "@dawnstrap/byol";
import { type DeviceChoice, openDevice } from "@dawnstrap/tensor";
import { trained } from "../browser/training.js";

async function train(kind: DeviceChoice, steps: number) {
  const device = await openDevice(kind);
  const losses = await trained(device, presetNamed("tiny"), steps);
  await device.destroy();
  return { description: device.description, losses };
}

export type Trained = Awaited<ReturnType<typeof train>>;
Object.assign(globalThis, { page: { train } });
