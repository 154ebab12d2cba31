import { describe, expect, it } from "vitest";
import { Stream } from "../streams.js";
import { accuracy, columnStatistics, type Labelled, standardise, unitRows } from "./features.js";
import { drawSubset, fewShotAccuracy } from "./few-shot.js";
import { greatest, knnAccuracy, knnPredict, neighbours } from "./knn.js";
import { minimise } from "./lbfgs.js";
import { fitLinear, linearAccuracy } from "./linear.js";

/** `classes` Gaussian clouds of the given spread about ten times the unit vectors. */
function clouds(count: number, classes: number, spread: number, seed: number): Labelled {
  const width = classes + 3;
  const stream = new Stream(seed, "subset");
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - stream.uniform())) * Math.cos(2 * Math.PI * stream.uniform());
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const features = new Float32Array(count * width).map((_, at) => {
    const hit = at % width === labels[Math.floor(at / width)];
    return (hit ? 10 : 0) + spread * normal();
  });
  return { features, labels, width };
}

describe("features", () => {
  it("makes unit rows", () => {
    expect([...unitRows(Float32Array.of(3, 4, 0, 0), 2)]).toEqual(
      [3, 4, 0, 0].map((v) => Math.fround(v / 5)),
    );
  });
  it("standardises, and leaves a constant feature finite", () => {
    const rows = Float32Array.of(1, 7, 3, 7);
    const out = standardise(rows, 2, columnStatistics(rows, 2));
    expect([...out]).toEqual([-1, 0, 1, 0]);
  });
  it("counts right answers", () => {
    expect(accuracy(Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 0, 3, 0))).toBe(0.5);
  });
});

describe("weighted kNN", () => {
  it("finds the greatest values, of equal ones the first", () => {
    expect([...greatest(Float32Array.of(1, 5, 3, 5, 2, 5), 2)].sort()).toEqual([1, 3]);
    const values = Float32Array.from({ length: 500 }, (_, i) => (i * 7919) % 503);
    const wanted = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, 60);
    expect([...greatest(values, 60)].sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b));
  });

  it("weighs votes by exp(cos/T)", () => {
    // One neighbour at cosine 1 against two at cosine 0.8: e^10 > 2·e^8 at T = 0.1, but e² < 2·e^1.6 at T = 0.5.
    const features = Float32Array.of(1, 0, 0.8, 0.6, 0.8, -0.6);
    const bank = { features: repeat(features, 5), labels: repeat(Int32Array.of(0, 1, 1), 5), width: 2 };
    const query = Float32Array.of(2, 0);
    expect(knnPredict(bank, query, 2, { k: 3, temperature: 0.1 })[0]).toBe(0);
    const wide = { features, labels: Int32Array.of(0, 1, 1), width: 2 };
    expect(neighbours(3, 15)).toBe(3);
    expect(
      knnPredict({ ...wide, features: repeat(features, 5), labels: bank.labels }, query, 2, { k: 3 })[0],
    ).toBe(0);
  });

  it("ignores the length of features", () => {
    const bank = clouds(200, 4, 1, 1);
    const queries = clouds(80, 4, 1, 2);
    const scaled = { ...queries, features: queries.features.map((v) => v * 100) };
    expect(knnAccuracy(bank, scaled, 4)).toBe(knnAccuracy(bank, queries, 4));
  });

  it("is perfect on clouds far apart, and at chance on noise", () => {
    expect(knnAccuracy(clouds(500, 5, 0.5, 1), clouds(100, 5, 0.5, 2), 5)).toBe(1);
    const noise = (seed: number) => ({
      ...clouds(1000, 5, 1, seed),
      features: clouds(1000, 5, 1, seed + 50).features,
    });
    const shuffled = {
      ...noise(3),
      labels: Int32Array.from({ length: 1000 }, (_, i) => (i * 7 + (i >> 3)) % 5),
    };
    const chance = knnAccuracy(shuffled, clouds(1000, 5, 1, 4), 5);
    expect(Math.abs(chance - 0.2)).toBeLessThan(0.2);
  });
});

describe("linear probe", () => {
  it("minimises a quadratic exactly", () => {
    const found = minimise(
      ([x, y], g) => {
        g[0] = 2 * (x! - 3);
        g[1] = 20 * (y! + 1);
        return (x! - 3) ** 2 + 10 * (y! + 1) ** 2;
      },
      new Float64Array(2),
      { tolerance: 1e-9 },
    );
    expect(found.converged).toBe(true);
    expect(found.at[0]).toBeCloseTo(3, 8);
    expect(found.at[1]).toBeCloseTo(-1, 8);
  });

  it("reaches the known minimum of a two-class problem", () => {
    // x = ±1, labels by sign: standardised as they are, w = w₁ − w₀ minimises log(1 + e^−w) + λ·w²/4 (each row has half).
    const train = { features: Float32Array.of(-1, 1), labels: Int32Array.of(0, 1), width: 1 };
    const fitted = fitLinear(train, 2, { penalty: 0.5 });
    let w = 1;
    for (let i = 0; i < 50; i++)
      w -= (-1 / (1 + Math.exp(w)) + 0.25 * w) / (Math.exp(w) / (1 + Math.exp(w)) ** 2 + 0.25);
    expect(fitted.converged).toBe(true);
    expect(fitted.loss).toBeCloseTo(Math.log(1 + Math.exp(-w)) + 0.125 * w * w, 6);
  });

  it("is perfect on clouds far apart, and does not depend on the features' scale", () => {
    const train = clouds(300, 4, 1, 1);
    const test = clouds(200, 4, 1, 2);
    expect(linearAccuracy(train, test, 4)).toBe(1);
    const scale = (set: Labelled) => ({ ...set, features: set.features.map((v) => 1000 * v + 5) });
    expect(linearAccuracy(scale(train), scale(test), 4)).toBe(1);
  });
});

describe("few-shot probe", () => {
  it("draws the same ten of each class every time, others for another subset", () => {
    const labels = Int32Array.from({ length: 300 }, (_, i) => i % 3);
    const rows = drawSubset(labels, 3, 10, 0, 0);
    expect(rows).toHaveLength(30);
    for (let c = 0; c < 3; c++) expect(rows.filter((row) => labels[row] === c)).toHaveLength(10);
    expect(drawSubset(labels, 3, 10, 0, 0)).toEqual(rows);
    expect(drawSubset(labels, 3, 10, 0, 1)).not.toEqual(rows);
    expect(drawSubset(Int32Array.of(0, 0, 1), 2, 10, 0, 0).sort()).toEqual([0, 1, 2]);
  });
  it("is worse with fewer labels", () => {
    const train = clouds(400, 4, 6, 1);
    const test = clouds(400, 4, 6, 2);
    const one = fewShotAccuracy(train, test, 4, { perClass: 1 });
    const many = fewShotAccuracy(train, test, 4, { perClass: 50, subsets: 3 });
    expect(many).toBeGreaterThan(one + 0.05);
  });
});

function repeat<T extends Float32Array | Int32Array>(values: T, times: number): T {
  const out = new (values.constructor as new (n: number) => T)(values.length * times);
  for (let i = 0; i < times; i++) out.set(values, i * values.length);
  return out;
}
