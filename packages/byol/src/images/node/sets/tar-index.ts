/** Where the files of a tar archive lie, found by going from header to header: no content is read. */
import type { FileHandle } from "node:fs/promises";
import { Header, Pax } from "tar";
import { textBytes } from "../limits.js";

export interface TarEntry {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** Whether the archive ends before the file does. */
  readonly cut: boolean;
}

export interface TarIndex {
  readonly entries: readonly TarEntry[];
  /** Why the rest of the archive cannot be read, where that is so. */
  readonly broken?: string;
}

const block = 512;
const padded = (size: number): number => Math.ceil(size / block) * block;

/** A header at a byte, or undefined where there is none: its checksum is wrong, or a number in it is out of range. */
function headerOf(bytes: Buffer, extended: Pax | undefined): Header | undefined {
  try {
    const header = new Header(bytes, 0, extended);
    const size = header.size ?? 0;
    const sound = header.nullBlock || (header.cksumValid && Number.isSafeInteger(size) && size >= 0);
    return sound ? header : undefined;
  } catch {
    return undefined;
  }
}

/** Entries of regular files, in order. No size that stands in a header is believed beyond the end of the archive. */
export async function indexTar(handle: FileHandle): Promise<TarIndex> {
  const { size: total } = await handle.stat();
  const read = async (at: number, size: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, at);
    return buffer.subarray(0, bytesRead);
  };
  const entries: TarEntry[] = [];
  // A name too long for its header, or a size too great, comes in an entry of its own before it.
  let extended: Pax | undefined;
  let longName: string | undefined;
  if (total === 0) return { entries, broken: "the archive is empty" };
  let ended = false;
  let at = 0;
  while (at + block <= total) {
    const header = headerOf(await read(at, block), extended);
    if (!header) return { entries, broken: `the header at byte ${at} is corrupt` };
    // Two empty blocks end an archive; tools that append leave some in between.
    ended = header.nullBlock;
    if (ended) {
      at += block;
      continue;
    }
    const size = header.size ?? 0;
    const first = at + block;
    const cut = first + size > total;
    const names = header.type === "ExtendedHeader" || header.type === "NextFileHasLongPath";
    if (names && (cut || size > textBytes))
      return { entries, broken: `the header at byte ${at} announces a name of ${size} bytes` };
    if (header.type === "ExtendedHeader") extended = Pax.parse((await read(first, size)).toString());
    else if (header.type === "NextFileHasLongPath")
      longName = (await read(first, size)).toString().replace(/\0.*$/s, "");
    else {
      if (header.type === "File" || header.type === "OldFile" || header.type === "ContiguousFile")
        entries.push({ path: longName ?? header.path ?? "", offset: first, size, cut });
      extended = undefined;
      longName = undefined;
    }
    at = first + padded(size);
  }
  return ended
    ? { entries }
    : { entries, broken: `the archive is cut off: it ends at byte ${total}, in the middle` };
}
