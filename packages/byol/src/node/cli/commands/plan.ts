/** `byol plan`: what a run takes, before it runs. */
import { openDevice } from "@dawnstrap/tensor";
import { Command } from "commander";
import { resolvePreset } from "../../../config/node/file.js";
import { dataOf } from "../../../config/resolve.js";
import { imaginedImages } from "../../../images/imagined.js";
import { openData } from "../../../images/node/open.js";
import { TrainingError } from "../../../errors.js";
import { planRun } from "../../../plan/plan.js";
import { planReport } from "../../../plan/report.js";
import {
  dataOptionsOf,
  deviceOption,
  type PretrainFlags,
  positive,
  wholeFrom,
  withDataOptions,
  withPresetOptions,
} from "../options.js";

interface PlanFlags extends PretrainFlags {
  readonly images?: number;
  readonly classes?: number;
  readonly memory?: number;
  readonly measure: number;
}

export const planCommand = (): Command =>
  withDataOptions(
    withPresetOptions(
      new Command("plan").description(
        "Says what a run takes on this device: parameters, work, memory, steps, time; refuses what cannot fit",
      ),
    ),
  )
    .addOption(deviceOption())
    .option("--images <n>", "plan for so many images, without reading any", wholeFrom(2))
    .option("--classes <n>", "of the online probe, with --images", wholeFrom(0), 0)
    .option("--memory <GiB>", "what the device holds, where it does not say", positive)
    .option("--measure <n>", "time so many steps on this device; 0 for none", wholeFrom(0), 0)
    .action(run);

async function run(flags: PlanFlags): Promise<void> {
  const preset = resolvePreset(flags);
  const { images, classes = 0 } = flags;
  const data =
    images === undefined
      ? await openData(dataOf(preset), preset.image, dataOptionsOf(flags))
      : imaginedImages(preset.image, { images, classes });
  const device = await openDevice(flags.device);
  try {
    const plan = await planRun({
      ...{ device, preset, data, measure: flags.measure },
      ...(flags.memory !== undefined && { memory: flags.memory * 2 ** 30 }),
    });
    process.stdout.write(`${planReport(plan)}\n`);
    if (plan.refusal) throw new TrainingError(`plan: ${plan.refusal}`);
  } finally {
    await Promise.all([data.close(), device.destroy()]);
  }
}
