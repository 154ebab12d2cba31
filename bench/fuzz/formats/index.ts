/** Every format that is fuzzed, a file each. */
import type { Format } from "../format.js";
import { cifar } from "./cifar.js";
import { config } from "./config.js";
import { idx } from "./idx.js";
import { jpeg } from "./jpeg.js";
import { lists } from "./lists.js";
import { mat } from "./mat.js";
import { names } from "./names.js";
import { png } from "./png.js";
import { checkpoint, encoder, run } from "./run.js";
import { stl10 } from "./stl10.js";
import { tar } from "./tar.js";
import { webp } from "./webp.js";

const images = [jpeg, png, webp, names];
const sets = [tar, idx, cifar, stl10, lists, mat];
export const formats: readonly Format[] = [...images, ...sets, config, run, checkpoint, encoder];
