/** FGVC Aircraft (Maji et al. 2013), the 100 variants. */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import type { DataSetKind } from "./kind.js";
import { coder, givenLists, type Item } from "./listed.js";
import { linesOf } from "./text.js";

const list = (part: string) => `data/images_variant_${part}.txt`;

/** DIR/data/images/ID.jpg, DIR/data/variants.txt, DIR/data/images_variant_{train,val,test}.txt with lines "ID variant". */
export const aircraft: DataSetKind = {
  ...{ name: "aircraft", title: "FGVC Aircraft", inner: "fgvc-aircraft-2013b" },
  needs: ["data/images", "data/variants.txt", list("train"), list("val"), list("test")],
  official: { train: 3_334, val: 3_333, test: 3_333, classes: 100 },
  async read(root, opening) {
    const classes = await linesOf(join(root, "data/variants.txt"));
    const items = async (part: string): Promise<Item[]> => {
      const code = coder(classes, list(part));
      return (await linesOf(join(root, list(part)))).map((line) => {
        // A variant's name may have blanks in it.
        const [, id, variant] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
        if (!id || !variant) throw new DataError(`aircraft: ${list(part)}: "${line}" is not "ID variant"`);
        return { path: `data/images/${id}.jpg`, label: code(variant) };
      });
    };
    const [train, val, test] = [await items("train"), await items("val"), await items("test")];
    return givenLists(root, { classes, train, val, test }, opening);
  },
};
