/** `npm run bench:methods`: every method on digits, by the same protocols, in one table. */
import { join } from "node:path";
import { makeLearner, prepareTraining, type Preset, withMethod } from "@dawnstrap/byol";
import { openDigits } from "@dawnstrap/byol/node";
import { measure } from "@dawnstrap/byol/tasks";
import { openDevice } from "@dawnstrap/tensor";
import { earlierRun } from "./earlier.js";
import { digits, flags, type Options } from "./options.js";
import { methodTable, type Row, untrained } from "./rows.js";
import { describeDevice, describeRun, machineText } from "../shared/machine.js";
import { Journal } from "../shared/journal.js";
import { script } from "../shared/script.js";
import { appendSection, sectionOf } from "../shared/section.js";

const options = flags.parse().opts<Options>();

type Measured = Omit<Row, "method" | "seed" | "epochs" | "commit">;

function takeEarlier(preset: Preset, method: string, seed: number, device: string): Measured | undefined {
  if (options.runs === undefined) return undefined;
  const summary = earlierRun(join(options.runs, `digits-${seed}`), preset, seed, device);
  if (!summary) return undefined;
  const { random_init, pretrained, steps, loss_last: loss, seconds } = summary;
  return method === untrained
    ? { accuracies: random_init, steps: 0, loss: null, seconds: 0 }
    : { accuracies: pretrained, steps, loss, seconds: Math.round(seconds) };
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
  const accuracies = await measure(
    { device, image: preset.image, forward: (views) => learner.online.forward(views) },
    data,
    preset.evaluate,
  );
  await device.destroy();
  const seconds = Math.round((performance.now() - started) / 1000);
  return { accuracies, loss, steps: train ? training.steps : 0, seconds };
}

async function main(): Promise<void> {
  const { epochs, seeds, methods: compared, resume } = options;
  const journal = new Journal<Row>(resume ?? options.json, resume !== undefined);
  const probe = await openDevice(options.device);
  const about = describeRun();
  const where = describeDevice(probe);
  await probe.destroy();
  // Seed by seed, so that a run that is cut short compares all methods.
  for (const seed of seeds)
    for (const method of compared) {
      const wanted = method === untrained ? 0 : epochs;
      if (journal.rows.some((row) => row.method === method && row.seed === seed && row.epochs === wanted))
        continue;
      const preset = withMethod({ ...digits, epochs }, method === untrained ? "byol" : method);
      const measured =
        takeEarlier(preset, method, seed, where.kind) ?? (await run(preset, seed, method !== untrained));
      const row: Row = { method, seed, epochs: wanted, ...measured, commit: about.commit };
      journal.add(row);
      console.log(JSON.stringify(row));
    }
  const chosen = journal.rows.filter(
    ({ method, seed, epochs: of }) =>
      compared.includes(method) && seeds.includes(seed) && (of === 0 || of === epochs),
  );
  const text =
    `Preset digits, ${epochs} epochs, ${where.kind} (${where.description}), ${machineText(about)}. ` +
    "Held-out accuracy of the encoder's features in percent: the mean, then each seed.";
  const commits = chosen.map(({ commit }) => commit);
  const section = sectionOf("Methods on digits", about, [text, methodTable(compared, chosen)], commits);
  appendSection(options.results, section);
  console.log(`\n${section}`);
}

script("bench:methods", main);
