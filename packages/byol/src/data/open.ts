import { openDigits } from "./digits.js";
import { openEmoji } from "./emoji.js";
import { openFolder } from "./folder.js";
import type { DataSource, ImageFormat } from "./source.js";

/** Opens `digits`, `emoji`, or a folder of images by its path. Throws DataError when there is nothing to read. */
export async function openData(name: string, format: ImageFormat): Promise<DataSource> {
  if (name === "digits") return openDigits(format);
  if (name === "emoji") return openEmoji(format);
  return openFolder(name, format);
}
