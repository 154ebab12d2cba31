/** A plan in words. */
import { columns } from "../columns.js";
import { recomputes } from "./fit.js";
import type { RunPlan } from "./plan.js";

const size = (bytes: number): string =>
  bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
const count = (n: number): string => n.toLocaleString("en-GB");
const giga = (multiplyAdds: number): string => `${((2 * multiplyAdds) / 1e9).toPrecision(4)} GFLOP`;

/** Such as "90.0 s", "12 minutes", "3.4 hours", "5.2 days". */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toPrecision(3)} s`;
  if (seconds < 2 * 3600) return `${(seconds / 60).toFixed(0)} minutes`;
  return seconds < 48 * 3600
    ? `${(seconds / 3600).toFixed(1)} hours`
    : `${(seconds / 86_400).toFixed(1)} days`;
}

/** What `byol plan` prints. */
export function planReport(plan: RunPlan): string {
  const { parameters, work, bytes, steps, secondsPerStep: each } = plan;
  const total = Object.values(parameters).reduce((n, k) => n + k, 0);
  const memory = recomputes.map((checkpoint) => {
    const at = bytes[checkpoint];
    const cells =
      typeof at === "string"
        ? ["", "", "", "a buffer is too large"]
        : [at.weights, at.optimizer, at.step, at.peak].map(size);
    return [`  checkpoint ${checkpoint}`, ...cells];
  });
  return [
    `preset ${plan.preset} on ${plan.device}`,
    "",
    `parameters   ${count(total)} (${Object.entries(parameters)
      .map(([part, n]) => `${part} ${count(n)}`)
      .join(", ")})`,
    `work         an image's view forward ${giga(work.forward)} (encoder ${giga(work.encoder)}), with its gradient ${giga(work.forwardBackward)}`,
    `             a step ${giga(work.step)} an image, ${giga(work.step * plan.batch)} a batch; two FLOP a multiply–add`,
    "",
    ...columns([["memory", "weights", "optimiser", "activations and gradients", "peak"], ...memory]),
    plan.memory === undefined
      ? "  the device does not say what it holds; --memory GiB does"
      : `  the device holds ${size(plan.memory)}`,
    "",
    `length       ${count(plan.images)} images in batches of ${count(plan.batch)}: ${count(plan.stepsPerEpoch)} steps an epoch, ${count(steps)} in all, ${count(plan.warmupSteps)} of warm-up`,
    each === undefined
      ? "time         not measured (--measure N times N steps on this device)"
      : `time         ${duration(each)} a step as measured, ${duration(each * steps)} in all`,
  ].join("\n");
}
