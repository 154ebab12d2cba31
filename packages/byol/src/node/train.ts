/** A whole run: open the data and the device, measure, train, measure again, write the results. */
import { encodeStateDict, stateDict } from "@dawnstrap/nn";
import { type DeviceChoice, openDevice } from "@dawnstrap/tensor";
import { type CheckpointOptions, Checkpoints } from "./run/checkpoints/checkpoints.js";
import { packageVersion } from "../version.js";
import type { RunRecord } from "./run/checkpoints/record.js";
import { loadState } from "./run/checkpoints/state.js";
import { CheckpointStore, type Found, findCheckpoint, hasCheckpoints } from "./run/checkpoints/store.js";
import { openData } from "../images/node/open.js";
import { type DataOptions, type DataSource, probeClasses } from "../images/source.js";
import { DataError, Interrupted, UsageError } from "../errors.js";
import type { Extractor } from "../tasks/extract.js";
import { measure } from "../tasks/measure.js";
import { learnerState } from "../learner/learner.js";
import { effectiveBatch, type Preset, parsePreset } from "../presets/preset.js";
import { rateWarning } from "../learner/rates.js";
import { encodeSample, sampleOf } from "./report/html/sample.js";
import { type Progress, silent } from "./report/progress.js";
import type { Summary } from "../metrics.js";
import { RunFolder } from "./run/folder.js";
import { TensorBoardFile } from "./report/tensorboard.js";
import { makeLearner } from "../training/setup.js";
import { prepareTraining } from "../training/trainer.js";
import { CollapseAlarm } from "../watch/alarm.js";
import { Watcher } from "../watch/watcher.js";

/** How a run is carried out, whether begun or resumed. */
export interface RunOptions {
  readonly progress?: Progress;
  /** When checkpoints are written; one is always written at the end and when the signal stops the run. */
  readonly checkpoints?: CheckpointOptions;
  /** Aborted with an exit code as its reason, it stops the run at the next step: Interrupted is thrown. */
  readonly signal?: AbortSignal;
}

export interface PretrainOptions extends RunOptions, DataOptions {
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
}

export interface ResumeOptions extends RunOptions {
  /** The run's folder, or one of its checkpoints. */
  readonly from: string;
  /** Where the data are now. Default: where they were. */
  readonly data?: string;
  /** Default: the kind of device it ran on. */
  readonly device?: DeviceChoice;
}

export interface Finished {
  readonly summary: Summary;
  readonly folder: string;
}

/** Trains an encoder without labels and measures it against its own random initialisation. */
export async function pretrain(options: PretrainOptions): Promise<Finished> {
  if (await hasCheckpoints(options.out))
    throw new UsageError(
      `out: ${options.out} holds checkpoints of an earlier run (go on with it by byol resume, or choose another folder with --out)`,
    );
  return train({ device: "auto", seed: 0, ...options });
}

/**
 * Goes on with a run: on the same kind of device, cpu or webgpu, bit for bit as if it had not been stopped.
 *
 * @throws UsageError when there is no sound checkpoint, saying what is wrong
 */
export async function resume({ from, data, device, ...options }: ResumeOptions): Promise<Finished> {
  const found = await findCheckpoint(from);
  const { record, run } = found;
  return train({
    ...options,
    ...record.dataOptions,
    ...{ preset: parsePreset(record.preset), seed: record.seed, steps: record.steps, out: run },
    data: data ?? record.data,
    device: device ?? record.device,
    tensorboard: record.tensorboard ?? false,
    found,
  });
}

type Start = PretrainOptions &
  Required<Pick<PretrainOptions, "device" | "seed">> & { readonly found?: Found };

async function train(options: Start): Promise<Finished> {
  const { preset, seed, found, progress = silent, checkpoints: keeping = {}, signal } = options;
  const before = found?.record;
  const started = performance.now();
  const folder = new RunFolder(options.out, before?.step);
  let board: TensorBoardFile | undefined;
  const { strict, anySize, cacheBytes } = options;
  const dataOptions: DataOptions = {
    ...(strict !== undefined && { strict }),
    ...(anySize !== undefined && { anySize }),
    ...(cacheBytes !== undefined && { cacheBytes }),
  };
  const data = await openData(options.data, preset.image, dataOptions);
  const device = await openDevice(options.device);
  try {
    progress.note(`device: ${device.kind}, ${device.description}`);
    progress.note(describe(data));
    if (before) checkSame(before, data);
    const learner = makeLearner(device, preset, probeClasses(data), seed);
    const variables = learnerState(learner);
    if (found) loadState(variables, found.state);
    board = options.tensorboard ? new TensorBoardFile(folder.path) : undefined;
    const watcher = new Watcher(learner, { device, preset, data });
    const alarm = new CollapseAlarm(learner.online.projectionSize);
    for (const metrics of folder.past) alarm.ring(metrics);
    let [first, last] = [before?.loss_first ?? null, folder.past.at(-1)?.loss];

    let random_init = before?.random_init;
    let trainingStarted = 0;
    const since = (start: number, earlier = 0) => earlier + (performance.now() - start) / 1000;
    const seconds = () => ({
      all: since(started, before?.seconds.all),
      training: since(trainingStarted, before?.seconds.training),
    });
    const about = (): Omit<RunRecord, "step" | "best"> => {
      // The metrics up to a checkpoint reach the disk before it does.
      folder.sync();
      return {
        ...{
          version: packageVersion,
          steps: training.steps,
          seed,
          preset,
          data: options.data,
          dataOptions,
        },
        ...{ images: data.train.length, classes: data.classes, device: device.kind },
        tensorboard: options.tensorboard ?? false,
        ...{ random_init: random_init!, loss_first: first, seconds: seconds() },
      };
    };
    const store = new CheckpointStore(folder.path, keeping.keep ?? 3);
    const training = prepareTraining(learner, {
      ...{ device, preset, data, seed, done: before?.step ?? 0 },
      ...(options.steps !== undefined && { steps: options.steps }),
      ...(signal && { signal }),
      checkpoints: new Checkpoints(store, variables, about, keeping, before?.best ?? null),
      watch: (step, plan) => watcher.after(step, plan),
      onStep: (seen) => {
        const metrics = alarm.ring(seen);
        if (metrics.alarm) progress.note(`warning: ${metrics.alarm}`);
        first ??= metrics.loss;
        last = metrics.loss;
        folder.append(metrics);
        board?.append(metrics);
        progress.step(metrics);
      },
    });
    const warning = rateWarning(preset);
    if (warning) progress.note(`warning: ${warning}`);
    progress.note(
      `${training.steps} steps, ${training.stepsPerEpoch} an epoch of ${effectiveBatch(preset)} images each`,
    );
    if (!before)
      await folder.writeJson("config.json", {
        ...{ data: options.data, seed, steps: training.steps },
        ...{ device: device.kind, description: device.description },
        ...{ images: data.train.length, held_out: data.heldOut.length, classes: data.classes, preset },
      });
    const features: Extractor = {
      ...{ device, image: preset.image },
      forward: (views) => learner.online.forward(views),
    };
    if (!random_init) {
      progress.note("measuring the network at random initialisation");
      random_init = await measure(features, data, preset.evaluate);
    }

    trainingStarted = performance.now();
    progress.begin(training.steps, before?.step);
    let done: number;
    try {
      done = await training.run();
    } finally {
      progress.end();
      watcher.release();
    }
    if (signal?.aborted)
      throw new Interrupted(
        `stopped after step ${done} of ${training.steps}; go on with: byol resume ${options.out}`,
        signal.reason as number,
      );
    const trainingSeconds = seconds().training;

    progress.note("measuring the pretrained network");
    const pretrained = await measure(features, data, preset.evaluate);
    const weights = await stateDict(learner.online.encoder);
    await folder.writeBytes("encoder.safetensors", encodeStateDict(weights, { preset: preset.name }));
    const shown = await sampleOf(device, learner.online, data, preset);
    if (shown) await folder.writeBytes("embeddings.safetensors", encodeSample(shown));
    const summary: Summary = {
      ...{ device: device.kind, data: options.data, preset: preset.name, seed },
      epochs: training.steps / training.stepsPerEpoch,
      steps: training.steps,
      seconds: seconds().all,
      images_per_second: (training.steps * effectiveBatch(preset)) / trainingSeconds,
      loss_first: first!,
      loss_last: last!,
      random_init,
      pretrained,
    };
    await folder.writeJson("summary.json", summary);
    reportSkipped(data, progress);
    return { summary, folder: folder.path };
  } finally {
    folder.close();
    board?.close();
    await Promise.all([data.close(), device.destroy()]);
  }
}

/** The images of a resumed run have to be those that it began with. */
function checkSame({ images, classes }: RunRecord, { train, classes: now }: DataSource): void {
  if (train.length !== images || now.join() !== classes.join())
    throw new DataError(
      `data: ${train.length} images of ${now.length} classes are not the ${images} of ${classes.length} that the run began with (name them with --data)`,
    );
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
  // By name: workers find them in any order.
  const sorted = [...skipped].sort((a, b) => (a.file < b.file ? -1 : 1));
  for (const { file, reason } of sorted) progress.note(`  ${file}: ${reason}`);
}
