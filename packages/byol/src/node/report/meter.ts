/** How long work takes on this device, said after its first few units, and then what is left. */
import { duration } from "../../plan/report.js";
import type { LongWork, Meter } from "../../tasks/meter.js";
import { clock, type Progress } from "./progress.js";

/** Seconds of units by which the length is told, and the length from which on it is worth a word. */
const measured = 2;
const long = 60;

/**
 * Tells the length of work, once: after two seconds of it, without its first unit, which compiles. Returns the seconds
 * left at the pace so far; undefined as long as there is none.
 */
function forecast(work: LongWork, note: (text: string) => void, now: () => number, before = 0) {
  let first: { readonly at: number; readonly done: number } | undefined;
  let said = false;
  return (done: number): number | undefined => {
    first ??= { at: now(), done };
    const seconds = (now() - first.at) / 1000;
    if (done === first.done || seconds < measured) return undefined;
    const each = seconds / (done - first.done);
    const whole = each * (work.total - before);
    if (!said && whole > long)
      note(
        `${work.what}: ${(work.total - before).toLocaleString("en-GB")} ${work.units} take about ${duration(whole)} on this device (shorter: ${work.shorter})`,
      );
    said = true;
    return each * (work.total - done);
  };
}

/** Says the length of long work, and then what is left: every ten seconds, or up to ten minutes of what takes days. */
export const showMeter =
  (note: (text: string) => void, now: () => number = () => performance.now()): Meter =>
  (work) => {
    const leftAfter = forecast(work, note, now);
    let last: number | undefined;
    return (done) => {
      last ??= now();
      const left = leftAfter(done);
      if (left === undefined || now() - last < 1000 * Math.min(600, Math.max(10, left / 100))) return;
      last = now();
      note(`${work.what}: ${done} of ${work.total} ${work.units}, ${clock(left)} left`);
    };
  };

/** The progress of a training that also says its length. */
export function withForecast(
  progress: Progress,
  shorter: string,
  now: () => number = () => performance.now(),
): Progress {
  let tell: ((done: number) => unknown) | undefined;
  return {
    note: (text) => progress.note(text),
    begin(steps, done = 0) {
      const work = { what: "training", total: steps, units: "steps", shorter };
      tell = forecast(work, (text) => progress.note(text), now, done);
      progress.begin(steps, done);
    },
    step(metrics) {
      progress.step(metrics);
      tell?.(metrics.step + 1);
    },
    end: () => progress.end(),
  };
}
