/** What the paper publishes of transfer to other data sets, BYOL with a ResNet-50. */
import type { Published } from "./protocol.js";

/** Percent by linear evaluation and by fine-tuning (Table 3), under the metric of Table 10. */
const table3 = {
  food101: ["top1", 75.3, 88.5],
  cifar10: ["top1", 91.3, 97.8],
  cifar100: ["top1", 78.4, 86.1],
  birdsnap: ["top1", 57.2, 76.3],
  sun397: ["top1", 62.2, 63.7],
  cars: ["top1", 67.8, 91.6],
  aircraft: ["mean_per_class", 60.6, 88.1],
  voc2007: ["map_11_point", 82.5, 85.4],
  dtd: ["top1", 75.5, 76.2],
  pets: ["mean_per_class", 90.4, 91.7],
  caltech101: ["mean_per_class", 94.2, 93.8],
  flowers102: ["mean_per_class", 96.1, 97.0],
} as const;

/** The paper's Table 3 by linear evaluation or fine-tuning, for a kind of data set that it has. */
export function transferred(data: string, how: "linear" | "finetune"): Published | undefined {
  if (!Object.hasOwn(table3, data)) return undefined;
  const [metric, linear, tuned] = table3[data as keyof typeof table3];
  return { [metric]: (how === "linear" ? linear : tuned) / 100, source: "Table 3" };
}
