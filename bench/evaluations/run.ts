/**
 * `npm run bench:evaluations`: every protocol of evaluation on digits and emoji, from an encoder that BYOL trained on the
 * same images, from one that it trained on the other ones, and from the same network at random initialisation.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { presetNamed } from "@dawnstrap/byol";
import { openData, pretrain, readEncoder, showProgress } from "@dawnstrap/byol/node";
import { type EncoderFile, randomEncoder } from "@dawnstrap/byol/tasks";
import { openDevice } from "@dawnstrap/tensor";
import { type Protocol, protocols, settings } from "./protocols.js";
import { type Domain, domains, flags, type Options } from "./options.js";
import { evaluationTable, type Row, type Start } from "./rows.js";
import { describeDevice, describeRun, machineText } from "../shared/machine.js";
import { Journal } from "../shared/journal.js";
import { script } from "../shared/script.js";
import { appendSection, percent, sectionOf } from "../shared/section.js";

const options = flags.parse().opts<Options>();

/** The run of a preset with a seed, trained where it is missing or unfinished. */
async function pretrained(domain: Domain, seed: number): Promise<EncoderFile> {
  const out = join(options.runs, `${domain}-${seed}`);
  if (!existsSync(join(out, "summary.json"))) {
    const { device } = options;
    console.log(`training ${out}`);
    await pretrain({
      preset: presetNamed(domain),
      data: domain,
      device,
      seed,
      out,
      progress: showProgress(),
    });
  }
  return readEncoder(out);
}

/** Encoders to start from when evaluating on a domain. From another one only what tells most for the time. */
function starts(target: Domain, seed: number): [Start, () => Promise<EncoderFile>, readonly Protocol[]][] {
  const other = domains.find((domain) => domain !== target)!;
  const crossing = protocols.filter(({ crosses }) => crosses);
  return [
    ["random", () => randomEncoder(presetNamed(target), seed), protocols],
    ["byol", () => pretrained(target, seed), protocols],
    ["random, other", () => randomEncoder(presetNamed(other), seed), crossing],
    ["byol, other", () => pretrained(other, seed), crossing],
  ];
}

async function main(): Promise<void> {
  const journal = new Journal<Row>(options.resume, true);
  const targets = options.data === "both" ? domains : [options.data];
  const device = await openDevice(options.device);
  const about = describeRun();
  const where = describeDevice(device);
  for (const seed of options.seeds)
    for (const target of targets)
      for (const [start, open, wanted] of starts(target, seed)) {
        const missing = wanted.filter(
          ({ name }) =>
            !journal.rows.some(
              (r) => r.protocol === name && r.target === target && r.start === start && r.seed === seed,
            ),
        );
        if (missing.length === 0) continue;
        const encoder = await open();
        const data = await openData(target, encoder.image);
        for (const { name, run } of missing) {
          const result = await run({ device, encoder, data, seed });
          const { metrics, images, seconds } = result;
          const top1 = metrics.top1!;
          journal.add({
            ...{
              protocol: name,
              target,
              start,
              seed,
              top1,
              mean_per_class: metrics.mean_per_class!,
              images,
              seconds,
            },
            ...{ chosen: result.settings.chosen, commit: about.commit },
          });
          console.log(
            `${target}, seed ${seed}, ${start}, ${name}: ${percent(top1.value)} % in ${seconds.toFixed(0)} s`,
          );
        }
        await data.close();
      }
  await device.destroy();
  const text =
    `Presets digits and emoji, ${where.kind} (${where.description}), ${machineText(about)}. Held-out top-1 accuracy in ` +
    `percent: the mean, then each seed (of pre-training, subsets, order and new weights). ${settings}`;
  const section = sectionOf(
    "Evaluation on digits and emoji",
    about,
    [text, ...targets.map((target) => evaluationTable(target, journal.rows))],
    journal.rows.map(({ commit }) => commit),
  );
  appendSection(options.results, section);
  console.log(`\n${section}`);
}

script("bench:evaluations", main);
