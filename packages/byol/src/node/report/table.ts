/** The table at the end of a run. */
import { columns } from "../../columns.js";
import { quickProtocols } from "../../tasks/protocols/index.js";
import type { Summary } from "../../metrics.js";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (gain: number) => `${gain >= 0 ? "+" : "−"}${Math.abs(100 * gain).toFixed(1)}`;

/** Held-out accuracy before and after, one protocol a line; a sentence instead where there are no labels. */
export function accuracyTable({
  random_init,
  pretrained,
}: Pick<Summary, "random_init" | "pretrained">): string {
  if (Object.values(pretrained).every((share) => share === null))
    return "no accuracies: the images carry no labels (put them in one sub-folder per class to measure the features)";
  const lines = [["held-out accuracy", "random init", "pretrained", "points"]];
  for (const { key, title } of quickProtocols) {
    const before = random_init[key] ?? Number.NaN;
    const after = pretrained[key] ?? Number.NaN;
    lines.push([title, percent(before), percent(after), points(after - before)]);
  }
  return columns(lines).join("\n");
}
