/** What `byol evaluate` has filed in the folders of the runs, beside what the paper publishes. */
import { resultRows } from "../../../tasks/result-table.js";
import { escaped } from "../escape.js";
import { confusionTable } from "./confusion.js";
import type { Evaluation, ReportedRun } from "./run.js";
import { flattened } from "./tables.js";

/** Results by the names of the runs that they measure. */
export const listedOf = (runs: readonly ReportedRun[]): Evaluation[] =>
  runs.flatMap(({ name, evaluations }) =>
    evaluations.map((result) => ({
      ...result,
      encoder: result.current ? name : `${name}, an encoder that it holds no more`,
    })),
  );

/** A table, then the confusions and the record of every result; nothing where there are no results. */
export function evaluationsSection(runs: readonly ReportedRun[]): string {
  const listed = listedOf(runs);
  if (listed.length === 0) return "";
  const { head, rows } = resultRows(listed);
  const line = ({ cells, published }: (typeof rows)[number]): string =>
    `<tr${published ? ' class="published"' : ""}>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
  return `<h2>Evaluations</h2>
<p>Percent of test images, with 95 % bootstrap intervals over them, as <code>byol evaluate</code> measured it.</p>
<div class="wide"><table class="evaluations"><thead><tr>${head.map((name) => `<th scope="col">${escaped(name)}</th>`).join("")}</tr></thead>
<tbody>${rows.map(line).join("\n")}</tbody></table></div>
${listed.map(details).join("\n")}`;
}

function details({ metrics, classes, current: _, ...record }: Evaluation): string {
  const name = `${record.protocol} on ${record.data}, seed ${record.seed}: ${record.encoder} (${record.id})`;
  const confusion = metrics.confusion ? confusionTable(metrics.confusion, classes) : "";
  const rows = flattened(record).map(
    ([field, value]) => `<tr><th scope="row">${escaped(field)}</th><td>${escaped(value)}</td></tr>`,
  );
  return `<details><summary>${escaped(name)}</summary>
${confusion}<div class="wide"><table><caption>The record, to repeat it by</caption><tbody>${rows.join("\n")}</tbody></table></div></details>`;
}
