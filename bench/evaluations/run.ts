/**
 * `npm run bench:evaluations`: every protocol of evaluation on digits and emoji, from an encoder that BYOL trained on the
 * same images, from one that it trained on the other ones, and from the same network at random initialisation.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { presetNamed } from "@dawnstrap/byol";
import { openData, pretrain, randomEncoder, readEncoder, showProgress } from "@dawnstrap/byol/node";
import type { EncoderFile } from "@dawnstrap/byol/tasks";
import { type DeviceKind, openDevice } from "@dawnstrap/tensor";
import { Command, Option } from "commander";
import { type Protocol, protocols, settings } from "./protocols.js";
import { evaluationTable, type Row, type Start } from "./rows.js";
import { describeRun } from "../micro/report.js";
import { Journal } from "../shared/journal.js";
import { seedList } from "../shared/options.js";
import { appendSection, resultsFile } from "../shared/section.js";

const domains = ["digits", "emoji"] as const;
type Domain = (typeof domains)[number];

interface Options {
  readonly runs: string;
  readonly device: DeviceKind;
  readonly seeds: readonly number[];
  readonly data: Domain | "both";
  readonly resume?: string;
  readonly results: string;
}

const options = new Command("npm run bench:evaluations --")
  .description("Runs every evaluation protocol on digits and emoji, and adds a table to the results")
  .option(
    "--runs <dir>",
    "where the pretrained encoders are; those that are missing are trained",
    "runs/evaluations",
  )
  .addOption(new Option("--device <device>", "where to run").choices(["cpu", "webgpu"]).default("cpu"))
  .option("--seeds <list>", "seeds, with commas between", seedList, [0, 1, 2])
  .addOption(
    new Option("--data <what>", "what is evaluated on").choices([...domains, "both"]).default("both"),
  )
  .option("--resume <file>", "a line of JSON for each result; what the file holds already is not repeated")
  .option("--results <file>", "Markdown file that gets the table at its end", resultsFile)
  .showHelpAfterError()
  .parse()
  .opts<Options>();

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
  const about = describeRun(device, 0);
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
            `${target}, seed ${seed}, ${start}, ${name}: ${(100 * top1.value).toFixed(1)} % in ${seconds.toFixed(0)} s`,
          );
        }
        await data.close();
      }
  await device.destroy();
  const { cpu, cores, node } = about.machine;
  const commits = [...new Set(journal.rows.map(({ commit }) => commit.slice(0, 10)))].join(", ");
  const section =
    `## Evaluation on digits and emoji, ${about.date.slice(0, 10)}\n\n` +
    `Presets digits and emoji, ${about.device.kind} (${about.device.description}), ${cpu}, ${cores} cores, Node ${node}, ` +
    `commit ${commits}. Held-out top-1 accuracy in percent: the mean, then each seed (of pre-training, subsets, order and ` +
    `new weights). ${settings}\n\n${targets.map((target) => evaluationTable(target, journal.rows)).join("\n\n")}\n`;
  appendSection(options.results, section);
  console.log(`\n${section}`);
}

main().catch((error: Error) => {
  console.error(`bench:evaluations: ${error.message}`);
  process.exit(1);
});
