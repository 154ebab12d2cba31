/** Caltech-101 (Fei-Fei et al. 2004): 30 images of a class to train and validate on, the rest to test. */
import { pickPerClass } from "../split.js";
import type { DataSetKind } from "./kind.js";
import { foldersIn, heldOutLists, itemsByFolder, labelsOf } from "./listed.js";

/**
 * DIR/CLASS/image_0001.jpg, the folder BACKGROUND_Google among them: the paper's counts are those of 102 classes. The split
 * is random (Donahue et al. 2014), here by a hash of the names: 25 of a class train, 5 validate.
 */
export const caltech101: DataSetKind = {
  ...{ name: "caltech101", title: "Caltech-101", inner: "101_ObjectCategories" },
  needs: ["BACKGROUND_Google", "accordion"],
  official: { train: 2_550, val: 510, test: 6_084, classes: 102 },
  async read(root, opening) {
    const classes = await foldersIn(root);
    const all = await itemsByFolder(root, "", classes);
    const names = all.map((item) => item.path);
    const perClass = (n: number) => classes.map(() => n);
    const chosen = new Set(pickPerClass(names, labelsOf(all), perClass(30)));
    const side = (wanted: boolean) => all.filter((_, place) => chosen.has(place) === wanted);
    return heldOutLists(
      root,
      { classes, trainval: side(true), test: side(false) },
      () => perClass(5),
      opening,
    );
  },
};
