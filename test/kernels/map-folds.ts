import { expr as x } from "@dawnstrap/tensor/extend";
import { type Expr, type Index, noise } from "@dawnstrap/tensor/testing";
import { describe, expect, test } from "vitest";
import { axesOf, type Devices, near, slot } from "./map-devices.js";

export const folds = (devices: () => Devices): void => {
  describe("folds", () => {
    test("sums over rows, over columns and over everything", async () => {
      for (const [m, n] of [
        [1, 1],
        [5, 9],
        [9, 5],
        [33, 16],
        [16, 33],
        [100, 67],
        [7, 1000],
      ] as const) {
        const a = slot("float32");
        const data = noise(m * n, 5);
        const sum = (extent: number, index: (k: Expr) => Expr): Expr =>
          x.fold(extent, [x.f32(0)], (k, [s]) => [x.add(s!, x.load(a, index(k)))])[0]!;
        const [i] = axesOf(m) as [Index];
        const [j] = axesOf(n) as [Index];
        const rows = await devices().run({
          axes: [i],
          reads: [[a, data]],
          outputs: [
            {
              slot: slot("float32"),
              index: i,
              value: sum(n, (k) => x.flatten([i, k], [m, n])),
              data: new Float32Array(m),
            },
          ],
        });
        const columns = await devices().run({
          axes: [j],
          reads: [[a, data]],
          outputs: [
            {
              slot: slot("float32"),
              index: j,
              value: sum(m, (k) => x.flatten([k, j], [m, n])),
              data: new Float32Array(n),
            },
          ],
        });
        const all = await devices().run({
          axes: [],
          reads: [[a, data]],
          outputs: [
            {
              slot: slot("float32"),
              index: x.i32(0),
              value: sum(m * n, (k) => k),
              data: new Float32Array(1),
            },
          ],
        });
        for (const r of [...rows, ...columns, ...all]) near(r.device, r.oracle, 1e-5);
      }
    });

    test("softmax: three folds and a second use of every element", async () => {
      for (const [m, n] of [
        [3, 10],
        [64, 10],
        [5, 64],
        [40, 33],
      ] as const) {
        const a = slot("float32");
        const [i, j] = axesOf(m, n) as [Index, Index];
        const at = (k: Expr): Expr => x.load(a, x.flatten([i, k], [m, n]));
        const [top] = x.fold(n, [x.f32(-1e30)], (k, [s]) => [x.max(s!, at(k))]) as [Expr];
        const [total] = x.fold(n, [x.f32(0)], (k, [s]) => [
          x.add(s!, x.mul(x.sub(at(k), top), x.sub(at(k), top))),
        ]) as [Expr];
        const [r] = await devices().run({
          axes: [i, j],
          reads: [[a, noise(m * n, 8)]],
          outputs: [
            {
              slot: slot("float32"),
              index: x.flatten([i, j], [m, n]),
              value: x.div(x.sub(at(j), top), total),
              data: new Float32Array(m * n),
            },
          ],
        });
        near(r!.device, r!.oracle, 1e-5);
      }
    });

    test("nested folds with arg-max", async () => {
      for (const [m, n, k] of [
        [5, 9, 17],
        [16, 4, 3],
        [1, 8, 8],
      ] as const) {
        const [a, b] = [slot("float32"), slot("float32")];
        const [i] = axesOf(m) as [Index];
        const [value, where] = x.fold(n, [x.f32(-1e30), x.i32(0)], (j, [v, w]) => {
          const [sum] = x.fold(k, [x.f32(0)], (p, [s]) => [
            x.add(s!, x.mul(x.load(a, x.flatten([i, p], [m, k])), x.load(b, x.flatten([p, j], [k, n])))),
          ]) as [Expr];
          const better = x.gt(sum, v!);
          return [x.select(better, sum, v!), x.select(better, j, w!)];
        }) as [Expr, Expr];
        const results = await devices().run({
          axes: [i],
          reads: [
            [a, noise(m * k, 6)],
            [b, noise(k * n, 7)],
          ],
          outputs: [
            { slot: slot("float32"), index: i, value, data: new Float32Array(m) },
            { slot: slot("int32"), index: i, value: where, data: new Int32Array(m) },
          ],
        });
        near(results[0]!.device, results[0]!.oracle, 1e-5);
        expect(results[1]!.device).toEqual(results[1]!.oracle);
      }
    });

    test("states that swap; a fold of nothing but the counter", async () => {
      for (const n of [1, 3, 4, 9]) {
        const [i] = axesOf(n) as [Index];
        const [a] = x.fold(20, [x.add(i, x.i32(0)), x.i32(1)], (_, [p, q]) => [q!, x.add(p!, q!)]) as [Expr];
        const [t] = x.fold(7, [x.i32(0)], (k, [s]) => [x.add(s!, k)]) as [Expr];
        const results = await devices().run({
          axes: [i],
          outputs: [
            { slot: slot("int32"), index: i, value: a, data: new Int32Array(n) },
            { slot: slot("int32"), index: i, value: t, data: new Int32Array(n) },
          ],
        });
        for (const r of results) expect(r.device).toEqual(r.oracle);
      }
    });
  });
};
