/** Splits that are properties of the data: they depend on names alone, not on a seed or on the order of files. */
import { createHash } from "node:crypto";

/** A number in [0, 1) that depends on the name alone. */
export function hashFraction(name: string): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) / 2 ** 32;
}

/**
 * Places of the names to hold out: the `share` with the greatest hashes, at least one of two or more, never all.
 * Adding a file moves at most one other from one side to the other.
 */
export function heldOutPlaces(names: readonly string[], share: number): Set<number> {
  const count =
    names.length < 2 ? 0 : Math.min(names.length - 1, Math.max(1, Math.round(names.length * share)));
  const ranked = names.map((name, place) => ({ place, hash: hashFraction(name) }));
  ranked.sort((a, b) => b.hash - a.hash || a.place - b.place);
  return new Set(ranked.slice(0, count).map(({ place }) => place));
}
