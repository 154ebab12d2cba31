/** What is plotted against the step, thinned so that a run of a million steps still makes a small page. */
import type { MetricsLine, ReportedRun } from "./run.js";

export interface Plot {
  readonly title: string;
  /** One for each run that has these numbers. */
  readonly curves: readonly { readonly run: number; readonly x: number[]; readonly y: number[] }[];
}

const titles = {
  loss: "loss",
  std: "std of the normalised projections",
  effective_rank: "effective rank of the projections",
  knn_accuracy: "accuracy of kNN on the way",
  probe_accuracy: "accuracy of the online probe (training images)",
  lr: "learning rate",
  tau: "τ",
  target_distance: "distance of the target, ‖θ − ξ‖ / ‖θ‖",
  images_per_second: "images a second",
} as const satisfies Partial<Record<keyof MetricsLine, string>>;

/** Points of a curve, at most. */
const most = 500;

export function plotsOf(runs: readonly ReportedRun[]): Plot[] {
  return (Object.keys(titles) as (keyof typeof titles)[])
    .map((key) => ({
      title: titles[key],
      curves: runs
        .map(({ metrics }, run) => ({ run, ...thinned(metrics, key) }))
        .filter(({ x }) => x.length > 0),
    }))
    .filter(({ curves }) => curves.length > 0);
}

/** Means of equally many neighbouring points, each at the last of its steps. */
function thinned(metrics: readonly MetricsLine[], key: keyof typeof titles): { x: number[]; y: number[] } {
  const points = metrics.flatMap(({ step, [key]: value }) => (value === undefined ? [] : [{ step, value }]));
  const each = Math.ceil(points.length / most);
  const [x, y]: [number[], number[]] = [[], []];
  for (let at = 0; at < points.length; at += each) {
    const bunch = points.slice(at, at + each);
    x.push(bunch.at(-1)!.step);
    y.push(Number((bunch.reduce((sum, { value }) => sum + value, 0) / bunch.length).toPrecision(6)));
  }
  return { x, y };
}
