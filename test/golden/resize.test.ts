/** Resizing against TensorFlow and Pillow, and crops against crop-then-resize, on every device. */
import { readFileSync } from "node:fs";
import {
  cropAndResize,
  type Device,
  openDevice,
  type ResizeMethod,
  resize,
  slice,
  type Tensor,
} from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generator } from "@dawnstrap/tensor/testing";

interface Case {
  readonly library: string;
  readonly method: ResizeMethod;
  readonly antialias: boolean;
  readonly from: [number, number];
  readonly to: [number, number];
  readonly values: readonly number[];
}
const { cases } = JSON.parse(readFileSync(new URL("./resize.json", import.meta.url), "utf8")) as {
  cases: Case[];
};
const seed = Number(process.env.DAWNSTRAP_SEED);

const image = ([h, w]: [number, number]): Float32Array =>
  Float32Array.from({ length: h * w }, (_, p) => {
    const [i, j] = [Math.floor(p / w), p % w];
    return Math.sin(1 + 3 * i + 5 * j) * 0.5 + p / (h * w);
  });

const worst = (got: ArrayLike<number>, want: ArrayLike<number>): number =>
  Array.from(want).reduce((e, v, i) => Math.max(e, Math.abs(v - got[i]!)), 0);

describe.each(["cpu", "webgpu", "reference"] as const)("resize on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  it.each(["tensorflow", "pillow"])("equals %s", async (library) => {
    for (const { method, antialias, from, to, values } of cases.filter((c) => c.library === library)) {
      const y = await resize(device.tensor(image(from), [1, ...from, 1]), to, { method, antialias }).data();
      // TensorFlow's plain bicubic kernel rounds tap positions to 1/1024.
      const allowed = library === "tensorflow" && method === "bicubic" && !antialias ? 1e-3 : 2e-6;
      expect(worst(y, values), `${method} ${antialias} ${from} → ${to}`).toBeLessThan(allowed);
    }
  });

  const uint8Images = (batch: number, size: number): Tensor => {
    const next = generator(seed);
    const data = Uint8Array.from({ length: batch * size * size * 3 }, () => next() * 256);
    return device.tensor(data, [batch, size, size, 3]);
  };

  it.each(["nearest", "bilinear", "bicubic"] as const)(
    "crops %s as cropping and then resizing would",
    async (method) => {
      const next = generator(seed + 1);
      const [batch, size] = [3, 29];
      const x = uint8Images(batch, size);
      const boxes = Array.from({ length: batch }, () => {
        const [h, w] = [1 + Math.floor(next() * size), 1 + Math.floor(next() * size)];
        return [Math.floor(next() * (size - h + 1)), Math.floor(next() * (size - w + 1)), h, w] as const;
      });
      for (const antialias of [false, true]) {
        const got = await cropAndResize(x, device.tensor(boxes), [16, 13], { method, antialias }).data();
        for (const [n, [top, left, h, w]] of boxes.entries()) {
          const crop = slice(x, [n, top, left, 0], [n + 1, top + h, left + w, 3]);
          const want = await resize(crop, [16, 13], { method, antialias }).data();
          const count = 16 * 13 * 3;
          // Of 255: the last bits of float32.
          expect(worst(got.subarray(n * count, (n + 1) * count), want), `box ${boxes[n]}`).toBeLessThan(2e-4);
        }
      }
    },
  );

  it("gives zeros for a box that misses the image, and keeps to the box", async () => {
    const x = device.tensor(
      Float32Array.from({ length: 16 }, (_, i) => i),
      [1, 4, 4, 1],
    );
    const at = async (box: number[]): Promise<number[]> => [
      ...(await cropAndResize(x, device.tensor([box]), [2, 2]).data()),
    ];
    expect(await at([10, 10, 2, 2])).toEqual([0, 0, 0, 0]);
    expect(await at([1, 1, 1, 1])).toEqual([5, 5, 5, 5]);
    expect(await at([2, 0, 2, 2])).toEqual([8, 9, 12, 13]);
  });

  it("says what is wrong with sizes, methods and boxes", () => {
    const x = device.zeros([2, 4, 4, 3]);
    expect(() => resize(x, [0, 4])).toThrow("resize: size [0, 4] is not made of whole numbers ≥ 1");
    expect(() => resize(x, [4, 4], { method: "area" as never })).toThrow('resize: method "area" is unknown');
    expect(() => resize(device.zeros([4, 4, 3]), [2, 2])).toThrow(
      "resize: input of shape [4, 4, 3] is not [batch, height, width, channels]",
    );
    expect(() => cropAndResize(x, device.zeros([1, 4]), [2, 2])).toThrow(
      "cropAndResize: boxes are float32 [1, 4], float32 [2, 4] is wanted for [2, 4, 4, 3]",
    );
  });
});
