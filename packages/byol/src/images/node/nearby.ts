/** What was probably meant by a path that does not exist. */
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { suggestion } from "../../suggestion.js";
import { isData } from "./entries.js";

/**
 * ` (did you mean "photos"?)` where something of nearly this name lies in the folder where the path should end.
 *
 * @param names that may stand instead of a path, such as `digits`
 */
export function nearbyPath(path: string, names: readonly string[] = []): string {
  return suggestion(basename(path), names) || suggestion(basename(path), beside(dirname(path)));
}

function beside(folder: string): string[] {
  try {
    return readdirSync(folder).filter(isData);
  } catch {
    return [];
  }
}
