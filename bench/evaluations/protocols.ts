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
} from "@dawnstrap/byol/tasks";

export interface Protocol {
  readonly name: string;
  /** Also run on features of the other domain's encoder. */
  readonly crosses: boolean;
  readonly run: (subject: Subject) => Promise<Result>;
}

/**
 * Of semi-supervised learning: emoji have few labels, so that a sweep is cheap, and want small rates; with a tenth of the digits
 * an earlier sweep chose 0.1 over 0.02 every time.
 */
const fewRates: Readonly<
  Record<string, { readonly one: readonly number[]; readonly ten: readonly number[] }>
> = {
  digits: { one: [0.3, 0.1, 0.02], ten: [0.1] },
  emoji: { one: [0.1, 0.03, 0.01, 0.003], ten: [0.1, 0.03, 0.01, 0.003] },
};
/** What sweeps over 0.1 and 0.02 chose with all labels, from BYOL and from scratch alike. */
const rate = 0.1;
/** Wider than the paper's: features of a network that was not trained are small, and want a large rate. */
const linearRates = [0.1, 0.4, 1, 3, 10, 30, 100, 300];
const few = (share: number, epochs: number, part: "one" | "ten") => (subject: Subject) =>
  evaluateSemi(
    subject,
    { share },
    { rates: fewRates[subject.data.name]![part], epochs: [epochs], batch: 64 },
  );

export const protocols: readonly Protocol[] = [
  { name: "kNN", crosses: true, run: (s) => evaluateKnn(s, { k: 50 }) },
  { name: "linear, cached features", crosses: true, run: (s) => evaluateLinearCached(s) },
  {
    name: "linear, SGD on crops",
    crosses: false,
    run: (s) => evaluateLinear(s, { rates: linearRates, epochs: 5, batch: 256 }),
  },
  { name: "transfer, 45 λ", crosses: true, run: (s) => evaluateTransfer(s) },
  { name: "semi 1 %", crosses: false, run: few(0.01, 50, "one") },
  { name: "semi 10 %", crosses: false, run: few(0.1, 30, "ten") },
  {
    name: "fine-tune, all labels",
    crosses: false,
    run: (s) => evaluateFineTune(s, { rates: [rate], steps: [300], batch: 64 }),
  },
];

const said = (data: string): string => {
  const { one, ten } = fewRates[data]!;
  return `${one.join(", ")} and ${ten.join(", ")}`;
};

export const settings =
  "kNN: 50 neighbours, cosine, T 0.1. Linear on crops: 5 epochs, batch 256, rates " +
  `${linearRates.join(", ")} for a batch of 256. Semi: all weights on 1 % (50 epochs) and 10 % (30 epochs) ` +
  `of the labels, batch 64, rates on digits ${said("digits")}, on emoji ${said("emoji")}. Fine-tune: 300 steps of 64, rate ${rate}. Rates and λ are chosen on ` +
  "validation images. Semi and fine-tune from random initialisation are training from scratch.";
