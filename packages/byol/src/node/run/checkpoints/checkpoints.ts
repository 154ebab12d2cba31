/** When a run writes checkpoints, and what goes into them. */
import type { Variable } from "@dawnstrap/tensor";
import type { StepMetrics } from "../../../metrics.js";
import type { RunRecord } from "./record.js";
import { isBetter, type Score, Scorer } from "./score.js";
import { readState } from "./state.js";
import type { CheckpointStore } from "./store.js";

/** Beside these times one is written at the end of training and when a run is interrupted. */
export interface Cadence {
  /** Every so many updates. */
  readonly steps?: number;
  /** When so many minutes have passed since the last one. */
  readonly minutes?: number;
}

export interface CheckpointOptions extends Cadence {
  /** How many of the last stay, beside the best. Default 3. */
  readonly keep?: number;
}

/** A run, as its checkpoints see it. */
export interface Recorded {
  /** Waits until the metrics so far are on the disk. */
  sync(): void;
  /** What a checkpoint after `step` updates holds beside arrays. */
  record(step: number, best: Score | null): RunRecord;
}

export class Checkpoints {
  private readonly scorer = new Scorer();
  private last = performance.now();
  private best: Score | null;

  /**
   * @param best of the run so far, where it is resumed
   */
  constructor(
    private readonly store: CheckpointStore,
    private readonly variables: ReadonlyMap<string, Variable>,
    private readonly run: Recorded,
    private readonly cadence: Cadence,
    best: Score | null,
  ) {
    this.best = best;
  }

  add(metrics: StepMetrics): void {
    this.scorer.add(metrics);
  }

  /** Whether one is due after `done` updates. */
  due(done: number): boolean {
    const { steps, minutes } = this.cadence;
    if (steps !== undefined && done % steps === 0) return true;
    return minutes !== undefined && performance.now() - this.last >= minutes * 60_000;
  }

  /** Writes the state after `done` updates, whose metrics have all been added. */
  async save(done: number): Promise<void> {
    const score = this.scorer.take(done);
    if (score && isBetter(score, this.best)) this.best = score;
    // The metrics up to a checkpoint reach the disk before it does.
    this.run.sync();
    const record = this.run.record(done, this.best);
    await this.store.save({ record, state: await readState(this.variables) });
    this.last = performance.now();
  }
}
