/** IDX files of bytes (LeCun), packed by gzip or not. */
import { createGunzip } from "node:zlib";
import { DataError } from "../../../errors.js";
import { recordFileBytes } from "../limits.js";
import { fileBytes, fileHandle } from "../regular-file.js";

export interface Idx {
  readonly shape: readonly number[];
  /** The values; fewer than the shape announces where the file is cut. */
  readonly values: Uint8Array;
}

/**
 * An IDX file of uint8: magic number 0x0000080d of d dimensions, the dimensions as big-endian uint32, the values. What
 * follows these is not read. Throws DataError for another header, and for one that announces more than is read.
 */
export async function readIdx(file: string, dimensions: number): Promise<Idx> {
  const first = 4 + 4 * dimensions;
  /** Bytes of the whole file, by its header. */
  const wanted = (head: Uint8Array): number => {
    const shape = shapeIn(file, head, dimensions);
    const all = first + shape.reduce((product, side) => product * side, 1);
    if (all > recordFileBytes)
      throw new DataError(
        `mnist: ${file} announces ${all} bytes, more than the ${recordFileBytes} that are read`,
      );
    return all;
  };
  const bytes = file.endsWith(".gz")
    ? await unpacked(file, first, wanted)
    : await fileBytes(file, recordFileBytes);
  const whole = wanted(bytes);
  return { shape: shapeIn(file, bytes, dimensions), values: bytes.subarray(first, whole) };
}

function shapeIn(file: string, head: Uint8Array, dimensions: number): number[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = 0x800 + dimensions;
  const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
  if (head.length >= 4 && view.getUint32(0) !== magic)
    throw new DataError(
      `mnist: ${file} begins with ${hex(view.getUint32(0))}, not with the magic number ${hex(magic)} of an IDX file of bytes in ${dimensions} dimension${dimensions > 1 ? "s" : ""}`,
    );
  if (head.length < 4 + 4 * dimensions)
    throw new DataError(`mnist: ${file} ends within its header, after ${head.length} bytes`);
  return Array.from({ length: dimensions }, (_, d) => view.getUint32(4 + 4 * d));
}

/** What a gzip file holds, as far as its first bytes say that it goes: a small file may unpack to any size. */
async function unpacked(
  file: string,
  first: number,
  wanted: (head: Uint8Array) => number,
): Promise<Uint8Array> {
  const handle = await fileHandle(file);
  const packed = handle.createReadStream();
  const plain = packed.pipe(createGunzip());
  packed.on("error", (error) => plain.destroy(error));
  const pieces: Buffer[] = [];
  let [length, most] = [0, Number.POSITIVE_INFINITY];
  try {
    for await (const piece of plain as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (most === Number.POSITIVE_INFINITY && length >= first) most = wanted(Buffer.concat(pieces));
      if (length >= most) break;
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`data: ${file} cannot be unpacked: ${(error as Error).message}`);
  } finally {
    packed.destroy();
    plain.destroy();
  }
  return Buffer.concat(pieces);
}
