/** What was probably meant by a name that does not exist. */
import { closest, distance } from "fastest-levenshtein";

/** ` (did you mean "digits"?)` where a name is near enough to be a slip of `word`, and else nothing. */
export function suggestion(word: string, names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "";
  const [low, lower] = [word.toLowerCase(), all.map((name) => name.toLowerCase())];
  const near = closest(low, lower);
  // Half of a word changed is another word.
  if (distance(low, near) > Math.max(1, Math.floor(Math.min(low.length, near.length) / 2) - 1)) return "";
  return ` (did you mean "${all[lower.indexOf(near)]}"?)`;
}
