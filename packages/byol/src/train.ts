/** A whole run: open the data and the device, measure, train, measure again, write the results. */
import { encodeStateDict, stateDict } from "@dawnstrap/nn";
import { type DeviceChoice, openDevice } from "@dawnstrap/tensor";
import { openData } from "./data/open.js";
import { type DataOptions, type DataSource, probeClasses } from "./data/source.js";
import { DataError } from "./errors.js";
import { measure } from "./evaluate/measure.js";
import type { Preset } from "./preset.js";
import { type Progress, silent } from "./report/progress.js";
import { RunFolder, type StepMetrics, type Summary } from "./report/run-folder.js";
import { TensorBoardFile } from "./report/tensorboard.js";
import { makeLearner } from "./setup.js";
import { planTraining } from "./trainer.js";
import { CollapseAlarm } from "./watch/alarm.js";
import { Watcher } from "./watch/watcher.js";

export interface PretrainOptions extends DataOptions {
  readonly preset: Preset;
  /** As on the command line: "digits", "emoji", a data set as "kind:path", or a folder of images. */
  readonly data: string;
  /** Default "auto". */
  readonly device?: DeviceChoice;
  /** Of initialisation, shuffling and augmentation. Default 0. */
  readonly seed?: number;
  /** Folder for the results; made when it does not exist. */
  readonly out: string;
  /** Training steps, instead of the preset's epochs. */
  readonly steps?: number;
  /** Write event files for TensorBoard beside metrics.jsonl. Default: false. */
  readonly tensorboard?: boolean;
  readonly progress?: Progress;
}

/** Trains an encoder without labels and measures it against its own random initialisation. */
export async function pretrain(options: PretrainOptions): Promise<{ summary: Summary; folder: string }> {
  const { preset, seed = 0, progress = silent } = options;
  const started = performance.now();
  const folder = new RunFolder(options.out);
  let board: TensorBoardFile | undefined;
  const { stored: size, channels, background } = preset.image;
  const data = await openData(options.data, { size, channels, background }, options);
  const device = await openDevice(options.device ?? "auto");
  try {
    progress.note(`device: ${device.kind}, ${device.description}`);
    progress.note(describe(data));
    const learner = makeLearner(device, preset, probeClasses(data), seed);
    const all: StepMetrics[] = [];
    board = options.tensorboard ? new TensorBoardFile(folder.path) : undefined;
    const watcher = new Watcher(learner, { device, preset, data });
    const alarm = new CollapseAlarm(learner.online.projectionSize);
    const training = planTraining(learner, {
      device,
      preset,
      data,
      seed,
      ...(options.steps !== undefined && { steps: options.steps }),
      watch: (step, plan) => watcher.after(step, plan),
      onStep: (seen) => {
        const metrics = alarm.ring(seen);
        if (metrics.alarm) progress.note(`warning: ${metrics.alarm}`);
        all.push(metrics);
        folder.append(metrics);
        board?.append(metrics);
        progress.step(metrics);
      },
    });
    folder.writeJson("config.json", {
      ...{
        data: options.data,
        seed,
        steps: training.steps,
        device: device.kind,
        description: device.description,
      },
      ...{ images: data.train.length, held_out: data.heldOut.length, classes: data.classes, preset },
    });
    progress.note("measuring the network at random initialisation");
    const random_init = await measure(device, learner.online, data, preset);

    const trainingStarted = performance.now();
    progress.begin(training.steps);
    try {
      await training.run();
    } finally {
      progress.end();
      watcher.release();
    }
    const trainingSeconds = (performance.now() - trainingStarted) / 1000;

    progress.note("measuring the pretrained network");
    const pretrained = await measure(device, learner.online, data, preset);
    folder.writeEncoder(encodeStateDict(await stateDict(learner.online.encoder), { preset: preset.name }));
    const summary: Summary = {
      ...{ device: device.kind, data: options.data, preset: preset.name, seed },
      epochs: training.steps / training.stepsPerEpoch,
      steps: training.steps,
      seconds: (performance.now() - started) / 1000,
      images_per_second: (training.steps * preset.batch) / trainingSeconds,
      loss_first: all[0]!.loss,
      loss_last: all.at(-1)!.loss,
      random_init,
      pretrained,
    };
    folder.writeJson("summary.json", summary);
    reportSkipped(data, progress);
    return { summary, folder: folder.path };
  } finally {
    folder.close();
    board?.close();
    await Promise.all([data.close(), device.destroy()]);
  }
}

function describe({ name, train, heldOut, classes, image }: DataSource): string {
  const labels = classes.length > 0 ? `${classes.length} classes, ${heldOut.length} held out` : "no labels";
  return `data: ${name}, ${train.length} images of ${image.height}×${image.width}×${image.channels}, ${labels}`;
}

/** Says which images could not be read, by name. */
function reportSkipped(data: DataSource, progress: Progress): void {
  const skipped = data.skipped();
  if (skipped.length === 0) return;
  if (skipped.length === data.train.length + data.heldOut.length)
    throw new DataError("data: no image could be read");
  progress.note(`skipped ${skipped.length} image${skipped.length === 1 ? "" : "s"} that could not be read:`);
  for (const { file, reason } of skipped) progress.note(`  ${file}: ${reason}`);
}
