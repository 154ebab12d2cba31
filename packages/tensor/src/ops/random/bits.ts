/**
 * Random numbers as pure functions of a key and a counter, in plain TypeScript: the host's twin of the random ops, bit
 * for bit. Generator: Philox-4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011).
 */
import { normalTable, SEGMENTS_PER_OCTAVE } from "./normal-table.js";

/** Multipliers and key increments of Philox-4x32. */
export const PHILOX = { m0: 0xd2511f53, m1: 0xcd9e8d57, w0: 0x9e3779b9, w1: 0xbb67ae85, rounds: 10 } as const;

/** High 32 bits of the product of two uint32. */
export function mulHigh(a: number, b: number): number {
  const [al, ah, bl, bh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const cross = al * bh;
  const middle = ((al * bl) >>> 16) + (cross & 0xffff) + ah * bl;
  return (ah * bh + (cross >>> 16) + Math.floor(middle / 65536)) >>> 0;
}

/**
 * Four random uint32 from a counter (four uint32) and a key (two uint32). Different counters, or different keys, give
 * independent numbers.
 */
export function philox4x32(
  counter: ArrayLike<number>,
  key: ArrayLike<number>,
): [number, number, number, number] {
  let [c0, c1, c2, c3] = [counter[0]! >>> 0, counter[1]! >>> 0, counter[2]! >>> 0, counter[3]! >>> 0];
  let [k0, k1] = [key[0]! >>> 0, key[1]! >>> 0];
  for (let round = 0; round < PHILOX.rounds; round++) {
    const [h0, l0] = [mulHigh(PHILOX.m0, c0), Math.imul(PHILOX.m0, c0) >>> 0];
    const [h1, l1] = [mulHigh(PHILOX.m1, c2), Math.imul(PHILOX.m1, c2) >>> 0];
    [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
    k0 = (k0 + PHILOX.w0) >>> 0;
    k1 = (k1 + PHILOX.w1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The first `count` random words of a key and stream: what `randomBits(key, [count], { stream })` gives on a device. */
export function hostRandomBits(key: ArrayLike<number>, count: number, stream = 0): Uint32Array {
  const words = new Uint32Array(count);
  for (let block = 0; block * 4 < count; block++)
    words.set(philox4x32([block, 0, stream, 0], key).slice(0, count - block * 4), block * 4);
  return words;
}

/** Uniform in [0, 1), a multiple of 2⁻²⁴, from a random word. */
export const uniformOf = (word: number): number => (word >>> 8) * 2 ** -24;

/** Units of the fixed-point normals. */
export const NORMAL_UNIT = 2 ** -21;

/** Words of the tail probability below which |z| exceeds 2, in units of 2⁻³²: Φ(−2)·2³². */
export const TWO_SIGMA = 97711073;

/** |z|, in units of 2⁻²¹, at tail probability (r + ½) · 2⁻³²; r is below 2³¹. See normalTable.ts. */
export function quantileOf(r: number, table: ArrayLike<number>): number {
  const octave = Math.clz32(r) === 32 ? 31 : Math.clz32(r) - 1;
  const scale = 2 ** octave;
  const m = (Math.imul(r, scale) + Math.floor(scale / 2)) >>> 0;
  const segment = octave * SEGMENTS_PER_OCTAVE + ((m >>> 24) & (SEGMENTS_PER_OCTAVE - 1));
  const fraction = (m >>> 8) & 0xffff;
  const slope = table[table.length / 2 + segment]!;
  const bend = Math.imul(slope >>> 16, Math.imul(fraction, 65536 - fraction) >>> 16);
  const fall = (Math.imul(slope & 0xffff, fraction) + bend + 32768) >>> 16;
  return (table[segment]! - fall) | 0;
}

/** u · scale + shift as a device computes it in float32, the product rounded before the sum. */
export const scaledLikeDevice = (u: number, scale: number, shift: number): number =>
  Math.fround(Math.fround(u * Math.fround(scale)) + Math.fround(shift));

/** A standard normal from a random word: its lowest bit is the sign, the others the tail probability. */
export function normalOf(word: number, table: ArrayLike<number> = normalTable()): number {
  const z = quantileOf(word >>> 1, table);
  return (word & 1 ? -z : z) * NORMAL_UNIT + 0;
}

/** A standard normal conditioned on [−2, 2], from a random word. */
export function truncatedNormalOf(word: number, table: ArrayLike<number> = normalTable()): number {
  const r = TWO_SIGMA + mulHigh(word, 2 ** 31 - TWO_SIGMA);
  const z = Math.min(quantileOf(r, table), 2 / NORMAL_UNIT);
  return (word & 1 ? -z : z) * NORMAL_UNIT + 0;
}
