/** Where the files of a tar archive lie, found by going from header to header: no content is read. */
import type { FileHandle } from "node:fs/promises";
import { Header, Pax } from "tar";

export interface TarEntry {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

export interface TarIndex {
  readonly entries: readonly TarEntry[];
  /** Why the rest of the archive cannot be read, where that is so. */
  readonly broken?: string;
}

const block = 512;
const padded = (size: number): number => Math.ceil(size / block) * block;

/** Entries of regular files, in order; an entry may end beyond a truncated archive. */
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
  for (let at = 0; at + block <= total; ) {
    const header = new Header(await read(at, block), 0, extended);
    // Two empty blocks end an archive; tools that append leave some in between.
    if (header.nullBlock) {
      at += block;
      continue;
    }
    if (!header.cksumValid) return { entries, broken: `the header at byte ${at} is corrupt` };
    const size = header.size ?? 0;
    const first = at + block;
    if (header.type === "ExtendedHeader") extended = Pax.parse((await read(first, size)).toString());
    else if (header.type === "NextFileHasLongPath")
      longName = (await read(first, size)).toString().replace(/\0.*$/s, "");
    else {
      if (header.type === "File" || header.type === "OldFile" || header.type === "ContiguousFile")
        entries.push({ path: longName ?? header.path ?? "", offset: first, size });
      extended = undefined;
      longName = undefined;
    }
    at = first + padded(size);
  }
  return { entries };
}
