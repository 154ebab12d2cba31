/** `byol plan`: what a run takes, before it runs. */
import { openDevice } from "@dawnstrap/tensor";
import { Command } from "commander";
import { resolvePreset } from "../../../config/node/file.js";
import { dataOf } from "../../../config/resolve.js";
import { openData } from "../../../images/node/open.js";
import { type DataSource, memorySet } from "../../../images/source.js";
import { UsageError } from "../../../errors.js";
import { planRun } from "../../../plan/plan.js";
import { planReport } from "../../../plan/report.js";
import type { Preset } from "../../../presets/preset.js";
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
  const data = flags.images === undefined ? await opened(preset, flags) : imagined(preset, flags);
  const device = await openDevice(flags.device);
  try {
    const plan = await planRun({
      ...{ device, preset, data, measure: flags.measure },
      ...(flags.memory !== undefined && { memory: flags.memory * 2 ** 30 }),
    });
    process.stdout.write(`${planReport(plan)}\n`);
    if (plan.refusal) throw new UsageError(`plan: ${plan.refusal}`);
  } finally {
    await Promise.all([data.close(), device.destroy()]);
  }
}

function opened(preset: Preset, flags: PlanFlags): Promise<DataSource> {
  return openData(dataOf(preset), preset.image, dataOptionsOf(flags));
}

/** A source of so many black images, for a plan without data. */
function imagined(
  { image: { stored, channels } }: Preset,
  { images = 0, classes = 0 }: PlanFlags,
): DataSource {
  const image = { height: stored, width: stored, channels };
  const black = new Uint8Array(stored * stored * channels);
  const labels = classes > 0 && new Int32Array(images);
  return {
    name: `${images} imagined images`,
    image,
    classes: Array.from({ length: classes }, (_, k) => String(k)),
    train: { length: images, ...(labels && { labels }), read: async () => black },
    heldOut: memorySet(black.subarray(0, 0), image, new Int32Array(0)),
    skipped: () => [],
    close: async () => {},
  };
}
