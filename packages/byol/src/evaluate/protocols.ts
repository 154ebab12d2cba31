/** The evaluation protocols of the paper, each from an encoder and data to a result (byol-spec §2 to §4, §6.2). */
import { createHash } from "node:crypto";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { packageVersion } from "../checkpoint/record.js";
import { type DataOptions, type DataSource, type ImageSet, type Splits, subset } from "../data/source.js";
import { DataError, TrainingError } from "../errors.js";
import { buildEncoder, type EncoderFile } from "./encoder-file.js";
import { type Extracted, extractFeatures } from "./extract.js";
import { type FrozenLinearOptions, trainFrozenLinear } from "./frozen-linear.js";
import { type KnnOptions, knnScores, neighbours } from "./knn.js";
import { fitLinear, type LinearOptions } from "./linear.js";
import { logitsOf } from "./logistic.js";
import { accuracy, meanAveragePrecision, predictions } from "./metrics.js";
import { metricsOf, precisionOf, type Result } from "./result.js";
import { balancedSubset, validationSplit } from "./subsets.js";
import { fineTune, type LabelledImages } from "./supervised.js";
import { lambdaGrid, lambdaIterations, transferLinear } from "./transfer.js";

/** What every protocol starts from. */
export interface Subject {
  readonly device: Device;
  readonly encoder: EncoderFile;
  readonly data: DataSource;
  readonly seed: number;
  /** How the data were opened, to be recorded. */
  readonly dataOptions?: DataOptions;
  /** Says what is being done. */
  readonly note?: (text: string) => void;
}

/** The labelled images: to learn from (train and val together), to choose by, to measure with. */
function splitsOf({ data }: Subject): Splits {
  const { splits, classes } = data;
  if (!splits || classes.length < 2 || splits.test.length === 0)
    throw new DataError(
      `evaluation: ${data.name} has ${classes.length} classes and ${splits?.test.length ?? 0} held-out images; ` +
        "labelled images to learn from and to measure with are wanted (one sub-folder per class)",
    );
  return splits;
}

/** As `splitsOf`, where every image has one class. */
function labelled(subject: Subject): Splits & { readonly labels: Int32Array } {
  const splits = splitsOf(subject);
  const { classes, name } = subject.data;
  for (const set of [splits.trainval, splits.test]) {
    if (!set.labels)
      throw new DataError(
        `evaluation: images of ${name} show several classes each; only transfer measures those`,
      );
    for (const [i, label] of set.labels.entries())
      if (!(label >= 0 && label < classes.length))
        throw new DataError(
          `evaluation: image ${set.name?.(i) ?? i} of ${name} has label ${label}, there are ${classes.length} classes (mend its label)`,
        );
  }
  const labels = splits.trainval.labels!;
  const seen = new Set(labels);
  const empty = classes.filter((_, c) => !seen.has(c));
  if (empty.length)
    throw new DataError(
      `evaluation: ${name} has no training image of class ${empty.slice(0, 5).join(", ")} (add some, or leave out the class)`,
    );
  return { ...splits, labels };
}

/** Images held back from training, if there are any. */
function toChooseBy(set: ImageSet, { name }: DataSource): ImageSet {
  if (set.length > 0) return set;
  throw new DataError(`evaluation: ${name} has too few training images to hold any back to choose by`);
}

/** Puts a result together. */
function conclude(
  subject: Subject,
  protocol: string,
  of: {
    metrics: Result["metrics"];
    test: number;
    train: number;
    validation?: number;
    asked: Result["settings"];
    found?: Result["settings"];
    started: number;
  },
): Result {
  const { data, encoder, seed, device, dataOptions } = subject;
  const { crop, flip } = encoder.view;
  const question = {
    ...{ protocol, encoder_sha256: encoder.sha256, image: encoder.image, view: { crop, flip } },
    ...{ data: data.name, device: device.kind, seed },
  };
  const id = createHash("sha256").update(JSON.stringify([question, of.asked]));
  return {
    ...{ ...question, id: id.digest("hex").slice(0, 8), version: packageVersion() },
    date: new Date().toISOString(),
    ...{ encoder: encoder.name, encoder_file: encoder.path },
    ...(dataOptions && { data_options: { ...dataOptions } }),
    device_description: device.description,
    settings: { ...of.asked, ...of.found },
    images: {
      train: of.train,
      ...(of.validation !== undefined && { validation: of.validation }),
      ...{ test: of.test, skipped: data.skipped().length },
    },
    classes: [...data.classes],
    metrics: of.metrics,
    seconds: (performance.now() - of.started) / 1000,
  };
}

/** Features of a set by the frozen encoder, batch norms on their running averages, no augmentation. */
function frozenFeatures(
  { device, encoder, data }: Subject,
  image = encoder.image,
): (set: ImageSet) => Promise<Extracted> {
  const network = buildEncoder(device, encoder);
  return (set) =>
    extractFeatures(device, (x: Tensor) => network.forward(x, { train: false }), set, image, data.image);
}

/** Metrics of scores on images that have one class each. */
const judged = ({ data, seed }: Subject, scores: ArrayLike<number>, labels: Int32Array) => ({
  metrics: metricsOf(scores, labels, data.classes.length, seed),
  test: labels.length,
});

/** k nearest neighbours, the bank being the training images (§6.2). */
export async function evaluateKnn(subject: Subject, options: KnnOptions = {}): Promise<Result> {
  const { trainval, test: held } = labelled(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const bank = await featuresOf(trainval);
  const test = options.leaveOneOut ? bank : await featuresOf(held);
  const scores = await knnScores(device, bank, test.features, data.classes.length, options);
  const { distance = "cosine", vote = "weighted", temperature = 0.1, leaveOneOut = false } = options;
  const wanted = options.k ?? 200;
  const k = neighbours(wanted, bank.labels.length);
  if (k < wanted) subject.note?.(`knn: ${k} neighbours, a fifth of the bank, not ${wanted}`);
  const asked = { k, distance, vote, temperature, leave_one_out: leaveOneOut };
  const train = bank.labels.length;
  return conclude(subject, leaveOneOut ? "knn (leave one out)" : "knn", {
    ...judged(subject, scores, test.labels),
    ...{ train, asked, started },
  });
}

/** Logistic regression on cached features: fast, and not the paper's protocol, which augments. */
export async function evaluateLinearCached(subject: Subject, options: LinearOptions = {}): Promise<Result> {
  const { trainval, test: held } = labelled(subject);
  const started = performance.now();
  const featuresOf = frozenFeatures(subject);
  const { data, device } = subject;
  const train = await featuresOf(trainval);
  const test = await featuresOf(held);
  const probe = await fitLinear(device, train, data.classes.length, options);
  const scores = await probe.logits(test.features);
  const { asked, iterations: done, converged } = probe;
  return conclude(subject, "linear (cached features)", {
    ...judged(subject, scores, test.labels),
    ...{ train: train.labels.length, asked, found: { iterations_done: done, converged }, started },
  });
}

const images = ({ data }: Subject, set: ImageSet): LabelledImages => ({
  set,
  shape: data.image,
  classes: data.classes.length,
});

/** The frozen-encoder SGD protocol of §2.1; the learning rate is chosen on the validation images. */
export async function evaluateLinear(
  subject: Subject,
  options: Omit<FrozenLinearOptions, "seed" | "onStep"> = {},
): Promise<Result> {
  const { train, val: validation, test: held } = labelled(subject);
  const started = performance.now();
  const { data, device, encoder, seed, note } = subject;
  const val = toChooseBy(validation, data);
  const trained = await trainFrozenLinear(device, encoder, images(subject, train), {
    ...options,
    seed,
    onStep: (step, steps) => {
      if ((step + 1) % 100 === 0) note?.(`linear: step ${step + 1} of ${steps}`);
    },
  });
  const featuresOf = frozenFeatures(subject);
  const { features, labels } = await featuresOf(val);
  const classes = data.classes.length;
  const accuracies = (await trained.logits(features)).map((logits) =>
    accuracy(predictions(logits, classes), labels),
  );
  const best = accuracies.indexOf(Math.max(...accuracies));
  const test = await featuresOf(held);
  const scores = (await trained.logits(test.features))[best]!;
  const { rates, epochs, batch, steps, regularised, augment } = trained;
  const asked = { rates, epochs, batch, steps, regularised, augment };
  const changed = [...(augment === "view" ? ["augmented"] : []), ...(regularised ? ["regularised"] : [])];
  const found = { validation_accuracies: accuracies, chosen: { rate: rates[best] } };
  return conclude(subject, changed.length ? `linear (${changed.join(", ")})` : "linear", {
    ...judged(subject, scores, test.labels),
    ...{ train: train.length, validation: val.length, asked, found, started },
  });
}

/**
 * Frozen features and L-BFGS over the λ grid (§4.1); one-vs-rest where images show several classes. Unlike for the other
 * protocols the whole of a stored image is seen, not its centre.
 */
export async function evaluateTransfer(
  subject: Subject,
  {
    lambdas = lambdaGrid,
    iterations = lambdaIterations,
  }: { lambdas?: readonly number[]; iterations?: number } = {},
): Promise<Result> {
  const several = splitsOf(subject).trainval.presence !== undefined;
  const parts = several ? splitsOf(subject) : labelled(subject);
  const started = performance.now();
  const { data, device, seed, note } = subject;
  const classes = data.classes.length;
  const featuresOf = frozenFeatures(subject, { ...subject.encoder.image, centre: 1 });
  toChooseBy(parts.val, data);
  const [train, validation, test] = [
    await featuresOf(parts.train),
    await featuresOf(parts.val),
    await featuresOf(parts.test),
  ];
  const presence = (set: ImageSet, { places }: Extracted): Int8Array =>
    rowsOfPresence(set.presence!, places, classes);
  const asSet = (set: ImageSet, rows: Extracted) => ({
    features: rows.features,
    targets: several
      ? { memberships: Float32Array.from(presence(set, rows), (v) => (v > 0 ? 1 : 0)), classes }
      : { labels: rows.labels, classes },
  });
  const score = (logits: Float32Array): number =>
    several
      ? meanAveragePrecision(logits, presence(parts.val, validation), classes, "11-point")
      : accuracy(predictions(logits, classes), validation.labels);
  const found = await transferLinear(
    device,
    train.width,
    asSet(parts.train, train),
    asSet(parts.val, validation),
    score,
    {
      lambdas,
      iterations,
      onLambda: (_, lambda, s) =>
        note?.(`λ ${lambda.toExponential(2)}: validation ${(100 * s).toFixed(1)} %`),
    },
  );
  if (found.atEdge) note?.(`λ ${found.lambda} stands at an end of the grid: a better one may lie beyond`);
  const scores = await logitsOf(device, test.features, test.width, found.parameters);
  const { scores: validation_scores, lambda, atEdge: at_edge } = found;
  return conclude(subject, "transfer", {
    ...(several
      ? { metrics: precisionOf(scores, presence(parts.test, test), classes, seed), test: test.labels.length }
      : judged(subject, scores, test.labels)),
    ...{ train: train.labels.length, validation: validation.labels.length, started },
    asked: { lambdas, iterations },
    found: { validation_scores, chosen: { lambda }, at_edge },
  });
}

/** Rows of the extracted images, row-major [rows, classes]. */
const rowsOfPresence = (presence: Int8Array, places: Int32Array, classes: number): Int8Array =>
  Int8Array.from(
    Array.from(places).flatMap((place) => [...presence.subarray(place * classes, (place + 1) * classes)]),
  );

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

/** The same from a random start, as SimCLR's authors searched it: greater rates and decays, twice the steps (§4.2). */
export const paperScratch: TuningOptions = {
  rates: Array.from({ length: 7 }, (_, i) => 10 ** (-3 + i / 2)),
  weightDecays: Array.from({ length: 8 }, (_, i) => 10 ** (-5 + i / 2)),
  steps: [40_000],
  batch: 256,
  from: "scratch",
};

/** Fine-tuning of all weights; rate, decay and length chosen on validation images, then trained again on all (§4.2). */
export async function evaluateFineTune(subject: Subject, options: TuningOptions): Promise<Result> {
  const { trainval, train, val } = labelled(subject);
  const protocol = options.from === "scratch" ? "from scratch" : "finetune";
  const sides = () => ({ train, validation: toChooseBy(val, subject.data) });
  return tune(subject, protocol, trainval, sides, options);
}

/** Share of a few labels that rate and length are chosen by. */
export const VALIDATION_SHARE = 0.1;

/** The paper's sweep for few labels (§3): five rates, 30 and 50 epochs. */
export const paperSemiRates: readonly number[] = [0.1, 0.05, 0.02, 0.01, 0.005];

/**
 * Fine-tuning on a part of the labels (§3): class-balanced with the seed, or the listed places. Rate and length are chosen
 * on a tenth of that part, so that no other label is used; the paper chooses on its local validation images.
 *
 * @param part `list` says in the result where the places come from
 */
export async function evaluateSemi(
  subject: Subject,
  part: { readonly share: number; readonly places?: readonly number[]; readonly list?: string },
  options: Omit<TuningOptions, "steps"> & { readonly epochs: readonly number[] },
): Promise<Result> {
  const { trainval, labels } = labelled(subject);
  const { data, seed } = subject;
  const places = part.places ?? balancedSubset(labels, data.classes, part.share, seed);
  const few = subset(trainval, places);
  const sides = () => {
    const held = validationSplit(few.labels!, VALIDATION_SHARE, seed);
    return { train: subset(few, held.train), validation: subset(few, held.validation) };
  };
  const batch = Math.min(options.batch, few.length);
  const steps = options.epochs.map((e) => Math.max(1, Math.round((e * few.length) / batch)));
  const name = `semi ${Number((100 * part.share).toPrecision(3))} %`;
  const protocol = options.from === "scratch" ? `${name} from scratch` : name;
  const subset_of = { share: part.share, subset: part.list ?? (part.places ? "listed" : "balanced") };
  const asked = { ...subset_of, epochs: options.epochs, validation_share: VALIDATION_SHARE };
  return tune(subject, protocol, few, sides, { ...options, batch, steps }, asked);
}

/**
 * Tries every candidate, trains again on all the images with the best of them, and measures that. A single candidate needs
 * no choosing: nothing is held back for it.
 */
async function tune(
  subject: Subject,
  protocol: string,
  whole: ImageSet,
  sides: () => { train: ImageSet; validation: ImageSet },
  { rates, weightDecays = [0], steps, batch, from = "encoder" }: TuningOptions,
  askedBeside: Result["settings"] = {},
): Promise<Result> {
  const started = performance.now();
  const { data, device, encoder, seed, note } = subject;
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
  const chosenOn = runs.length > 1 ? sides() : undefined;
  for (const { rate, decay, length } of chosenOn ? runs : []) {
    const score = await logits(chosenOn!.train, chosenOn!.validation, rate, decay, length).then(
      ({ features, labels }) => accuracy(predictions(features, classes), labels),
      (error: unknown) => {
        // A rate too large for this network is a result of the sweep, not an end of it.
        if (error instanceof TrainingError) return null;
        throw error;
      },
    );
    tried.push({ rate, decay, steps: length, validation: score });
    note?.(
      `${protocol}: rate ${rate}, decay ${decay}, ${length} steps: ${score === null ? "diverged" : `validation ${(100 * score).toFixed(1)} %`}`,
    );
  }
  if (chosenOn && tried.every(({ validation }) => validation === null))
    throw new TrainingError(
      `${protocol}: all of the rates ${rates.join(", ")} diverge (try smaller ones; are the encoder's weights numbers?)`,
    );
  const best =
    runs[tried.reduce((a, { validation: v }, i) => ((v ?? -1) > (tried[a]?.validation ?? -1) ? i : a), 0)]!;
  const { features, labels } = await logits(
    whole,
    splitsOf(subject).test,
    best.rate,
    best.decay,
    best.length,
  );
  return conclude(subject, protocol, {
    ...judged(subject, features, labels),
    ...{ train: whole.length, validation: chosenOn?.validation.length, started },
    asked: { ...askedBeside, rates, weight_decays: weightDecays, steps, batch, from },
    found: { tried, chosen: best },
  });
}
