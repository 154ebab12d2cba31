/** The protocols with settings for two cores: fewer candidates and shorter than the paper's, the same for every start. */
import {
  evaluateFineTune,
  evaluateKnn,
  evaluateLinear,
  evaluateLinearCached,
  evaluateSemi,
  evaluateTransfer,
  type Result,
  type Subject,
} from "@dawnstrap/byol";

export interface Protocol {
  readonly name: string;
  /** Also run on features of the other domain's encoder. */
  readonly crosses: boolean;
  readonly run: (subject: Subject) => Promise<Result>;
}

/** A sweep is cheap where labels are few. */
const fewRates = [0.3, 0.1, 0.03];
/** What sweeps over 0.1 and 0.02 chose with all labels, from BYOL and from scratch alike. */
const rate = 0.1;
/** Wider than the paper's: features of a network that was not trained are small, and want a large rate. */
const linearRates = [0.1, 0.4, 1, 3, 10, 30, 100, 300];
const few = (share: number, epochs: number, rates: readonly number[]) => (subject: Subject) =>
  evaluateSemi(subject, { share }, { rates, epochs: [epochs], batch: 64 });

export const protocols: readonly Protocol[] = [
  { name: "kNN", crosses: true, run: (s) => evaluateKnn(s, { k: 50 }) },
  { name: "linear, cached features", crosses: true, run: (s) => evaluateLinearCached(s) },
  {
    name: "linear, SGD on crops",
    crosses: false,
    run: (s) => evaluateLinear(s, { rates: linearRates, epochs: 5, batch: 256 }),
  },
  { name: "transfer, 45 λ", crosses: true, run: (s) => evaluateTransfer(s) },
  { name: "semi 1 %", crosses: false, run: few(0.01, 50, fewRates) },
  { name: "semi 10 %", crosses: false, run: few(0.1, 30, fewRates) },
  {
    name: "fine-tune, all labels",
    crosses: false,
    run: (s) => evaluateFineTune(s, { rates: [rate], steps: [300], batch: 64 }),
  },
];

export const settings =
  "kNN: 50 neighbours, cosine, T 0.1. Linear on crops: 5 epochs, batch 256, rates " +
  `${linearRates.join(", ")} for a batch of 256. Semi: all weights on 1 % (50 epochs) and 10 % (30 epochs) ` +
  `of the labels, rates ${fewRates.join(", ")}, batch 64. Fine-tune: 300 steps of 64, rate ${rate}. Rates and λ are chosen on ` +
  "validation images. Semi and fine-tune from random initialisation are training from scratch.";
