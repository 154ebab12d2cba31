/** Node's files. */
import { readWhole, writeWhole } from "@dawnstrap/tensor/node";
import type { Platform } from "../platform.js";

export const platform: Platform = { readFile: readWhole, writeWhole };
