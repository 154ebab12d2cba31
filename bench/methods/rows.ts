/** What a run of one method with one seed came to, and the table of many. */
import type { Accuracies } from "@dawnstrap/byol";

/** The name of the row that was not trained. */
export const untrained = "random initialisation";

export interface Row extends Accuracies {
  readonly method: string;
  readonly seed: number;
  readonly epochs: number;
  readonly steps: number;
  /** Loss of the last step; null where nothing was trained. */
  readonly loss: number | null;
  readonly seconds: number;
  readonly commit: string;
}

const protocols = [
  ["knn", "weighted kNN"],
  ["linear", "linear probe"],
  ["few_shot", "ten labels a class"],
] as const;

const percent = (share: number): string => (100 * share).toFixed(1);

/** "91.2 (90.8, 91.0, 91.9)": the mean, and the value of each seed in order. */
function cell(values: readonly (number | null)[]): string {
  const known = values.filter((v): v is number => v !== null);
  if (known.length === 0) return "–";
  const mean = percent(known.reduce((sum, v) => sum + v, 0) / known.length);
  return known.length === 1 ? mean : `${mean} (${known.map(percent).join(", ")})`;
}

/** A Markdown table with a line a method, in the order of their first rows: held-out accuracy in percent. */
export function table(rows: readonly Row[]): string {
  const methods = [...new Set(rows.map(({ method }) => method))];
  const lines = methods.map((method) => {
    const own = rows.filter((row) => row.method === method).sort((a, b) => a.seed - b.seed);
    const cells = protocols.map(([key]) => cell(own.map((row) => row[key])));
    return [method, own.map(({ seed }) => seed).join(", "), ...cells];
  });
  const head = ["method", "seeds", ...protocols.map(([, name]) => name)];
  return [head, head.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |`).join("\n");
}
