import { describe, expect, it } from "vitest";
import { classCounts, hashFraction, heldOutPlaces, pickPerClass, proportional } from "./split.js";

describe("heldOutPlaces", () => {
  const names = Array.from({ length: 50 }, (_, i) => `image ${i}`);

  it("holds out the asked share, whatever the order of the names", () => {
    const held = [...heldOutPlaces(names, 0.2)].map((i) => names[i]!);
    const reversed = [...names].reverse();
    const again = [...heldOutPlaces(reversed, 0.2)].map((i) => reversed[i]!);
    expect(held).toHaveLength(10);
    expect(new Set(again)).toEqual(new Set(held));
  });

  it("moves at most one image when one is added", () => {
    const held = new Set([...heldOutPlaces(names, 0.2)].map((i) => names[i]!));
    const more = [...names, "another"];
    const after = new Set([...heldOutPlaces(more, 0.2)].map((i) => more[i]!));
    const left = [...held].filter((name) => !after.has(name));
    expect(left.length).toBeLessThanOrEqual(1);
  });

  it("leaves something to train on and something to measure with", () => {
    expect(heldOutPlaces(["a"], 0.2).size).toBe(0);
    expect(heldOutPlaces(["a", "b"], 0.2).size).toBe(1);
    expect(heldOutPlaces(["a", "b"], 1).size).toBe(1);
  });
});

it("hashFraction spreads names over [0, 1)", () => {
  const values = Array.from({ length: 4000 }, (_, i) => hashFraction(`name ${i}`));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
});

describe("proportional", () => {
  it("adds up to the share of all, the largest remainders first", () => {
    const labels = [...Array(10).fill(0), ...Array(5).fill(1), ...Array(3).fill(2)];
    // 2.5, 1.25 and 0.75: 4.5 rounds to 5.
    expect(proportional(labels, 0.25)).toEqual([3, 1, 1]);
  });

  it("parts CIFAR-100 as the paper did: 44,933 and 5,067", () => {
    const counts = proportional(
      Array.from({ length: 50_000 }, (_, i) => i % 100),
      5_067 / 50_000,
    );
    expect(counts.reduce((sum, n) => sum + n)).toBe(5_067);
    expect(new Set(counts)).toEqual(new Set([50, 51]));
  });
});

it("pickPerClass takes the asked number of each class by name, whatever the order", () => {
  const names = Array.from({ length: 60 }, (_, i) => `image ${i}`);
  const labels = names.map((_, i) => i % 3);
  const picked = pickPerClass(names, labels, [1, 2, 5]);
  expect(classCounts(picked.map((place) => labels[place]!))).toEqual([1, 2, 5]);
  const reversed = pickPerClass([...names].reverse(), [...labels].reverse(), [1, 2, 5]);
  expect(new Set(reversed.map((place) => names[59 - place]))).toEqual(
    new Set(picked.map((place) => names[place])),
  );
});
