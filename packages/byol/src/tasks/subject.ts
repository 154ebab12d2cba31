/** What every protocol starts from, checked, and the result that it ends in. */
import type { Device, Tensor } from "@dawnstrap/tensor";
import { packageVersion } from "../version.js";
import type { DataOptions, DataSource, ImageSet, Splits } from "../images/source.js";
import { DataError } from "../errors.js";
import { sha256 } from "./digest.js";
import { buildEncoder, type EncoderFile } from "./encoder.js";
import { type Extracted, extractFeatures } from "./extract.js";
import { imagesWork, type Meter } from "./meter.js";
import type { Result } from "./result.js";
import type { LabelledImages } from "./loop.js";

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
  /** Told of work that may take long. */
  readonly meter?: Meter;
}

/** The labelled images: to learn from (train and val together), to choose by, to measure with. */
export function splitsOf({ data }: Subject): Splits {
  const { splits, classes } = data;
  if (!splits || classes.length < 2 || splits.test.length === 0)
    throw new DataError(
      `evaluation: ${data.name} has ${classes.length} classes and ${splits?.test.length ?? 0} held-out images; ` +
        "labelled images to learn from and to measure with are wanted (one sub-folder per class)" +
        (data.notes ?? []).map((note) => `; ${note}`).join(""),
    );
  return splits;
}

/** As `splitsOf`, where every image has one class. */
export function labelled(subject: Subject): Splits & { readonly labels: Int32Array } {
  const splits = splitsOf(subject);
  const { classes, name } = subject.data;
  for (const set of [splits.trainval, splits.test]) {
    if (!set.labels)
      throw new DataError(
        `evaluation: images of ${name} show several classes each; only transfer and finetune measure those`,
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
export function toChooseBy(set: ImageSet, { name }: DataSource): ImageSet {
  if (set.length > 0) return set;
  throw new DataError(`evaluation: ${name} has too few training images to hold any back to choose by`);
}

/** Puts a result together. */
export async function conclude(
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
): Promise<Result> {
  const { data, encoder, seed, device, dataOptions } = subject;
  const { crop, flip } = encoder.view;
  const question = {
    ...{ protocol, encoder_sha256: encoder.sha256, image: encoder.image, view: { crop, flip } },
    ...{ data: data.name, device: device.kind, seed },
  };
  const sum = await sha256(new TextEncoder().encode(JSON.stringify([question, of.asked])));
  return {
    ...{ ...question, id: sum.slice(0, 8), version: packageVersion },
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
export function frozenFeatures(
  { device, encoder, data, meter }: Subject,
  image = encoder.image,
): (set: ImageSet) => Promise<Extracted> {
  const network = buildEncoder(device, encoder);
  return (set) => {
    const onImages = meter?.(imagesWork(set));
    const forward = (x: Tensor) => network.forward(x, { train: false });
    return extractFeatures({ device, forward, image, ...(onImages && { onImages }) }, set, data.image);
  };
}

/** Images of a set, and how they are brought to the encoder. */
export const imagesOf = ({ data }: Subject, set: ImageSet): LabelledImages => ({
  set,
  shape: data.image,
  classes: data.classes.length,
});
