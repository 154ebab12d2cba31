/**
 * `npm run fuzz`: damaged inputs of every format, each read in a process with bounds. Ok is an input that is read,
 * refused one that ends with a clear error; a fault is a crash, a hang, more than 1 GiB, a file written or changed that
 * the command does not name, or an error that is not for people.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "@dawnstrap/byol";
import { script } from "../shared/script.js";
import { table } from "../shared/section.js";
import { Bounded } from "./bounded.js";
import { Draws } from "./draws.js";
import type { Format } from "./format.js";
import { formats } from "./formats/index.js";
import { flags, type Options } from "./options.js";
import { kept, trialOf } from "./trial.js";
import type { Verdict } from "./verdict.js";

const bounds = { seconds: 20, bytes: 2 ** 30 };

type Counts = Record<Verdict["kind"] | "unrepeated", number>;

interface Fault {
  readonly format: string;
  readonly seed: number;
  readonly index: number;
  readonly what: string;
  readonly file: string;
}

/** Tries inputs, format after format, until the time is over. */
class Campaign {
  readonly counts = new Map<string, Counts>();
  readonly faults: Fault[] = [];
  private next = 0;

  constructor(
    private readonly chosen: readonly Format[],
    private readonly seed: number,
    private readonly until: number,
    private readonly folder: string,
  ) {
    for (const { name } of chosen) this.counts.set(name, { ok: 0, refused: 0, fault: 0, unrepeated: 0 });
  }

  async work(): Promise<void> {
    const child = new Bounded(bounds);
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

async function replay(file: string): Promise<void> {
  const child = new Bounded(bounds);
  try {
    const { kind, what } = await child.tryAlone(trialOf(JSON.parse(readFileSync(file, "utf8"))));
    console.log(`${kind}: ${what}`);
    if (kind === "fault") process.exitCode = 1;
  } finally {
    child.close();
  }
}

function printed(counts: ReadonlyMap<string, Counts>): string {
  const rows = [...counts].map(([name, { ok, refused, fault, unrepeated }]) => [
    ...[name, ok + refused + fault + unrepeated, ok, refused, fault, unrepeated].map(String),
  ]);
  return table(["format", "inputs", "ok", "refused", "faults", "unrepeated"], rows);
}

async function main(): Promise<void> {
  const options = flags.parse().opts<Options>();
  if (options.replay !== undefined) return replay(options.replay);
  const { only, seconds, seed = Math.floor(Math.random() * 2 ** 32) } = options;
  const chosen = formats.filter(({ name }) => only?.test(name) ?? true);
  if (chosen.length === 0)
    throw new UsageError(`--only matches none of ${formats.map(({ name }) => name).join(", ")}`);
  console.log(`seed ${seed}: npm run fuzz -- --seconds ${seconds} --seed ${seed}`);
  const campaign = new Campaign(chosen, seed, performance.now() + 1000 * seconds, options.faults);
  await Promise.all(Array.from({ length: options.processes }, () => campaign.work()));
  console.log(`\n${printed(campaign.counts)}`);
  if (options.json !== undefined) {
    const outcome = { seed, seconds, counts: Object.fromEntries(campaign.counts), faults: campaign.faults };
    writeFileSync(options.json, `${JSON.stringify(outcome, null, 2)}\n`);
  }
  if (campaign.faults.length > 0) process.exitCode = 1;
}

script("fuzz", main);
