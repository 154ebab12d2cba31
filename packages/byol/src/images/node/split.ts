/** Splits that are properties of the data: they depend on names alone, not on a seed or on the order of files. */
import { createHash } from "node:crypto";
import { type ImageSet, type Splits, subset } from "../source.js";

/** A number in [0, 1) that depends on the name alone. */
export function hashFraction(name: string): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) / 2 ** 32;
}

/** Places of the `count` names with the greatest hashes. */
function greatest(names: readonly string[], places: readonly number[], count: number): number[] {
  const ranked = places.map((place) => ({ place, hash: hashFraction(names[place]!) }));
  ranked.sort((a, b) => b.hash - a.hash || a.place - b.place);
  return ranked.slice(0, count).map(({ place }) => place);
}

/**
 * Places of the names to hold out: the `share` with the greatest hashes, at least one of two or more, never all.
 * Adding a file moves at most one other from one side to the other.
 */
export function heldOutPlaces(names: readonly string[], share: number): Set<number> {
  const count =
    names.length < 2 ? 0 : Math.min(names.length - 1, Math.max(1, Math.round(names.length * share)));
  return new Set(greatest(names, [...names.keys()], count));
}

/** Images of each class. */
export function classCounts(labels: ArrayLike<number>): number[] {
  const counts: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    while (counts.length <= labels[i]!) counts.push(0);
    counts[labels[i]!]!++;
  }
  return counts;
}

/** The share of every class, in whole images that add up to round(share·all): largest remainders first. */
export function proportional(labels: ArrayLike<number>, share: number): number[] {
  const exact = classCounts(labels).map((count) => count * share);
  const counts = exact.map(Math.floor);
  const missing = Math.round(labels.length * share) - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = [...exact.keys()].sort(
    (a, b) => exact[b]! - counts[b]! - (exact[a]! - counts[a]!) || a - b,
  );
  for (const label of byRemainder.slice(0, missing)) counts[label]!++;
  return counts;
}

/** Places of `counts[label]` images of every class, those whose names have the greatest hashes; ascending. */
export function pickPerClass(
  names: readonly string[],
  labels: ArrayLike<number>,
  counts: readonly number[],
): number[] {
  const members: number[][] = [];
  for (let place = 0; place < names.length; place++) {
    members[labels[place]!] ??= [];
    members[labels[place]!]!.push(place);
  }
  const picked = members.flatMap((places, label) => greatest(names, places, counts[label] ?? 0));
  return picked.sort((a, b) => a - b);
}

/** Train and val of `trainval`, whose places in `val` are given, beside a test set. */
export function splitsOf(trainval: ImageSet, val: readonly number[], test: ImageSet): Splits {
  const held = new Set(val);
  const rest = Array.from({ length: trainval.length }, (_, place) => place).filter(
    (place) => !held.has(place),
  );
  return { train: subset(trainval, rest), val: subset(trainval, val), trainval, test };
}

/** As `splitsOf`, for sources that name no validation images: a tenth of every class, by the hash of the place. */
export function splitsWithTenth(trainval: ImageSet, test: ImageSet): Splits {
  const labels = trainval.labels!;
  const names = Array.from(labels, (_, place) => String(place));
  return splitsOf(trainval, pickPerClass(names, labels, proportional(labels, 0.1)), test);
}
