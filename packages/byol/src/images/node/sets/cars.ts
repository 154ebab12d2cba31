/** Stanford Cars (Krause et al. 2013). */
import { proportional } from "../split.js";
import { type DataSetKind, firstOf } from "./kind.js";
import { heldOutLists, type Item, labelFromOne } from "./listed.js";
import { matlabVariables, recordsOf, textsOf } from "./matlab.js";

const meta = "devkit/cars_meta.mat";
const trainList = "devkit/cars_train_annos.mat";
const testList = "cars_test_annos_withlabels.mat|devkit/cars_test_annos_withlabels.mat";

/**
 * DIR/cars_train/*.jpg, DIR/cars_test/*.jpg, DIR/devkit/cars_meta.mat and cars_train_annos.mat, and
 * cars_test_annos_withlabels.mat in DIR or DIR/devkit. Val: 1,650 of the 8,144, from every class its share.
 */
export const cars: DataSetKind = {
  ...{ name: "cars", title: "Stanford Cars", inner: "stanford_cars" },
  needs: ["cars_train", "cars_test", meta, trainList, testList],
  official: { train: 6_494, val: 1_650, test: 8_041, classes: 196 },
  async read(root, opening) {
    const [names] = await matlabVariables((await firstOf(root, meta))!, ["class_names"]);
    const classes = textsOf(names!, `${meta}, class_names`);
    const items = async (folder: string, list: string): Promise<Item[]> => {
      const file = (await firstOf(root, list))!;
      const [annotations] = await matlabVariables(file, ["annotations"]);
      const wanted = { number: "class", text: "fname", from: `${file}, annotations` };
      return recordsOf(annotations!, wanted).map(({ number, text }) => ({
        path: `${folder}/${text}`,
        label: labelFromOne(number, classes.length, `${file}, ${text}`),
      }));
    };
    const [trainval, test] = [await items("cars_train", trainList), await items("cars_test", testList)];
    return heldOutLists(
      root,
      { classes, trainval, test },
      (labels) => proportional(labels, 1_650 / 8_144),
      opening,
    );
  },
};
