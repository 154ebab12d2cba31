/**
 * MATLAB's file format of versions 5 to 7 (MathWorks, "MAT-File Format", chapter 1): elements of a type, a length and a
 * content, packed by zlib or not. An array is an element of elements: its class, its dimensions, its name, its values.
 */
import { inflateSync } from "node:zlib";
import { DataError } from "../../../errors.js";
import { matlabBytes } from "../limits.js";

/** Numbers column after column, text, cells, or the records of a structure. */
export type MatlabValue = readonly number[] | string | readonly MatlabValue[] | readonly MatlabRecord[];
export type MatlabRecord = { readonly [field: string]: MatlabValue };

const MATRIX = 14;
const PACKED = 15;
/** Cells in cells. */
const deepest = 8;

type Read = (view: DataView, at: number, little: boolean) => number;
/** Bytes of a number of each type, and how it is read. */
const numbers: Readonly<Record<number, readonly [size: number, read: Read]>> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, little) => view.getInt16(at, little)],
  4: [2, (view, at, little) => view.getUint16(at, little)],
  5: [4, (view, at, little) => view.getInt32(at, little)],
  6: [4, (view, at, little) => view.getUint32(at, little)],
  7: [4, (view, at, little) => view.getFloat32(at, little)],
  9: [8, (view, at, little) => view.getFloat64(at, little)],
  12: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  13: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
};

interface Element {
  readonly type: number;
  readonly body: Uint8Array;
}

/** Elements one after the other; none reaches beyond the bytes it lies in. */
class Elements {
  private at = 0;
  constructor(
    private readonly bytes: Uint8Array,
    private readonly little: boolean,
  ) {}

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  next(): Element {
    const { bytes, little, at } = this;
    if (at + 8 > bytes.length) throw new DataError("it ends within an element");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const word = view.getUint32(at, little);
    // Up to four bytes stand in the header itself, whose upper half then is their number.
    const small = word >>> 16;
    const type = small > 0 ? word & 0xffff : word;
    const length = small > 0 ? small : view.getUint32(at + 4, little);
    const first = at + (small > 0 ? 4 : 8);
    if (small > 4 || first + length > bytes.length)
      throw new DataError(`an element of ${length} bytes does not fit what it lies in`);
    const end = first + length;
    this.at = small > 0 ? at + 8 : type === PACKED ? end : Math.ceil((end - at) / 8) * 8 + at;
    return { type, body: bytes.subarray(first, end) };
  }

  numbers(): number[] {
    const { type, body } = this.next();
    const [size, read] = numbers[type] ?? [];
    if (size === undefined || read === undefined || body.length % size > 0)
      throw new DataError(`${body.length} bytes of type ${type} are no numbers`);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    return Array.from({ length: body.length / size }, (_, i) => read(view, i * size, this.little));
  }

  text(): string {
    const { type, body } = this.next();
    const codings: Readonly<Record<number, string>> = { 1: "utf-8", 2: "utf-8", 16: "utf-8" };
    const wide = this.little ? "utf-16le" : "utf-16be";
    return new TextDecoder(type === 4 || type === 17 ? wide : codings[type]).decode(body);
  }
}

/** Name of an array, and its values, read when they are asked for. */
function arrayOf(body: Uint8Array, little: boolean, depth = 0): { name: string; value: () => MatlabValue } {
  // An array without anything in it may be nothing but its header.
  if (body.length === 0) return { name: "", value: () => [] };
  if (depth > deepest) throw new DataError(`cells lie in each other more than ${deepest} deep`);
  const parts = new Elements(body, little);
  const kind = parts.numbers()[0]! & 255;
  const count = parts.numbers().reduce((product, size) => product * size, 1);
  const name = parts.text();
  const inner = (): MatlabValue => {
    const { type, body: content } = parts.next();
    if (type !== MATRIX) throw new DataError(`an element of type ${type} stands where an array should`);
    return arrayOf(content, little, depth + 1).value();
  };
  const value = (): MatlabValue => {
    if (kind === 4) return parts.text();
    if (kind === 1) return times(count, inner);
    if (kind === 2) {
      const [width] = parts.numbers();
      const fields = fieldsOf(parts.text(), width!);
      return times(count, () => Object.fromEntries(fields.map((field) => [field, inner()])));
    }
    if (kind < 6 || kind > 15) throw new DataError(`an array of class ${kind} is not read`);
    const found = parts.numbers();
    if (found.length !== count) throw new DataError(`${found.length} numbers stand in an array of ${count}`);
    return found;
  };
  return { name, value };
}

/** So many, each of which takes bytes of the file: their end bounds the number. */
function times<T>(count: number, make: () => T): T[] {
  if (!Number.isSafeInteger(count) || count < 0) throw new DataError(`an array of ${count} is none`);
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(make());
  return made;
}

/** Names of `width` characters each, filled up with zeros. */
function fieldsOf(text: string, width: number): string[] {
  if (!(width > 0) || text.length < width) throw new DataError("a structure has no fields");
  return Array.from({ length: Math.floor(text.length / width) }, (_, i) =>
    text.slice(i * width, (i + 1) * width).replace(/\0.*$/s, ""),
  );
}

/** The variables of a file that are asked for and are in it. Throws DataError saying what is wrong in the file. */
export function readMatlab(file: Uint8Array, names: readonly string[]): Map<string, MatlabValue> {
  const [mark, head] = [126, 0].map((at) =>
    Buffer.from(file.subarray(at, at + (at ? 2 : 10))).toString("latin1"),
  );
  const little = mark === "IM";
  if (file.length < 128 || (!little && mark !== "MI")) throw new DataError("it has no header of one");
  if (head === "MATLAB 7.3") throw new DataError("it is of version 7.3 (save it with -v7)");
  const found = new Map<string, MatlabValue>();
  const elements = new Elements(file.subarray(128), little);
  let left = matlabBytes;
  while (!elements.ended) {
    let element = elements.next();
    if (element.type === PACKED) {
      const bytes = inflateSync(element.body, { maxOutputLength: left });
      left -= bytes.length;
      element = new Elements(bytes, little).next();
    }
    if (element.type !== MATRIX) continue;
    const { name, value } = arrayOf(element.body, little);
    if (names.includes(name)) found.set(name, value());
  }
  return found;
}
