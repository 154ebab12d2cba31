/** The training loop: captured programs, batches and parameters made ahead, metrics read behind. */
import type { Device, Tensor } from "@dawnstrap/tensor";
import { BatchLoader } from "../images/loader.js";
import type { DataSource } from "../images/source.js";
import { toDevice, viewSource } from "../images/views/views.js";
import { DataError, TrainingError } from "../errors.js";
import type { Learner } from "../learner/learner.js";
import { effectiveBatch, microBatches, type Preset } from "../presets/preset.js";
import type { StepMetrics, WatchMetrics } from "../metrics.js";
import { turn } from "../turn.js";
import { type Numbers, named } from "./numbers.js";
import { Speed } from "./speed.js";
import { makeSchedule, totalStepsOf } from "./setup.js";
import { captureStep, type MicroBatch } from "./step.js";

/** What keeps the state of a run, so that it can be resumed. */
export interface Keeper {
  /** Told of every step. */
  add(metrics: StepMetrics): void;
  /** Whether the state is to be saved after `done` updates. */
  due(done: number): boolean;
  /** Saves the state after `done` updates, whose metrics have all been added. */
  save(done: number): Promise<void>;
}

export interface TrainOptions {
  readonly device: Device;
  readonly preset: Preset;
  readonly data: DataSource;
  readonly seed: number;
  /** Default: what the preset's epochs make. */
  readonly steps?: number;
  /** Steps that were done before, in a run that is resumed. Default 0. */
  readonly done?: number;
  /** Called for every step, in order, a few steps late. */
  readonly onStep?: (metrics: StepMetrics) => void;
  /** Called after each step, before the next one starts; what it sees joins the metrics of the step. */
  readonly watch?: (step: number, plan: TrainingPlan) => Promise<WatchMetrics>;
  /** Written when they are due, at the end, and when the signal stops the run. */
  readonly checkpoints?: Keeper;
  /** Stops the run after the step that is under way. */
  readonly signal?: AbortSignal;
}

/** Steps are updates, whatever the micro-batches behind each. */
export interface TrainingPlan {
  readonly steps: number;
  /** Whole effective batches in one pass over the images. */
  readonly stepsPerEpoch: number;
}

export interface Training extends TrainingPlan {
  /** Trains to the end, or until the signal. Returns the steps done, those before a resumption among them. */
  run(): Promise<number>;
}

/** Steps whose metrics may still be on their way while the next one begins: a GPU would wait for every read. */
const stepsBehind = (device: Device): number => (device.kind === "webgpu" ? 4 : 0);

/** Makes the training of a learner ready; throws DataError when the data do not fill an effective batch. */
export function prepareTraining(learner: Learner, options: TrainOptions): Training {
  const { device, preset, data, seed, checkpoints, signal, done: before = 0 } = options;
  const source = viewSource(preset, data.image);
  const loader = new BatchLoader(source.readable(data, seed), source.shape, { batch: preset.batch, seed });
  const count = microBatches(preset);
  const stepsPerEpoch = Math.floor(loader.stepsPerEpoch / count);
  if (stepsPerEpoch === 0)
    throw new DataError(
      `data: ${data.train.length} images are fewer than ${count} batches of ${preset.batch} (use a smaller --accumulate or --batch)`,
    );
  const steps = options.steps ?? totalStepsOf(preset, data.train.length);
  const schedule = makeSchedule(preset, data.train.length, steps);
  const captured = captureStep(learner, { device, preset, source });

  const batchOf = async (step: number, micro: number): Promise<MicroBatch> => {
    // Micro-batches that are left over at the end of an epoch are dropped, as images are: an update sees the images
    // that one batch of the effective size would.
    const epoch = Math.floor(step / stepsPerEpoch);
    const place = epoch * loader.stepsPerEpoch + (step % stepsPerEpoch) * count + micro;
    const batch = await loader.at(place);
    const { images, rows } = toDevice(device, source, batch, { seed, step });
    const views = [images, rows[0]!, rows[1]!] as const;
    return batch.labels ? [...views, device.tensor(batch.labels)] : views;
  };
  const start = (step: number): Promise<Tensor> =>
    captured.run((micro) => batchOf(step, micro), learner.optimizer.numbers(schedule(step)));

  const run = async (): Promise<number> => {
    const clock = new Speed(effectiveBatch(preset));
    const behind = stepsBehind(device);
    const waiting: {
      step: number;
      numbers: Promise<{ read: ArrayLike<number>; speed: number }>;
      watched: WatchMetrics | undefined;
    }[] = [];
    const report = async (leave: number): Promise<void> => {
      while (waiting.length > leave) {
        const { step, numbers, watched } = waiting.shift()!;
        const { read, speed } = await numbers;
        const told = named(read);
        checkFinite(preset, step, told);
        const { step: _, peak: _peak, ...scheduled } = schedule(step);
        const metrics = {
          ...{ step, epoch: step / stepsPerEpoch, ...scheduled, images_per_second: speed },
          ...told,
          ...watched,
        };
        checkpoints?.add(metrics);
        options.onStep?.(metrics);
      }
    };
    let done = before;
    try {
      while (done < steps && !signal?.aborted) {
        const numbers = (await start(done)).data().then((read) => ({ read, speed: clock.tick() }));
        // A failure is thrown where the numbers are reported.
        numbers.catch(() => {});
        waiting.push({ step: done, numbers, watched: await options.watch?.(done, { steps, stepsPerEpoch }) });
        done++;
        await report(behind);
        if (done < steps && checkpoints?.due(done)) {
          await report(0);
          await checkpoints.save(done);
        }
        await turn();
      }
      await report(0);
      await checkpoints?.save(done);
      return done;
    } finally {
      captured.release();
    }
  };
  return { steps, stepsPerEpoch, run };
}

/** Throws TrainingError naming the step where a number is none. A gradient that the guard skips may be anything. */
function checkFinite({ guard }: Preset, step: number, numbers: Numbers): void {
  const { grad_norm, ...others } = numbers;
  const checked = guard?.action === "skip" ? others : numbers;
  if (Object.values(checked).every(Number.isFinite)) return;
  throw new TrainingError(
    `training: the loss is not a number at step ${step} (${Object.entries(numbers)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}); try a smaller learning rate, a longer warm-up or a larger batch`,
  );
}
