/** The table of a benchmark run, and its JSON. */
import type { About } from "../shared/machine.js";
import type { Measurement } from "./measure.js";

export interface Report extends About {
  readonly device: { readonly kind: string; readonly description: string };
  readonly seconds_per_case: number;
  readonly results: readonly Measurement[];
  readonly failures: readonly { readonly layer: string; readonly name: string; readonly error: string }[];
}

/** Three significant digits, with a unit that fits. */
export function duration(seconds: number): string {
  const [value, unit] =
    seconds >= 1 ? [seconds, "s"] : seconds >= 1e-3 ? [seconds * 1e3, "ms"] : [seconds * 1e6, "µs"];
  return `${significant(value)} ${unit}`;
}
export const significant = (v: number): string => (v >= 100 ? v.toFixed(0) : v.toPrecision(3));

const widths = { name: 58, device: 9, median: 9, rate: 16, dispatches: 10, kernels: 7 };
export const header = row("case", "device", "median", "rate", "dispatches", "kernels");

function row(
  name: string,
  device: string,
  median: string,
  rate: string,
  dispatches: string,
  kernels: string,
): string {
  return [
    name.padEnd(widths.name),
    device.padEnd(widths.device),
    median.padStart(widths.median),
    rate.padStart(widths.rate),
    dispatches.padStart(widths.dispatches),
    kernels.padStart(widths.kernels),
  ].join("  ");
}

export function line(m: Measurement, device: string): string {
  const count = (n: number | null): string => (n === null ? "–" : String(n));
  const rate = `${significant(m.rate)} ${m.unit}`;
  return row(m.name, device, duration(m.median), rate, count(m.dispatches), count(m.kernels));
}
