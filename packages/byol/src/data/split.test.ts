import { describe, expect, it } from "vitest";
import { hashFraction, heldOutPlaces } from "./split.js";

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
