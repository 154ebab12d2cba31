/** Regular files only, links followed: what else goes by a file's name could be waited for without end. */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { readAll } from "@dawnstrap/tensor/node";
import { DataError } from "../../errors.js";
import { imageFileBytes } from "./limits.js";

/** What the entry of a folder and the answer of stat both tell. */
export type FileType = Pick<Stats, "isFile" | "isDirectory" | "isFIFO" | "isSocket">;

/** What a path leads to that is no regular file, or undefined; links are followed. */
export function otherThanFile(found: FileType): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a FIFO";
  if (found.isSocket()) return "a socket";
  return "a device";
}

/** Opens a regular file. Returns what is wrong with it where it is none: to open a FIFO could wait without end. */
async function openFile(path: string): Promise<FileHandle | string> {
  const other = otherThanFile(await stat(path));
  if (other) return `is ${other}, not a regular file`;
  // Not blocking, in case that a FIFO has taken the file's place in between.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const opened = otherThanFile(await handle.stat());
  if (!opened) return handle;
  await handle.close();
  return `is ${opened}, not a regular file`;
}

/** The file's bytes, or the reason why they are not to be had. Rejects with what the system says. */
async function readUpTo(path: string, most: number): Promise<Uint8Array | string> {
  const handle = await openFile(path);
  if (typeof handle === "string") return handle;
  try {
    const { size } = await handle.stat();
    if (size > most) return `has ${size} bytes, more than the ${most} that are read`;
    return await readAll(handle, size);
  } finally {
    await handle.close();
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "does not exist";
  if (code === "ELOOP") return "is a link that leads back to itself";
  if (code === "EACCES" || code === "EPERM") return `cannot be read: permission is denied (${code})`;
  return `cannot be read (${code ?? message})`;
}

/** The bytes of an image file, or the reason why they are not to be had. Never rejects. */
export async function imageBytes(path: string): Promise<Uint8Array | { readonly reason: string }> {
  const bytes = await readUpTo(path, imageFileBytes).catch(reasonOf);
  return typeof bytes === "string" ? { reason: `it ${bytes}` } : bytes;
}

/** The bytes of a file. Throws DataError that names one which cannot be read or has more than `most`. */
export async function fileBytes(path: string, most: number): Promise<Uint8Array> {
  const bytes = await readUpTo(path, most).catch(reasonOf);
  if (typeof bytes === "string") throw new DataError(`data: ${path} ${bytes}`);
  return bytes;
}

/** A file to be read by offset. Throws DataError that names one which cannot be opened. */
export async function fileHandle(path: string): Promise<FileHandle> {
  const handle = await openFile(path).catch(reasonOf);
  if (typeof handle !== "string") return handle;
  throw new DataError(`data: ${path} ${handle}`);
}
