/** `npm run bench:methods`: every method on digits, by the same protocols, in one table. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  makeLearner,
  measure,
  openDigits,
  planTraining,
  type Preset,
  presetNamed,
  UsageError,
  variantNames,
  withMethod,
} from "@dawnstrap/byol";
import { type Device, type DeviceChoice, deviceChoices, openDevice } from "@dawnstrap/tensor";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Row, table, untrained } from "./methods/rows.js";
import { describeRun } from "./micro/report.js";

const digits = presetNamed("digits");
const compared = [untrained, "byol", "simclr", "simsiam", "barlow-twins", "moco", "supervised"];

interface Options {
  readonly device: DeviceChoice;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly methods: readonly string[];
  readonly json?: string;
  readonly resume?: string;
  readonly results: string;
}

const options = new Command("npm run bench:methods --")
  .description(
    "Trains every method on digits with every seed, measures the features, and adds a table to the results",
  )
  .addOption(new Option("--device <device>", "where to run").choices(deviceChoices).default("auto"))
  .option("--epochs <n>", "passes over the images", positive, digits.epochs)
  .option("--seeds <list>", "seeds, with commas between", seedList, [0, 1, 2])
  .option("--methods <list>", `some of ${[untrained, ...variantNames].join(", ")}`, methodList, compared)
  .option("--json <file>", "write a line of JSON for each finished run to this file")
  .option("--resume <file>", "as --json, and do not repeat what the file holds already")
  .option(
    "--results <file>",
    "Markdown file that gets the table at its end",
    fileURLToPath(new URL("RESULTS.md", import.meta.url)),
  )
  .showHelpAfterError()
  .parse()
  .opts<Options>();

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError("It has to be a number above 0.");
  return value;
}

function seedList(text: string): number[] {
  const seeds = text.split(",").map(Number);
  if (text.trim() === "" || !seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
    throw new InvalidArgumentError("It has to be whole numbers with commas between, such as 0,1,2.");
  return seeds;
}

function methodList(text: string): string[] {
  const methods = text.split(",");
  for (const method of methods)
    if (method !== untrained && !variantNames.includes(method))
      throw new InvalidArgumentError(`There is no "${method}".`);
  return methods;
}

/** Rows that an interrupted run has left; its last line may be cut off. */
function rowsOf(file: string): Row[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as Row;
    } catch {
      throw new UsageError(`resume: line ${i + 1} of ${file} is not JSON (remove the line, or the file)`);
    }
  });
}

async function run(device: Device, preset: Preset, seed: number, train: boolean) {
  const { stored: size, channels, background } = preset.image;
  const data = await openDigits({ size, channels, background });
  const learner = makeLearner(device, preset, data.classes.length, seed);
  let loss: number | null = null;
  const training = planTraining(learner, {
    ...{ device, preset, data, seed },
    onStep: (metrics) => {
      loss = metrics.loss;
    },
  });
  if (train) await training.run();
  return {
    loss,
    steps: train ? training.steps : 0,
    ...(await measure(device, learner.online, data, preset)),
  };
}

async function main(): Promise<void> {
  const { epochs, seeds, methods, resume } = options;
  const file = resume ?? options.json;
  const rows = resume && existsSync(resume) ? rowsOf(resume) : [];
  // Without a line that was cut off.
  if (file) writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const probe = await openDevice(options.device);
  const about = describeRun(probe, 0);
  await probe.destroy();
  // Seed by seed, so that a run that is cut short compares all methods.
  for (const seed of seeds)
    for (const method of methods) {
      const wanted = method === untrained ? 0 : epochs;
      if (rows.some((row) => row.method === method && row.seed === seed && row.epochs === wanted)) continue;
      const started = performance.now();
      const device = await openDevice(options.device);
      const preset = withMethod({ ...digits, epochs }, method === untrained ? "byol" : method);
      const measured = await run(device, preset, seed, method !== untrained);
      await device.destroy();
      const seconds = Math.round((performance.now() - started) / 1000);
      const row: Row = { method, seed, epochs: wanted, ...measured, seconds, commit: about.commit };
      rows.push(row);
      const line = JSON.stringify(row);
      if (file) appendFileSync(file, `${line}\n`);
      console.log(line);
    }
  const chosen = rows.filter(
    ({ method, seed, epochs: of }) =>
      methods.includes(method) && seeds.includes(seed) && (of === 0 || of === epochs),
  );
  const commits = [...new Set(chosen.map(({ commit }) => commit))].join(", ");
  const { cpu, cores, node, platform } = about.machine;
  const section =
    `## Methods on digits, ${about.date.slice(0, 10)}\n\n` +
    `Preset digits, ${epochs} epochs, ${about.device.kind} (${about.device.description}), ${cpu}, ${cores} cores, ` +
    `Node ${node}, ${platform}, commit ${commits}. Held-out accuracy of the encoder's features in percent: the mean, ` +
    `then each seed.\n\n${table(chosen)}\n`;
  appendFileSync(options.results, existsSync(options.results) ? `\n${section}` : `# Results\n\n${section}`);
  console.log(`\n${section}`);
}

main().catch((error: Error) => {
  console.error(`bench:methods: ${error.message}`);
  process.exit(1);
});
