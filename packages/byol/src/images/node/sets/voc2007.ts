/** PASCAL VOC 2007 as classification (Everingham et al. 2010): an image shows any of twenty classes. */
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import { imageFiles } from "../files.js";
import { splitsOf } from "../split.js";
import type { DataSetKind } from "./kind.js";
import { fieldsOf, linesOf } from "./text.js";

const classes = [
  ...["aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"],
  ...[
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
  ],
];
const sides = ["train", "val", "test"] as const;
const main = (name: string) => `ImageSets/Main/${name}.txt`;

/** Images of a side, and 1, 0 (difficult) or −1 for each class, from the side's list and its lists per class. */
async function sideOf(root: string, side: string): Promise<{ ids: string[]; presence: Int8Array }> {
  const ids = await linesOf(join(root, main(side)));
  const places = new Map(ids.map((id, place) => [id, place]));
  const presence = new Int8Array(ids.length * classes.length);
  for (const [code, name] of classes.entries()) {
    const list = main(`${name}_${side}`);
    const rows = await fieldsOf(join(root, list), 2);
    for (const [id, value] of rows) {
      const place = places.get(id!);
      if (place === undefined || !["1", "0", "-1"].includes(value!))
        throw new DataError(
          `voc2007: ${list}: "${id} ${value}" is not an image of ${main(side)} with 1, 0 or -1`,
        );
      presence[place * classes.length + code] = Number(value);
    }
    if (rows.length !== ids.length)
      throw new DataError(
        `voc2007: ${list} has ${rows.length} lines for the ${ids.length} images of ${main(side)}`,
      );
  }
  return { ids, presence };
}

/**
 * DIR/JPEGImages/ID.jpg, DIR/ImageSets/Main/{train,val,test}.txt and CLASS_{train,val,test}.txt for every class; the
 * archives of trainval and test unpack into one folder. Labels are in `presence`.
 */
export const voc2007: DataSetKind = {
  ...{ name: "voc2007", title: "PASCAL VOC 2007", inner: "VOCdevkit/VOC2007" },
  needs: [
    "JPEGImages",
    ...sides.map((side) => main(side)),
    ...sides.flatMap((side) => classes.map((name) => main(`${name}_${side}`))),
  ],
  official: { train: 2_501, val: 2_510, trainval: 5_011, test: 4_952 },
  async read(root, opening) {
    const [train, val, test] = await Promise.all(sides.map((side) => sideOf(root, side)));
    const set = ({ ids, presence }: { ids: string[]; presence: Int8Array }) =>
      imageFiles(
        ids.map((id) => join(root, "JPEGImages", `${id}.jpg`)),
        opening,
        { presence, nameOf: (file) => file.slice(root.length + 1) },
      );
    const trainval = set({
      ids: [...train!.ids, ...val!.ids],
      presence: Int8Array.from([...train!.presence, ...val!.presence]),
    });
    const places = val!.ids.map((_, i) => train!.ids.length + i);
    return { image: opening.image, classes, splits: splitsOf(trainval, places, set(test!)) };
  },
};
