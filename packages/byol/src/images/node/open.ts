/** Data by its name on the command line. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../errors.js";
import { suggestion } from "../../suggestion.js";
import { openDigits } from "./digits.js";
import { openEmoji } from "./emoji.js";
import { openFolder } from "./folder.js";
import { imagenet } from "./sets/imagenet.js";
import { fits, openKind } from "./sets/kind.js";
import { nearbyPath } from "./nearby.js";
import { openShards } from "./sets/shards.js";
import { kinds } from "./sets/table.js";
import type { DataOptions, DataSource } from "../source.js";
import type { ImageFormat } from "../settings.js";

/** What `--data` takes. */
export const dataNames = [
  ...["digits", "emoji", "shards:DIR_OR_PATTERN"],
  ...kinds.map(({ name }) => `${name}:DIR`),
  "DIR",
];

/** What may stand before a colon. */
const kindNames = ["shards", ...kinds.map(({ name }) => name)];

/**
 * Opens `digits`, `emoji`, a data set in its published layout as `kind:path`, or a folder of images by its path. A folder
 * that has everything one kind of data set needs, and no other kind, is opened as that one.
 *
 * Throws DataError when there is nothing to read or a layout lacks something, UsageError for an unknown kind or a path that does not exist.
 */
export async function openData(
  name: string,
  format: ImageFormat,
  options: DataOptions = {},
): Promise<DataSource> {
  if (name === "digits") return openDigits(format);
  if (name === "emoji") return openEmoji(format, options);
  const [word, path] = partsOf(name);
  if (word === undefined) return openPath(name, format, options);
  if (word === "shards" && path) return openShards(path, format, options);
  const kind = kinds.find((known) => known.name === word);
  if (word !== "shards" && !kind)
    throw new UsageError(
      `data: there is no kind "${word}"${suggestion(word, kindNames)}; --data takes ${dataNames.join(", ")}`,
    );
  if (kind && path) checkExists(path);
  if (!kind || !path) throw new UsageError(`data: ${word} needs a folder: --data ${word}:DIR`);
  return openKind(kind, path, format, options);
}

/** The kind before the colon and the path after it. One letter before a colon is a Windows drive. */
function partsOf(name: string): [word?: string, path?: string] {
  const [, word, path] = /^([a-z][a-z0-9-]+):(.*)$/.exec(name) ?? [];
  return word === undefined ? [] : [word, path!];
}

/** A name of data that means the same in whatever folder a command is run: a path in it is made absolute. */
export function absoluteData(name: string): string {
  if (name === "" || name === "digits" || name === "emoji") return name;
  const [word, path] = partsOf(name);
  if (word === undefined) return resolve(name);
  return path ? `${word}:${resolve(path)}` : name;
}

function checkExists(path: string, names: readonly string[] = []): void {
  if (!existsSync(path))
    throw new UsageError(
      `data: ${path} does not exist${nearbyPath(path, names)}; --data takes ${dataNames.join(", ")}`,
    );
}

async function openPath(folder: string, format: ImageFormat, options: DataOptions): Promise<DataSource> {
  checkExists(folder, ["digits", "emoji", ...kindNames.map((kind) => `${kind}:DIR`)]);
  // A folder with train and val in it is any folder's layout as well as ImageNet's.
  const telling = kinds.filter((kind) => kind !== imagenet);
  const found: typeof telling = [];
  for (const kind of telling) if (await fits(folder, kind)) found.push(kind);
  return found.length === 1
    ? openKind(found[0]!, folder, format, options)
    : openFolder(folder, format, options);
}
