/**
 * `npm run fuzz`: damaged inputs of every format, each read in a process with bounds. Ok is an input that is read,
 * refused one that ends with a clear error; a fault is a crash, a hang, more than 1 GiB, a file written or changed that
 * the command does not name, or an error that is not for people.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { UsageError } from "@dawnstrap/byol";
import { script } from "../shared/script.js";
import { table } from "../shared/section.js";
import { Bounded } from "./bounded.js";
import { Campaign, type Counts } from "./campaign.js";
import { formats } from "./formats/index.js";
import { flags, type Options } from "./options.js";
import { trialOf } from "./trial.js";

async function replay(file: string): Promise<void> {
  const child = new Bounded();
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
  await campaign.run(options.processes);
  console.log(`\n${printed(campaign.counts)}`);
  if (options.json !== undefined) {
    const outcome = { seed, seconds, counts: Object.fromEntries(campaign.counts), faults: campaign.faults };
    writeFileSync(options.json, `${JSON.stringify(outcome, null, 2)}\n`);
  }
  if (campaign.faults.length > 0) process.exitCode = 1;
}

script("fuzz", main);
