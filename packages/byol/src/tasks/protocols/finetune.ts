/** Fine-tuning on all labels (paper, App. D.3). */
import { judgeOf } from "../judge.js";
import { choice, notNegatives, positives, whole, wholes } from "../options.js";
import { defineProtocol } from "../protocol.js";
import { transferred } from "../published.js";
import type { Result } from "../result.js";
import { type Subject, toChooseBy } from "../subject.js";
import { type TuningOptions, tune } from "../tuning.js";
import { classification, precision } from "./names.js";

/** Seven rates from 1e-4 to 0.1, and no decay or seven from 1e-6 to 1e-3 (App. D.3): 56 runs. */
export const paperTuning: TuningOptions = {
  rates: Array.from({ length: 7 }, (_, i) => 10 ** (-4 + i / 2)),
  weightDecays: [0, ...Array.from({ length: 7 }, (_, i) => 10 ** (-6 + i / 2))],
  steps: [20_000],
  batch: 256,
};

/** The same from a random start, as SimCLR's authors searched it: greater rates and decays, twice the steps (App. D.3). */
export const paperScratch: TuningOptions = {
  rates: Array.from({ length: 7 }, (_, i) => 10 ** (-3 + i / 2)),
  weightDecays: Array.from({ length: 8 }, (_, i) => 10 ** (-5 + i / 2)),
  steps: [40_000],
  batch: 256,
  from: "scratch",
};

/**
 * Fine-tuning of all weights; rate, decay and length chosen on validation images, then trained again on all (App. D.3). One-vs-rest
 * where images show several classes.
 */
export async function evaluateFineTune(subject: Subject, options: TuningOptions): Promise<Result> {
  const judge = judgeOf(subject);
  const { trainval, train, val } = judge.splits;
  const protocol = options.from === "scratch" ? "from scratch" : "finetune";
  const sides = () => ({ train, validation: toChooseBy(val, subject.data) });
  return tune(subject, protocol, judge, trainval, sides, options);
}

/** The ends of the paper's lists, from the encoder and from scratch. */
const defaultsOf = (key: "rates" | "weightDecays" | "steps"): string => {
  const ends = (values: readonly number[]): string => {
    const all = values.map((value) => Number(value.toPrecision(3)));
    return all.length > 1 ? `${all.length} from ${all[0]} to ${all.at(-1)}` : String(all[0]);
  };
  return `${ends(paperTuning[key]!)}, from scratch ${ends(paperScratch[key]!)}`;
};

export const finetune = defineProtocol({
  name: "finetune",
  about: "all weights on all labels; rate and decay chosen on validation images (paper, App. D.3)",
  options: {
    rates: positives(`learning rates; default: ${defaultsOf("rates")}`),
    decays: notNegatives(`penalties, each divided by the rate; default: ${defaultsOf("weightDecays")}`),
    steps: wholes(`lengths to try; default: ${defaultsOf("steps")}`),
    batch: whole(2, "n", "images in a step", paperTuning.batch),
    from: choice(
      ["encoder", "scratch"],
      "the encoder's weights, or a random start of the same network",
      "start",
    ),
  },
  run(subject, { rates, decays, steps, batch, from }) {
    const paper = from === "scratch" ? paperScratch : paperTuning;
    return evaluateFineTune(subject, {
      rates: rates ?? paper.rates,
      weightDecays: decays ?? paper.weightDecays!,
      steps: steps ?? paper.steps,
      ...{ batch, from },
    });
  },
  metrics: { ...classification, ...precision },
  published(protocol, data) {
    if (protocol !== "finetune") return undefined;
    return data === "imagenet"
      ? { top1: 0.777, top5: 0.939, source: "Table 8" }
      : transferred(data, "finetune");
  },
});
