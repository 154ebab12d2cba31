/** A protocol's result: numbers with their intervals, and everything that is needed to repeat it. */
import { publishedFor } from "./published.js";
import {
  bootstrap,
  bootstrapMean,
  confusionMatrix,
  hits,
  type Interval,
  meanPerClassAccuracy,
  predictions,
  topKHits,
} from "./metrics.js";

export interface Metrics {
  readonly top1: Interval;
  /** Where there are more than five classes. */
  readonly top5?: Interval;
  readonly mean_per_class: Interval;
  /** Row-major [classes, classes]: row = label, column = prediction. */
  readonly confusion: readonly number[];
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

const names = { top1: "top-1", top5: "top-5", mean_per_class: "mean per class" } as const;
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
    const paper = columns.map((k) => (published[k] === undefined ? "" : percent(published[k])));
    return [own, [protocol, data, `BYOL, ResNet-50, the paper's ${published.source}`, "", ...paper]];
  });
  const head = ["protocol", "data", "encoder", "seed", ...columns.map((k) => names[k])];
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
