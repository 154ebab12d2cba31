/** What both backends make of one element per index: loads, stores, conversions, every dtype. */
import type { DType, HostArray } from "@dawnstrap/tensor";
import { expr as x } from "@dawnstrap/tensor/extend";
import { type Expr, type Index, noise } from "@dawnstrap/tensor/testing";
import { describe, expect, test } from "vitest";
import { axesOf, type Devices, near, slot } from "./map-devices.js";

export const pointwise = (devices: () => Devices, lengths: readonly number[]): void => {
  describe("pointwise", () => {
    test("awkward lengths, with everything beyond the end untouched", async () => {
      for (const n of lengths) {
        const [a, b, c] = [slot("float32"), slot("float32"), slot("float32")];
        const [i] = axesOf(n) as [Index];
        const [r] = await devices().run({
          axes: [i],
          reads: [
            [a, noise(n, 1)],
            [b, noise(n, 2)],
          ],
          outputs: [
            {
              slot: c,
              index: i,
              value: x.add(x.load(a, i), x.load(b, i)),
              data: new Float32Array(n + 9).fill(5),
            },
          ],
        });
        expect(r!.device).toEqual(r!.oracle);
      }
    });

    test("broadcasts along rows and columns, transposes, flips and steps", async () => {
      for (const [m, n] of [
        [1, 1],
        [3, 5],
        [7, 13],
        [64, 16],
        [100, 3],
        [33, 257],
        [5, 1000],
      ] as const) {
        const [a, row, column] = [slot("float32"), slot("float32"), slot("float32")];
        const axes = axesOf(m, n);
        const [i, j] = axes as [Index, Index];
        const at = x.flatten([i, j], [m, n]);
        const outs = [
          x.mul(x.add(x.load(a, at), x.load(row, j)), x.load(column, i)),
          x.load(a, x.flatten([i, x.sub(x.i32(n - 1), j)], [m, n])),
          x.load(a, x.flatten([x.sub(x.i32(m - 1), i), j], [m, n])),
          x.load(row, x.idiv(x.mul(j, x.i32(2)), 3)),
          x.cast(at, "f32"),
        ];
        const results = await devices().run({
          axes,
          reads: [
            [a, noise(m * n, 1)],
            [row, noise(n, 2)],
            [column, noise(m, 3)],
          ],
          outputs: [
            ...outs.map((value) => ({
              slot: slot("float32"),
              index: at,
              value,
              data: new Float32Array(m * n),
            })),
            {
              slot: slot("float32"),
              index: x.flatten([j, i], [n, m]),
              value: x.load(a, at),
              data: new Float32Array(m * n),
            },
          ],
        });
        for (const r of results) near(r.device, r.oracle, 1e-6);
      }
    });

    test("transpositions, whose lanes lie far apart", async () => {
      for (const [m, n] of [
        [70, 65],
        [128, 256],
        [300, 101],
      ] as const) {
        const [a, bytes] = [slot("float32"), slot("uint8")];
        const [i, j] = axesOf(m, n) as [Index, Index];
        const [to, from] = [x.flatten([i, j], [m, n]), x.flatten([j, i], [n, m])];
        const results = await devices().run({
          axes: [i, j],
          reads: [
            [a, noise(m * n, 6)],
            [bytes, Uint8Array.from({ length: m * n }, (_, k) => (k * 89) % 256)],
          ],
          outputs: [
            { slot: slot("float32"), index: to, value: x.load(a, from), data: new Float32Array(m * n) },
            { slot: slot("uint8"), index: to, value: x.load(bytes, from), data: new Uint8Array(m * n) },
          ],
        });
        for (const r of results) expect(r.device).toEqual(r.oracle);
      }
    });

    test("loads that leave their slot are harmless where a select drops them: padding", async () => {
      for (const [h, c] of [
        [5, 1],
        [5, 4],
        [17, 3],
        [6, 16],
      ] as const) {
        const a = slot("float32");
        const axes = axesOf(h + 4, h + 3, c);
        const [y, z, k] = axes as [Index, Index, Index];
        const [sy, sz] = [x.add(y, x.i32(-2)), x.add(z, x.i32(-1))];
        const inside = [
          x.ge(sy, x.i32(0)),
          x.lt(sy, x.i32(h)),
          x.ge(sz, x.i32(0)),
          x.lt(sz, x.i32(h)),
        ].reduce((p, q) => x.and(p, q));
        const value = x.select(inside, x.load(a, x.flatten([sy, sz, k], [h, h, c])), x.f32(-1));
        const [r] = await devices().run({
          axes,
          reads: [[a, noise(h * h * c, 4)]],
          outputs: [
            {
              slot: slot("float32"),
              index: x.flatten(axes, [h + 4, h + 3, c]),
              value,
              data: new Float32Array((h + 4) * (h + 3) * c),
            },
          ],
        });
        expect(r!.device).toEqual(r!.oracle);
      }
    });

    test("updates in place read before they write", async () => {
      for (const n of [1, 100, 1003]) {
        const [m, w] = [slot("float32"), slot("float32")];
        const [i] = axesOf(n) as [Index];
        const next = x.add(x.mul(x.load(m, i), x.f32(0.5)), x.load(w, i));
        const results = await devices().run({
          axes: [i],
          outputs: [
            { slot: m, index: i, value: next, data: noise(n, 4), update: true },
            { slot: w, index: i, value: x.sub(x.load(w, i), x.load(m, i)), data: noise(n, 5), update: true },
          ],
        });
        for (const r of results) near(r.device, r.oracle, 1e-6);
      }
    });

    test("bytes: read, written, flipped, updated", async () => {
      for (const n of [1, 3, 4, 5, 17, 255, 256, 257]) {
        const [a, u] = [slot("uint8"), slot("uint8")];
        const [i] = axesOf(n) as [Index];
        const data = Uint8Array.from({ length: n }, (_, k) => (k * 37) % 256);
        const v = x.add(x.load(a, i), x.u32(200));
        const flip = x.sub(x.i32(n - 1), i);
        const results = await devices().run({
          axes: [i],
          reads: [[a, data]],
          outputs: [
            { slot: slot("uint8"), index: i, value: v, data: new Uint8Array(n) },
            { slot: slot("uint8"), index: flip, value: v, data: new Uint8Array(n).fill(170) },
            { slot: slot("float32"), index: i, value: x.cast(v, "f32"), data: new Float32Array(n) },
            { slot: slot("uint32"), index: i, value: x.load(a, flip), data: new Uint32Array(n) },
            {
              slot: u,
              index: i,
              value: x.binary("xor", x.load(u, i), x.u32(255)),
              data: data.slice(),
              update: true,
            },
          ],
        });
        for (const r of results) expect(r.device).toEqual(r.oracle);
      }
    });

    test("bools are loaded, combined, converted and stored as 0 and 1", async () => {
      for (const n of [3, 10, 64]) {
        const a = slot("bool");
        const [i] = axesOf(n) as [Index];
        const v = x.or(x.not(x.load(a, i)), x.lt(i, x.i32(3)));
        const at = (dtype: DType, value: Expr, data: HostArray) => ({
          slot: slot(dtype),
          index: i,
          value,
          data,
        });
        const results = await devices().run({
          axes: [i],
          reads: [[a, Uint32Array.from({ length: n }, (_, k) => (k % 3 === 0 ? 0 : 1))]],
          outputs: [
            at("bool", v, new Uint32Array(n)),
            at("float32", x.cast(v, "f32"), new Float32Array(n)),
            at("int32", x.cast(v, "i32"), new Int32Array(n)),
            at("bool", x.cast(x.sub(x.cast(i, "f32"), x.f32(2)), "bool"), new Uint32Array(n)),
            at("bool", x.binary("eq", v, x.load(a, i)), new Uint32Array(n)),
            at("bool", x.binary("xor", v, x.load(a, i)), new Uint32Array(n)),
            at("bool", x.bool(true), new Uint32Array(n)),
          ],
        });
        for (const r of results) expect(r.device).toEqual(r.oracle);
      }
    });
  });
};

/** What WGSL leaves to its implementations. */
export const edges = (devices: () => Devices): void => {
  describe("edges", () => {
    test("gathers: indices that are loaded, wild ones clamped; scattered stores outside are dropped", async () => {
      const [table, at, y] = [slot("float32"), slot("int32"), slot("float32")];
      const n = 77;
      const [i] = axesOf(n) as [Index];
      const index = Int32Array.from({ length: n }, (_, k) => (k * 31) % 50);
      index[3] = 2147483647;
      index[4] = -5;
      const results = await devices().run({
        axes: [i],
        reads: [
          [table, noise(50, 9)],
          [at, index],
        ],
        outputs: [
          { slot: y, index: i, value: x.load(table, x.load(at, i)), data: new Float32Array(n) },
          {
            slot: slot("int32"),
            index: x.load(at, i),
            value: x.imod(x.load(at, i), 50),
            data: new Int32Array(50),
          },
        ],
      });
      expect(results[0]!.device).toEqual(results[0]!.oracle);
      expect(results[1]!.device).toEqual(results[1]!.oracle.slice(0, 50));
    });

    test("conversions and roundings of edge values, in vectors and in tails", async () => {
      const values = [
        0,
        -0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        1e9,
        -1e9,
        3e9,
        5e9,
        -5e9,
        1e-40,
        Infinity,
        -Infinity,
        7.9,
        -7.9,
      ];
      const n = values.length;
      const a = slot("float32");
      const [i] = axesOf(n) as [Index];
      const v = x.load(a, i);
      const outputs = [
        ...(["floor", "ceil", "round", "trunc", "abs", "neg"] as const).map((fn) => ({
          slot: slot("float32"),
          index: i,
          value: x.unary(fn, v),
          data: new Float32Array(n) as HostArray,
        })),
        { slot: slot("int32"), index: i, value: x.cast(v, "i32"), data: new Int32Array(n) },
        { slot: slot("uint32"), index: i, value: x.cast(v, "u32"), data: new Uint32Array(n) },
        { slot: slot("uint32"), index: i, value: x.bitcast(v, "u32"), data: new Uint32Array(n) },
        {
          slot: slot("float32"),
          index: i,
          value: x.cast(x.cast(v, "u32"), "f32"),
          data: new Float32Array(n),
        },
      ];
      const results = await devices().run({ axes: [i], reads: [[a, Float32Array.from(values)]], outputs });
      results.forEach((r, k) => {
        expect([...r.device], `output ${k}`).toEqual([...r.oracle]);
      });
    });
  });
};
