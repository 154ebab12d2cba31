// Prints a Markdown table of finished runs, for the README: what each summary.json says.
//
//   node scripts/table.mjs RUN_FOLDER ...
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error("table: name the folders of the runs, as in: node scripts/table.mjs runs/a runs/b");
  process.exit(1);
}
const runs = folders.map((folder) => JSON.parse(readFileSync(join(folder, "summary.json"), "utf8")));
const percent = (x) => (100 * x).toFixed(1);
const pair = (run, what) => `${percent(run.random_init[what])} → **${percent(run.pretrained[what])}**`;
console.log("| data | seed | epochs | kNN | linear | ten labels a class | images/s | time |");
console.log("|---|---|---|---|---|---|---|---|");
for (const run of runs) {
  const time = `${Math.floor(run.seconds / 60)}:${String(Math.round(run.seconds % 60)).padStart(2, "0")}`;
  const accuracies = ["knn", "linear", "few_shot"].map((what) => pair(run, what)).join(" | ");
  console.log(
    `| ${run.data} | ${run.seed} | ${Number(run.epochs.toFixed(1))} | ${accuracies} | ${Math.round(run.images_per_second)} | ${time} |`,
  );
}
const date = new Date().toISOString().slice(0, 10);
console.log(
  `\n${date}, device \`${runs[0].device}\`, ${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version}.`,
);
