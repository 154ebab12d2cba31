/** What the paper publishes of BYOL with a ResNet-50, to set a result beside (byol-spec §2.2, §3, §4.4). */

/** Shares, as the results are. */
export interface Published {
  readonly top1?: number;
  readonly top5?: number;
  readonly mean_per_class?: number;
  readonly map_11_point?: number;
  readonly source: string;
}

const imagenet: Readonly<Record<string, Published>> = {
  linear: { top1: 0.743, top5: 0.916, source: "Table 1" },
  "linear (augmented, regularised)": { top1: 0.748, top5: 0.918, source: "Table 7" },
  "semi 1 %": { top1: 0.532, top5: 0.784, source: "Table 2" },
  "semi 10 %": { top1: 0.688, top5: 0.89, source: "Table 2" },
  finetune: { top1: 0.777, top5: 0.939, source: "Table 8" },
};

/** Percent by linear evaluation and by fine-tuning (Table 3), under the metric of Table 10. */
const transferred = {
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

/** The paper's row for a protocol on a data set (by its kind, `cifar10` of `cifar10:DIR`), if it has one. */
export function publishedFor(protocol: string, data: string): Published | undefined {
  const kind = data.split(":")[0]!;
  if (kind === "imagenet") return imagenet[protocol];
  const row = Object.hasOwn(transferred, kind) ? transferred[kind as keyof typeof transferred] : undefined;
  if (!row || (protocol !== "transfer" && protocol !== "finetune")) return undefined;
  const [metric, linear, tuned] = row;
  return { [metric]: (protocol === "transfer" ? linear : tuned) / 100, source: "Table 3" };
}
