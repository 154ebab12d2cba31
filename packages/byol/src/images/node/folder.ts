/** Any folder of images: JPEG, PNG and WebP, with a sub-folder per class where there are labels. */
import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { DataError } from "../../errors.js";
import { type Skip, type Tree, treeBelow } from "./entries.js";
import { imageFiles } from "./files.js";
import { type Layout, layoutOf, type Part } from "./layout.js";
import { Opening } from "./opening.js";
import { isImage, otherPictures } from "./picture-formats.js";
import type { DataOptions, DataSource, ImageSet, Splits } from "../source.js";
import type { ImageFormat } from "../settings.js";
import { pickPerClass, proportional, splitsOf } from "./split.js";

/** The image files below a folder, its folders, and what is left out. */
async function imagesBelow(folder: string, skip: Skip): Promise<Tree & { readonly others?: string }> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory())
    throw new DataError(
      `data: ${folder} ${found ? "is not a folder" : "does not exist"}; --data takes digits, emoji, KIND:PATH or a folder of images`,
    );
  const { files, folders } = await treeBelow(folder, skip);
  const images = files.filter(isImage);
  const others = otherPictures(files);
  if (images.length === 0)
    throw new DataError(
      `data: ${folder} holds no images (looked for .jpg, .jpeg, .png and .webp, sub-folders too)${others ? `; ${others}` : ""}`,
    );
  return { files: images, folders, ...(others && { others }) };
}

/** Two sets as one, in this order. */
const joined = (a: Part, b: Part): Part => ({
  files: [...a.files, ...b.files],
  ...(a.labels && b.labels && { labels: [...a.labels, ...b.labels] }),
});

/**
 * A folder of images. Without labels all of them are trained on, but for those that the folder itself holds out. Bad
 * files are skipped; see `skipped()`. Throws DataError for a folder whose layout fits half.
 */
export async function openFolder(
  folder: string,
  format: ImageFormat,
  options: DataOptions = {},
): Promise<DataSource> {
  const opening = new Opening(format, options);
  const skip: Skip = (path, reason) => opening.skips.add(path, reason);
  const { others, ...tree } = await imagesBelow(folder, skip);
  const layout = layoutOf(folder, tree, skip);
  const set = ({ files, labels }: Part) =>
    imageFiles(
      files.map((file) => join(folder, file)),
      opening,
      { ...(labels && { labels: Int32Array.from(labels) }), nameOf: (file) => relative(folder, file) },
    );
  const { classes } = layout;
  const notes = others ? [...layout.notes, others] : layout.notes;
  const train = set(layout.train);
  const heldOut = set(layout.test ?? layout.val ?? { files: [] });
  return opening.source({
    ...{ name: folder, image: opening.image, classes, notes, train, heldOut },
    ...(train.labels && { splits: splitsFor(layout, set, train, heldOut) }),
  });
}

/** A val part that the folder gives beside a test part is val; otherwise a tenth of each class of train is. */
function splitsFor(
  { train, val, test }: Layout,
  set: (part: Part) => ImageSet,
  trainSet: ImageSet,
  heldOut: ImageSet,
): Splits {
  if (val && test) {
    const places = val.files.map((_, place) => train.files.length + place);
    return splitsOf(set(joined(train, val)), places, heldOut);
  }
  const labels = train.labels!;
  return splitsOf(trainSet, pickPerClass(train.files, labels, proportional(labels, 0.1)), heldOut);
}
