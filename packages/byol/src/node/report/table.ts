/** The table at the end of a run. */
import { columns } from "../../columns.js";
import type { Accuracies, Summary } from "../../metrics.js";

const rows: readonly (readonly [keyof Accuracies, string])[] = [
  ["knn", "weighted kNN"],
  ["linear", "linear probe"],
  ["few_shot", "ten labels a class"],
];

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (gain: number) => `${gain >= 0 ? "+" : "−"}${Math.abs(100 * gain).toFixed(1)}`;

/** Held-out accuracy before and after, one protocol a line; a sentence instead where there are no labels. */
export function accuracyTable({
  random_init,
  pretrained,
}: Pick<Summary, "random_init" | "pretrained">): string {
  if (pretrained.knn === null)
    return "no accuracies: the images carry no labels (put them in one sub-folder per class to measure the features)";
  const lines = [["held-out accuracy", "random init", "pretrained", "points"]];
  for (const [key, name] of rows) {
    const before = random_init[key] ?? Number.NaN;
    const after = pretrained[key] ?? Number.NaN;
    lines.push([name, percent(before), percent(after), points(after - before)]);
  }
  return columns(lines).join("\n");
}
