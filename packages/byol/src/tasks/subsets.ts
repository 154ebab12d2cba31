/** Parts of a labelled set: the few labels of semi-supervised learning. */
import { DataError, UsageError } from "../errors.js";
import { Stream } from "../images/streams.js";

/** Places of each class, in the order of the set. */
function byClass(labels: Int32Array): number[][] {
  const places: number[][] = [];
  labels.forEach((label, i) => {
    places[label] ??= [];
    places[label].push(i);
  });
  return places;
}

/**
 * A class-balanced part of a set: as near to `share` of all images as equal counts allow, at least one of each class.
 *
 * @throws DataError naming a class of `classes` that has no image
 */
export function balancedSubset(
  labels: Int32Array,
  classes: readonly string[],
  share: number,
  seed: number,
): number[] {
  if (!(share > 0 && share <= 1)) throw new UsageError(`subset: a share of ${share} is not in (0, 1]`);
  const members = byClass(labels);
  const empty = classes.filter((_, c) => !members[c]?.length);
  if (empty.length) throw new DataError(`subset: no image of class ${empty.join(", ")}`);
  const each = Math.max(1, Math.round((share * labels.length) / classes.length));
  return members
    .flatMap((places, c) => new Stream(seed, "subset", 2, c).shuffle(places).slice(0, each))
    .sort((a, b) => a - b);
}
