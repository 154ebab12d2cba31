import { describe, expect, it } from "vitest";
import { permutation, Stream } from "./streams.js";

describe("Stream", () => {
  const draws = (stream: Stream, n: number) => Array.from({ length: n }, () => stream.uniform());

  it("depends on every part of its name, and on nothing else", () => {
    const base = draws(new Stream(1, "augment", 2, 3, 4), 9);
    expect(draws(new Stream(1, "augment", 2, 3, 4), 9)).toEqual(base);
    const others = [
      new Stream(2, "augment", 2, 3, 4),
      new Stream(1, "shuffle", 2, 3, 4),
      new Stream(1, "augment", 3, 3, 4),
      new Stream(1, "augment", 2, 4, 4),
      new Stream(1, "augment", 2, 3, 5),
    ];
    for (const other of others) expect(draws(other, 9)).not.toEqual(base);
  });

  it("is uniform", () => {
    const values = draws(new Stream(11, "augment"), 20_000);
    const bins = new Array<number>(10).fill(0);
    for (const v of values) bins[Math.floor(v * 10)]!++;
    // χ² with 9 degrees of freedom; 33 is beyond the 99.98th percentile.
    expect(bins.reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0)).toBeLessThan(33);
  });
});

describe("permutation", () => {
  it("holds every place once", () => {
    const order = permutation(5, "shuffle", 2, 1000);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect([...permutation(5, "shuffle", 2, 1000)]).toEqual([...order]);
    expect([...permutation(5, "shuffle", 3, 1000)]).not.toEqual([...order]);
  });
  it("puts every element everywhere equally often", () => {
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i++) counts[permutation(0, "shuffle", i, 6).indexOf(0)]!++;
    expect(counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(26);
  });
});
