import { describe, expect, it } from "vitest";
import { blurRadius, colourCodes, columnsOf, drawViews, gaussianTaps } from "./parameters.js";
import { firstView, secondView, type ViewAugmentation, viewSchema } from "./settings.js";

const geometry = { height: 64, width: 80, channels: 3, size: 64 };
const columns = columnsOf(64, 3);
const count = 20_000;

function draw(settings: ViewAugmentation, view: 0 | 1 = 0): number[][] {
  const flat = drawViews(settings, geometry, { seed: 9, step: 3, view, images: [...Array(count).keys()] });
  return Array.from({ length: count }, (_, i) => [
    ...flat.subarray(i * columns.count, (i + 1) * columns.count),
  ]);
}
const share = (rows: number[][], test: (row: number[]) => boolean) => rows.filter(test).length / rows.length;
const blurred = (row: number[]) => row[columns.blur]! < 1;
/** Four standard errors of a share p among `count` draws. */
const near = (p: number) => 4 * Math.sqrt((p * (1 - p)) / count) + 1e-9;

describe("drawViews: probabilities of the paper (Table 6)", () => {
  for (const [name, settings, blur, solarize] of [
    ["T", firstView, 1, 0],
    ["T'", secondView, 0.1, 0.2],
    ["T' in torchvision's form", { ...secondView, form: "torchvision" as const }, 0.1, 0.2],
  ] as const) {
    it(name, () => {
      // A σ below 0.2 is the identity in float32: such rows could not be told from unblurred ones.
      const rows = draw({ ...settings, blur: { ...settings.blur, sigma: [0.5, 2] } });
      const shares = {
        flip: [share(rows, (row) => row[columns.flip] === 1), 0.5],
        jitter: [share(rows, (row) => row[columns.round]! >= 0), 0.8],
        grey: [share(rows, (row) => row[columns.grey] === 1), 0.2],
        blur: [share(rows, blurred), blur],
        solarize: [share(rows, (row) => row[columns.solarize] === 1), solarize],
      };
      for (const [what, [seen, wanted]] of Object.entries(shares))
        expect(Math.abs(seen! - wanted!), `${what}: ${seen} for ${wanted}`).toBeLessThan(near(wanted!));
    });
  }

  it("takes each of the 24 orders of the colour operations equally often", () => {
    const seen = new Map<string, number>();
    for (const row of draw(firstView)) {
      const order = row.slice(columns.round, columns.round + 4);
      if (order[0]! >= 0) seen.set(order.join(""), (seen.get(order.join("")) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    const total = [...seen.values()].reduce((a, b) => a + b);
    const chi = [...seen.values()].reduce((sum, n) => sum + (n - total / 24) ** 2 / (total / 24), 0);
    // 23 degrees of freedom; 55 is beyond the 99.98th percentile.
    expect(chi).toBeLessThan(55);
  });
});

describe("drawViews: ranges", () => {
  const rows = draw(firstView);
  const strength = (op: keyof typeof colourCodes, of = rows) =>
    of.map((row) => row[columns.strength + colourCodes[op]]!);
  const extent = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;

  it("draws strengths over their whole range", () => {
    for (const [op, lo, hi] of [
      ["brightness", -0.4, 0.4],
      ["contrast", 0.6, 1.4],
      ["saturation", 0.8, 1.2],
      ["hue", -0.1, 0.1],
    ] as const) {
      const [least, most] = extent(strength(op));
      expect(least).toBeGreaterThanOrEqual(Math.fround(lo));
      expect(most).toBeLessThanOrEqual(Math.fround(hi));
      expect(most - least).toBeGreaterThan(0.99 * (hi - lo));
    }
  });

  it("draws torchvision's brightness as a factor, and the other strengths alike", () => {
    const other = draw({ ...firstView, form: "torchvision" });
    const [least, most] = extent(strength("brightness", other));
    expect(least).toBeGreaterThanOrEqual(Math.fround(0.6));
    expect(most).toBeLessThanOrEqual(Math.fround(1.4));
    expect(most - least).toBeGreaterThan(0.99 * 0.8);
    for (const op of ["contrast", "saturation", "hue"] as const) {
      const [lo, hi] = extent(strength(op));
      const [low, high] = extent(strength(op, other));
      expect(Math.max(Math.abs(low - lo), Math.abs(high - hi))).toBeLessThan(0.005);
    }
    for (const [top, left, h, w] of other as [number, number, number, number][]) {
      expect(Math.min(top, left, h - 1, w - 1)).toBeGreaterThanOrEqual(0);
      expect(top + h <= 64 && left + w <= 80).toBe(true);
    }
  });

  it("has as many taps as asked for", () => {
    expect(columnsOf(64, 3, 23).taps).toBe(12);
    const wide = { ...firstView, blur: { ...firstView.blur, kernel: 23 } };
    const at = { seed: 9, step: 3, view: 0, images: [1] } as const;
    const row = [...drawViews(wide, geometry, at)];
    const half = row.slice(columns.blur, columns.blur + 12);
    expect(half[0]! + 2 * half.slice(1).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    expect(viewSchema.safeParse({ ...wide, blur: { ...wide.blur, kernel: 22 } }).error?.message).toMatch(
      /odd/,
    );
  });

  it("draws boxes of whole pixels inside the image, of uniform area before rounding", () => {
    for (const [top, left, h, w] of rows as [number, number, number, number][]) {
      expect([top, left, h, w].every(Number.isInteger)).toBe(true);
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(h).toBeGreaterThanOrEqual(1);
      expect(top + h).toBeLessThanOrEqual(64);
      expect(left + w).toBeLessThanOrEqual(80);
    }
    // Boxes that no clamping touched have area/HW uniform on [0.08, …]: below 0.5 they are all untouched.
    const small = rows.map((row) => (row[2]! * row[3]!) / (64 * 80)).filter((a) => a < 0.5);
    const wanted = (0.5 - 0.08) / 0.92;
    expect(Math.abs(small.length / count - wanted)).toBeLessThan(near(wanted) + 0.005);
    const mean = small.reduce((a, b) => a + b) / small.length;
    expect(Math.abs(mean - 0.29)).toBeLessThan(0.01);
  });

  it("gives a row for an image that no other image, step or view changes", () => {
    const at = (images: number[], step: number, view: 0 | 1) =>
      drawViews(firstView, geometry, { seed: 1, step, view, images }).slice(-columns.count);
    expect(at([4, 8, 15], 2, 0)).toEqual(at([15], 2, 0));
    expect(at([15], 2, 1)).not.toEqual(at([15], 2, 0));
    expect(at([15], 3, 0)).not.toEqual(at([15], 2, 0));
  });
});

describe("blur kernels", () => {
  it("has the paper's sizes", () => {
    const sizes = [32, 64, 96, 128, 160, 224].map((side) => 2 * blurRadius(side) + 1);
    expect(sizes).toEqual([3, 7, 9, 13, 17, 23]);
  });
  it("has the paper's weights", () => {
    expect(gaussianTaps(1, 2)[1]).toBeCloseTo(0.274068619, 9);
    expect(gaussianTaps(1, 2)[0]).toBeCloseTo(0.451862762, 9);
    expect(gaussianTaps(0.5, 2)[1]).toBeCloseTo(0.106506979, 9);
    expect(gaussianTaps(0.5, 2)[0]).toBeCloseTo(0.786986042, 9);
    expect(gaussianTaps(2, 12)[0]).toBeCloseTo(0.1994711415, 9);
    expect(gaussianTaps(2, 12)[1]).toBeCloseTo(0.1760326646, 9);
    expect(gaussianTaps(0.1, 2)[0]).toBeCloseTo(1, 12);
  });
});
