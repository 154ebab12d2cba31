/** A whole run: open the data and the device, measure, train, measure again, write the results. */
import { randomBytes } from "node:crypto";
import { encodeStateDict, stateDict } from "@dawnstrap/nn";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { Interrupted } from "../errors.js";
import { openData } from "../images/node/open.js";
import { type DataOptions, type DataSource, probeClasses } from "../images/source.js";
import { type Learner, learnerState } from "../learner/learner.js";
import { rateWarning } from "../learner/rates.js";
import type { Accuracies, StepMetrics, Summary } from "../metrics.js";
import { effectiveBatch } from "../presets/preset.js";
import { measure } from "../tasks/measure.js";
import { quickProtocols } from "../tasks/protocols/index.js";
import { checkBatch } from "../plan/batch.js";
import { makeLearner } from "../training/setup.js";
import { prepareTraining, type Training } from "../training/trainer.js";
import { packageVersion } from "../version.js";
import { CollapseAlarm } from "../watch/alarm.js";
import { Watcher } from "../watch/watcher.js";
import { checkSame, describe, reportSkipped } from "./data.js";
import type { PretrainOptions } from "./options.js";
import { encodeSample, sampleOf } from "./report/html/sample.js";
import { type Progress, silent } from "./report/progress.js";
import { TensorBoardFile } from "./report/tensorboard.js";
import { Checkpoints } from "./run/checkpoints/checkpoints.js";
import { kernelsWarning, type RunRecord } from "./run/checkpoints/record.js";
import type { Score } from "./run/checkpoints/score.js";
import { loadState } from "./run/checkpoints/state.js";
import { CheckpointStore, type Found, restoreBest } from "./run/checkpoints/store.js";
import { EMBEDDINGS, ENCODER } from "./run/files.js";
import type { RunFolder } from "./run/folder.js";

export interface Finished {
  readonly summary: Summary;
  readonly folder: string;
}

/** A run's options and its folder; `found` is the checkpoint that it goes on from. */
export type Start = PretrainOptions &
  Required<Pick<PretrainOptions, "device" | "seed">> & { readonly folder: RunFolder; readonly found?: Found };

/** What a run holds open. */
interface Opened {
  /** When the command started, on the clock of `performance.now`. */
  readonly started: number;
  readonly folder: RunFolder;
  readonly data: DataSource;
  readonly device: Device;
}

export async function carryOut(options: Start): Promise<Finished> {
  const started = performance.now();
  const { folder } = options;
  const data = await openData(options.data, options.preset.image, dataOptionsOf(options));
  const device = await openDevice(options.device).catch(async (error) => {
    await data.close();
    throw error;
  });
  let run: Pretraining | undefined;
  try {
    await checkBatch(device, options.preset, data);
    run = new Pretraining(options, { started, folder, data, device });
    await run.begin();
    await run.train();
    return await run.finish();
  } finally {
    run?.close();
    await Promise.all([data.close(), device.destroy()]);
  }
}

const dataOptionsOf = ({ strict, anySize, cacheBytes }: DataOptions): DataOptions => ({
  ...(strict !== undefined && { strict }),
  ...(anySize !== undefined && { anySize }),
  ...(cacheBytes !== undefined && { cacheBytes }),
});

class Pretraining {
  private readonly progress: Progress;
  private readonly before: RunRecord | undefined;
  private readonly learner: Learner;
  private readonly watcher: Watcher;
  private readonly alarm: CollapseAlarm;
  private readonly training: Training;
  private board: TensorBoardFile | undefined;
  /** Loss of the first step, and all of the last one so far. */
  private first: number | null;
  private last: StepMetrics | undefined;
  private readonly name: string | undefined;
  private randomInit: Accuracies | undefined;
  private trainingStarted = 0;
  /** What of the results hangs on something beside the preset. */
  private readonly notes = new Set<string>();

  constructor(
    private readonly options: Start,
    private readonly opened: Opened,
  ) {
    const { preset, seed, found, steps, signal, checkpoints: keeping = {} } = options;
    const { folder, data, device } = opened;
    this.progress = options.progress ?? silent;
    this.progress.note(`device: ${device.kind}, ${device.description}`);
    this.progress.note(describe(data));
    for (const note of data.notes ?? []) this.progress.note(`data: ${note}`);
    this.before = found?.record;
    if (this.before) {
      checkSame(this.before, data);
      const other = kernelsWarning(this.before, { version: packageVersion, kernels: device.kernels });
      if (other) this.note(`warning: ${other}`);
    }
    this.learner = makeLearner(device, preset, probeClasses(data), seed);
    const variables = learnerState(this.learner);
    if (found) loadState(variables, found.state);
    this.watcher = new Watcher(this.learner, { device, preset, data });
    this.alarm = new CollapseAlarm(this.learner.online.projectionSize);
    this.name = this.before ? this.before.run : randomBytes(8).toString("hex");
    const past = folder.past(this.before);
    for (const metrics of past) this.alarm.ring(metrics);
    this.first = this.before?.loss_first ?? null;
    this.last = past.at(-1) ?? this.before?.metrics_last;
    this.randomInit = this.before?.random_init;
    const store = new CheckpointStore(folder.path, keeping.keep ?? 3);
    this.training = prepareTraining(this.learner, {
      ...{ device, preset, data, seed, done: this.before?.step ?? 0 },
      ...(steps !== undefined && { steps }),
      ...(signal && { signal }),
      checkpoints: new Checkpoints(store, variables, this, keeping, this.before?.best ?? null),
      watch: (step, plan) => this.watcher.after(step, plan),
      onStep: (metrics) => this.report(metrics),
    });
  }

  /** Says what will be done, opens the files, measures the network at random initialisation. */
  async begin(): Promise<void> {
    const { progress, training, options } = this;
    const { data, device, folder } = this.opened;
    const { preset, seed } = options;
    const warning = rateWarning(preset);
    if (warning) progress.note(`warning: ${warning}`);
    progress.note(
      `${training.steps} steps, ${training.stepsPerEpoch} an epoch of ${effectiveBatch(preset)} images each`,
    );
    folder.begin(this.before);
    if (this.before?.best) await restoreBest(folder.path, this.before.best.step);
    if (options.tensorboard) this.board = new TensorBoardFile(folder.path);
    if (!this.before)
      await folder.writeJson("config.json", {
        ...{ run: this.name, data: options.data, seed, steps: training.steps },
        ...{ device: device.kind, description: device.description },
        ...{ images: data.train.length, held_out: data.heldOut.length, classes: data.classes, preset },
      });
    if (this.randomInit) return;
    progress.note("measuring the network at random initialisation");
    try {
      this.randomInit = await this.measure();
    } catch (error) {
      // Training then only writes its checkpoint; a resumed run measures the same weights.
      if (!this.isStop(error)) throw error;
    }
  }

  /** @throws Interrupted where the signal stopped it */
  async train(): Promise<void> {
    const { progress, training, options } = this;
    this.trainingStarted = performance.now();
    progress.begin(training.steps, this.before?.step);
    let done: number;
    try {
      done = await training.run();
    } finally {
      progress.end();
      this.watcher.release();
    }
    if (options.signal?.aborted) throw this.stopped(done);
  }

  /**
   * Measures the pretrained network and writes the results.
   *
   * @throws Interrupted where the signal stopped it
   */
  async finish(): Promise<Finished> {
    try {
      return await this.results();
    } catch (error) {
      throw this.isStop(error) ? this.stopped(this.training.steps) : error;
    }
  }

  private async results(): Promise<Finished> {
    const trainingSeconds = this.seconds().training;
    const { progress, training, learner, options } = this;
    const { data, device, folder } = this.opened;
    const { preset, seed } = options;
    progress.note("measuring the pretrained network");
    const pretrained = await this.measure();
    const weights = await stateDict(learner.online.encoder);
    await folder.writeBytes(ENCODER, encodeStateDict(weights, { preset: preset.name }));
    const shown = await sampleOf(device, learner.online, data, preset, options.signal);
    if (shown) await folder.writeBytes(EMBEDDINGS, encodeSample(shown));
    const summary: Summary = {
      ...{ device: device.kind, data: options.data, preset: preset.name, seed },
      epochs: training.steps / training.stepsPerEpoch,
      steps: training.steps,
      seconds: this.seconds().all,
      images_per_second: (training.steps * effectiveBatch(preset)) / trainingSeconds,
      loss_first: this.first!,
      loss_last: this.last!.loss,
      random_init: this.randomInit!,
      pretrained,
      ...(this.notes.size > 0 && { notes: [...this.notes] }),
    };
    await folder.writeJson("summary.json", { ...summary });
    reportSkipped(data, progress);
    return { summary, folder: folder.path };
  }

  close(): void {
    this.board?.close();
  }

  /** What a checkpoint after `step` updates holds beside arrays. */
  record(step: number, best: Score | null): RunRecord {
    const { preset, seed, tensorboard = false } = this.options;
    const { data, device } = this.opened;
    return {
      ...{ version: packageVersion, steps: this.training.steps, seed, preset },
      ...{ data: this.options.data, dataOptions: dataOptionsOf(this.options) },
      ...{
        images: data.train.length,
        classes: data.classes,
        device: device.kind,
        kernels: device.kernels,
        tensorboard,
      },
      ...{ loss_first: this.first, seconds: this.seconds() },
      ...(this.name !== undefined && { run: this.name }),
      ...(this.last && { metrics_last: this.last }),
      ...(this.randomInit && { random_init: this.randomInit }),
      ...{ step, best },
    };
  }

  /** Waits until the metrics so far are on the disk. */
  sync(): void {
    this.opened.folder.sync();
  }

  private report(seen: StepMetrics): void {
    const metrics = this.alarm.ring(seen);
    if (metrics.alarm) this.progress.note(`warning: ${metrics.alarm}`);
    this.first ??= metrics.loss;
    this.last = metrics;
    this.opened.folder.append(metrics);
    this.board?.append(metrics);
    this.progress.step(metrics);
  }

  private measure(): Promise<Accuracies> {
    const { preset, signal } = this.options;
    const forward = (views: Parameters<Learner["online"]["forward"]>[0]) =>
      this.learner.online.forward(views);
    return measure(
      { device: this.opened.device, image: preset.image, forward, ...(signal && { signal }) },
      this.opened.data,
      preset.evaluate,
      quickProtocols,
      (text) => this.note(text),
    );
  }

  /** Says once what the summary has to say, too. */
  private note(text: string): void {
    if (!this.notes.has(text)) this.progress.note(text);
    this.notes.add(text);
  }

  /** Whether an error is the signal's own, thrown where a measurement was ended. */
  private isStop(error: unknown): boolean {
    const { signal } = this.options;
    return signal?.aborted === true && error === signal.reason;
  }

  private stopped(done: number): Interrupted {
    const { signal, out } = this.options;
    return new Interrupted(
      `stopped after step ${done} of ${this.training.steps}; go on with: byol resume ${out}`,
      signal!.reason as number,
    );
  }

  /** Spent so far, in earlier parts of the run too. */
  private seconds(): RunRecord["seconds"] {
    const since = (start: number, earlier = 0) => earlier + (performance.now() - start) / 1000;
    return {
      all: since(this.opened.started, this.before?.seconds.all),
      training: since(this.trainingStarted, this.before?.seconds.training),
    };
  }
}
