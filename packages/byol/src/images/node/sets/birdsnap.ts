/** Birdsnap (Berg et al. 2014). */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import { proportional } from "../split.js";
import { type DataSetKind, firstOf } from "./kind.js";
import { heldOutLists, type Item, labelFromOne } from "./listed.js";
import { fieldsOf, linesOf } from "./text.js";

/** A table with tabs between its fields and their names in the first line. */
async function tableOf(file: string, columns: readonly string[]): Promise<string[][]> {
  const [names = [], ...rows] = await fieldsOf(file, columns.length, "\t");
  const places = columns.map((column) => names.indexOf(column));
  const gone = columns.filter((_, i) => places[i]! < 0);
  if (gone.length > 0) throw new DataError(`birdsnap: ${file} lacks the column ${gone.join(", ")}`);
  return rows.map((row) => places.map((place) => row[place] ?? ""));
}

/**
 * DIR/species.txt, images.txt and test_images.txt (tables), DIR/images/SPECIES/ID.jpg as its download script leaves them.
 * Val: 4,981 of all that is not test, from every class its share. (The paper says "as many of each class as in test",
 * which would be 2,443.)
 */
export const birdsnap: DataSetKind = {
  ...{ name: "birdsnap", title: "Birdsnap", inner: "birdsnap" },
  needs: ["species.txt", "images.txt", "test_images.txt", "images|download/images"],
  official: { train: 42_405, val: 4_981, test: 2_443, classes: 500 },
  async read(root, opening) {
    const species = await tableOf(join(root, "species.txt"), ["id", "common"]);
    const classes = species.map(([, common]) => common!);
    const images = (await firstOf(root, "images|download/images"))!.slice(root.length + 1);
    const tested = new Set((await linesOf(join(root, "test_images.txt"))).slice(1));
    const sides = { trainval: [] as Item[], test: [] as Item[] };
    for (const [path, id] of await tableOf(join(root, "images.txt"), ["path", "species_id"])) {
      const label = labelFromOne(id!, classes.length, `images.txt, ${path}`);
      sides[tested.has(path!) ? "test" : "trainval"].push({ path: `${images}/${path}`, label });
    }
    return heldOutLists(
      root,
      { classes, ...sides },
      (labels) => proportional(labels, 4_981 / 47_386),
      opening,
    );
  },
};
