/** Oxford-IIIT Pets (Parkhi et al. 2012), the 37 breeds. */
import { join } from "node:path";
import { classCounts } from "../split.js";
import { DataError } from "../../../errors.js";
import type { DataSetKind } from "./kind.js";
import { heldOutLists, type Item, labelFromOne } from "./listed.js";
import { fieldsOf } from "./text.js";

const count = 37;
const list = (part: string) => `annotations/${part}.txt`;

/** DIR/images/Breed_name_12.jpg, DIR/annotations/{trainval,test}.txt with lines "name class species breed". Val: 20 a class. */
export const pets: DataSetKind = {
  ...{ name: "pets", title: "Oxford-IIIT Pets", inner: "oxford-iiit-pet" },
  needs: ["images", list("trainval"), list("test")],
  official: { train: 2_940, val: 740, test: 3_669, classes: count },
  async read(root, opening) {
    const classes: string[] = [];
    const items = async (part: string): Promise<Item[]> => {
      const rows = (await fieldsOf(join(root, list(part)), 2)).filter(([name]) => !name!.startsWith("#"));
      return rows.map(([name, id]) => {
        const label = labelFromOne(id!, count, `${list(part)}, ${name}`);
        const breed = name!.replace(/_\d+$/, "");
        classes[label] ??= breed;
        if (classes[label] !== breed)
          throw new DataError(`pets: ${list(part)}: class ${id} is ${classes[label]}, and also ${breed}`);
        return { path: `images/${name}.jpg`, label };
      });
    };
    const [trainval, test] = [await items("trainval"), await items("test")];
    return heldOutLists(
      root,
      { classes, trainval, test },
      // Of a class as small as 20 some must be left to train on.
      (labels) => classCounts(labels).map((n) => Math.min(20, Math.floor(n / 2))),
      opening,
    );
  },
};
