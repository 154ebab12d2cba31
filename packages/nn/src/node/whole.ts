/** Files that are whole: the one way in which this project replaces a file, and the way to read a large one. */
import { constants } from "node:fs";
import { copyFile, type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** The system reads and writes at most 2 GiB at once. */
const MOST = 2 ** 30;

/** What a file is called while it is written. */
export const PARTIAL = ".partial";

/**
 * Writes a file whole or not at all: into a temporary file beside it, to the disk, then under its name. Whoever reads
 * meanwhile, and whoever looks after a crash, finds the old file or the new one. A failure leaves the old file and no
 * temporary one.
 *
 * @param parts the bytes, in order; text is UTF-8
 * @param openFile for tests: how the temporary file is opened
 * @throws what the system says, such as ENOSPC
 */
export async function writeWhole(
  path: string,
  parts: string | readonly Uint8Array[],
  openFile: (path: string, flags: string) => Promise<FileHandle> = open,
): Promise<void> {
  await placeWhole(path, async (partial) => {
    const file = await openFile(partial, "w");
    try {
      for (const part of typeof parts === "string" ? [Buffer.from(parts)] : parts) await writeAll(file, part);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Copies a file whole or not at all, as `writeWhole` writes one; where the disk can share blocks, it does. */
export async function copyWhole(from: string, path: string): Promise<void> {
  await placeWhole(path, async (partial) => {
    await copyFile(from, partial, constants.COPYFILE_FICLONE);
    await syncPath(partial, "r+");
  });
}

/** Has `make` bring a temporary file to the disk, then gives it its name. */
async function placeWhole(path: string, make: (partial: string) => Promise<void>): Promise<void> {
  const partial = path + PARTIAL;
  try {
    await make(partial);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  // Windows opens no folder as a file.
  if (process.platform !== "win32") await syncPath(dirname(path), "r");
}

/** A write may be short: the rest is written next. */
async function writeAll(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.byteLength; ) {
    const { bytesWritten } = await file.write(part, at, Math.min(part.byteLength - at, MOST));
    at += bytesWritten;
  }
}

/** Waits until what was written to a file, or the names in a folder, have reached the disk. */
async function syncPath(path: string, flags: "r+" | "r"): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A file's bytes; `readFile` of Node refuses 2 GiB and more. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, MOST));
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}
