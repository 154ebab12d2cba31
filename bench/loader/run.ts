/** `npm run bench:loader`: images a second that the loader gives by itself, against what a training step takes. */
import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { makeLearner, type Preset, prepareTraining, presetFor, presetNamed } from "@dawnstrap/byol";
import { BatchLoader, type DataSource } from "@dawnstrap/byol/images";
import { openData } from "@dawnstrap/byol/node";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { describeDevice, describeRun, machineText } from "../shared/machine.js";
import { appendSection, resultsFile, sectionOf, table } from "../shared/section.js";
import { type Case, cases, flags, type Options } from "./options.js";
import { photographs } from "./photographs.js";

interface Result {
  readonly name: Case;
  readonly preset: string;
  /** Images a second. */
  readonly first_epoch: number;
  readonly later_epochs: number;
  readonly demand: number;
  /** "measured" with steps of so many images, or "given". */
  readonly demand_source: string;
}

const options = flags.parse().opts<Options>();

/** Images a second over whole epochs, the loader alone. The loader reads ahead, so an epoch ends when its last batch is there. */
async function epochsPerSecond(
  data: DataSource,
  { batch }: Preset,
  from: number,
  epochs: number,
): Promise<number> {
  const size = Math.min(batch, data.train.length);
  const loader = new BatchLoader(data.train, data.image, { batch: size, seed: 0, readAhead: 2 });
  const { stepsPerEpoch } = loader;
  const started = performance.now();
  for (let step = from * stepsPerEpoch; step < (from + epochs) * stepsPerEpoch; step++) await loader.at(step);
  return (1000 * size * stepsPerEpoch * epochs) / (performance.now() - started);
}

async function demandOf(device: Device, data: DataSource, preset: Preset): Promise<number> {
  const times: number[] = [];
  const learner = makeLearner(device, preset, data.classes.length, 0);
  await prepareTraining(learner, {
    ...{ device, preset, data, seed: 0, steps: options.steps + 1 },
    onStep: () => times.push(performance.now()),
  }).run();
  // The first step compiles.
  return (1000 * preset.batch * options.steps) / (times.at(-1)! - times[0]!);
}

async function measure(name: Case, device: Device): Promise<Result> {
  const made = name === "folder" ? await photographs(options.images, 500, 375) : undefined;
  if (made) console.log(`${options.images} JPEGs of 500×375, ${(made.bytes / 1000).toFixed(0)} KB each`);
  const preset = presetNamed(presetFor(name));
  const data = await openData(made?.folder ?? name, preset.image);
  try {
    const first_epoch = await epochsPerSecond(data, preset, 0, 1);
    const later_epochs = await epochsPerSecond(data, preset, 1, 3);
    const batch = options.batch ?? Math.min(preset.batch, data.train.length, 32);
    const demand = options.demand ?? (await demandOf(device, data, { ...preset, batch }));
    const demand_source = options.demand ? "given" : `measured, ${batch} images a step`;
    return { name, preset: preset.name, first_epoch, later_epochs, demand, demand_source };
  } finally {
    await data.close();
    if (made) await rm(made.folder, { recursive: true });
  }
}

const run = describeRun();
const device = await openDevice(options.device).catch((error: Error) => {
  console.error(`bench:loader: ${error.message}`);
  process.exit(1);
});
const about = { ...run, device: describeDevice(device) };
console.log(`${machineText(about)}; step on ${device.kind}: ${device.description}`);
const results: Result[] = [];
const against = (rate: number, { demand }: Result) => `${rate.toFixed(0)} (${(rate / demand).toFixed(1)}×)`;
for (const name of cases.filter((one) => !options.only || one === options.only)) {
  const result = await measure(name, device);
  results.push(result);
  console.log(
    `${name}, preset ${result.preset}, images/s: first epoch ${against(result.first_epoch, result)}, later epochs ${against(result.later_epochs, result)}; step ${result.demand.toFixed(1)} (${result.demand_source})`,
  );
}
await device.destroy();
if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...about, results }, null, 2)}\n`);
if (options.report) {
  const rows = results.map((result) => [
    ...[
      result.name,
      result.preset,
      against(result.first_epoch, result),
      against(result.later_epochs, result),
    ],
    `${result.demand.toFixed(1)} (${result.demand_source})`,
  ]);
  appendSection(
    resultsFile,
    sectionOf("Loader", about, [
      `${machineText(about)}; step on ${device.kind} (${device.description}). Images a second of the loader by itself, and ` +
        "how often that is the step's demand. The first epoch reads and decodes, later ones find the decoded images in " +
        `memory. "folder" is ${options.images} JPEGs of 500×375.`,
      table(["data", "preset", "first epoch", "later epochs", "the step takes"], rows),
    ]),
  );
}
