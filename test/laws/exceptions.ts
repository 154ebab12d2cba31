/** Where a law does not hold yet. These lists may only shrink. */
import type { Package } from "./sources.js";

type Lists = { readonly [name in Package]?: readonly string[] };

/** Rooms that import a later room of test/laws/order.ts. */
export const upward: Lists = {};

/** Files that import in a circle. */
export const circles: Lists = {};

/** Files outside of node/ that ask for Node. */
export const nodeOutside: Lists = {};

/** Tests and benchmarks that reach into a package's sources by path. */
export const byPath: readonly string[] = [];

/** Files of over 300 lines, with the reason why each is one room. */
export const large: { readonly [name in Package]?: Readonly<Record<string, string>> } = {};
