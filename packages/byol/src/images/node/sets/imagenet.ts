/** ImageNet (ILSVRC 2012): a folder per class for training, and for validation that or Kaggle's flat folder and list. */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import { proportional } from "../split.js";
import type { DataSetKind } from "./kind.js";
import { firstOf } from "./kind.js";
import { coder, foldersIn, heldOutLists, type Item, itemsByFolder } from "./listed.js";
import { linesOf } from "./text.js";

async function validation(root: string, classes: readonly string[]): Promise<Item[]> {
  const list = await firstOf(root, "LOC_val_solution.csv|../../../LOC_val_solution.csv");
  const folders = await foldersIn(join(root, "val"));
  if (folders.length > 0) {
    const unknown = folders.find((name) => !classes.includes(name));
    if (unknown) throw new DataError(`imagenet: val/${unknown} has no folder of its name in train`);
    return itemsByFolder(root, "val", classes);
  }
  if (!list)
    throw new DataError(
      `imagenet: ${join(root, "val")} has neither a folder per class nor LOC_val_solution.csv beside it to say the classes`,
    );
  // ImageId,PredictionString: "ILSVRC2012_val_00048981,n03995372 85 1 499 272"
  const code = coder(classes, list);
  return (await linesOf(list)).slice(1).map((line) => {
    const [image, prediction = ""] = line.split(",");
    return { path: `val/${image}.JPEG`, label: code(prediction.split(" ")[0]!) };
  });
}

/**
 * DIR/train/n01440764/*.JPEG …, DIR/val/n01440764/*.JPEG … (or DIR/val/*.JPEG with LOC_val_solution.csv). The 50,000 of
 * val are the test; ten images of a class of train, about, validate.
 */
export const imagenet: DataSetKind = {
  ...{ name: "imagenet", title: "ImageNet (ILSVRC 2012)", inner: "ILSVRC/Data/CLS-LOC" },
  needs: ["train", "val"],
  official: { train: 1_271_167, val: 10_000, trainval: 1_281_167, test: 50_000, classes: 1_000 },
  async read(root, opening) {
    const classes = await foldersIn(join(root, "train"));
    if (classes.length === 0)
      throw new DataError(`imagenet: ${join(root, "train")} holds no folders of classes`);
    const trainval = await itemsByFolder(root, "train", classes);
    const test = await validation(root, classes);
    return heldOutLists(
      root,
      { classes, trainval, test },
      (labels) => proportional(labels, 10_000 / 1_281_167),
      opening,
    );
  },
};
