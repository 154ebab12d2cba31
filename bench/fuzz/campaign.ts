/** Inputs of every format in turn, tried until the time is over; faults are kept. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bounded } from "./bounded.js";
import { Draws } from "./draws.js";
import type { Format } from "./format.js";
import { kept } from "./trial.js";
import type { Verdict } from "./verdict.js";

export type Counts = Record<Verdict["kind"] | "unrepeated", number>;

export interface Fault {
  readonly format: string;
  readonly seed: number;
  readonly index: number;
  readonly what: string;
  readonly file: string;
}

/** Tries inputs, format after format, until the time is over. */
export class Campaign {
  readonly counts = new Map<string, Counts>();
  readonly faults: Fault[] = [];
  private next = 0;

  constructor(
    private readonly chosen: readonly Format[],
    private readonly seed: number,
    /** On the clock of `performance.now`. */
    private readonly until: number,
    /** Gets the inputs that show a fault. */
    private readonly folder: string,
  ) {
    for (const { name } of chosen) this.counts.set(name, { ok: 0, refused: 0, fault: 0, unrepeated: 0 });
  }

  /** @param processes that read at once */
  async run(processes: number): Promise<void> {
    await Promise.all(Array.from({ length: processes }, () => this.work()));
  }

  private async work(): Promise<void> {
    const child = new Bounded();
    try {
      while (performance.now() < this.until) {
        const place = this.next++;
        const format = this.chosen[place % this.chosen.length]!;
        await this.one(child, format, Math.floor(place / this.chosen.length));
      }
    } finally {
      child.close();
    }
  }

  private async one(child: Bounded, format: Format, index: number): Promise<void> {
    const trial = await format.make(new Draws(this.seed, format.name, index));
    const { kind } = await child.try(trial);
    const counts = this.counts.get(format.name)!;
    if (kind !== "fault") {
      counts[kind]++;
      return;
    }
    // Once more by itself: what came before, or a busy machine, may have been the reason.
    const { kind: again, what } = await child.tryAlone(trial);
    if (again !== "fault") {
      counts.unrepeated++;
      return;
    }
    counts.fault++;
    mkdirSync(this.folder, { recursive: true });
    const file = join(this.folder, `${format.name}-${this.seed}-${index}.json`);
    const fault = { format: format.name, seed: this.seed, index, what };
    writeFileSync(file, `${JSON.stringify({ ...fault, ...kept(trial) })}\n`);
    this.faults.push({ ...fault, file });
    console.error(`FAULT ${format.name}, seed ${this.seed}, input ${index} (${file}): ${what}`);
  }
}
