import { describe, expect, it } from "vitest";
import { luma, onNumbers, turnAndScale } from "./hsv.js";

const close = (got: readonly number[], wanted: readonly number[]) => {
  for (const [i, v] of wanted.entries()) expect(got[i]).toBeCloseTo(v, 6);
};

describe("colours", () => {
  const pixel = [0.2, 0.6, 0.4] as const;
  it("(0.2, 0.6, 0.4) has hue 0.4166667, saturation 0.6666667 and value 0.6", () => {
    // Turned back to hue 0 the pixel is (V, V·(1 − S), V·(1 − S)).
    const [v, low] = [0.6, 0.6 * (1 - 0.6666667)];
    close(turnAndScale(onNumbers, pixel, -0.4166667, 1), [v, low, low]);
    close(turnAndScale(onNumbers, pixel, 0, 0), [v, v, v]);
  });
  it("grey is 0.45758, and of white 0.9999: the weights' sum", () => {
    expect(luma(onNumbers, pixel)).toBeCloseTo(0.45758, 9);
    expect(luma(onNumbers, [1, 1, 1])).toBeCloseTo(0.9999, 9);
  });
});
