/** The training loop: one captured program a step, batches and parameters made ahead, metrics read behind. */
import { type Device, narrow, type Tensor } from "@dawnstrap/tensor";
import { drawViews, takeWhole } from "./augment/parameters.js";
import { makeViews } from "./augment/view.js";
import { croppedViews } from "./data/crops.js";
import { BatchLoader } from "./data/loader.js";
import { type DataSource, probeClasses } from "./data/source.js";
import { TrainingError } from "./errors.js";
import { type Learner, learnerStep, stepNumbers } from "./learner.js";
import type { Preset } from "./preset.js";
import type { StepMetrics, WatchMetrics } from "./report/run-folder.js";
import { makeSchedule, totalStepsOf } from "./setup.js";

export interface TrainOptions {
  readonly device: Device;
  readonly preset: Preset;
  readonly data: DataSource;
  readonly seed: number;
  /** Default: what the preset's epochs make. */
  readonly steps?: number;
  /** Called for every step, in order, a few steps late. */
  readonly onStep?: (metrics: StepMetrics) => void;
  /** Called after each step, before the next one starts; what it sees joins the metrics of the step. */
  readonly watch?: (step: number, plan: TrainingPlan) => Promise<WatchMetrics>;
}

export interface TrainingPlan {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

export interface Training extends TrainingPlan {
  run(): Promise<void>;
}

/** Steps whose metrics may still be on their way while the next one begins: a GPU would wait for every read. */
const stepsBehind = (device: Device): number => (device.kind === "webgpu" ? 4 : 0);

/** Plans the training of a learner; throws DataError when the data do not fill a batch. */
export function planTraining(learner: Learner, options: TrainOptions): Training {
  const { device, preset, data, seed } = options;
  const cropped = preset.image.crop === "decode" ? croppedViews(data, preset, seed) : undefined;
  const image = cropped?.image ?? data.image;
  const loader = new BatchLoader(cropped ?? data.train, image, { batch: preset.batch, seed });
  const { stepsPerEpoch } = loader;
  const steps = options.steps ?? totalStepsOf(preset, data.train.length);
  const schedule = makeSchedule(preset, data.train.length, steps);
  const captured = captureStep(learner, { device, preset, labelled: probeClasses(data) > 0 });
  const { size } = preset.image;
  const geometry = { ...(cropped ? { ...image, height: size } : image), size };

  const start = async (step: number): Promise<Tensor> => {
    const { indices, pixels, labels } = await loader.at(step);
    const { height, width, channels } = image;
    const rows = preset.views.map((settings, view) => {
      const drawn = drawViews(settings, geometry, {
        seed,
        step,
        view: preset.sharedViews ? 0 : (view as 0 | 1),
        images: indices,
      });
      if (cropped) takeWhole(drawn, indices.length, size);
      return device.tensor(drawn, [preset.batch, drawn.length / preset.batch]);
    });
    const [numbers] = await captured(
      device.tensor(pixels, [preset.batch, height, width, channels]),
      rows[0]!,
      rows[1]!,
      device.tensor(labels),
      device.tensor(learner.optimizer.scalars(schedule(step))),
    );
    return numbers!;
  };

  const run = async (): Promise<void> => {
    const clock = new Speed(preset.batch);
    const behind = stepsBehind(device);
    const waiting: {
      step: number;
      numbers: Promise<{ read: ArrayLike<number>; speed: number }>;
      watched: WatchMetrics | undefined;
    }[] = [];
    const report = async () => {
      const { step, numbers, watched } = waiting.shift()!;
      const { read, speed } = await numbers;
      const named = Object.fromEntries(Array.from(read, (v, k) => [stepNumbers[k]!, v])) as Numbers;
      if (!Array.from(read).every(Number.isFinite)) throw diverged(step, named);
      const { lr, tau } = schedule(step);
      options.onStep?.({
        step,
        epoch: step / stepsPerEpoch,
        lr,
        tau,
        images_per_second: speed,
        ...named,
        ...watched,
      });
    };
    try {
      for (let step = 0; step < steps; step++) {
        const numbers = (await start(step)).data().then((read) => ({ read, speed: clock.tick() }));
        // A failure is thrown where the numbers are reported.
        numbers.catch(() => {});
        waiting.push({ step, numbers, watched: await options.watch?.(step, { steps, stepsPerEpoch }) });
        if (waiting.length > behind) await report();
        // The cpu device computes without ever going back to the event loop; signals and decoders need a turn too.
        await new Promise(setImmediate);
      }
      while (waiting.length > 0) await report();
    } finally {
      captured.release();
    }
  };
  return { steps, stepsPerEpoch, run };
}

type Numbers = Pick<StepMetrics, "loss" | "std" | "probe_loss" | "probe_accuracy">;

const diverged = (step: number, numbers: Numbers) =>
  new TrainingError(
    `training: the loss is not a number at step ${step} (${Object.entries(numbers)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}); try a smaller learning rate, a longer warm-up or a larger batch`,
  );

/** The program of one step, of images as they are stored, both views' rows, labels, and the step's numbers. */
export function captureStep(
  learner: Learner,
  { device, preset, labelled }: Pick<TrainOptions, "device" | "preset"> & { readonly labelled: boolean },
) {
  const [first, second] = preset.views;
  const { size, crop } = preset.image;
  const decoded = crop === "decode";
  return device.capture((images: Tensor, rows1: Tensor, rows2: Tensor, labels: Tensor, scalars: Tensor) => {
    const views = [
      makeViews(decoded ? narrow(images, 1, 0, size) : images, rows1, first, preset.image),
      makeViews(decoded ? narrow(images, 1, size, 2 * size) : images, rows2, second, preset.image),
    ] as const;
    return [learnerStep(learner, views, labelled ? labels : undefined, scalars)];
  });
}

/** Images a second over the last steps. The first step compiles and is left out as soon as there are others. */
class Speed {
  private readonly times: number[] = [];
  private readonly started = performance.now();
  constructor(private readonly batch: number) {}
  tick(): number {
    const now = performance.now();
    this.times.push(now);
    if (this.times.length > 20) this.times.shift();
    const steps = this.times.length - 1;
    return steps === 0
      ? (1000 * this.batch) / (now - this.started)
      : (1000 * this.batch * steps) / (now - this.times[0]!);
  }
}
