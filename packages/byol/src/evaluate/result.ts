/** A protocol's result: numbers with their intervals, and everything that is needed to repeat it. */
import { publishedFor } from "./published.js";
import {
  bootstrap,
  bootstrapMean,
  confusionMatrix,
  hits,
  type Interval,
  type Interpolation,
  meanAveragePrecision,
  meanPerClassAccuracy,
  predictions,
  topKHits,
} from "./metrics.js";

export interface Metrics {
  /** These where every image has one class. */
  readonly top1?: Interval;
  /** Where there are more than five classes. */
  readonly top5?: Interval;
  readonly mean_per_class?: Interval;
  /** Row-major [classes, classes]: row = label, column = prediction. */
  readonly confusion?: readonly number[];
  /** Mean average precision, where images show several classes. */
  readonly map_11_point?: Interval;
  readonly map_all_point?: Interval;
}

export interface Result {
  readonly protocol: string;
  readonly encoder: string;
  readonly data: string;
  readonly device: string;
  readonly seed: number;
  /** What the protocol was run with, and what it chose. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly images: { readonly train: number; readonly validation?: number; readonly test: number };
  readonly classes: readonly string[];
  readonly metrics: Metrics;
  readonly seconds: number;
}

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

const names = {
  top1: "top-1",
  top5: "top-5",
  mean_per_class: "mean per class",
  map_11_point: "mAP (11-point)",
  map_all_point: "mAP (all points)",
} as const;
const percent = (share: number): string => (100 * share).toFixed(1);

/** A Markdown table of results, a row each, beside the paper's row where it has one. */
export function resultTable(results: readonly Result[]): string {
  const columns = (Object.keys(names) as (keyof typeof names)[]).filter((k) =>
    results.some((r) => r.metrics[k]),
  );
  const cells = ({ metrics }: Result): string[] =>
    columns.map((k) => {
      const m = metrics[k];
      return m ? `${percent(m.value)} (${percent(m.low)}–${percent(m.high)})` : "";
    });
  const rows = results.flatMap((result) => {
    const { protocol, data, encoder, seed } = result;
    const published = publishedFor(protocol, data);
    const own = [protocol, data, encoder, String(seed), ...cells(result)];
    if (!published) return [own];
    const paper = columns.map((k) => {
      const value = k === "map_all_point" ? undefined : published[k];
      return value === undefined ? "" : percent(value);
    });
    return [own, [protocol, data, `BYOL, ResNet-50, the paper's ${published.source}`, "", ...paper]];
  });
  const head = ["protocol", "data", "encoder", "seed", ...columns.map((k) => names[k])];
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
