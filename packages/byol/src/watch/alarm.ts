/** Tells once when the projections stop telling images apart. */

import type { StepMetrics } from "../metrics.js";

/**
 * A healthy std is about 1/√width; well below that, the images draw together on one point. Healthy runs of digits and emoji stay
 * above 0.75 of it; without a predictor it falls to a twentieth, or to a third where projections are standardised.
 */
const leastSpread = 0.4;
/** Below this effective rank they lie on nearly one line. Healthy runs of the digits preset pass through 1.5. */
const leastRank = 1.2;
/** Looks in a row that must agree: the first steps of a run, and single batches, may dip. */
const patience = 3;

export class CollapseAlarm {
  private bad = 0;
  private rung = false;

  /** @param width of the projections */
  constructor(private readonly width: number) {}

  /** The metrics of a step, with a warning when looks in a row were near collapse, the first time only. */
  ring(metrics: StepMetrics): StepMetrics {
    const warning =
      metrics.effective_rank === undefined ? undefined : this.look(metrics.std, metrics.effective_rank);
    return warning === undefined ? metrics : { ...metrics, alarm: warning };
  }

  private look(std: number, rank: number): string | undefined {
    const share = std * Math.sqrt(this.width);
    const onePoint = share < leastSpread;
    this.bad = onePoint || rank < leastRank ? this.bad + 1 : 0;
    if (this.rung || this.bad < patience) return undefined;
    this.rung = true;
    const where = onePoint ? "one point" : "one line";
    return (
      `the projections collapse onto ${where}: std ${std.toExponential(1)} (healthy: about ` +
      `${(1 / Math.sqrt(this.width)).toFixed(3)}), effective rank ${rank.toFixed(1)} of ${this.width}; ` +
      "what is trained on from here tells images apart less and less (try a larger τ, a smaller learning rate, a larger batch)"
    );
  }
}
