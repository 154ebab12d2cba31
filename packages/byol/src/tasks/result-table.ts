/** Results in rows, those of one protocol on the same data together, the paper's row below them where it has one. */
import type { Interval } from "./metrics.js";
import type { Protocol } from "./protocol.js";
import { protocols, publishedFor } from "./protocols/index.js";
import type { Result } from "./result.js";

/** Names of metrics, in the order of the columns. */
const namesOf = (known: readonly Protocol[]): Readonly<Record<string, string>> =>
  Object.assign({}, ...known.map(({ metrics }) => metrics));

const percent = (share: number): string => (100 * share).toFixed(1);
const withInterval = ({ value, low, high }: Interval): string =>
  `${percent(value)} (${percent(low)}–${percent(high)})`;

/** What of a result stands in its row. */
export type Listed = Pick<Result, "id" | "protocol" | "data" | "encoder" | "seed" | "metrics">;

export interface ResultRows {
  readonly head: readonly string[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly published: boolean }[];
}

/** Percent, with 95 % intervals where they are known; the id tells apart what only the settings do. */
export function resultRows(results: readonly Listed[], known = protocols): ResultRows {
  const names = namesOf(known);
  const columns = Object.keys(names).filter((k) => results.some((r) => r.metrics[k]));
  const groups = new Map<string, Listed[]>();
  for (const result of results) {
    const key = JSON.stringify([result.protocol, result.data]);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const own = group.map(({ id, protocol, data, encoder, seed, metrics }) => {
      const cells = columns.map((k) => (metrics[k] ? withInterval(metrics[k] as Interval) : ""));
      return { published: false, cells: [protocol, data, encoder, String(seed), ...cells, id] };
    });
    const { protocol, data } = group[0]!;
    const published = publishedFor(protocol, data, known);
    if (!published) return own;
    const paper = columns.map((k) => {
      const value = published[k];
      return typeof value === "number" ? percent(value) : "";
    });
    const name = `BYOL, ResNet-50, the paper's ${published.source}`;
    return [...own, { published: true, cells: [protocol, data, name, "", ...paper, ""] }];
  });
  return { head: ["protocol", "data", "encoder", "seed", ...columns.map((k) => names[k]!), "id"], rows };
}

/** A Markdown table of results, a row each, beside the paper's row where it has one. */
export function resultTable(results: readonly Listed[], known = protocols): string {
  const { head, rows } = resultRows(results, known);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(({ cells }) => line(cells))].join("\n");
}
