/** SUN397 (Xiao et al. 2010), the first of its ten splits. */
import { proportional } from "../split.js";
import { type DataSetKind, firstOf } from "./kind.js";
import { coder, heldOutLists, type Item } from "./listed.js";
import { linesOf } from "./text.js";

const list = (name: string) => `${name}|Partitions/${name}`;

/**
 * DIR/a/abbey/sun_….jpg, and ClassName.txt, Training_01.txt, Testing_01.txt (the archive Partitions.zip) in DIR or in
 * DIR/Partitions, with lines /a/abbey/sun_….jpg. Val: 10 of a class's 50.
 */
export const sun397: DataSetKind = {
  ...{ name: "sun397", title: "SUN397", inner: "SUN397" },
  needs: ["a", list("ClassName.txt"), list("Training_01.txt"), list("Testing_01.txt")],
  official: { train: 15_880, val: 3_970, test: 19_850, classes: 397 },
  async read(root, opening) {
    const lines = async (name: string) => linesOf((await firstOf(root, list(name)))!);
    const classes = (await lines("ClassName.txt")).map((line) => line.slice(1));
    const items = async (name: string): Promise<Item[]> => {
      const code = coder(classes, name);
      return (await lines(name)).map((line) => ({
        path: line.slice(1),
        label: code(line.slice(1, line.lastIndexOf("/"))),
      }));
    };
    const [trainval, test] = [await items("Training_01.txt"), await items("Testing_01.txt")];
    return heldOutLists(root, { classes, trainval, test }, (labels) => proportional(labels, 0.2), opening);
  },
};
