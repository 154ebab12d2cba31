/** Results of the protocols, and a table of those on one data set. */
import type { Metrics, Result } from "@dawnstrap/byol/tasks";
import { cell, table } from "../shared/section.js";
import { protocols } from "./protocols.js";

/** The encoder: trained by BYOL or not, its preset that of the data or of the other data. */
export type Start = "random" | "byol" | "random, other" | "byol, other";

export interface Row {
  readonly protocol: string;
  /** The data it is measured on. */
  readonly target: string;
  readonly start: Start;
  readonly seed: number;
  readonly top1: NonNullable<Metrics["top1"]>;
  readonly mean_per_class: NonNullable<Metrics["mean_per_class"]>;
  readonly images: Result["images"];
  /** What the sweep chose. */
  readonly chosen: unknown;
  readonly seconds: number;
  readonly commit: string;
}

/** A line a protocol, a column a start. */
export function evaluationTable(target: string, rows: readonly Row[]): string {
  const other = target === "digits" ? "emoji" : "digits";
  const columns: readonly [Start, string][] = [
    ["random", "random initialisation"],
    ["byol", `BYOL on ${target}`],
    ["random, other", `random, ${other}'s network`],
    ["byol, other", `BYOL on ${other}`],
  ];
  const lines = protocols.map(({ name }) => {
    const own = rows.filter((row) => row.protocol === name && row.target === target);
    const inOrder = own.sort((a, b) => a.seed - b.seed);
    return [
      name,
      ...columns.map(([start]) => cell(inOrder.filter((r) => r.start === start).map((r) => r.top1.value))),
    ];
  });
  return table([`on ${target}`, ...columns.map(([, title]) => title)], lines);
}
