/** What was probably meant by a name that does not exist. */
import { closest, distance } from "fastest-levenshtein";

/** ` (did you mean "digits"?)` where a name is near enough to be a slip of `word`, and else nothing. */
export function suggestion(word: string, names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "";
  const [low, lower] = [word.toLowerCase(), all.map((name) => name.toLowerCase())];
  const near = closest(low, lower);
  // Two letters changed places count as two changes; in a word of three they make another word.
  const length = Math.min(low.length, near.length);
  if (distance(low, near) > (length < 4 ? 1 : Math.max(2, Math.floor(length / 2) - 1))) return "";
  return ` (did you mean "${all[lower.indexOf(near)]}"?)`;
}
