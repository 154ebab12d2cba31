/** Linear evaluation: on augmented images (paper, App. C.1), or on features made once. */
import { UsageError } from "../../errors.js";
import { type FrozenLinearOptions, paperRates, trainFrozenLinear } from "../frozen-linear.js";
import { judged } from "../judge.js";
import { fitLinear, type LinearOptions, linearAccuracy } from "../linear.js";
import type { Meter } from "../meter.js";
import { accuracy, predictions } from "../metrics.js";
import { choice, flag, positive, positives, whole } from "../options.js";
import { defineProtocol, type Published } from "../protocol.js";
import type { Result } from "../result.js";
import { conclude, frozenFeatures, imagesOf, labelled, type Subject, toChooseBy } from "../subject.js";
import { classification } from "./names.js";

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
  return await conclude(subject, "linear (cached features)", {
    ...judged(subject, scores, test.labels),
    ...{ train: train.labels.length, asked, found: { iterations_done: done, converged }, started },
  });
}

/** The frozen-encoder SGD protocol of the paper, App. C.1; the learning rate is chosen on the validation images. */
export async function evaluateLinear(
  subject: Subject,
  options: Omit<FrozenLinearOptions, "seed" | "onStep"> = {},
): Promise<Result> {
  const { train, val: validation, test: held } = labelled(subject);
  const started = performance.now();
  const { data, device, encoder, seed, meter } = subject;
  const val = toChooseBy(validation, data);
  let tell: ReturnType<Meter> | undefined;
  const trained = await trainFrozenLinear(device, encoder, imagesOf(subject, train), {
    ...options,
    seed,
    onStep: (step, steps) => {
      tell ??= meter?.({
        ...{ what: "linear", total: steps, units: "steps" },
        shorter: "fewer --epochs, or --variant cached",
      });
      tell?.(step + 1);
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
  return await conclude(subject, changed.length ? `linear (${changed.join(", ")})` : "linear", {
    ...judged(subject, scores, test.labels),
    ...{ train: train.length, validation: val.length, asked, found, started },
  });
}

/** ImageNet, ResNet-50. */
const published: Readonly<Record<string, Published>> = {
  linear: { top1: 0.743, top5: 0.916, source: "Table 1" },
  "linear (augmented, regularised)": { top1: 0.748, top5: 0.918, source: "Table 7" },
};

export const linear = defineProtocol({
  name: "linear",
  about: "a linear classifier on the frozen encoder (paper, App. C.1)",
  options: {
    variant: choice(
      ["frozen", "cached"],
      "frozen: SGD on augmented images, the paper's; cached: on features made once",
    ),
    rates: positives("base learning rates, the best on validation images is taken", paperRates),
    epochs: positive("n", "passes over the images", 80),
    batch: whole(1, "n", "images in a step", 1024),
    augment: choice(
      ["crop", "view"],
      "crop: crop and mirror; view: all of the pre-training's first view (Table 7)",
    ),
    regularised: flag("bounded logits and a penalty on them (the paper's Table 7)"),
  },
  check({ variant }, given) {
    const others = given.filter((name) => name !== "variant");
    if (variant === "cached" && others.length > 0)
      throw new UsageError(
        `linear: --variant cached has no use for --${others.join(", --")} (leave them out, or take --variant frozen)`,
      );
  },
  run: (subject, { variant, ...options }) =>
    variant === "cached" ? evaluateLinearCached(subject) : evaluateLinear(subject, options),
  metrics: classification,
  published: (protocol, data) => (data === "imagenet" ? published[protocol] : undefined),
  quick: {
    key: "linear",
    title: "linear probe",
    accuracy: (device, bank, held, classes, { signal }) =>
      linearAccuracy(device, bank, held, classes, { signal }),
  },
});
