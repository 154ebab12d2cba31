/** Every format that is fuzzed, a file each. */
import type { Format } from "../format.js";
import { idx } from "./idx.js";
import { png } from "./png.js";

export const formats: readonly Format[] = [png, idx];
