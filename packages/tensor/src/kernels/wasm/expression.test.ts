import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCpu, type CpuBackend } from "../../devices/cpu/index.js";
import type { DType, HostArray } from "../../dtype.js";
import { evaluateMapOn } from "../../expr/evaluate.js";
import * as x from "../../expr/expr.js";
import type { Expr, Index, Slot } from "../../expr/expr.js";
import type { MapKernel } from "../../graph/program.js";
import { type HostBinding, noise, runKernel } from "../wgsl/testing.js";
import { compileWasm } from "./index.js";

let backends: CpuBackend[];
beforeAll(async () => {
  backends = [await openCpu({ threads: 1, shared: false }), await openCpu({ threads: 3 })];
});
afterAll(() => Promise.all(backends.map((b) => b.destroy())));

let slots = 0;
const slot = (dtype: DType): Slot => ({ id: slots++, dtype });
const axesOf = (...extents: number[]): Index[] => extents.map((n) => x.index(n));

interface Case {
  axes: readonly Index[];
  reads?: readonly (readonly [Slot, HostArray])[];
  outputs: readonly { slot: Slot; index: Expr; value: Expr; data: HostArray; update?: boolean }[];
}

/** Runs on one thread and on three and in the interpreter; returns the device's and the interpreter's outputs. */
async function both({ axes, reads = [], outputs }: Case): Promise<{ device: HostArray; oracle: HostArray }[]> {
  const kernel: MapKernel = { family: "map", axes, outputs, reads: reads.map(([s]) => s) };
  const bindings: HostBinding[] = [
    ...reads.map(([s, data]) => ({ dtype: s.dtype, access: "read" as const, data })),
    ...outputs.map((o) => ({
      dtype: o.slot.dtype,
      access: o.update ? ("update" as const) : ("write" as const),
      data: o.data,
    })),
  ];
  const results: HostArray[][] = [];
  for (const backend of backends) results.push(await runKernel(backend, kernel, bindings));
  const oracle = outputs.map((o) => o.data.slice());
  evaluateMapOn(kernel, new Map([...reads, ...outputs.map((o, k) => [o.slot, oracle[k]!] as const)]));
  results[0]!.forEach((r, k) => {
    expect(Buffer.from(r.buffer).equals(Buffer.from(results[1]![k]!.buffer)), "one thread against three").toBe(true);
  });
  return outputs.map((_, k) => ({ device: results[0]![reads.length + k]!, oracle: oracle[k]! }));
}

function near(got: HostArray, want: HostArray, tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let k = 0; k < want.length; k++)
    if (!(Math.abs(got[k]! - want[k]!) <= tolerance * Math.max(1, Math.abs(want[k]!))))
      expect.fail(`element ${k}: ${got[k]} against ${want[k]}`);
}

const lengths = [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 16384, 16387];

describe("pointwise", () => {
  test("awkward lengths, with everything beyond the end untouched", async () => {
    for (const n of lengths) {
      const [a, b, c] = [slot("float32"), slot("float32"), slot("float32")];
      const [i] = axesOf(n) as [Index];
      const [r] = await both({
        axes: [i],
        reads: [
          [a, noise(n, 1)],
          [b, noise(n, 2)],
        ],
        outputs: [
          { slot: c, index: i, value: x.add(x.load(a, i), x.load(b, i)), data: new Float32Array(n + 9).fill(5) },
        ],
      });
      expect(r!.device).toEqual(r!.oracle);
    }
  });

  test("broadcasts along rows and columns, transposes, flips and steps", async () => {
    for (const [m, n] of [[1, 1], [3, 5], [7, 13], [64, 16], [100, 3], [33, 257], [5, 1000]] as const) {
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
      const results = await both({
        axes,
        reads: [
          [a, noise(m * n, 1)],
          [row, noise(n, 2)],
          [column, noise(m, 3)],
        ],
        outputs: [
          ...outs.map((value) => ({ slot: slot("float32"), index: at, value, data: new Float32Array(m * n) })),
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

  test("loads that leave their slot are harmless where a select drops them: padding", async () => {
    for (const [h, c] of [[5, 1], [5, 4], [17, 3], [6, 16]] as const) {
      const a = slot("float32");
      const axes = axesOf(h + 4, h + 3, c);
      const [y, z, k] = axes as [Index, Index, Index];
      const [sy, sz] = [x.add(y, x.i32(-2)), x.add(z, x.i32(-1))];
      const inside = [
        x.ge(sy, x.i32(0)), x.lt(sy, x.i32(h)), x.ge(sz, x.i32(0)), x.lt(sz, x.i32(h)),
      ].reduce((p, q) => x.and(p, q));
      const value = x.select(inside, x.load(a, x.flatten([sy, sz, k], [h, h, c])), x.f32(-1));
      const [r] = await both({
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

  test("gathers: indices that are loaded, wild ones clamped; scattered stores outside are dropped", async () => {
    const [table, at, y] = [slot("float32"), slot("int32"), slot("float32")];
    const n = 77;
    const [i] = axesOf(n) as [Index];
    const index = Int32Array.from({ length: n }, (_, k) => (k * 31) % 50);
    index[3] = 2147483647;
    index[4] = -5;
    const results = await both({
      axes: [i],
      reads: [
        [table, noise(50, 9)],
        [at, index],
      ],
      outputs: [
        { slot: y, index: i, value: x.load(table, x.load(at, i)), data: new Float32Array(n) },
        { slot: slot("int32"), index: x.load(at, i), value: x.imod(x.load(at, i), 50), data: new Int32Array(50) },
      ],
    });
    expect(results[0]!.device).toEqual(results[0]!.oracle);
    expect(results[1]!.device).toEqual(results[1]!.oracle.slice(0, 50));
  });

  test("updates in place read before they write", async () => {
    for (const n of [1, 100, 1003]) {
      const [m, w] = [slot("float32"), slot("float32")];
      const [i] = axesOf(n) as [Index];
      const next = x.add(x.mul(x.load(m, i), x.f32(0.5)), x.load(w, i));
      const results = await both({
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
      const results = await both({
        axes: [i],
        reads: [[a, data]],
        outputs: [
          { slot: slot("uint8"), index: i, value: v, data: new Uint8Array(n) },
          { slot: slot("uint8"), index: flip, value: v, data: new Uint8Array(n).fill(170) },
          { slot: slot("float32"), index: i, value: x.cast(v, "f32"), data: new Float32Array(n) },
          { slot: slot("uint32"), index: i, value: x.load(a, flip), data: new Uint32Array(n) },
          { slot: u, index: i, value: x.binary("xor", x.load(u, i), x.u32(255)), data: data.slice(), update: true },
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
      const at = (dtype: DType, value: Expr, data: HostArray) => ({ slot: slot(dtype), index: i, value, data });
      const results = await both({
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

  test("conversions and roundings of edge values, in vectors and in tails", async () => {
    const values = [0, -0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e9, -1e9, 3e9, 5e9, -5e9, 1e-40, Infinity, -Infinity, 7.9, -7.9];
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
      { slot: slot("float32"), index: i, value: x.cast(x.cast(v, "u32"), "f32"), data: new Float32Array(n) },
    ];
    const results = await both({ axes: [i], reads: [[a, Float32Array.from(values)]], outputs });
    results.forEach((r, k) => {
      expect([...r.device], `output ${k}`).toEqual([...r.oracle]);
    });
  });
});

describe("folds", () => {
  test("sums over rows, over columns and over everything", async () => {
    for (const [m, n] of [[1, 1], [5, 9], [9, 5], [33, 16], [16, 33], [100, 67], [7, 1000]] as const) {
      const a = slot("float32");
      const data = noise(m * n, 5);
      const sum = (extent: number, index: (k: Expr) => Expr): Expr =>
        x.fold(extent, [x.f32(0)], (k, [s]) => [x.add(s!, x.load(a, index(k)))])[0]!;
      const [i] = axesOf(m) as [Index];
      const [j] = axesOf(n) as [Index];
      const rows = await both({
        axes: [i],
        reads: [[a, data]],
        outputs: [
          { slot: slot("float32"), index: i, value: sum(n, (k) => x.flatten([i, k], [m, n])), data: new Float32Array(m) },
        ],
      });
      const columns = await both({
        axes: [j],
        reads: [[a, data]],
        outputs: [
          { slot: slot("float32"), index: j, value: sum(m, (k) => x.flatten([k, j], [m, n])), data: new Float32Array(n) },
        ],
      });
      const all = await both({
        axes: [],
        reads: [[a, data]],
        outputs: [{ slot: slot("float32"), index: x.i32(0), value: sum(m * n, (k) => k), data: new Float32Array(1) }],
      });
      for (const r of [...rows, ...columns, ...all]) near(r.device, r.oracle, 1e-5);
    }
  });

  test("softmax: three folds and a second use of every element", async () => {
    for (const [m, n] of [[3, 10], [64, 10], [5, 64], [40, 33]] as const) {
      const a = slot("float32");
      const [i, j] = axesOf(m, n) as [Index, Index];
      const at = (k: Expr): Expr => x.load(a, x.flatten([i, k], [m, n]));
      const [top] = x.fold(n, [x.f32(-1e30)], (k, [s]) => [x.max(s!, at(k))]) as [Expr];
      const [total] = x.fold(n, [x.f32(0)], (k, [s]) => [x.add(s!, x.mul(x.sub(at(k), top), x.sub(at(k), top)))]) as [Expr];
      const [r] = await both({
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
    for (const [m, n, k] of [[5, 9, 17], [16, 4, 3], [1, 8, 8]] as const) {
      const [a, b] = [slot("float32"), slot("float32")];
      const [i] = axesOf(m) as [Index];
      const [value, where] = x.fold(n, [x.f32(-1e30), x.i32(0)], (j, [v, w]) => {
        const [sum] = x.fold(k, [x.f32(0)], (p, [s]) => [
          x.add(s!, x.mul(x.load(a, x.flatten([i, p], [m, k])), x.load(b, x.flatten([p, j], [k, n])))),
        ]) as [Expr];
        const better = x.gt(sum, v!);
        return [x.select(better, sum, v!), x.select(better, j, w!)];
      }) as [Expr, Expr];
      const results = await both({
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
      const results = await both({
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

describe("integers agree with the interpreter", () => {
  const binaries = [
    "add", "sub", "mul", "idiv", "imod", "min", "max", "and", "or", "xor", "shl", "shr", "lt", "le", "gt", "ge", "eq", "ne",
  ] as const;
  const edges = [0, 1, 2, 3, 7, 31, 255, 65_536, 2147483647, -1, -2, -7, -2147483647, -2147483648, 1000003];

  test("every binary operator on edge values", async () => {
    const n = edges.length;
    for (const type of ["int32", "uint32"] as const) {
      const data = type === "int32" ? Int32Array.from(edges) : Uint32Array.from(edges);
      const a = slot(type);
      const [i, j] = axesOf(n, n) as [Index, Index];
      const outputs = binaries.map((fn) => ({
        slot: slot(type),
        index: x.flatten([i, j], [n, n]),
        value: x.cast(x.binary(fn, x.load(a, i), x.load(a, j)), type === "int32" ? "i32" : "u32"),
        data: type === "int32" ? new Int32Array(n * n) : new Uint32Array(n * n),
      }));
      const results = await both({ axes: [i, j], reads: [[a, data]], outputs });
      results.forEach((r, k) => {
        expect([...r.device], `${type} ${binaries[k]}`).toEqual([...r.oracle]);
      });
    }
  });

  test("division by constants, positive numerators taking the multiplication", async () => {
    const n = 257;
    const [a, u] = [slot("int32"), slot("uint32")];
    const [i] = axesOf(n) as [Index];
    const data = Int32Array.from({ length: n }, (_, k) => (k < 8 ? 2147483647 - k : Math.imul(k, 0x9e3779b1)));
    const masked = x.max(x.load(a, i), x.i32(0));
    const divisors = [1, 2, 3, 5, 7, 10, 64, 100, 641, 65537, 1000003, 2147483647];
    const results = await both({
      axes: [i],
      reads: [
        [a, data],
        [u, Uint32Array.from(data)],
      ],
      outputs: divisors.flatMap((d) => [
        { slot: slot("int32"), index: i, value: x.idiv(masked, d), data: new Int32Array(n) },
        { slot: slot("int32"), index: i, value: x.imod(masked, d), data: new Int32Array(n) },
        { slot: slot("int32"), index: i, value: x.idiv(x.load(a, i), d), data: new Int32Array(n) },
        { slot: slot("uint32"), index: i, value: x.imod(x.load(u, i), d), data: new Uint32Array(n) },
      ]),
    });
    results.forEach((r, k) => {
      expect([...r.device], `divisor ${divisors[k >> 2]}, form ${k & 3}`).toEqual([...r.oracle]);
    });
  });

  test("random expressions over axes, loads and folds", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(), { minLength: 5, maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
        async (choices, shape) => {
          const a = slot("int32");
          const axes = axesOf(...shape);
          const size = shape.reduce((p, q) => p * q, 1);
          const [r] = await both({
            axes,
            reads: [[a, Int32Array.from({ length: 64 }, (_, k) => (k * 7919) % 101)]],
            outputs: [
              {
                slot: slot("int32"),
                index: x.flatten(axes, shape),
                value: randomInteger(choices, a, axes),
                data: new Int32Array(size),
              },
            ],
          });
          expect([...r!.device]).toEqual([...r!.oracle]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test("the same kernel built twice is the same module", () => {
  const build = (): Uint8Array => {
    const [a, y] = [slot("float32"), slot("float32")];
    const axes = axesOf(4, 6);
    const at = x.flatten([axes[1]!, axes[0]!], [6, 4]);
    const [sum] = x.fold(3, [x.f32(0)], (k, [s]) => [x.add(s!, x.load(a, x.add(at, k)))]) as [Expr];
    const kernel: MapKernel = {
      family: "map",
      axes,
      reads: [a],
      outputs: [{ slot: y, index: x.flatten(axes, [4, 6]), value: sum }],
    };
    const binding = { dtype: "float32", access: "read", bytes: 104 } as const;
    return compileWasm(kernel, [binding, binding], { shared: false }).bytes;
  };
  expect(build()).toEqual(build());
});

/** Grows an expression by applying one randomly chosen constructor after another to earlier results. */
function randomInteger(choices: readonly number[], a: Slot, axes: readonly Index[]): Expr {
  const made: Expr[] = [...axes, x.i32(3), x.load(a, axes.at(-1)!)];
  for (const c of choices) {
    const pick = (salt: number): Expr => made[Math.floor(c / (salt * 17 + 1)) % made.length]!;
    const [p, q] = [pick(1), pick(2)];
    const divisor = 1 + (c % 9);
    switch (c % 9) {
      case 0: made.push(x.add(p, q)); break;
      case 1: made.push(x.mul(p, x.i32((c % 13) - 6))); break;
      case 2: made.push(x.idiv(p, divisor)); break;
      case 3: made.push(x.imod(p, divisor)); break;
      case 4: made.push(x.select(x.lt(p, q), q, x.sub(p, x.i32(c % 5)))); break;
      case 5: made.push(x.load(a, x.imod(x.binary("and", p, x.i32(0x7fffffff)), 64))); break;
      case 6: made.push(x.min(x.max(p, x.i32(-50)), q)); break;
      case 7: made.push(x.mul(p, q)); break;
      default: {
        const results = x.fold(1 + (c % 4), [p, q], (i, [s, t]) => {
          const body = x.add(x.mul(s!, x.i32(3)), x.add(i, q));
          const [inner] = x.fold(2, [t!], (j, [u]) => [
            x.add(u!, x.mul(x.add(i, p), x.add(j, s!))),
          ]) as [Expr];
          return c % 2 ? [t!, body] : [body, inner];
        });
        made.push(...results);
      }
    }
  }
  return made.at(-1)!;
}
