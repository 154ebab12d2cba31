/** What a terminal gets to see of a training. */
import { expect, it } from "vitest";
import type { StepMetrics } from "../../metrics.js";
import { showProgress } from "./progress.js";

const metrics = (step: number) => ({ step, loss: 1.25, images_per_second: 10 }) as StepMetrics;

/** What is written to a terminal so wide, a training's end never told. */
function killedOn(columns: number): string[] {
  const written: string[] = [];
  const progress = showProgress({
    isTTY: true,
    columns,
    write: (text: string) => written.push(text) > 0,
  } as unknown as NodeJS.WriteStream);
  progress.note("device");
  progress.begin(4);
  progress.step(metrics(0));
  progress.note("a note");
  progress.step(metrics(1));
  return written;
}

const ESC = "\x1b";

it("a terminal's bar changes no setting that a killed process would leave behind", () => {
  const [, ...sequences] = killedOn(80).join("").split(ESC);
  expect(sequences.length).toBeGreaterThan(1);
  // Erasing to the line's end, and nothing else.
  for (const sequence of sequences) expect(sequence.slice(0, 2)).toBe("[K");
});

it("a terminal's bar stays on one line, and notes stand above it", () => {
  const lines = killedOn(40).join("").replaceAll(`${ESC}[K`, "").split("\n");
  expect(lines[0]).toBe("device");
  expect(lines[1]!.split("\r").at(-1)).toBe("a note");
  const bars = [...lines[1]!.split("\r").slice(1, -1), ...lines[2]!.split("\r")];
  expect(bars.length).toBeGreaterThan(1);
  for (const bar of bars) expect(bar).toMatch(/^█*░* 0\/4 {2}loss?/);
  for (const bar of bars) expect(bar.length).toBeLessThan(40);
});
