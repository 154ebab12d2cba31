/**
 * State dicts as safetensors files (in Node; elsewhere use encodeSafetensors and decodeSafetensors on bytes).
 */
import { platform } from "#platform";
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from "./safetensors.js";
import type { StateDict } from "./state-dict.js";
import { fromRaw, toRaw } from "./values.js";
import type { HostTensor } from "../host-tensor.js";

/** The bytes of a safetensors file. */
export function encodeStateDict(
  dict: ReadonlyMap<string, HostTensor>,
  metadata?: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  return encodeSafetensors(
    [...dict].map(([name, value]) => [name, toRaw(value)] as const),
    metadata,
  );
}

/** Reads the bytes of a safetensors file. */
export function decodeStateDict(file: Uint8Array): { dict: StateDict; metadata: Record<string, string> } {
  const { tensors, metadata } = decodeSafetensors(file);
  return { dict: new Map([...tensors].map(([name, raw]) => [name, fromRaw(raw)])), metadata };
}

/** Writes a safetensors file, at once: a reader finds the old file or the new one, never half of it. */
export async function saveStateDict(
  path: string,
  dict: ReadonlyMap<string, HostTensor>,
  metadata?: Record<string, string>,
): Promise<void> {
  await platform.writeWhole(path, [encodeStateDict(dict, metadata)]);
}

/** Reads a safetensors file. Throws SafetensorsError naming the file when it is not a sound one. */
export async function readStateDict(
  path: string,
): Promise<{ dict: StateDict; metadata: Record<string, string> }> {
  const bytes = await platform.readFile(path);
  try {
    return decodeStateDict(bytes);
  } catch (error) {
    throw error instanceof SafetensorsError ? new SafetensorsError(`${path}: ${error.message}`) : error;
  }
}
