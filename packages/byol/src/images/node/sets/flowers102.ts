/** Oxford Flowers-102 (Nilsback & Zisserman 2008). */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import type { DataSetKind } from "./kind.js";
import { givenLists, type Item, labelFromOne } from "./listed.js";
import { matlabVariables, numbersOf } from "./matlab.js";

const count = 102;

/** DIR/jpg/image_00001.jpg, DIR/imagelabels.mat (labels), DIR/setid.mat (trnid, valid, tstid). Classes have no names there. */
export const flowers102: DataSetKind = {
  ...{ name: "flowers102", title: "Oxford Flowers-102", inner: "flowers-102" },
  needs: ["jpg", "imagelabels.mat", "setid.mat"],
  official: { train: 1_020, val: 1_020, test: 6_149 },
  async read(root, opening) {
    const [all] = await matlabVariables(join(root, "imagelabels.mat"), ["labels"]);
    const labels = numbersOf(all!, "imagelabels.mat, labels");
    const names = ["trnid", "valid", "tstid"];
    const parts = await matlabVariables(join(root, "setid.mat"), names);
    const [train, val, test] = parts.map((part, p) =>
      numbersOf(part, `setid.mat, ${names[p]}`).map((id): Item => {
        const label = labels[id - 1];
        if (label === undefined)
          throw new DataError(
            `flowers102: setid.mat names image ${id} of the ${labels.length} in imagelabels.mat`,
          );
        return {
          path: `jpg/image_${String(id).padStart(5, "0")}.jpg`,
          label: labelFromOne(label, count, `imagelabels.mat, image ${id}`),
        };
      }),
    );
    const classes = Array.from({ length: count }, (_, k) => String(k + 1));
    return givenLists(root, { classes, train: train!, val: val!, test: test! }, opening);
  },
};
