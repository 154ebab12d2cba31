/** Files that are whole: the one way in which this project replaces a file, and the way to read a large one. */
import { randomBytes } from "node:crypto";
import { constants, writeSync } from "node:fs";
import { copyFile, type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** The system reads and writes at most 2 GiB at once. */
const MOST = 2 ** 30;

/** Of a file that is being written, or was when its writer was killed, the name that it is to get; else undefined. */
export const finalNameOf = (name: string): string | undefined =>
  /^(.+?)(\.[0-9a-f]{8})?\.partial$/.exec(name)?.[1];

/** A name beside `path` that no other writer has. */
const partialOf = (path: string): string => `${path}.${randomBytes(4).toString("hex")}.partial`;

/** How a file is opened; tests have ways of their own. */
type Open = (path: string, flags: string) => Promise<FileHandle>;

/**
 * Writes a file whole or not at all: into a temporary file beside it, to the disk, then under its name. Whoever reads
 * meanwhile, and whoever looks after a crash, finds the old file or the new one. A failure leaves the old file and no
 * temporary one. A link stays, what it points to is replaced; what is no regular file, such as a pipe, is written to.
 *
 * @param parts the bytes, in order; text is UTF-8
 * @param openFile for tests
 * @throws what the system says, such as ENOSPC
 */
export async function writeWhole(
  path: string,
  parts: string | readonly Uint8Array[],
  openFile: Open = open,
): Promise<void> {
  const write = (to: string) =>
    using(openFile(to, "w"), async (file) => {
      for (const part of typeof parts === "string" ? [Buffer.from(parts)] : parts) await writeAll(file, part);
      if ((await file.stat()).isFile()) await file.sync();
    });
  const about = await stat(path).catch(() => undefined);
  if (about && !about.isFile() && !about.isDirectory()) await write(path);
  else await placeWhole(await realpath(path).catch(() => path), write);
}

/**
 * Copies a file whole or not at all, as `writeWhole` writes one; where the disk can share blocks, it does. A link at
 * `path` becomes the copy, and what it points to stays.
 */
export async function copyWhole(from: string, path: string): Promise<void> {
  await placeWhole(path, async (partial) => {
    await copyFile(from, partial, constants.COPYFILE_FICLONE);
    await syncPath(partial, "r+");
  });
}

/** Has `make` bring a temporary file to the disk, then gives it its name. */
async function placeWhole(target: string, make: (partial: string) => Promise<void>): Promise<void> {
  const partial = partialOf(target);
  try {
    await make(partial);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncFolder(dirname(target));
}

/** Waits until the names in a folder have reached the disk; Windows opens no folder as a file. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform !== "win32") await syncPath(path, "r");
}

async function using<T>(opened: Promise<FileHandle>, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await opened;
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** A write may be short: the rest is written next, and what goes on for ever without a byte is an error. */
async function writeAll(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.byteLength; ) {
    const { bytesWritten } = await file.write(part, at, Math.min(part.byteLength - at, MOST));
    at += some(bytesWritten);
  }
}

/**
 * Writes all bytes to an open file.
 *
 * @param write for tests
 * @throws what the system says, such as ENOSPC; part of the bytes may have been written then
 */
export function writeAllSync(
  file: number,
  bytes: Uint8Array,
  write: (file: number, bytes: Uint8Array, at: number) => number = writeSync,
): void {
  for (let at = 0; at < bytes.byteLength; ) at += some(write(file, bytes, at));
}

function some(written: number): number {
  if (written === 0) throw Object.assign(new Error("EIO: no byte was written"), { code: "EIO" });
  return written;
}

const syncPath = (path: string, flags: "r+" | "r"): Promise<void> =>
  using(open(path, flags), (file) => file.sync());

/** A file's bytes; `readFile` of Node refuses 2 GiB and more. Throws for what is no regular file: a pipe may never end. */
export async function readWhole(path: string): Promise<Uint8Array> {
  if (!(await stat(path)).isFile()) throw new Error(`${path} is no regular file`);
  return using(open(path, "r"), async (file) => readAll(file, (await file.stat()).size));
}

/** The bytes of a file that has just been opened; fewer than `size` where it ends before. A read may be short. */
export async function readAll(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, Math.min(size - at, MOST));
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}
