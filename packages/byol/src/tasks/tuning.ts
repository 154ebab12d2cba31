/** Training with labels over a sweep of candidates (paper, App. C.1 and D.3). */
import type { Tensor } from "@dawnstrap/tensor";
import { TrainingError } from "../errors.js";
import type { ImageSet } from "../images/source.js";
import { type Extracted, extractFeatures } from "./extract.js";
import type { Judge } from "./judge.js";
import type { Result } from "./result.js";
import { conclude, imagesOf, type Subject } from "./subject.js";
import { FineTuner } from "./supervised.js";

export interface TuningOptions {
  readonly rates: readonly number[];
  /** Penalties, each divided by the learning rate (App. D.3). Default [0]. */
  readonly weightDecays?: readonly number[];
  /** Lengths that are tried, in steps. */
  readonly steps: readonly number[];
  readonly batch: number;
  readonly from?: "encoder" | "scratch";
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
export async function tune(
  subject: Subject,
  protocol: string,
  judge: Judge,
  whole: ImageSet,
  sides: () => { train: ImageSet; validation: ImageSet },
  { rates, weightDecays = [0], steps, batch, from = "encoder" }: TuningOptions,
  askedBeside: Result["settings"] = {},
): Promise<Result> {
  const started = performance.now();
  const { data, device, encoder, seed, note, meter } = subject;
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
    const before = done;
    try {
      const network = await tuner.train({
        learningRate: rate,
        weightDecay: decay / rate,
        steps: length,
        onStep: () => tell?.(++done),
      });
      const forward = (x: Tensor) => network.forward(x, { train: false });
      return await extractFeatures({ device, forward, image: encoder.image }, on, data.image);
    } catch (error) {
      if (error instanceof TrainingError) return undefined;
      throw error;
    } finally {
      // A training that diverged has ended early.
      done = before + length;
    }
  };
  const runs = steps.flatMap((length) =>
    rates.flatMap((rate) => weightDecays.map((decay) => ({ rate, decay, length }))),
  );
  const longest = Math.max(...steps);
  const chosen = runs.length > 1;
  if (chosen)
    note?.(
      `${protocol}: ${runs.length} candidates of ${steps.join(" or ")} steps, then one more training with the best of them`,
    );
  const tell = meter?.({
    what: protocol,
    total: longest + (chosen ? runs.reduce((n, { length }) => n + length, 0) : 0),
    units: "training steps",
    shorter: "fewer candidates, fewer steps in each, or a smaller --batch",
  });
  let done = 0;
  const tried: { rate: number; decay: number; steps: number; validation: number | null }[] = [];
  const chosenOn = chosen ? sides() : undefined;
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
