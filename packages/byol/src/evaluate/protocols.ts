/** The evaluation protocols of the paper, each from an encoder and data to a result (byol-spec §2 to §4, §6.2). */
import type { Device, Tensor } from "@dawnstrap/tensor";
import { type DataSource, type ImageSet, subset } from "../data/source.js";
import { DataError } from "../errors.js";
import { buildEncoder, type EncoderFile } from "./encoder-file.js";
import { type Extracted, extractFeatures } from "./extract.js";
import { type FrozenLinearOptions, trainFrozenLinear } from "./frozen-linear.js";
import { type KnnOptions, knnScores, neighbours } from "./knn.js";
import { fitLinear, type LinearOptions } from "./linear.js";
import { logitsOf } from "./logistic.js";
import { accuracy, predictions } from "./metrics.js";
import { metricsOf, type Result } from "./result.js";
import { balancedSubset, validationSplit } from "./subsets.js";
import { fineTune, type LabelledImages } from "./supervised.js";
import { lambdaGrid, transferLinear } from "./transfer.js";

/** What every protocol starts from. */
export interface Subject {
  readonly device: Device;
  readonly encoder: EncoderFile;
  readonly data: DataSource;
  readonly seed: number;
  /** Says what is being done. */
  readonly note?: (text: string) => void;
}

const labelsOf = (set: ImageSet): Int32Array => {
  if (!set.labels)
    throw new DataError("evaluation: the images carry no labels; use one sub-folder per class");
  return set.labels;
};

/** Refuses what no protocol can measure. */
function check({ data }: Subject): void {
  if (data.classes.length < 2 || !data.train.labels || data.heldOut.length === 0)
    throw new DataError(
      `evaluation: ${data.name} has ${data.classes.length} classes and ${data.heldOut.length} held-out images; ` +
        "labelled images to learn from and to measure with are wanted",
    );
  const seen = new Set(data.train.labels);
  const empty = data.classes.filter((_, c) => !seen.has(c));
  if (empty.length)
    throw new DataError(`evaluation: no training image of class ${empty.slice(0, 5).join(", ")}`);
  for (const set of [data.train, data.heldOut])
    for (const [i, label] of labelsOf(set).entries())
      if (!(label >= 0 && label < data.classes.length))
        throw new DataError(
          `evaluation: image ${i} has label ${label}, there are ${data.classes.length} classes`,
        );
}

/** Measures `scores` and puts the result together. */
function conclude(
  subject: Subject,
  protocol: string,
  of: {
    scores: ArrayLike<number>;
    labels: Int32Array;
    train: number;
    validation?: number;
    settings: Result["settings"];
    started: number;
  },
): Result {
  const { data, encoder, seed, device } = subject;
  return {
    protocol,
    encoder: encoder.name,
    data: data.name,
    device: device.kind,
    seed,
    settings: { encoder_file: encoder.path, ...of.settings },
    images: {
      train: of.train,
      ...(of.validation !== undefined && { validation: of.validation }),
      test: of.labels.length,
    },
    classes: data.classes,
    metrics: metricsOf(of.scores, of.labels, data.classes.length, seed),
    seconds: (performance.now() - of.started) / 1000,
  };
}

/** Features of a set by the frozen encoder, batch norms on their running averages, no augmentation. */
function frozenFeatures({ device, encoder, data }: Subject): (set: ImageSet) => Promise<Extracted> {
  const network = buildEncoder(device, encoder);
  return (set) =>
    extractFeatures(
      device,
      (x: Tensor) => network.forward(x, { train: false }),
      set,
      encoder.image,
      data.image,
    );
}

/** k nearest neighbours, the bank being the training images (§6.2). */
export async function evaluateKnn(subject: Subject, options: KnnOptions = {}): Promise<Result> {
  check(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const bank = await featuresOf(data.train);
  const test = options.leaveOneOut ? bank : await featuresOf(data.heldOut);
  const scores = await knnScores(device, bank, test.features, data.classes.length, options);
  const { distance = "cosine", vote = "weighted", temperature = 0.1 } = options;
  const k = neighbours(options.k ?? 200, bank.labels.length);
  const settings = { ...options, k, distance, vote, temperature };
  return conclude(subject, "knn", {
    scores,
    labels: test.labels,
    train: bank.labels.length,
    settings,
    started,
  });
}

/** Logistic regression on cached features: fast, and not the paper's protocol, which augments. */
export async function evaluateLinearCached(subject: Subject, options: LinearOptions = {}): Promise<Result> {
  check(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const train = await featuresOf(data.train);
  const test = await featuresOf(data.heldOut);
  const probe = await fitLinear(device, train, data.classes.length, options);
  const scores = await probe.logits(test.features);
  const settings = {
    ...options,
    features: "cached",
    iterations: probe.iterations,
    converged: probe.converged,
  };
  return conclude(subject, "linear (cached features)", {
    ...{ scores, labels: test.labels, train: train.labels.length, settings, started },
  });
}

/** Share of the training images of each class that parameters are chosen by. */
export const VALIDATION_SHARE = 0.1;

/** The split of a data set's training images that parameters are chosen by: its own, else a tenth of each class. */
function chooseBy({ data, seed }: Subject, set: ImageSet): { train: ImageSet; validation: ImageSet } {
  const { train, validation } = validationSplit(labelsOf(set), VALIDATION_SHARE, seed);
  if (train.length === 0) throw new DataError(`evaluation: ${data.name} leaves no image to learn from`);
  return { train: subset(set, train), validation: subset(set, validation) };
}

const images = ({ data }: Subject, set: ImageSet): LabelledImages => ({
  set,
  shape: data.image,
  classes: data.classes.length,
});

/** The frozen-encoder SGD protocol of §2.1; the learning rate is chosen on validation images. */
export async function evaluateLinear(
  subject: Subject,
  options: Omit<FrozenLinearOptions, "seed" | "onStep"> = {},
): Promise<Result> {
  check(subject);
  const started = performance.now();
  const { data, device, encoder, seed, note } = subject;
  const { train, validation } = chooseBy(subject, data.train);
  const trained = await trainFrozenLinear(device, encoder, images(subject, train), {
    ...options,
    seed,
    onStep: (step, steps) => {
      if ((step + 1) % 100 === 0) note?.(`linear: step ${step + 1} of ${steps}`);
    },
  });
  const featuresOf = frozenFeatures(subject);
  const { features, labels } = await featuresOf(validation);
  const classes = data.classes.length;
  const accuracies = (await trained.logits(features)).map((logits) =>
    accuracy(predictions(logits, classes), labels),
  );
  const best = accuracies.indexOf(Math.max(...accuracies));
  const test = await featuresOf(data.heldOut);
  const scores = (await trained.logits(test.features))[best]!;
  const settings = {
    ...options,
    rates: trained.rates,
    validation_accuracies: accuracies,
    chosen: { rate: trained.rates[best] },
  };
  return conclude(subject, options.regularised ? "linear (regularised)" : "linear", {
    ...{ scores, labels: test.labels, train: train.length, validation: validation.length, settings, started },
  });
}

/** Frozen features and L-BFGS over the λ grid (§4.1). */
export async function evaluateTransfer(
  subject: Subject,
  { lambdas = lambdaGrid, iterations }: { lambdas?: readonly number[]; iterations?: number } = {},
): Promise<Result> {
  check(subject);
  const started = performance.now();
  const { data, device, note } = subject;
  const classes = data.classes.length;
  const featuresOf = frozenFeatures(subject);
  const parts = chooseBy(subject, data.train);
  const [train, validation, test] = [
    await featuresOf(parts.train),
    await featuresOf(parts.validation),
    await featuresOf(data.heldOut),
  ];
  const asSet = ({ features, labels }: Extracted) => ({ features, targets: { labels, classes } });
  const score = (logits: Float32Array): number => accuracy(predictions(logits, classes), validation.labels);
  const found = await transferLinear(device, train.width, asSet(train), asSet(validation), score, {
    lambdas,
    ...(iterations !== undefined && { iterations }),
    onLambda: (_, lambda, s) => note?.(`λ ${lambda.toExponential(2)}: validation ${(100 * s).toFixed(1)} %`),
  });
  if (found.atEdge) note?.(`λ ${found.lambda} stands at an end of the grid: a better one may lie beyond`);
  const scores = await logitsOf(device, test.features, test.width, found.parameters);
  const settings = {
    lambdas,
    validation_scores: found.scores,
    chosen: { lambda: found.lambda },
    at_edge: found.atEdge,
  };
  return conclude(subject, "transfer", {
    scores,
    ...{ labels: test.labels, train: train.labels.length, validation: validation.labels.length },
    ...{ settings, started },
  });
}

export interface TuningOptions {
  readonly rates: readonly number[];
  /** Penalties, each divided by the learning rate (§4.2). Default [0]. */
  readonly weightDecays?: readonly number[];
  /** Lengths that are tried, in steps. */
  readonly steps: readonly number[];
  readonly batch: number;
  readonly from?: "encoder" | "scratch";
}

/** Seven rates from 1e-4 to 0.1, and no decay or seven from 1e-6 to 1e-3 (§4.2): 56 runs. */
export const paperTuning: TuningOptions = {
  rates: Array.from({ length: 7 }, (_, i) => 10 ** (-4 + i / 2)),
  weightDecays: [0, ...Array.from({ length: 7 }, (_, i) => 10 ** (-6 + i / 2))],
  steps: [20_000],
  batch: 256,
};

/** Fine-tuning of all weights; rate, decay and length chosen on validation images, then trained again on all (§4.2). */
export async function evaluateFineTune(subject: Subject, options: TuningOptions): Promise<Result> {
  check(subject);
  return tune(
    subject,
    options.from === "scratch" ? "from scratch" : "finetune",
    subject.data.train,
    options,
    true,
  );
}

/** The paper's sweep for few labels (§3): five rates, 30 and 50 epochs. */
export const paperSemiRates: readonly number[] = [0.1, 0.05, 0.02, 0.01, 0.005];

/** Fine-tuning on a part of the labels (§3): class-balanced with the seed, or the listed places. */
export async function evaluateSemi(
  subject: Subject,
  part: { readonly share: number; readonly places?: readonly number[] },
  options: Omit<TuningOptions, "steps"> & { readonly epochs: readonly number[] },
): Promise<Result> {
  check(subject);
  const { data, seed } = subject;
  const places = part.places ?? balancedSubset(labelsOf(data.train), data.classes, part.share, seed);
  const few = subset(data.train, places);
  const batch = Math.min(options.batch, few.length);
  const steps = options.epochs.map((e) => Math.max(1, Math.round((e * few.length) / batch)));
  const name = `semi ${Number((100 * part.share).toPrecision(3))} %`;
  const protocol = options.from === "scratch" ? `${name} from scratch` : name;
  return tune(subject, protocol, few, { ...options, batch, steps }, false);
}

/** @param refit train again on training and validation images with what was chosen; else the chosen run is measured */
async function tune(
  subject: Subject,
  protocol: string,
  set: ImageSet,
  { rates, weightDecays = [0], steps, batch, from = "encoder" }: TuningOptions,
  refit: boolean,
): Promise<Result> {
  const started = performance.now();
  const { data, device, encoder, seed, note } = subject;
  const { train, validation } = chooseBy(subject, set);
  const classes = data.classes.length;
  const logits = async (part: ImageSet, on: ImageSet, rate: number, decay: number, length: number) => {
    const network = await fineTune(device, encoder, images(subject, part), {
      ...{ learningRate: rate, weightDecay: decay / rate, steps: length, batch, seed, from },
    });
    return extractFeatures(
      device,
      (x: Tensor) => network.forward(x, { train: false }),
      on,
      encoder.image,
      data.image,
    );
  };
  const runs = steps.flatMap((length) =>
    rates.flatMap((rate) => weightDecays.map((decay) => ({ rate, decay, length }))),
  );
  const tried: { rate: number; decay: number; steps: number; validation: number | null }[] = [];
  // A single candidate needs no choosing.
  for (const { rate, decay, length } of runs.length > 1 ? runs : []) {
    const score = await logits(train, validation, rate, decay, length).then(
      ({ features, labels }) => accuracy(predictions(features, classes), labels),
      // A rate too large for this network is a result of the sweep, not an end of it.
      () => null,
    );
    tried.push({ rate, decay, steps: length, validation: score });
    note?.(
      `${protocol}: rate ${rate}, decay ${decay}, ${length} steps: ${score === null ? "diverged" : `validation ${(100 * score).toFixed(1)} %`}`,
    );
  }
  const best =
    runs[tried.reduce((a, { validation: v }, i) => ((v ?? -1) > (tried[a]?.validation ?? -1) ? i : a), 0)]!;
  const whole = refit || runs.length === 1;
  const final = whole ? set : train;
  const { features, labels } = await logits(final, data.heldOut, best.rate, best.decay, best.length);
  const settings = { rates, weight_decays: weightDecays, steps, batch, from, tried, chosen: best };
  return conclude(subject, protocol, {
    scores: features,
    ...{ labels, train: final.length, validation: validation.length, settings, started },
  });
}
