/** `byol evaluate`: the paper's protocols on an encoder. */
import { Command, InvalidArgumentError, Option } from "commander";
import {
  evaluateKnn,
  evaluateLinear,
  evaluateLinearCached,
  evaluateTransfer,
} from "../../../tasks/protocols.js";
import {
  evaluateFineTune,
  evaluateSemi,
  paperScratch,
  paperSemiRates,
  paperTuning,
} from "../../../tasks/tuning.js";
import type { Subject } from "../../../tasks/subject.js";
import { UsageError } from "../../../errors.js";
import { paperRates } from "../../../tasks/frozen-linear.js";
import { fileResult, jsonOf, openEvaluations } from "../../../tasks/node/filed.js";
import type { Result } from "../../../tasks/result.js";
import { resultTable } from "../../../tasks/result-table.js";
import { listedSubset } from "../../../tasks/node/listed-subset.js";
import { lambdaGrid } from "../../../tasks/transfer.js";
import { dataOptionsOf, positive, wholeFrom } from "../options.js";
import { checkOutput, writeOutput } from "../output.js";
import { type SubjectFlags, withEncoder, withSubjectOptions } from "../subject.js";

/** Numbers with commas between them. */
const list =
  (each: (text: string) => number) =>
  (text: string): number[] => {
    const values = text.split(",").map(each);
    if (new Set(values).size !== values.length)
      throw new InvalidArgumentError("A number stands there twice.");
    return values;
  };
const notNegative = (text: string): number => (Number(text) === 0 ? 0 : positive(text));

interface EvaluateFlags extends SubjectFlags {
  readonly json?: string;
}

/** A sub-command with what every protocol needs. */
const protocol = (name: string, description: string): Command =>
  withSubjectOptions(new Command(name))
    .description(description)
    .option("--seed <n>", "of splits, order, augmentation and new weights", wholeFrom(0, 2 ** 32 - 1), 0)
    .option("--json <file>", "write the result, with everything needed to repeat it");

/** Opens what the flags name, runs, prints a table, writes the result. */
const withSubject = (flags: EvaluateFlags, run: (subject: Subject) => Promise<Result>): Promise<void> =>
  withEncoder(flags, async (opened) => {
    const { json, seed } = flags;
    // Before anything is computed.
    const folder = openEvaluations(flags.encoder);
    if (json !== undefined) checkOutput("json", json);
    const note = (text: string): void => void process.stderr.write(`${text}\n`);
    const result = await run({ ...opened, seed, dataOptions: dataOptionsOf(flags), note });
    process.stdout.write(`${resultTable([result])}\n`);
    if (json !== undefined) writeOutput("json", json, jsonOf(result));
    if (folder !== undefined) note(`filed as ${await fileResult(folder, result)}`);
  });

const knn = (): Command =>
  protocol("knn", "k nearest neighbours among the training images")
    .option("--k <n>", "neighbours; a small bank uses a fifth of itself at most", wholeFrom(1), 200)
    .option("--temperature <t>", "T of the vote exp(cos / T)", positive, 0.1)
    .addOption(new Option("--distance <kind>").choices(["cosine", "euclidean"]).default("cosine"))
    .addOption(new Option("--vote <kind>").choices(["weighted", "majority"]).default("weighted"))
    .option("--leave-one-out", "measure on the training images, each without itself")
    .action((f) =>
      withSubject(f, (subject) =>
        evaluateKnn(subject, {
          k: f.k,
          temperature: f.temperature,
          distance: f.distance,
          vote: f.vote,
          leaveOneOut: Boolean(f.leaveOneOut),
        }),
      ),
    );

const linear = (): Command =>
  protocol("linear", "a linear classifier on the frozen encoder (paper, App. C.1)")
    .addOption(
      new Option(
        "--variant <kind>",
        "frozen: SGD on augmented images, the paper's; cached: on features made once",
      )
        .choices(["frozen", "cached"])
        .default("frozen"),
    )
    .option("--rates <list>", "base learning rates, the best on validation images is taken", list(positive), [
      ...paperRates,
    ])
    .option("--epochs <n>", "passes over the images", positive, 80)
    .option("--batch <n>", "images in a step", wholeFrom(1), 1024)
    .addOption(
      new Option(
        "--augment <kind>",
        "crop: crop and mirror; view: all of the pre-training's first view (Table 7)",
      )
        .choices(["crop", "view"])
        .default("crop"),
    )
    .option("--regularised", "bounded logits and a penalty on them (the paper's Table 7)")
    .action((f, command: Command) => {
      const others = ["rates", "epochs", "batch", "augment", "regularised"].filter(
        (name) => command.getOptionValueSource(name) === "cli",
      );
      if (f.variant === "cached" && others.length > 0)
        throw new UsageError(
          `linear: --variant cached has no use for --${others.join(", --")} (leave them out, or take --variant frozen)`,
        );
      return withSubject(f, (subject) =>
        f.variant === "cached"
          ? evaluateLinearCached(subject)
          : evaluateLinear(subject, {
              rates: f.rates,
              epochs: f.epochs,
              batch: f.batch,
              regularised: Boolean(f.regularised),
              augment: f.augment,
            }),
      );
    });

const transfer = (): Command =>
  protocol(
    "transfer",
    "logistic regression on frozen features, λ chosen on validation images (paper, App. D.2)",
  )
    .option("--lambdas <list>", "penalties; default: 45 from 1e-6 to 1e5", list(positive), [...lambdaGrid])
    .option("--iterations <n>", "L-BFGS iterations for each λ", wholeFrom(1), 100)
    .action((f) =>
      withSubject(f, (subject) =>
        evaluateTransfer(subject, { lambdas: f.lambdas, iterations: f.iterations }),
      ),
    );

const from = (): Option =>
  new Option("--from <start>", "the encoder's weights, or a random start of the same network")
    .choices(["encoder", "scratch"])
    .default("encoder");

/** The ends of the paper's lists, from the encoder and from scratch. */
const defaultsOf = (key: "rates" | "weightDecays" | "steps"): string => {
  const ends = (values: readonly number[]): string => {
    const all = values.map((value) => Number(value.toPrecision(3)));
    return all.length > 1 ? `${all.length} from ${all[0]} to ${all.at(-1)}` : String(all[0]);
  };
  return `${ends(paperTuning[key]!)}, from scratch ${ends(paperScratch[key]!)}`;
};

const finetune = (): Command =>
  protocol(
    "finetune",
    "all weights on all labels; rate and decay chosen on validation images (paper, App. D.3)",
  )
    .option("--rates <list>", `learning rates; default: ${defaultsOf("rates")}`, list(positive))
    .option(
      "--decays <list>",
      `penalties, each divided by the rate; default: ${defaultsOf("weightDecays")}`,
      list(notNegative),
    )
    .option("--steps <list>", `lengths to try; default: ${defaultsOf("steps")}`, list(wholeFrom(1)))
    .option("--batch <n>", "images in a step", wholeFrom(2), paperTuning.batch)
    .addOption(from())
    .action((f) =>
      withSubject(f, (subject) => {
        const paper = f.from === "scratch" ? paperScratch : paperTuning;
        return evaluateFineTune(subject, {
          rates: f.rates ?? paper.rates,
          weightDecays: f.decays ?? paper.weightDecays,
          steps: f.steps ?? paper.steps,
          batch: f.batch,
          from: f.from,
        });
      }),
    );

const semi = (): Command =>
  protocol("semi", "all weights on a part of the labels (paper, App. C.1)")
    .option("--share <p>", "part of the labels, class-balanced by the seed", positive, 0.01)
    .addOption(
      new Option(
        "--subset <file>",
        "the labelled images instead, a file name a line, as SimCLR lists ImageNet's",
      ).conflicts("share"),
    )
    .option("--rates <list>", "learning rates", list(positive), [...paperSemiRates])
    .option("--epochs <list>", "lengths to try", list(positive), [30, 50])
    .option("--batch <n>", "images in a step", wholeFrom(2), 1024)
    .addOption(from())
    .action((f) =>
      withSubject(f, (subject) => {
        const all = subject.data.splits?.trainval ?? subject.data.train;
        const names = (): string[] => Array.from({ length: all.length }, (_, i) => all.name?.(i) ?? "");
        const places = f.subset === undefined ? undefined : listedSubset(f.subset, names());
        const share = places ? places.length / all.length : f.share;
        return evaluateSemi(
          subject,
          { share, ...(places && { places, list: f.subset }) },
          { rates: f.rates, epochs: f.epochs, batch: f.batch, from: f.from },
        );
      }),
    );

export const evaluateCommand = (): Command =>
  [knn, linear, semi, finetune, transfer].reduce(
    (command, make) => command.addCommand(make()),
    new Command("evaluate").description("Measures an encoder by the paper's protocols"),
  );
