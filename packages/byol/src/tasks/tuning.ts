/** The protocols of the paper that train the encoder on: all labels, or a few of them (byol-spec §3, §4.2). */
import type { Tensor } from "@dawnstrap/tensor";
import { type ImageSet, subset } from "../images/source.js";
import { TrainingError, UsageError } from "../errors.js";
import { type Extracted, extractFeatures } from "./extract.js";
import { type Judge, judgeOf } from "./judge.js";
import type { Result } from "./result.js";
import { conclude, imagesOf, labelled, type Subject, toChooseBy } from "./subject.js";
import { balancedSubset } from "./subsets.js";
import { FineTuner } from "./supervised.js";

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

/**
 * Fine-tuning of all weights; rate, decay and length chosen on validation images, then trained again on all (§4.2). One-vs-rest
 * where images show several classes.
 */
export async function evaluateFineTune(subject: Subject, options: TuningOptions): Promise<Result> {
  const judge = judgeOf(subject);
  const { trainval, train, val } = judge.splits;
  const protocol = options.from === "scratch" ? "from scratch" : "finetune";
  const sides = () => ({ train, validation: toChooseBy(val, subject.data) });
  return tune(subject, protocol, judge, trainval, sides, options);
}

/** The paper's sweep for few labels (§3): five rates, 30 and 50 epochs. */
export const paperSemiRates: readonly number[] = [0.1, 0.05, 0.02, 0.01, 0.005];

/**
 * Fine-tuning on a part of the labels (§3): class-balanced with the seed, or the listed places. Rate and length are chosen
 * on the validation images, as in the paper: a tenth of a few labels could not tell one candidate from another.
 *
 * @param part `list` says in the result where the places come from
 */
export async function evaluateSemi(
  subject: Subject,
  part: { readonly share: number; readonly places?: readonly number[]; readonly list?: string },
  options: Omit<TuningOptions, "steps"> & { readonly epochs: readonly number[] },
): Promise<Result> {
  const { data } = subject;
  const judge = judgeOf(subject);
  const few = part.places
    ? subset(labelled(subject).trainval, part.places)
    : balancedPart(subject, part.share);
  const sides = () => ({ train: few, validation: toChooseBy(without(judge.splits.val, few), data) });
  const batch = Math.min(options.batch, few.length);
  const steps = options.epochs.map((e) => Math.max(1, Math.round((e * few.length) / batch)));
  const name = `semi ${Number((100 * part.share).toPrecision(3))} %`;
  const protocol = options.from === "scratch" ? `${name} from scratch` : name;
  const subset_of = { share: part.share, subset: part.list ?? (part.places ? "listed" : "balanced") };
  const asked = { ...subset_of, epochs: options.epochs };
  return tune(subject, protocol, judge, few, sides, { ...options, batch, steps }, asked);
}

/** So many of all labelled images, none of those to choose by among them. */
function balancedPart(subject: Subject, share: number): ImageSet {
  const { train, trainval } = labelled(subject);
  const most = train.length / trainval.length;
  if (!(share > 0 && share <= most))
    throw new UsageError(
      `share: ${share} is not above 0 and at most ${most.toPrecision(2)}, the images that are not held back to choose by (all labels: finetune)`,
    );
  return subset(train, balancedSubset(train.labels!, subject.data.classes, share / most, subject.seed));
}

/** Images of a set that are not in another, by name: listed ones may come from anywhere. */
function without(set: ImageSet, other: ImageSet): ImageSet {
  if (!set.name || !other.name) return set;
  const names = new Set(Array.from({ length: other.length }, (_, i) => other.name!(i)));
  return subset(
    set,
    [...Array(set.length).keys()].filter((i) => !names.has(set.name!(i))),
  );
}

interface Candidate {
  readonly rate: number;
  readonly decay: number;
  /** Steps. */
  readonly length: number;
}

/**
 * Tries every candidate, trains again on all the images with the best of them, and measures that. A single candidate needs
 * no choosing: nothing is held back for it.
 */
async function tune(
  subject: Subject,
  protocol: string,
  judge: Judge,
  whole: ImageSet,
  sides: () => { train: ImageSet; validation: ImageSet },
  { rates, weightDecays = [0], steps, batch, from = "encoder" }: TuningOptions,
  askedBeside: Result["settings"] = {},
): Promise<Result> {
  const started = performance.now();
  const { data, device, encoder, seed, note } = subject;
  /** Trains on one part with each of the candidates, and hands on what each says of another part. */
  const each = async (
    part: ImageSet,
    on: ImageSet,
    candidates: readonly Candidate[],
    use: (of: Candidate, scores: Extracted | undefined) => void,
  ): Promise<void> => {
    const tuner = new FineTuner(device, encoder, imagesOf(subject, part), { batch, seed, from });
    try {
      for (const candidate of candidates) use(candidate, await scoresOf(tuner, on, candidate));
    } finally {
      tuner.release();
    }
  };
  /** Undefined where a rate is too large for the network: a result of the sweep, not an end of it. */
  const scoresOf = async (tuner: FineTuner, on: ImageSet, { rate, decay, length }: Candidate) => {
    try {
      const network = await tuner.train({ learningRate: rate, weightDecay: decay / rate, steps: length });
      const forward = (x: Tensor) => network.forward(x, { train: false });
      return await extractFeatures({ device, forward, image: encoder.image }, on, data.image);
    } catch (error) {
      if (error instanceof TrainingError) return undefined;
      throw error;
    }
  };
  const runs = steps.flatMap((length) =>
    rates.flatMap((rate) => weightDecays.map((decay) => ({ rate, decay, length }))),
  );
  const tried: { rate: number; decay: number; steps: number; validation: number | null }[] = [];
  const chosenOn = runs.length > 1 ? sides() : undefined;
  if (chosenOn) {
    const { train, validation } = chosenOn;
    await each(train, validation, runs, ({ rate, decay, length }, rows) => {
      const score = rows ? judge.score(rows.features, validation, rows) : null;
      tried.push({ rate, decay, steps: length, validation: score });
      note?.(
        `${protocol}: rate ${rate}, decay ${decay}, ${length} steps: ${score === null ? "diverged" : `validation ${(100 * score).toFixed(1)} %`}`,
      );
    });
  }
  const best =
    runs[tried.reduce((a, { validation: v }, i) => ((v ?? -1) > (tried[a]?.validation ?? -1) ? i : a), 0)]!;
  const { test } = judge.splits;
  let rows: Extracted | undefined;
  if (tried.length === 0 || tried.some(({ validation }) => validation !== null))
    await each(whole, test, [best], (_, scores) => (rows = scores));
  if (!rows)
    throw new TrainingError(
      `${protocol}: training diverges with the rates ${rates.join(", ")} (try smaller ones; are the encoder's weights numbers?)`,
    );
  return await conclude(subject, protocol, {
    metrics: judge.metrics(rows.features, test, rows),
    ...{ train: whole.length, validation: chosenOn?.validation.length, test: rows.labels.length, started },
    asked: { ...askedBeside, rates, weight_decays: weightDecays, steps, batch, from },
    found: { tried, chosen: best },
  });
}
