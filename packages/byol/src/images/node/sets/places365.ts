/** Places365-Standard (Zhou et al. 2017), at 256×256 or in full. */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import { proportional } from "../split.js";
import { type DataSetKind, firstOf } from "./kind.js";
import { heldOutLists, type Item } from "./listed.js";
import { fieldsOf } from "./text.js";

const names = "categories_places365.txt";
const trainList = "places365_train_standard.txt";
const valList = "places365_val.txt";
const trainImages = "data_256_standard|data_large_standard";
const valImages = "val_256|val_large";

/**
 * DIR/data_256_standard/a/airfield/00000001.jpg (or data_large_standard), DIR/val_256/Places365_val_00000001.jpg (or
 * val_large), DIR/categories_places365.txt, places365_train_standard.txt and places365_val.txt with lines "path class". The
 * published val is the test; a fiftieth of every class of train validates.
 */
export const places365: DataSetKind = {
  ...{ name: "places365", title: "Places365-Standard" },
  needs: [trainImages, valImages, names, trainList, valList],
  official: { trainval: 1_803_460, test: 36_500, classes: 365 },
  async read(root, opening) {
    const categories = await fieldsOf(join(root, names), 2);
    const classes = categories.map(([name]) => name!.replace(/^\/\w\//, ""));
    const items = async (list: string, images: string): Promise<Item[]> => {
      const folder = (await firstOf(root, images))!.slice(root.length + 1);
      return (await fieldsOf(join(root, list), 2)).map(([path, id]) => {
        const label = Number(id);
        if (!(label in classes))
          throw new DataError(
            `places365: ${list}, ${path}: label ${id} is out of the range 0 to ${classes.length - 1}`,
          );
        return { path: `${folder}/${path!.replace(/^\//, "")}`, label };
      });
    };
    const [trainval, test] = [await items(trainList, trainImages), await items(valList, valImages)];
    return heldOutLists(root, { classes, trainval, test }, (labels) => proportional(labels, 0.02), opening);
  },
};
