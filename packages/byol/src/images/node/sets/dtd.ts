/** Describable Textures (Cimpoi et al. 2014), the first of its ten splits. */
import { join } from "node:path";
import type { DataSetKind } from "./kind.js";
import { coder, foldersIn, givenLists, type Item } from "./listed.js";
import { linesOf } from "./text.js";

/** DIR/images/CLASS/CLASS_0001.jpg, DIR/labels/{train,val,test}1.txt with lines CLASS/CLASS_0001.jpg. */
export const dtd: DataSetKind = {
  ...{ name: "dtd", title: "DTD", inner: "dtd" },
  needs: ["images", "labels/train1.txt", "labels/val1.txt", "labels/test1.txt"],
  official: { train: 1_880, val: 1_880, test: 1_880, classes: 47 },
  async read(root, opening) {
    const classes = await foldersIn(join(root, "images"));
    const items = async (part: string): Promise<Item[]> => {
      const code = coder(classes, `labels/${part}1.txt`);
      const lines = await linesOf(join(root, `labels/${part}1.txt`));
      return lines.map((line) => ({ path: `images/${line}`, label: code(line.split("/")[0]!) }));
    };
    const [train, val, test] = [await items("train"), await items("val"), await items("test")];
    return givenLists(root, { classes, train, val, test }, opening);
  },
};
