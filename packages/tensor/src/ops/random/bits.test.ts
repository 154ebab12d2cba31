/** The generator against its authors' vectors, and its distributions against theory. */
import { describe, expect, it } from "vitest";
import { normalTable, upperTail } from "./normal-table.js";
import {
  hostRandomBits,
  mulHigh,
  NORMAL_UNIT,
  normalOf,
  philox4x32,
  quantileOf,
  truncatedNormalOf,
  uniformOf,
} from "./bits.js";

const hex = (words: readonly number[]): string => words.map((w) => w.toString(16).padStart(8, "0")).join(" ");
const N = 1 << 18;
const words = hostRandomBits([20260101, 7], N);

/** Largest distance between the empirical and the given distribution function, times √n: above 2.2 once in 10⁴ seeds. */
function kolmogorov(samples: Float64Array, cdf: (x: number) => number): number {
  const sorted = samples.slice().sort();
  const n = sorted.length;
  let worst = 0;
  for (let i = 0; i < n; ) {
    let j = i;
    while (j < n && sorted[j] === sorted[i]) j++;
    const p = cdf(sorted[i]!);
    // The grid's cell is not counted: at a tie the distribution jumps from i/n to j/n.
    worst = Math.max(worst, Math.abs(p - (i + j) / (2 * n)) - (j - i) / (2 * n));
    i = j;
  }
  return worst * Math.sqrt(n);
}

const phi = (z: number): number => (z < 0 ? upperTail(-z) : 1 - upperTail(z));

describe("Philox-4x32-10", () => {
  it("gives the vectors of Random123", () => {
    expect(hex(philox4x32([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    const ones = 0xffffffff;
    expect(hex(philox4x32([ones, ones, ones, ones], [ones, ones]))).toBe(
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    );
    // Digits of π.
    expect(hex(philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe(
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    );
  });

  it("multiplies to 64 bits", () => {
    for (const a of [0, 1, 0xd2511f53, 0xffffffff, 0x80000000])
      for (const b of [0, 3, 0xffff, 0x10000, 0xcd9e8d57, 0xffffffff])
        expect(mulHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
  });

  it("makes a longer draw begin with the shorter one, and streams differ", () => {
    expect([...hostRandomBits([1, 2], 10)]).toEqual([...hostRandomBits([1, 2], 13).subarray(0, 10)]);
    expect(hostRandomBits([1, 2], 4, 1)).not.toEqual(hostRandomBits([1, 2], 4));
  });

  it("sets every bit half of the time", () => {
    for (let bit = 0; bit < 32; bit++) {
      let count = 0;
      for (const w of words) count += (w >>> bit) & 1;
      expect(Math.abs(count - N / 2) / Math.sqrt(N / 4), `bit ${bit}`).toBeLessThan(4.5);
    }
  });
});

describe("distributions", () => {
  it("is uniform", () => {
    expect(kolmogorov(Float64Array.from(words, uniformOf), (x) => x)).toBeLessThan(2.2);
  });

  it("has a quantile function within two units of 2⁻²¹, from the middle to the last word", () => {
    const table = normalTable();
    const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    let worst = 0;
    for (let k = 0; k < 200_000; k++) {
      // Every octave alike, so that the far tail is seen too.
      const r = Math.floor(2 ** ((31 * (k + 0.5)) / 200_000));
      const z = quantileOf(r, table) * NORMAL_UNIT;
      worst = Math.max(worst, Math.abs((upperTail(z) - (r + 0.5) / 2 ** 32) / density(z)));
    }
    expect(worst / NORMAL_UNIT).toBeLessThan(2);
    expect(quantileOf(0, table) * NORMAL_UNIT).toBeCloseTo(6.33796, 4);
    expect(quantileOf(2 ** 31 - 1, table)).toBe(0);
  });

  it("never rises as the tail probability grows", () => {
    const table = normalTable();
    let last = Number.POSITIVE_INFINITY;
    for (let r = 0; r < 2 ** 31; r += 1 + Math.floor(r / 4096)) {
      const z = quantileOf(r, table);
      expect(z).toBeLessThanOrEqual(last);
      last = z;
    }
  });

  it("knows the tail: P(Z > z) against published values", () => {
    // Abramowitz and Stegun, tables 26.1 and 26.2.
    for (const [z, p] of [
      [1, 0.158655253931457],
      [2, 0.022750131948179],
      [3, 1.34989803163e-3],
      [5, 2.8665157187919e-7],
      [6, 9.865876450376e-10],
    ] as const)
      expect(upperTail(z) / p).toBeCloseTo(1, 11);
  });

  it("is normal: moments, distribution, and tails beyond 3 and 4", () => {
    const z = Float64Array.from(words, (w) => normalOf(w));
    const moment = (k: number): number => z.reduce((s, v) => s + v ** k, 0) / N;
    // Standard errors of the moments of N normals: √(1, 2, 15, 96) / √N.
    for (const [k, mean, deviation] of [
      [1, 0, 1],
      [2, 1, Math.sqrt(2)],
      [3, 0, Math.sqrt(15)],
      [4, 3, Math.sqrt(96)],
    ] as const)
      expect(Math.abs(moment(k) - mean) / (deviation / Math.sqrt(N)), `moment ${k}`).toBeLessThan(4.5);
    expect(kolmogorov(z, phi)).toBeLessThan(2.2);
    for (const at of [3, 4]) {
      const beyond = z.filter((v) => Math.abs(v) > at).length;
      const expected = 2 * upperTail(at) * N;
      expect(Math.abs(beyond - expected) / Math.sqrt(expected), `beyond ${at}`).toBeLessThan(4.5);
    }
  });

  it("is a truncated normal within ±2", () => {
    const z = Float64Array.from(words, (w) => truncatedNormalOf(w));
    expect(z.every((v) => Math.abs(v) <= 2)).toBe(true);
    const inside = 1 - 2 * upperTail(2);
    expect(kolmogorov(z, (x) => (phi(x) - upperTail(2)) / inside)).toBeLessThan(2.2);
    const variance = z.reduce((s, v) => s + v * v, 0) / N;
    // 1 − 2·2·φ(2) / (1 − 2Q(2)).
    expect(variance).toBeCloseTo(0.7737, 2);
    expect(truncatedNormalOf(0)).toBeCloseTo(2, 5);
    expect(truncatedNormalOf(0xffffffff)).toBeCloseTo(0, 5);
  });
});
