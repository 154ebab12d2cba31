/** How a run shows that it is alive: a bar on a terminal, else a line every few seconds. */
import { printable } from "./escape.js";
import type { StepMetrics } from "../../metrics.js";

export interface Progress {
  /** A line of its own. */
  note(text: string): void;
  /** Training begins, or goes on after so many steps. */
  begin(steps: number, done?: number): void;
  step(metrics: StepMetrics): void;
  /** Training has ended; the last line is completed. */
  end(): void;
}

/** 75 → "1:15", 3700 → "1:01:40". */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = `${Math.floor(s / 60) % 60}`;
  return s >= 3600
    ? `${Math.floor(s / 3600)}:${minutes.padStart(2, "0")}:${two(s % 60)}`
    : `${minutes}:${two(s % 60)}`;
}

/** Seconds that the steps left will take at the pace of those done since `from`. */
class Pace {
  private readonly started = performance.now();
  constructor(
    private readonly steps: number,
    private readonly before: number,
  ) {}
  left(done: number): number {
    return ((performance.now() - this.started) / 1000 / (done - this.before)) * (this.steps - done);
  }
}

const summary = ({ loss, images_per_second: speed }: StepMetrics): string =>
  `loss ${loss.toFixed(4)}  ${speed.toFixed(0)} images/s`;

/** Characters of the bar. */
const barWidth = 30;
/** Erases from the cursor to the end of the line. */
const eraseLine = "\x1b[K";

/**
 * One line that is written over and over. It never hides the cursor nor stops the terminal from wrapping lines, so there
 * is nothing to give back however the process ends.
 */
class BarProgress implements Progress {
  private steps = 0;
  private pace = new Pace(0, 0);
  /** What stands on the terminal's last line; undefined where no training is under way. */
  private line: string | undefined;
  private pending: StepMetrics | undefined;
  private last = 0;
  constructor(private readonly out: NodeJS.WriteStream) {}
  note(text: string): void {
    const shown = printable(text);
    this.out.write(this.line === undefined ? `${shown}\n` : `\r${eraseLine}${shown}\n${this.line}`);
  }
  begin(steps: number, done = 0): void {
    this.steps = steps;
    this.pace = new Pace(steps, done);
    this.draw(done, "loss –");
  }
  step(metrics: StepMetrics): void {
    this.pending = metrics;
    if (performance.now() - this.last >= 100) this.show();
  }
  end(): void {
    if (this.pending) this.show();
    if (this.line !== undefined) this.out.write("\n");
    this.line = undefined;
  }
  private show(): void {
    const metrics = this.pending!;
    const done = metrics.step + 1;
    this.draw(done, `${summary(metrics)}  ${clock(this.pace.left(done))} left`);
    this.pending = undefined;
  }
  private draw(done: number, text: string): void {
    const filled = Math.round((barWidth * done) / this.steps);
    const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
    // A line that wraps could not be written over.
    const room = (this.out.columns || 80) - 1;
    this.line = `${bar} ${done}/${this.steps}  ${text}`.slice(0, room);
    this.out.write(`\r${this.line}${eraseLine}`);
    this.last = performance.now();
  }
}

class LineProgress implements Progress {
  private steps = 0;
  private pace = new Pace(0, 0);
  private last = 0;
  private pending: StepMetrics | undefined;
  constructor(
    private readonly write: (text: string) => void,
    private readonly everySeconds: number,
  ) {}
  note(text: string): void {
    this.write(`${printable(text)}\n`);
  }
  begin(steps: number, done = 0): void {
    this.steps = steps;
    this.pace = new Pace(steps, done);
    this.last = 0;
  }
  step(metrics: StepMetrics): void {
    this.pending = metrics;
    if (performance.now() - this.last >= this.everySeconds * 1000) this.print();
  }
  end(): void {
    if (this.pending) this.print();
  }
  private print(): void {
    const metrics = this.pending!;
    const done = metrics.step + 1;
    const left = clock(this.pace.left(done));
    this.note(`step ${done}/${this.steps}  ${summary(metrics)}  ${left} left`);
    this.last = performance.now();
    this.pending = undefined;
  }
}

/** A bar where `out` is a terminal, else a line every five seconds. */
export function showProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  return out.isTTY ? new BarProgress(out) : new LineProgress((text) => out.write(text), 5);
}

/** Says nothing. */
export const silent: Progress = { note() {}, begin() {}, step() {}, end() {} };
