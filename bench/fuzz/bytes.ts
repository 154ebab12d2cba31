/** Changes of bytes that know nothing of what the bytes mean. */
import type { Draws } from "./draws.js";

export const joined = (...parts: readonly (Uint8Array | readonly number[] | string)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Uint8Array.from(part))));

/** A whole number in `size` bytes, cut to what they hold. */
export function integer(value: number, size: 1 | 2 | 4 | 8, littleEndian = false): Uint8Array {
  const bits = BigInt.asUintN(8 * size, BigInt(Math.trunc(Number.isFinite(value) ? value : 0)));
  const bytes = Uint8Array.from({ length: size }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
  return littleEndian ? bytes : bytes.reverse();
}

const changes: readonly ((bytes: Uint8Array, draws: Draws) => Uint8Array)[] = [
  // Cut off.
  (bytes, draws) => bytes.subarray(0, draws.below(bytes.length + 1)),
  (bytes, draws) => bytes.subarray(0, Math.max(0, bytes.length - 1 - draws.below(4))),
  (bytes, draws) => bytes.subarray(draws.below(bytes.length + 1)),
  // A few bytes are others; near the start, where headers are, as often as anywhere.
  (bytes, draws) => {
    const copy = Uint8Array.from(bytes);
    const among = draws.once(2) ? Math.min(bytes.length, 64) : bytes.length;
    for (let n = draws.below(4); n >= 0 && among > 0; n--) copy[draws.below(among)] = draws.bits() & 255;
    return copy;
  },
  // A number in the header is another.
  (bytes, draws) => {
    const size = draws.pick([1, 2, 4, 8] as const);
    const at = draws.below(Math.min(bytes.length, 128));
    const value = integer(draws.number(bytes[at] ?? 0), size, draws.once(2));
    return joined(bytes.subarray(0, at), value, bytes.subarray(at + size));
  },
  // A stretch is gone, comes twice, or is random or zero.
  (bytes, draws) => {
    const from = draws.below(bytes.length + 1);
    const to = from + draws.below(Math.min(bytes.length - from, 4096) + 1);
    const stretch = bytes.subarray(from, to);
    const instead = draws.pick<() => Uint8Array>([
      () => new Uint8Array(0),
      () => joined(stretch, stretch),
      () => draws.bytes(Math.min(stretch.length, 256)),
      () => new Uint8Array(stretch.length),
    ]);
    return joined(bytes.subarray(0, from), instead(), bytes.subarray(to));
  },
  // More than there should be.
  (bytes, draws) => joined(bytes, draws.bytes(1 + draws.below(64))),
  () => new Uint8Array(0),
];

export const changedBytes = (bytes: Uint8Array, draws: Draws): Uint8Array =>
  draws.pick(changes)(bytes, draws);
