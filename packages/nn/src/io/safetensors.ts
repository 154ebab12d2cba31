/**
 * The safetensors format: eight bytes of header length (little-endian), a JSON header naming each tensor's
 * dtype, shape and place, then the bytes of the tensors, end to end.
 * https://github.com/huggingface/safetensors#format
 *
 * Files come from elsewhere, so everything is checked before a byte is believed.
 */
import { DawnstrapError } from "@dawnstrap/tensor";

export class SafetensorsError extends DawnstrapError {
  override name = "SafetensorsError";
}

/** Bytes of an element of each dtype of the format that we read. */
const elementBytes = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
export type SafetensorsDType = keyof typeof elementBytes;

export interface RawTensor {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Row-major, little-endian. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly tensors: Map<string, RawTensor>;
  readonly metadata: Record<string, string>;
}

/** Room for 100,000 tensors. A text becomes up to thirty times as large when it is parsed, so no header may be longer. */
const MAX_HEADER_BYTES = 2 ** 24;
/** The header, an entry and its list: no sound header is nested deeper. */
const MAX_HEADER_DEPTH = 3;
/** Of a tensor; numpy's limit. */
const MAX_RANK = 64;
const METADATA = "__metadata__";

const fail = (problem: string): never => {
  throw new SafetensorsError(`safetensors: ${problem}`);
};
const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x);
/** A value out of a file in a message. */
const shown = (x: unknown): string => {
  const text = JSON.stringify(x) ?? "undefined";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};
const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

/**
 * Reads a safetensors file held in memory. Throws SafetensorsError, naming the tensor, when anything is not
 * as it must be.
 */
export function decodeSafetensors(file: Uint8Array): Safetensors {
  if (file.byteLength < 8)
    fail(`the file has ${file.byteLength} bytes, fewer than the 8 of the header length (truncated?)`);
  const length = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    fail(`a header of ${length} bytes is beyond the limit of ${MAX_HEADER_BYTES} (not a safetensors file?)`);
  const start = 8 + Number(length);
  if (start > file.byteLength)
    fail(`the header is said to have ${length} bytes, the file has ${file.byteLength - 8} left (truncated?)`);
  const header = parseHeader(file.subarray(8, start));
  const data = file.subarray(start);

  const tensors = new Map<string, RawTensor>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) continue;
    const { dtype, shape, begin, end } = checkEntry(name, entry);
    if (end > data.byteLength)
      fail(
        `tensor ${name} ends at byte ${end}, the file holds ${data.byteLength} bytes of data (truncated?)`,
      );
    ranges.push({ name, begin, end });
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
  }
  checkCoverage(ranges, data.byteLength);
  return { tensors, metadata: checkMetadata(header[METADATA]) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  if (depthOf(bytes) > MAX_HEADER_DEPTH) fail(`the header is nested deeper than ${MAX_HEADER_DEPTH} levels`);
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SafetensorsError(`safetensors: the header is not JSON: ${(error as Error).message} (corrupt?)`);
  }
  return isObject(header) ? header : fail("the header is not a JSON object");
}

/** How deep the brackets of a JSON text are nested, those inside strings apart. */
function depthOf(json: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (quoted) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest;
}

function checkEntry(
  name: string,
  entry: unknown,
): { dtype: SafetensorsDType; shape: number[]; begin: number; end: number } {
  if (!isObject(entry)) return fail(`the header entry of tensor ${name} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(elementBytes, dtype))
    return fail(
      `tensor ${name} has dtype ${shown(dtype)}; known are ${Object.keys(elementBytes).join(", ")}`,
    );
  if (!Array.isArray(shape) || !shape.every(isCount))
    return fail(`tensor ${name} has shape ${shown(shape)}, which is not a list of whole numbers`);
  if (shape.length > MAX_RANK)
    return fail(`tensor ${name} has ${shape.length} dimensions, more than the ${MAX_RANK} that are read`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1])
    return fail(`tensor ${name} has data_offsets ${shown(offsets)}, which is not [begin, end]`);
  const [begin, end] = offsets as [number, number];
  const wanted = shape.reduce((n, d) => n * d, elementBytes[dtype as SafetensorsDType]);
  if (wanted !== end - begin)
    return fail(
      `tensor ${name}, ${dtype} [${shape.join(", ")}], needs ${wanted} bytes; ` +
        `its data_offsets [${begin}, ${end}] hold ${end - begin}`,
    );
  return { dtype: dtype as SafetensorsDType, shape, begin, end };
}

/** Every byte belongs to exactly one tensor: no overlap, no hole, nothing left over. */
function checkCoverage(ranges: { name: string; begin: number; end: number }[], bytes: number): void {
  let at = 0;
  let before = "";
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) fail(`tensors ${before} and ${name} overlap at byte ${begin}`);
    if (begin > at) fail(`bytes ${at} to ${begin}, before tensor ${name}, belong to no tensor`);
    at = end;
    before = name;
  }
  if (at !== bytes) fail(`the last ${bytes - at} bytes of the file belong to no tensor`);
}

function checkMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || !Object.values(metadata).every((v) => typeof v === "string"))
    return fail(`${METADATA} is not an object of strings`);
  return metadata as Record<string, string>;
}

/**
 * A safetensors file in parts, to be written one after the other without a copy of the tensors in memory: the header,
 * then each tensor. Wider elements come first (so that all are aligned), otherwise the order is the one given.
 */
export function safetensorsParts(
  tensors: Iterable<readonly [string, RawTensor]>,
  metadata: Record<string, string> = {},
): Uint8Array[] {
  const list = [...tensors].sort(([, a], [, b]) => elementBytes[b.dtype] - elementBytes[a.dtype]);
  // Without a prototype, so that any name is a plain key.
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length) header[METADATA] = metadata;
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of list) {
    if (name === METADATA || Object.hasOwn(header, name)) fail(`the name ${name} is taken`);
    const wanted = shape.reduce((n, d) => n * d, elementBytes[dtype]);
    if (wanted !== bytes.byteLength)
      fail(`tensor ${name}, ${dtype} [${shape.join(", ")}], needs ${wanted} bytes, not ${bytes.byteLength}`);
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.byteLength] };
    at += bytes.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  if (json.byteLength > MAX_HEADER_BYTES - 8)
    fail(
      `names, shapes and metadata take ${json.byteLength} bytes, and a header is limited to ${MAX_HEADER_BYTES}`,
    );
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, 8);
  return [head, ...list.map(([, { bytes }]) => bytes)];
}

/** The bytes of a safetensors file; see safetensorsParts. */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, RawTensor]>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const parts = safetensorsParts(tensors, metadata);
  const file = new Uint8Array(parts.reduce((n, part) => n + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.byteLength;
  }
  return file;
}
