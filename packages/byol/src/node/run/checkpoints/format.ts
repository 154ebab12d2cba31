/**
 * A checkpoint as a safetensors file: every array of a run's state, and in the metadata, as JSON, all the rest. The
 * record holds a checksum of each array and has one itself, so that whatever was changed can be named.
 */
import { createHash } from "node:crypto";
import {
  decodeSafetensors,
  fromRaw,
  type HostTensor,
  type RawTensor,
  SafetensorsError,
  safetensorsParts,
  type StateDict,
  toRaw,
} from "@dawnstrap/nn";
import { z } from "zod";
import { DataError } from "../../../errors.js";
import { type RunRecord, recordSchema } from "./record.js";

/** Of the file's layout; a reader refuses others. */
const FORMAT = "dawnstrap checkpoint 1";

export interface Checkpoint {
  readonly record: RunRecord;
  readonly state: StateDict;
}

const sha256 = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};
const sumOf = ({ dtype, shape, bytes }: RawTensor): string => sha256(`${dtype} [${shape}] `, bytes);

/** One checksum over all arrays: equal for equal states, whatever the order. */
export function checksum(state: ReadonlyMap<string, HostTensor>): string {
  const sums = [...state].map(([name, value]) => `${name} ${sumOf(toRaw(value))}\n`);
  return sha256(...sums.sort());
}

/** The file, in parts to be written one after the other. */
export function encodeCheckpoint({ record, state }: Checkpoint): Uint8Array[] {
  const arrays = [...state].map(([name, value]) => [name, toRaw(value)] as const);
  const sums = Object.fromEntries(arrays.map(([name, raw]) => [name, sumOf(raw)]));
  const json = JSON.stringify({ ...record, sums });
  return safetensorsParts(arrays, { format: FORMAT, record: json, sha256: sha256(json) });
}

/** Reads a file's bytes. Throws DataError saying what in it is not as it was written. */
export function decodeCheckpoint(file: Uint8Array): Checkpoint {
  const { tensors, metadata } = decoded(file);
  const { format, record: json } = metadata;
  if (format !== FORMAT || json === undefined)
    throw new DataError(`it is of format "${format ?? "unknown"}", this version reads "${FORMAT}"`);
  if (sha256(json) !== metadata.sha256)
    throw new DataError("the record of the run does not match its checksum (the file was changed)");
  const { record, sums } = recordOf(json);
  for (const name of new Set([...Object.keys(sums), ...tensors.keys()])) {
    const raw = tensors.get(name);
    if (!raw) throw new DataError(`array ${name} is missing (the file was changed)`);
    if (sumOf(raw) !== sums[name])
      throw new DataError(`array ${name} does not match its checksum (the file was changed)`);
  }
  return { record, state: new Map([...tensors].map(([name, raw]) => [name, fromRaw(raw)])) };
}

const sumsSchema = z.looseObject({ sums: z.record(z.string(), z.string()) });

/** The checksum says that it is as it was written, not who wrote it. */
function recordOf(json: string): { record: RunRecord; sums: Record<string, string> } {
  try {
    const { sums, ...record } = sumsSchema.parse(JSON.parse(json));
    return { record: recordSchema().parse(record), sums };
  } catch (error) {
    if (!(error instanceof z.ZodError))
      throw new DataError(`the record of the run is not JSON: ${(error as Error).message}`);
    const { path, message } = error.issues[0]!;
    throw new DataError(`the record of the run: ${[...path, message].join(": ")}`);
  }
}

function decoded(file: Uint8Array) {
  try {
    return decodeSafetensors(file);
  } catch (error) {
    throw error instanceof SafetensorsError ? new DataError(error.message) : error;
  }
}
