import { describe, expect, it } from "vitest";
import {
  accuracy,
  averagePrecision,
  bootstrap,
  bootstrapMean,
  confusionMatrix,
  meanAveragePrecision,
  meanPerClassAccuracy,
  predictions,
  topKHits,
} from "./metrics.js";

describe("accuracies, by hand", () => {
  const scores = [0.1, 0.7, 0.2, 0.5, 0.5, 0, 0.3, 0.1, 0.6];
  it("predict the greatest score, of equal ones the first", () => {
    expect([...predictions(scores, 3)]).toEqual([1, 0, 2]);
  });
  it("count top-k hits, ties against the label", () => {
    const labels = Int32Array.of(2, 1, 0);
    expect([...topKHits(scores, labels, 3, 1)]).toEqual([0, 0, 0]);
    expect([...topKHits(scores, labels, 3, 2)]).toEqual([1, 1, 1]);
    expect([...topKHits([1, 1, 1], Int32Array.of(0), 3, 2)]).toEqual([0]);
  });
  const predicted = Int32Array.of(0, 0, 1, 1, 2);
  const labels = Int32Array.of(0, 0, 0, 1, 1);
  it("average over images and over classes", () => {
    expect(accuracy(predicted, labels)).toBe(0.6);
    // Class 0: 2 of 3, class 1: 1 of 2; class 2 has no image.
    expect(meanPerClassAccuracy(predicted, labels, 3)).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12);
    expect([...confusionMatrix(predicted, labels, 3)]).toEqual([2, 1, 0, 0, 1, 1, 0, 0, 0]);
  });
  it("refuse to average nothing", () => {
    expect(() => accuracy(new Int32Array(0), new Int32Array(0))).toThrow(/nothing/);
  });
});

describe("average precision, by hand", () => {
  // By falling score: relevant, not, relevant, not → precision 1, 1/2, 2/3, 1/2 at recall 1/2, 1/2, 1, 1.
  const scores = [0.9, 0.8, 0.7, 0.6];
  const relevant = [1, 0, 1, 0];
  it("at all points is the area under the monotone curve", () => {
    expect(averagePrecision(scores, relevant, "all-point")).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3), 12);
  });
  it("at 11 points averages the best precision from each recall on", () => {
    expect(averagePrecision(scores, relevant, "11-point")).toBeCloseTo((6 * 1 + 5 * (2 / 3)) / 11, 12);
  });
  it("is 1 for a perfect order and is averaged over classes", () => {
    expect(averagePrecision(scores, [1, 1, 0, 0], "11-point")).toBe(1);
    const both = scores.flatMap((s) => [s, s]);
    const members = [1, 1, 0, 1, 1, 0, 0, 0];
    expect(meanAveragePrecision(both, members, 2, "all-point")).toBeCloseTo((5 / 6 + 1) / 2, 12);
  });
  it("leaves out what VOC calls too hard to be judged", () => {
    expect(averagePrecision([0.9, 0.8, 0.7, 0.6], [0, 1, -1, 1], "all-point")).toBeCloseTo(
      0.5 + 0.5 * (2 / 3),
      12,
    );
  });
  it("refuses a class that no image shows", () => {
    expect(() => averagePrecision([1, 2], [0, 0], "all-point")).toThrow(/no image shows the class/);
  });
});

describe("bootstrap", () => {
  it("has the width that theory gives a share", () => {
    const hits = Uint8Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 0 : 1));
    const { value, low, high } = bootstrapMean(hits, { seed: 3 });
    expect(value).toBe(0.75);
    const deviation = Math.sqrt((0.75 * 0.25) / 400);
    expect((high - low) / (2 * 1.96 * deviation)).toBeGreaterThan(0.85);
    expect((high - low) / (2 * 1.96 * deviation)).toBeLessThan(1.15);
    expect(bootstrapMean(hits, { seed: 3 })).toEqual({ value, low, high });
  });
  it("draws for any statistic", () => {
    expect(bootstrap(10, (places) => new Set(places).size, { draws: 50 }).high).toBeLessThan(10);
  });
});
