import { expect, it } from "vitest";
import type { StepMetrics } from "../../metrics.js";
import { showMeter, withForecast } from "./meter.js";
import { silent } from "./progress.js";

/** Units of so many seconds, the first one of ten more; what was noted after how many of them. */
function notesOf(total: number, seconds: number, upTo = total): [done: number, text: string][] {
  let [at, done] = [0, 0];
  const notes: [number, string][] = [];
  const work = { what: "finetune", total, units: "steps", shorter: "fewer --rates" };
  const tell = showMeter(
    (text) => notes.push([done, text]),
    () => 1000 * at,
  )(work);
  while (done < upTo) {
    at += seconds + (done === 0 ? 10 : 0);
    tell(++done);
  }
  return notes;
}

it("tells the length of long work after two seconds of it, what shortens it, and then what is left", () => {
  const [first, second] = notesOf(1_140_000, 0.4, 2000);
  expect(first).toEqual([
    6,
    "finetune: 1,140,000 steps take about 5.3 days on this device (shorter: fewer --rates)",
  ]);
  expect(second![1]).toMatch(/^finetune: \d+ of 1140000 steps, 126:\d\d:\d\d left$/);
  expect(notesOf(100, 1).map(([, text]) => text)).toEqual([
    "finetune: 100 steps take about 100 s on this device (shorter: fewer --rates)",
    ...[89, 79, 69, 59, 49, 39, 29, 19, 9].map((n, i) => {
      const left = `${Math.floor(n / 60)}:${String(n % 60).padStart(2, "0")}`;
      return `finetune: ${11 + 10 * i} of 100 steps, ${left} left`;
    }),
  ]);
});
it("is silent about what takes a minute or less, but for what is left", () => {
  expect(notesOf(59, 1).filter(([, text]) => text.includes("take about"))).toEqual([]);
  expect(notesOf(5, 1)).toEqual([]);
});
it("a training says its length once, and a resumed one that of the rest", () => {
  const notes: string[] = [];
  let at = 0;
  const progress = withForecast({ ...silent, note: (text) => notes.push(text) }, "fewer --epochs", () => at);
  progress.begin(1100, 100);
  for (let step = 100; step < 200; step++) {
    at += 1000;
    progress.step({ step } as StepMetrics);
  }
  expect(notes).toEqual([
    "training: 1,000 steps take about 17 minutes on this device (shorter: fewer --epochs)",
  ]);
});
