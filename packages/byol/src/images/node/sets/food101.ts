/** Food-101 (Bossard et al. 2014). */
import { join } from "node:path";
import { proportional } from "../split.js";
import type { DataSetKind } from "./kind.js";
import { coder, heldOutLists, type Item } from "./listed.js";
import { linesOf } from "./text.js";

/** DIR/images/CLASS/ID.jpg, DIR/meta/classes.txt, train.txt and test.txt with lines CLASS/ID. Val: 75 of a class's 750. */
export const food101: DataSetKind = {
  ...{ name: "food101", title: "Food-101", inner: "food-101" },
  needs: ["images", "meta/classes.txt", "meta/train.txt", "meta/test.txt"],
  official: { train: 68_175, val: 7_575, test: 25_250, classes: 101 },
  async read(root, opening) {
    const classes = await linesOf(join(root, "meta/classes.txt"));
    const items = async (part: string): Promise<Item[]> => {
      const code = coder(classes, `meta/${part}.txt`);
      const lines = await linesOf(join(root, `meta/${part}.txt`));
      return lines.map((line) => ({ path: `images/${line}.jpg`, label: code(line.split("/")[0]!) }));
    };
    const [trainval, test] = [await items("train"), await items("test")];
    return heldOutLists(
      root,
      { classes, trainval, test },
      (labels) => proportional(labels, 7_575 / 75_750),
      opening,
    );
  },
};
