/**
 * `npm run soak`: a run that is killed at random and aimed moments and resumed, one that two processes contend for, and
 * one whose disk fills, beside the same run unbroken. All have to end with the same bits: the whole state, the exported
 * encoder, and every step's numbers.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDevice } from "@dawnstrap/tensor";
import { describeDevice, describeRun, machineText } from "../shared/machine.js";
import { script } from "../shared/script.js";
import { appendSection, sectionOf, table } from "../shared/section.js";
import { contended } from "./contention.js";
import { filled } from "./disk.js";
import { killed } from "./kills.js";
import { aims } from "./moments.js";
import { flags, type Options, type Part } from "./options.js";
import { finish, outcome, soaked } from "./soaked.js";

const options = flags.parse().opts<Options>();
const run = soaked(options);

/** What each part does to the run in a folder, and what it then says of it. */
const doing: Record<Part, (folder: string) => Promise<string>> = {
  async kills(folder) {
    const kills = await killed(run, 1, folder);
    const counts = aims.map((aim) => `${aim} ${kills.filter((kill) => kill.aim === aim).length}`);
    const inWrite = kills.filter((kill) => kill.inWrite).length;
    return `${kills.length} kills (${counts.join(", ")}; ${inWrite} left a file half written, under its temporary name)`;
  },
  contention: async (folder) => `${await contended(run, folder)} of ${2 * options.rounds} processes refused`,
  disk: async (folder) => `${await filled(run, folder)} times a full disk`,
};

async function main(): Promise<void> {
  const device = await openDevice(options.device);
  const about = describeRun();
  const where = describeDevice(device);
  await device.destroy();
  const root = options.out ?? mkdtempSync(join(tmpdir(), "soak-"));
  const started = performance.now();
  const minutes = () => ((performance.now() - started) / 60_000).toFixed(1);
  const unbroken = join(root, "unbroken");
  await finish(run.begin(0, unbroken));
  const wanted = await outcome(run, unbroken);
  const rows = [["unbroken", minutes(), ...Object.values(wanted).map((sum) => sum.slice(0, 16))]];
  const different: string[] = [];
  for (const part of options.parts) {
    const folder = join(root, part);
    const what = await doing[part](folder);
    const found = await outcome(run, folder);
    if (JSON.stringify(found) !== JSON.stringify(wanted)) different.push(folder);
    rows.push([what, minutes(), ...Object.values(found).map((sum) => sum.slice(0, 16))]);
  }
  const text =
    `Preset ${options.preset}, ${options.steps} steps, a checkpoint every ${options.checkpointSteps}, seed ${options.seed}, ` +
    `${where.kind} (${where.description}), ${machineText(about)}. After each kill and each full disk every file under its own ` +
    `name was whole. **${different.length === 0 ? "The same bits" : "NOT THE SAME"}**; first 16 digits of each SHA-256:`;
  const columns = ["run", "minutes so far", "state", "encoder", "every step's numbers"];
  const section = sectionOf("Soak", about, [text, table(columns, rows)]);
  appendSection(options.results, section);
  console.log(`\n${section}`);
  if (different.length > 0) throw new Error(`ended differently: ${different.join(", ")}`);
}

script("soak", main);
