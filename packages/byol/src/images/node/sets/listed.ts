/** Data sets of image files whose classes and splits stand in lists or in the folders' names. */
import { extname, join } from "node:path";
import { DataError } from "../../../errors.js";
import { entriesIn } from "../entries.js";
import { imageFiles } from "../files.js";
import type { Opening } from "../opening.js";
import { pickPerClass, splitsOf } from "../split.js";
import type { ImageSet } from "../../source.js";
import type { Contents } from "./kind.js";

/** An image by its path below the set's folder, with `/`, and its class. */
export interface Item {
  readonly path: string;
  readonly label: number;
}

/** Codes of class names. Throws DataError that names the list and the unknown class. */
export function coder(classes: readonly string[], from: string): (name: string) => number {
  const codes = new Map(classes.map((name, code) => [name, code]));
  return (name) => {
    const code = codes.get(name);
    if (code === undefined)
      throw new DataError(`data: ${from}: there is no class "${name}" among the ${classes.length}`);
    return code;
  };
}

/** `text` as a label of 1 … classes, brought to 0 …. */
export function labelFromOne(text: string | number, classes: number, from: string): number {
  const label = Number(text);
  if (!Number.isInteger(label) || label < 1 || label > classes)
    throw new DataError(`data: ${from}: label ${text} is out of the range 1 to ${classes}`);
  return label - 1;
}

/** Names of the folders in a folder, sorted. */
export const foldersIn = async (folder: string): Promise<string[]> =>
  (await entriesIn(folder)).folders.map(({ name }) => name);

/** Names of the JPEG files in a folder, sorted. */
export async function jpegsIn(folder: string): Promise<string[]> {
  const { files } = await entriesIn(folder);
  return files.map(({ name }) => name).filter((name) => /^\.jpe?g$/i.test(extname(name)));
}

/** Every folder below `root/folder` as a class, named by `classes`, with the JPEG files in it. */
export async function itemsByFolder(
  root: string,
  folder: string,
  classes: readonly string[],
): Promise<Item[]> {
  const lists = await Promise.all(
    classes.map(async (name, label) => {
      const names = await jpegsIn(join(root, folder, name));
      if (names.length === 0) throw new DataError(`data: ${join(root, folder, name)} holds no JPEG images`);
      return names.map((file) => ({ path: [folder, name, file].filter(Boolean).join("/"), label }));
    }),
  );
  return lists.flat();
}

export const labelsOf = (items: readonly Item[]): Int32Array => Int32Array.from(items, (item) => item.label);

function set(root: string, items: readonly Item[], opening: Opening): ImageSet {
  // A list decides which files of its own folder are read, and no others.
  const outside = items.find(({ path }) => path.split(/[/\\]/).includes(".."));
  if (outside) throw new DataError(`data: a list names ${outside.path}, which lies outside ${root}`);
  return imageFiles(
    items.map((item) => join(root, item.path)),
    opening,
    { labels: labelsOf(items), nameOf: (file) => file.slice(root.length + 1) },
  );
}

interface Lists {
  readonly classes: readonly string[];
  readonly test: readonly Item[];
}

/** A set whose train and val are given. */
export function givenLists(
  root: string,
  { classes, train, val, test }: Lists & { train: readonly Item[]; val: readonly Item[] },
  opening: Opening,
): Contents {
  const trainval = set(root, [...train, ...val], opening);
  const places = Array.from(val, (_, i) => train.length + i);
  return { image: opening.image, classes, splits: splitsOf(trainval, places, set(root, test, opening)) };
}

/** A set that gives train and val as one; `val` says how many images of each class validate, chosen by their names. */
export function heldOutLists(
  root: string,
  { classes, trainval, test }: Lists & { trainval: readonly Item[] },
  val: (labels: Int32Array) => readonly number[],
  opening: Opening,
): Contents {
  const labels = labelsOf(trainval);
  const places = pickPerClass(
    trainval.map((item) => item.path),
    labels,
    val(labels),
  );
  const both = set(root, trainval, opening);
  return { image: opening.image, classes, splits: splitsOf(both, places, set(root, test, opening)) };
}
