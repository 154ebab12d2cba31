/** `byol report`: several runs side by side, as one HTML file. */
import { Command } from "commander";
import { resultTable } from "../../../tasks/result-table.js";
import { visible } from "../../report/escape.js";
import { listedOf } from "../../report/html/evaluations.js";
import { reportPage } from "../../report/html/page.js";
import { readRun } from "../../report/html/run.js";
import { wholeFrom } from "../options.js";
import { checkOutput, writeOutput } from "../output.js";

interface ReportFlags {
  readonly out: string;
  readonly seed: number;
}

export const reportCommand = (): Command =>
  new Command("report")
    .description("Compares runs: plots, a map of the images, nearest neighbours, tables, in one HTML file")
    .argument("<run...>", "folders of runs")
    .option("--out <file>", "the page to write", "report.html")
    .option("--seed <n>", "of the maps", wholeFrom(0, 2 ** 32 - 1), 0)
    .action(report);

async function report(folders: string[], { out, seed }: ReportFlags): Promise<void> {
  checkOutput("out", out);
  const runs = folders.map(readRun);
  const page = await reportPage(runs, seed);
  await writeOutput("out", out, page);
  const evaluations = listedOf(runs);
  if (evaluations.length > 0) process.stdout.write(`${visible(resultTable(evaluations))}\n\n`);
  process.stdout.write(`${out}: ${(Buffer.byteLength(page) / 2 ** 20).toFixed(1)} MiB\n`);
}
