/** The bytes of an image file: of a regular file, whatever else goes by an image's name. */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { imageFileBytes } from "./limits.js";

/** What a path leads to that is no regular file, or undefined; links are followed. */
export function otherThanFile(found: Stats): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a FIFO";
  if (found.isSocket()) return "a socket";
  return "a device";
}

/** Opens a regular file. Returns what the path leads to where that is none: to open a FIFO could wait without end. */
export async function openFile(path: string): Promise<FileHandle | string> {
  const other = otherThanFile(await stat(path));
  if (other) return other;
  // Not blocking, in case that a FIFO has taken the file's place in between.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const opened = otherThanFile(await handle.stat());
  if (!opened) return handle;
  await handle.close();
  return opened;
}

/** The bytes of an image file, or the reason why they are not to be had. Never rejects. */
export async function imageBytes(path: string): Promise<Uint8Array | { readonly reason: string }> {
  try {
    const handle = await openFile(path);
    if (typeof handle === "string") return { reason: `it is ${handle}, not a regular file` };
    try {
      const { size } = await handle.stat();
      if (size > imageFileBytes)
        return { reason: `its ${size} bytes are more than the ${imageFileBytes} that are read` };
      const bytes = new Uint8Array(size);
      const { bytesRead } = await handle.read(bytes, 0, size, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { reason: reasonOf(error as NodeJS.ErrnoException) };
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "there is no such file";
  if (code === "ELOOP") return "its link leads back to itself";
  if (code === "EACCES" || code === "EPERM") return "it may not be read by this user";
  return code ?? message;
}
