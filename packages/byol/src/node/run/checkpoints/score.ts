/** How good a checkpoint is: what the metrics since the one before say. */
import type { StepMetrics } from "../../../metrics.js";

/** From the best judge to the last resort: the loss of BYOL also falls on the way to collapse. */
export const judges = ["knn_accuracy", "probe_accuracy", "loss"] as const;

export interface Score {
  /** The mean accuracy of kNN on the way, else of the online probe, else the mean loss. */
  readonly by: (typeof judges)[number];
  readonly value: number;
  /** Steps done at the checkpoint. */
  readonly step: number;
}

/** Averages metrics from one checkpoint to the next. */
export class Scorer {
  private seen = judges.map(() => ({ sum: 0, count: 0 }));

  add(metrics: StepMetrics): void {
    for (const [k, judge] of judges.entries()) {
      const value = metrics[judge];
      if (value === undefined) continue;
      this.seen[k]!.sum += value;
      this.seen[k]!.count++;
    }
  }

  /** The score of the steps since the last call; undefined where there were none. */
  take(step: number): Score | undefined {
    const k = this.seen.findIndex(({ count }) => count > 0);
    const { sum, count } = this.seen[k] ?? { sum: 0, count: 0 };
    this.seen = judges.map(() => ({ sum: 0, count: 0 }));
    return k < 0 ? undefined : { by: judges[k]!, value: sum / count, step };
  }
}

/** Whether a score beats the best so far; that of a better judge always does, that of a worse one never. */
export function isBetter(score: Score, best: Score | null): boolean {
  if (!best) return true;
  if (best.by !== score.by) return judges.indexOf(score.by) < judges.indexOf(best.by);
  return score.by === "loss" ? score.value < best.value : score.value > best.value;
}
