/** What a run of one method with one seed came to, and the table of many. */
import type { Accuracies } from "@dawnstrap/byol";
import { quickProtocols } from "@dawnstrap/byol/tasks";
import { cell, table } from "../shared/section.js";

/** The name of the row that was not trained. */
export const untrained = "random initialisation";

export interface Row {
  readonly method: string;
  readonly seed: number;
  readonly epochs: number;
  readonly steps: number;
  /** Loss of the last step; null where nothing was trained. */
  readonly loss: number | null;
  readonly seconds: number;
  readonly accuracies: Accuracies;
  readonly commit: string;
}

/** A Markdown table with a line a method, in the order given: held-out accuracy in percent. */
export function methodTable(methods: readonly string[], rows: readonly Row[]): string {
  const lines = methods.map((method) => {
    const own = rows.filter((row) => row.method === method).sort((a, b) => a.seed - b.seed);
    return [
      method,
      own.map(({ seed }) => seed).join(", "),
      ...quickProtocols.map(({ key }) => cell(own.map(({ accuracies }) => accuracies[key]!))),
    ];
  });
  return table(["method", "seeds", ...quickProtocols.map(({ title }) => title)], lines);
}
