/**
 * Runs the first training steps of a preset on one device and prints their losses as JSON. A program of its own,
 * because the Vulkan driver is chosen by the environment of the process.
 *
 *     node --conditions=@dawnstrap/source --import tsx test/runtime/steps.ts PRESET DEVICE STEPS [BATCH] [SEED]
 */
import { makeLearner, prepareTraining, presetNamed } from "@dawnstrap/byol";
import { openData } from "@dawnstrap/byol/node";
import { type DeviceChoice, openDevice } from "@dawnstrap/tensor";

async function main([name, choice, steps, batch, seed = "0"]: string[]): Promise<void> {
  const named = presetNamed(name!);
  const preset = { ...named, batch: batch ? Number(batch) : named.batch };
  const data = await openData(preset.data, preset.image);
  const device = await openDevice(choice as DeviceChoice);
  const learner = makeLearner(device, preset, data.classes.length, Number(seed));
  const losses: number[] = [];
  const training = prepareTraining(learner, {
    device,
    preset,
    data,
    seed: Number(seed),
    steps: Number(steps),
    onStep: ({ loss }) => losses.push(loss),
  });
  await training.run();
  process.stdout.write(`${JSON.stringify({ description: device.description, losses })}\n`);
  await Promise.all([device.destroy(), data.close()]);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
