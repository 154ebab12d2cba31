import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stream } from "../images/streams.js";
import { columnStatistics, type Labelled, standardise, unitRows } from "./features.js";
import { drawSubset, fewShotAccuracy } from "./few-shot.js";
import { type KnnOptions, knnAccuracy, knnPredict, knnScores, nearestRows, neighbours } from "./knn.js";
import { fitLinear, linearAccuracy } from "./linear.js";
import { Nearest } from "./nearest.js";

let cpu: Device;
let reference: Device;
beforeAll(async () => {
  cpu = await openDevice("cpu");
  reference = await openDevice("reference");
});
afterAll(() => Promise.all([cpu.destroy(), reference.destroy()]));

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
});

describe("nearest neighbours", () => {
  it("keeps the greatest values, of equal ones the first", () => {
    const kept = (values: readonly number[], k: number) => {
      const heap = new Nearest(k);
      for (const [i, v] of values.entries()) heap.offer(i, v);
      return heap.sorted().map(({ place }) => place);
    };
    expect(kept([1, 5, 3, 5, 2, 5], 2)).toEqual([1, 3]);
    expect(kept([1, 2], 5)).toEqual([1, 0]);
    const values = Array.from({ length: 500 }, (_, i) => (i * 7919) % 103);
    const wanted = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, 60);
    expect(kept(values, 60)).toEqual(wanted);
  });

  it("finds across blocks what a plain search finds, by cosine and by distance", async () => {
    const width = 3;
    const stream = new Stream(5, "subset");
    const draw = (rows: number) => Float32Array.from({ length: rows * width }, () => stream.between(-1, 1));
    const [bank, queries] = [draw(9000), draw(5)];
    const row = (of: Float32Array, i: number) => of.subarray(i * width, (i + 1) * width);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((s, v, j) => s + v * b[j]!, 0);
    const measure = {
      cosine: (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
      euclidean: (a: Float32Array, b: Float32Array) => 2 * dot(a, b) - dot(a, a) - dot(b, b),
    };
    for (const distance of ["cosine", "euclidean"] as const) {
      const found = await nearestRows(cpu, bank, queries, width, { k: 4, distance });
      for (let q = 0; q < 5; q++) {
        const all = Array.from({ length: 9000 }, (_, i) => measure[distance](row(queries, q), row(bank, i)));
        const wanted = all.sort((a, b) => b - a).slice(0, 4);
        found[q]!.forEach(({ similarity }, i) => expect(similarity).toBeCloseTo(wanted[i]!, 5));
      }
    }
  });
});

describe("kNN", () => {
  const vote = async (options: KnnOptions) => {
    // One neighbour at cosine 1 against two at cosine 0.8, each five times, since a fifth of a small bank votes.
    const features = Float32Array.of(1, 0, 0.8, 0.6, 0.8, -0.6);
    const bank = { features: repeat(features, 5), labels: repeat(Int32Array.of(0, 1, 1), 5), width: 2 };
    return (await knnPredict(cpu, bank, Float32Array.of(2, 0), 2, options))[0];
  };
  it("weighs votes by exp(cos/T)", async () => {
    expect(neighbours(3, 15)).toBe(3);
    expect(await vote({ k: 3, temperature: 0.1 })).toBe(0);
  });
  it("counts every neighbour alike under a majority vote", async () => {
    const features = Float32Array.of(1, 0, 0.9, 0.1, 0.9, -0.1, ...new Array<number>(24).fill(-1));
    const labels = Int32Array.of(0, 1, 1, ...new Array<number>(12).fill(2));
    const bank = { features, labels, width: 2 };
    const of = async (options: KnnOptions) =>
      (await knnPredict(cpu, bank, Float32Array.of(1, 0), 3, { k: 3, ...options }))[0];
    expect(await of({ vote: "majority" })).toBe(1);
    expect(await of({ distance: "euclidean" })).toBe(0);
    expect(await of({ distance: "euclidean", vote: "majority" })).toBe(1);
  });
  it("leaves each image out of its own neighbours", async () => {
    // Labels that say nothing: an image that may vote for itself is always right.
    const noise = clouds(300, 3, 1, 1);
    const set = { ...noise, labels: Int32Array.from({ length: 300 }, (_, i) => (i * 7 + (i >> 3)) % 3) };
    const options = { k: 1 } as const;
    expect(await knnAccuracy(cpu, set, set, 3, options)).toBe(1);
    expect(await knnAccuracy(cpu, set, set, 3, { ...options, leaveOneOut: true })).toBeLessThan(0.6);
    await expect(knnPredict(cpu, set, set.features.subarray(0, 6), 3, { leaveOneOut: true })).rejects.toThrow(
      /1 queries cannot be left out of a bank of 300/,
    );
  });
  it("lets as many vote as were asked for, and refuses more than there are", async () => {
    const bank = clouds(20, 2, 1, 1);
    const all = { k: 20, vote: "majority" } as const;
    expect([...(await knnScores(cpu, bank, bank.features, 2, all))].slice(0, 2)).toEqual([10, 10]);
    const ask = (options: KnnOptions) => knnScores(cpu, bank, bank.features, 2, options);
    await expect(ask({ k: 21 })).rejects.toThrow(
      /^knn: 21 neighbours of 20 images \(take k from 1 to 20, or/,
    );
    await expect(ask({ k: 20, leaveOneOut: true })).rejects.toThrow(/^knn: 20 neighbours of 19 images/);
    await expect(ask({ k: 1.5 })).rejects.toThrow(/1\.5 neighbours/);
    expect(await ask({})).toEqual(await ask({ k: 4 }));
    const nearest = await nearestRows(cpu, bank.features, bank.features.subarray(0, 5), 5, { k: 2 ** 40 });
    expect(nearest[0]).toHaveLength(20);
  });
  it("ignores the length of features", async () => {
    const bank = clouds(200, 4, 1, 1);
    const queries = clouds(80, 4, 1, 2);
    const scaled = { ...queries, features: queries.features.map((v) => v * 100) };
    expect(await knnAccuracy(cpu, bank, scaled, 4)).toBe(await knnAccuracy(cpu, bank, queries, 4));
  });
  it("is perfect on clouds far apart", async () => {
    expect(await knnAccuracy(cpu, clouds(500, 5, 0.5, 1), clouds(100, 5, 0.5, 2), 5)).toBe(1);
  });
  it("refuses rows of another width and an empty bank", async () => {
    const bank = clouds(20, 2, 1, 1);
    await expect(knnPredict(cpu, bank, new Float32Array(7), 2)).rejects.toThrow(/not rows of 5/);
    const empty = { features: new Float32Array(0), labels: new Int32Array(0), width: 5 };
    await expect(knnPredict(cpu, empty, new Float32Array(5), 2)).rejects.toThrow(/the bank holds no images/);
  });
});

describe("linear probe", () => {
  it("reaches the known minimum of a two-class problem", async () => {
    // x = ±1, labels by sign: standardised as they are, w = w₁ − w₀ minimises log(1 + e^−w) + λ·w²/4 (each row has half).
    const train = { features: Float32Array.of(-1, 1), labels: Int32Array.of(0, 1), width: 1 };
    const fitted = await fitLinear(reference, train, 2, { penalty: 0.5 });
    let w = 1;
    for (let i = 0; i < 50; i++)
      w -= (-1 / (1 + Math.exp(w)) + 0.25 * w) / (Math.exp(w) / (1 + Math.exp(w)) ** 2 + 0.25);
    expect(fitted.converged).toBe(true);
    expect(fitted.loss).toBeCloseTo(Math.log(1 + Math.exp(-w)) + 0.125 * w * w, 6);
  });

  it("is perfect on clouds far apart, and does not depend on the features' scale", async () => {
    const train = clouds(300, 4, 1, 1);
    const test = clouds(200, 4, 1, 2);
    expect(await linearAccuracy(cpu, train, test, 4)).toBe(1);
    const scale = (set: Labelled) => ({ ...set, features: set.features.map((v) => 1000 * v + 5) });
    expect(await linearAccuracy(cpu, scale(train), scale(test), 4)).toBe(1);
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
  it("is worse with fewer labels", async () => {
    const train = clouds(400, 4, 6, 1);
    const test = clouds(400, 4, 6, 2);
    const one = await fewShotAccuracy(cpu, train, test, 4, { perClass: 1 });
    const many = await fewShotAccuracy(cpu, train, test, 4, { perClass: 50, subsets: 3 });
    expect(many).toBeGreaterThan(one + 0.05);
  });
});

function repeat<T extends Float32Array | Int32Array>(values: T, times: number): T {
  const out = new (values.constructor as new (n: number) => T)(values.length * times);
  for (let i = 0; i < times; i++) out.set(values, i * values.length);
  return out;
}
