/** Every format that is fuzzed, a file each. */
import type { Format } from "../format.js";
import { cifar } from "./cifar.js";
import { idx } from "./idx.js";
import { lists } from "./lists.js";
import { mat } from "./mat.js";
import { png } from "./png.js";
import { checkpoint, encoder, run } from "./run.js";
import { stl10 } from "./stl10.js";
import { tar } from "./tar.js";

export const formats: readonly Format[] = [png, tar, idx, cifar, stl10, lists, mat, run, checkpoint, encoder];
