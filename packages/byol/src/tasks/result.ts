/** A protocol's result: numbers with their intervals, and everything that is needed to repeat it. */
import { z } from "zod";
import {
  bootstrap,
  bootstrapMean,
  confusionMatrix,
  hits,
  type Interpolation,
  type Interval,
  meanAveragePrecision,
  meanPerClassAccuracy,
  predictions,
  topKHits,
} from "./metrics.js";

const interval = z.object({ value: z.number(), low: z.number(), high: z.number() });

/** Metrics by name, each with its interval; beside them the confusions, where every image has one class. */
export interface Metrics {
  /** Row-major [classes, classes]: row = label, column = prediction. */
  readonly confusion?: readonly number[];
  /** Of images that have one class each. */
  readonly top1?: Interval;
  /** Where there are more than five classes. */
  readonly top5?: Interval;
  readonly mean_per_class?: Interval;
  /** Mean average precision, where images show several classes. */
  readonly map_11_point?: Interval;
  readonly map_all_point?: Interval;
  /** Of other protocols. */
  readonly [name: string]: Interval | readonly number[] | undefined;
}

const metrics: z.ZodType<Metrics> = z
  .object({ confusion: z.array(z.int().min(0)).optional() })
  .catchall(interval.optional()) as z.ZodType<Metrics>;

const anything = z.record(z.string(), z.unknown());

/** As it is written to a file, and read from one. */
export const resultSchema = z
  .object({
    /** Of what was asked, and of what: the same protocol with the same settings on the same encoder and data. */
    id: z.string(),
    protocol: z.string(),
    /** Of @dawnstrap/byol. */
    version: z.string(),
    /** When it ended, ISO 8601. */
    date: z.string(),
    encoder: z.string(),
    encoder_file: z.string(),
    encoder_sha256: z.string(),
    /** How images were brought to the encoder. */
    image: anything,
    /** How far a crop may go, and whether images are mirrored, where the protocol augments. */
    view: anything,
    data: z.string(),
    /** How the data were opened, where that is known. */
    data_options: anything.optional(),
    device: z.string(),
    device_description: z.string(),
    seed: z.number(),
    /** What the protocol was run with, and what it chose. */
    settings: anything,
    images: z.object({
      train: z.number(),
      validation: z.number().optional(),
      test: z.number(),
      /** Could not be read. */
      skipped: z.number(),
    }),
    classes: z.array(z.string()),
    metrics,
    seconds: z.number(),
  })
  .refine(({ classes, metrics: { confusion } }) => !confusion || confusion.length === classes.length ** 2, {
    path: ["metrics", "confusion"],
    message: "it has not a count for every two classes",
  });
export type Result = z.infer<typeof resultSchema>;

/** Metrics of scores, row-major [images, classes], with bootstrap intervals over the images. */
export function metricsOf(
  scores: ArrayLike<number>,
  labels: Int32Array,
  classes: number,
  seed: number,
): Metrics {
  const predicted = predictions(scores, classes);
  return {
    top1: bootstrapMean(hits(predicted, labels), { seed }),
    ...(classes > 5 && { top5: bootstrapMean(topKHits(scores, labels, classes, 5), { seed }) }),
    mean_per_class: bootstrap(
      labels.length,
      (places) => {
        const of = (values: Int32Array): Int32Array => Int32Array.from(places, (i) => values[i]!);
        return meanPerClassAccuracy(of(predicted), of(labels), classes);
      },
      { seed },
    ),
    confusion: Array.from(confusionMatrix(predicted, labels, classes)),
  };
}

/** Mean average precision with bootstrap intervals. `presence` has VOC's values, row-major [images, classes]. */
export function precisionOf(
  scores: Float32Array,
  presence: Int8Array,
  classes: number,
  seed: number,
): Metrics {
  const count = scores.length / classes;
  const interval = (interpolation: Interpolation): Interval =>
    bootstrap(
      count,
      (places) => {
        const rows = <T extends Float32Array | Int8Array>(of: T): number[] =>
          Array.from(places).flatMap((i) => [...of.subarray(i * classes, (i + 1) * classes)]);
        return meanAveragePrecision(rows(scores), rows(presence), classes, interpolation);
      },
      // Sorting every class anew for every draw is dear.
      { seed, draws: 100 },
    );
  return { map_11_point: interval("11-point"), map_all_point: interval("all-point") };
}
