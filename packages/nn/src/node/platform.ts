/** Node's files. */
import type { Platform } from "../platform.js";
import { readWhole, writeWhole } from "./whole.js";

export const platform: Platform = { readFile: readWhole, writeWhole };
