/** How deep values from outside may be nested: what walks through them calls itself, and a stack has an end. */
import { UsageError } from "../errors.js";

/** A preset's own fields lie four levels deep. */
const deepest = 16;

/** Throws UsageError that names `what` when objects and lists are nested deeper than any preset. */
export function checkDepth(value: unknown, what: string): void {
  const inside = (one: unknown): object[] => (typeof one === "object" && one !== null ? [one] : []);
  let level = inside(value);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === deepest)
      throw new UsageError(`${what} is nested deeper than ${deepest} levels, and no preset is`);
    level = level.flatMap((one) => Object.values(one).flatMap(inside));
  }
}
