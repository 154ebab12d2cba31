/** The tables of a report: what the runs reached, and what they were told. */
import { quickProtocols } from "../../../tasks/protocols/index.js";
import { escaped } from "../escape.js";
import { clock } from "../progress.js";
import type { ReportedRun } from "./run.js";

type Row = readonly [name: string, ...cells: string[]];

const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

/** A row a measure, a column a run. */
export function summaryTable(runs: readonly ReportedRun[]): string {
  const row = (name: string, cell: (run: ReportedRun) => string | undefined): Row => [
    name,
    ...runs.map((run) => cell(run) ?? "–"),
  ];
  const accuracies = quickProtocols.map(({ key, title }) =>
    row(
      `${title}, random → pretrained`,
      ({ summary }) =>
        summary && `${percent(summary.random_init[key]!)} → ${percent(summary.pretrained[key]!)}`,
    ),
  );
  const alarms = ({ metrics }: ReportedRun): string => {
    const found = metrics.filter(({ alarm }) => alarm !== undefined);
    return found.length === 0 ? "none" : `${found.length}; at step ${found[0]!.step}: ${found[0]!.alarm}`;
  };
  return table(runs, [
    row("data", ({ config }) => config.data),
    row("preset", ({ config }) => config.preset.name),
    row("seed", ({ config }) => String(config.seed)),
    row("steps done", ({ config, metrics }) => `${metrics.at(-1)!.step + 1} of ${config.steps}`),
    row("loss, first → last", ({ metrics }) =>
      [metrics[0]!, metrics.at(-1)!].map(({ loss }) => loss.toFixed(4)).join(" → "),
    ),
    ...accuracies,
    row("device", ({ summary }) => summary?.device),
    row("time", ({ summary }) => summary && clock(summary.seconds)),
    row("images a second", ({ summary }) => summary?.images_per_second.toFixed(0)),
    row("alarms", alarms),
  ]);
}

/** Every field of the configurations, those in which the runs differ first. */
export function configTables(runs: readonly ReportedRun[]): string {
  const fields = runs.map(({ config }) => new Map(flattened(config)));
  const names = [...new Set(fields.flatMap((map) => [...map.keys()]))];
  const rows = names.map((name): Row => [name, ...fields.map((map) => map.get(name) ?? "–")]);
  const differing = rows.filter(([, first, ...others]) => others.some((cell) => cell !== first));
  const differences =
    runs.length === 1
      ? ""
      : differing.length > 0
        ? `<h3>Where the runs differ</h3>${table(runs, differing)}`
        : "<p>All fields are the same.</p>";
  return `${differences}<details><summary>All ${rows.length} fields</summary>${table(runs, rows)}</details>`;
}

/** { a: { b: 1 } } → ["a.b", "1"]. */
export function flattened(value: object, before = ""): [string, string][] {
  return Object.entries(value).flatMap(([key, inner]): [string, string][] => {
    const name = before + key;
    const nested = typeof inner === "object" && inner !== null;
    if (!nested) return [[name, String(inner)]];
    if (Array.isArray(inner) && inner.every((item) => typeof item !== "object"))
      return [[name, inner.join(", ")]];
    return flattened(inner, `${name}.`);
  });
}

function table(runs: readonly ReportedRun[], rows: readonly Row[]): string {
  const head = runs.map(({ name }, i) => `<th><i class="swatch run${i}"></i>${escaped(name)}</th>`).join("");
  const body = rows
    .map(
      ([name, ...cells]) =>
        `<tr><th>${escaped(name)}</th>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`,
    )
    .join("\n");
  return `<div class="wide"><table><thead><tr><th></th>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
