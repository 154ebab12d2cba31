/** STL-10, binary version (Coates, Ng & Lee 2011): 96×96 images, planes of columns, most of them without labels. */
import { join } from "node:path";
import { mostRecords } from "../limits.js";
import type { Opening } from "../opening.js";
import { splitsWithTenth } from "../split.js";
import type { ImageSet } from "../../source.js";
import type { DataSetKind } from "./kind.js";
import { checkedLabels, recordImages, recordsOnDisk, shapeOf } from "./records.js";
import { fileBytes } from "../regular-file.js";
import { linesOf } from "./text.js";
import { DataError } from "../../../errors.js";

const layout = { height: 96, width: 96, planes: 3, byColumns: true } as const;
const size = 3 * 96 * 96;

async function labelled(root: string, part: string, classes: number, opening: Opening): Promise<ImageSet> {
  const records = await recordsOnDisk(join(root, `${part}_X.bin`), size, opening);
  const { labels, bad } = checkedLabels(
    await fileBytes(join(root, `${part}_y.bin`), mostRecords),
    1,
    classes,
  );
  if (labels.length !== records.count)
    throw new DataError(
      `stl10: ${part}_y.bin holds ${labels.length} labels for the ${records.count} images of ${part}_X.bin`,
    );
  const fetch = async (index: number) => bad.get(index) ?? records.fetch(index);
  return recordImages([{ ...records, fetch }], layout, opening, labels);
}

/**
 * DIR/train_X.bin, train_y.bin, test_X.bin, test_y.bin, unlabeled_X.bin, class_names.txt. Pretrained on the unlabelled
 * images; val is a tenth of train.
 */
export const stl10: DataSetKind = {
  ...{ name: "stl10", title: "STL-10 (binary version)", inner: "stl10_binary" },
  needs: ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", "unlabeled_X.bin", "class_names.txt"],
  official: { trainval: 5_000, test: 8_000, unlabelled: 100_000, classes: 10 },
  async read(root, opening) {
    const classes = await linesOf(join(root, "class_names.txt"));
    if (classes.length === 0) throw new DataError(`data: ${join(root, "class_names.txt")} names no classes`);
    const trainval = await labelled(root, "train", classes.length, opening);
    const test = await labelled(root, "test", classes.length, opening);
    const records = await recordsOnDisk(join(root, "unlabeled_X.bin"), size, opening);
    const unlabelled = recordImages([records], layout, opening);
    return { image: shapeOf(layout, opening), classes, splits: splitsWithTenth(trainval, test), unlabelled };
  },
};
