/** Semi-supervised learning: fine-tuning on a part of the labels (paper, App. C.1). */
import { UsageError } from "../../errors.js";
import { type ImageSet, subset } from "../../images/source.js";
import { judgeOf } from "../judge.js";
import { listedSubset } from "../listed-subset.js";
import { choice, positive, positives, textFile, whole } from "../options.js";
import { defineProtocol, type Published } from "../protocol.js";
import type { Result } from "../result.js";
import { labelled, type Subject, toChooseBy } from "../subject.js";
import { balancedSubset } from "../subsets.js";
import { type TuningOptions, tune } from "../tuning.js";
import { classification } from "./names.js";

/** The paper's sweep for few labels (App. C.1): five rates, 30 and 50 epochs. */
export const paperSemiRates: readonly number[] = [0.1, 0.05, 0.02, 0.01, 0.005];

/**
 * Fine-tuning on a part of the labels (App. C.1): class-balanced with the seed, or the listed places. Rate and length are chosen
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

/** ImageNet, ResNet-50. */
const published: Readonly<Record<string, Published>> = {
  "semi 1 %": { top1: 0.532, top5: 0.784, source: "Table 2" },
  "semi 10 %": { top1: 0.688, top5: 0.89, source: "Table 2" },
};

export const semi = defineProtocol({
  name: "semi",
  about: "all weights on a part of the labels (paper, App. C.1)",
  options: {
    share: positive("p", "part of the labels, class-balanced by the seed", 0.01),
    subset: textFile("the labelled images instead, a file name a line, as SimCLR lists ImageNet's", "share"),
    rates: positives("learning rates", paperSemiRates),
    epochs: positives("lengths to try", [30, 50]),
    batch: whole(2, "n", "images in a step", 1024),
    from: choice(
      ["encoder", "scratch"],
      "the encoder's weights, or a random start of the same network",
      "start",
    ),
  },
  run(subject, { share, subset: file, ...options }) {
    if (!file) return evaluateSemi(subject, { share }, options);
    const all = subject.data.splits?.trainval ?? subject.data.train;
    const names = Array.from({ length: all.length }, (_, i) => all.name?.(i) ?? "");
    const places = listedSubset(file, names);
    return evaluateSemi(subject, { share: places.length / all.length, places, list: file.path }, options);
  },
  metrics: classification,
  published: (protocol, data) => (data === "imagenet" ? published[protocol] : undefined),
});
