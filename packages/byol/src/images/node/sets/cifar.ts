/** CIFAR-10 and CIFAR-100, binary version (Krizhevsky 2009): records of label bytes and 3×32×32 pixels. */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import { recordFileBytes } from "../limits.js";
import type { Opening } from "../opening.js";
import { pickPerClass, proportional, splitsOf } from "../split.js";
import type { ImageSet } from "../../source.js";
import type { Contents, DataSetKind } from "./kind.js";
import { checkedLabels, recordImages, recordsInMemory, shapeOf } from "./records.js";
import { fileBytes } from "../regular-file.js";
import { linesOf } from "./text.js";

const layout = { height: 32, width: 32, planes: 3 } as const;
const size = 3 * 32 * 32;

interface Version {
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** File with the names of the classes. */
  readonly names: string;
  readonly classes: number;
  /** Label bytes before the pixels; the last one counts (CIFAR-100: coarse, then fine). */
  readonly labelBytes: number;
  /** Share of the training images that validate (the paper, App. D.1). */
  readonly val: number;
}

async function readFiles(
  root: string,
  files: readonly string[],
  { labelBytes, classes }: Version,
  opening: Opening,
): Promise<ImageSet> {
  const stride = labelBytes + size;
  const read = await Promise.all(
    files.map(async (name) => {
      const bytes = await fileBytes(join(root, name), recordFileBytes);
      const count = Math.ceil(bytes.length / stride);
      const raw = Array.from({ length: count }, (_, i) => bytes[i * stride + labelBytes - 1]!);
      const { labels, bad } = checkedLabels(raw, 0, classes - 1);
      return {
        labels,
        records: recordsInMemory(name, bytes, { count, first: labelBytes, stride, size, bad }),
      };
    }),
  );
  const labels = Int32Array.from(read.flatMap((file) => [...file.labels]));
  return recordImages(
    read.map((file) => file.records),
    layout,
    opening,
    labels,
  );
}

async function read(root: string, version: Version, opening: Opening): Promise<Contents> {
  const classes = (await linesOf(join(root, version.names))).slice(0, version.classes);
  if (classes.length < version.classes)
    throw new DataError(
      `data: ${join(root, version.names)} names ${classes.length} of the ${version.classes} classes`,
    );
  const trainval = await readFiles(root, version.train, version, opening);
  const test = await readFiles(root, version.test, version, opening);
  const labels = trainval.labels!;
  // The records have no names; the hash of their places parts them as well.
  const places = Array.from(labels, (_, place) => String(place));
  const val = pickPerClass(places, labels, proportional(labels, version.val));
  return { image: shapeOf(layout, opening), classes, splits: splitsOf(trainval, val, test) };
}

const ten: Version = {
  train: [1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`),
  test: ["test_batch.bin"],
  names: "batches.meta.txt",
  ...{ classes: 10, labelBytes: 1, val: 5_000 / 50_000 },
};
const hundred: Version = {
  train: ["train.bin"],
  test: ["test.bin"],
  names: "fine_label_names.txt",
  ...{ classes: 100, labelBytes: 2, val: 5_067 / 50_000 },
};
const kind = (
  name: string,
  title: string,
  inner: string,
  version: Version,
): Omit<DataSetKind, "official"> => ({
  ...{ name, title, inner },
  needs: [...version.train, ...version.test, version.names],
  read: (root, opening) => read(root, version, opening),
});

/** DIR/data_batch_1.bin … data_batch_5.bin, test_batch.bin, batches.meta.txt. Val: 500 of each class of train. */
export const cifar10: DataSetKind = {
  ...kind("cifar10", "CIFAR-10 (binary version)", "cifar-10-batches-bin", ten),
  official: { train: 45_000, val: 5_000, trainval: 50_000, test: 10_000, classes: 10 },
};

/** DIR/train.bin, test.bin, fine_label_names.txt; the fine labels count. Val: 50 or 51 of each class of train. */
export const cifar100: DataSetKind = {
  ...kind("cifar100", "CIFAR-100 (binary version)", "cifar-100-binary", hundred),
  official: { train: 44_933, val: 5_067, trainval: 50_000, test: 10_000, classes: 100 },
};
