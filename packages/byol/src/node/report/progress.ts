/** How a run shows that it is alive: a bar on a terminal, else a line every few seconds. */
import { printable } from "./escape.js";
import { SingleBar } from "cli-progress";
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

const loss = (metrics: StepMetrics) => metrics.loss.toFixed(4);
const speed = (metrics: StepMetrics) => metrics.images_per_second.toFixed(0);

class BarProgress implements Progress {
  private bar: SingleBar | undefined;
  private pace = new Pace(0, 0);
  constructor(private readonly out: NodeJS.WriteStream) {}
  note(text: string): void {
    this.out.write(`${printable(text)}\n`);
  }
  begin(steps: number, done = 0): void {
    this.pace = new Pace(steps, done);
    this.bar = new SingleBar({
      format: "{bar} {value}/{total}  loss {loss}  {speed} images/s  {left} left",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 30,
      stream: this.out,
      hideCursor: true,
      etaBuffer: 1,
    });
    this.bar.start(steps, done, { loss: "–", speed: "–", left: "?" });
  }
  step(metrics: StepMetrics): void {
    const done = metrics.step + 1;
    this.bar?.update(done, { loss: loss(metrics), speed: speed(metrics), left: clock(this.pace.left(done)) });
  }
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
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
    this.note(`step ${done}/${this.steps}  loss ${loss(metrics)}  ${speed(metrics)} images/s  ${left} left`);
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
