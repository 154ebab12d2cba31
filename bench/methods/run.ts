/** `npm run bench:methods`: every method on digits, by the same protocols, in one table. */
import { join } from "node:path";
import {
  makeLearner,
  methods,
  prepareTraining,
  type Preset,
  presetNamed,
  variantNames,
  withMethod,
} from "@dawnstrap/byol";
import { openDigits } from "@dawnstrap/byol/node";
import { measure } from "@dawnstrap/byol/tasks";
import { type DeviceChoice, deviceChoices, openDevice } from "@dawnstrap/tensor";
import { Command, InvalidArgumentError, Option } from "commander";
import { earlierRun } from "./earlier.js";
import { methodTable, type Row, untrained } from "./rows.js";
import { describeRun } from "../micro/report.js";
import { Journal } from "../shared/journal.js";
import { positive, seedList } from "../shared/options.js";
import { appendSection, resultsFile } from "../shared/section.js";

const digits = presetNamed("digits");
const everyMethod = [untrained, ...methods.map(({ name }) => name)];

interface Options {
  readonly device: DeviceChoice;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly methods: readonly string[];
  readonly json?: string;
  readonly resume?: string;
  readonly runs?: string;
  readonly results: string;
}

const options = new Command("npm run bench:methods --")
  .description(
    "Trains every method on digits with every seed, measures the features, and adds a table to the results",
  )
  .addOption(new Option("--device <device>", "where to run").choices(deviceChoices).default("auto"))
  .option("--epochs <n>", "passes over the images", positive, digits.epochs)
  .option("--seeds <list>", "seeds, with commas between", seedList, [0, 1, 2])
  .option("--methods <list>", `some of ${[untrained, ...variantNames].join(", ")}`, methodList, everyMethod)
  .option("--json <file>", "write a line of JSON for each finished run to this file")
  .option("--resume <file>", "as --json, and do not repeat what the file holds already")
  .option(
    "--runs <dir>",
    "where bench:evaluations keeps its runs: BYOL's that are there (digits-SEED) are read, not repeated",
  )
  .option("--results <file>", "Markdown file that gets the table at its end", resultsFile)
  .showHelpAfterError()
  .parse()
  .opts<Options>();

function methodList(text: string): string[] {
  const named = text.split(",");
  for (const method of named)
    if (method !== untrained && !variantNames.includes(method))
      throw new InvalidArgumentError(`There is no "${method}".`);
  return named;
}

type Measured = Omit<Row, "method" | "seed" | "epochs" | "commit">;

function takeEarlier(preset: Preset, method: string, seed: number, device: string): Measured | undefined {
  if (options.runs === undefined) return undefined;
  const summary = earlierRun(join(options.runs, `digits-${seed}`), preset, seed, device);
  if (!summary) return undefined;
  const { random_init, pretrained, steps, loss_last: loss, seconds } = summary;
  return method === untrained
    ? { ...random_init, steps: 0, loss: null, seconds: 0 }
    : { ...pretrained, steps, loss, seconds: Math.round(seconds) };
}

async function run(preset: Preset, seed: number, train: boolean): Promise<Measured> {
  const started = performance.now();
  const device = await openDevice(options.device);
  const data = await openDigits(preset.image);
  const learner = makeLearner(device, preset, data.classes.length, seed);
  let loss: number | null = null;
  const training = prepareTraining(learner, {
    ...{ device, preset, data, seed },
    onStep: (metrics) => {
      loss = metrics.loss;
    },
  });
  if (train) await training.run();
  const accuracies = await measure(device, learner.online, data, preset);
  await device.destroy();
  const seconds = Math.round((performance.now() - started) / 1000);
  return { ...accuracies, loss, steps: train ? training.steps : 0, seconds };
}

async function main(): Promise<void> {
  const { epochs, seeds, methods: compared, resume } = options;
  const journal = new Journal<Row>(resume ?? options.json, resume !== undefined);
  const probe = await openDevice(options.device);
  const about = describeRun(probe, 0);
  await probe.destroy();
  // Seed by seed, so that a run that is cut short compares all methods.
  for (const seed of seeds)
    for (const method of compared) {
      const wanted = method === untrained ? 0 : epochs;
      if (journal.rows.some((row) => row.method === method && row.seed === seed && row.epochs === wanted))
        continue;
      const preset = withMethod({ ...digits, epochs }, method === untrained ? "byol" : method);
      const measured =
        takeEarlier(preset, method, seed, about.device.kind) ??
        (await run(preset, seed, method !== untrained));
      const row: Row = { method, seed, epochs: wanted, ...measured, commit: about.commit };
      journal.add(row);
      console.log(JSON.stringify(row));
    }
  const chosen = journal.rows.filter(
    ({ method, seed, epochs: of }) =>
      compared.includes(method) && seeds.includes(seed) && (of === 0 || of === epochs),
  );
  const commits = [...new Set(chosen.map(({ commit }) => commit.slice(0, 10)))].join(", ");
  const { cpu, cores, node, platform } = about.machine;
  const section =
    `## Methods on digits, ${about.date.slice(0, 10)}\n\n` +
    `Preset digits, ${epochs} epochs, ${about.device.kind} (${about.device.description}), ${cpu}, ${cores} cores, ` +
    `Node ${node}, ${platform}, commit ${commits}. Held-out accuracy of the encoder's features in percent: the mean, ` +
    `then each seed.\n\n${methodTable(compared, chosen)}\n`;
  appendSection(options.results, section);
  console.log(`\n${section}`);
}

main().catch((error: Error) => {
  console.error(`bench:methods: ${error.message}`);
  process.exit(1);
});
