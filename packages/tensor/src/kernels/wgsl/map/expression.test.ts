import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWebGpu, type WebGpuBackend } from "../../../backends/webgpu/index.js";
import type { DType, HostArray } from "../../../dtype.js";
import { evaluateMapOn } from "../../../expr/evaluate.js";
import * as x from "../../../expr/expr.js";
import type { Expr, Index, Slot } from "../../../expr/expr.js";
import type { MapKernel } from "../../../program.js";
import { compileExpression } from "./expression.js";
import { baseLimits } from "../index.js";
import { noise } from "../../noise.js";
import { type HostBinding, runKernel } from "../testing.js";

let backend: WebGpuBackend;
beforeAll(async () => {
  backend = await openWebGpu();
});
afterAll(() => backend.destroy());

let slots = 0;
const slot = (dtype: DType): Slot => ({ id: slots++, dtype });
const axesOf = (...extents: number[]): Index[] => extents.map((n) => x.index(n));

interface Case {
  axes: readonly Index[];
  reads?: readonly (readonly [Slot, HostArray])[];
  outputs: readonly { slot: Slot; index: Expr; value: Expr; data: HostArray; update?: boolean }[];
}

/** Runs on the device and in the interpreter; returns both results of every output. */
async function both({
  axes,
  reads = [],
  outputs,
}: Case): Promise<{ device: HostArray; oracle: HostArray }[]> {
  const kernel: MapKernel = { family: "map", axes, outputs, reads: reads.map(([s]) => s) };
  const bindings: HostBinding[] = [
    ...reads.map(([s, data]) => ({ dtype: s.dtype, access: "read" as const, data })),
    ...outputs.map((o) => ({
      dtype: o.slot.dtype,
      access: o.update ? ("update" as const) : ("write" as const),
      data: o.data,
    })),
  ];
  const device = await runKernel(backend, kernel, bindings);
  const oracle = outputs.map((o) => o.data.slice());
  evaluateMapOn(kernel, new Map([...reads, ...outputs.map((o, k) => [o.slot, oracle[k]!] as const)]));
  return outputs.map((_, k) => ({ device: device[reads.length + k]!, oracle: oracle[k]! }));
}

describe("map kernels", () => {
  test("add two vectors of awkward lengths", async () => {
    for (const n of [1, 2, 3, 63, 64, 65, 1000]) {
      const [a, b, c] = [slot("float32"), slot("float32"), slot("float32")];
      const [i] = axesOf(n) as [Index];
      const [r] = await both({
        axes: [i],
        reads: [
          [a, noise(n, 1)],
          [b, noise(n, 2)],
        ],
        outputs: [{ slot: c, index: i, value: x.add(x.load(a, i), x.load(b, i)), data: new Float32Array(n) }],
      });
      expect(r!.device).toEqual(r!.oracle);
    }
  });

  test("several outputs share the iteration; one is a transpose", async () => {
    const [a, y, z] = [slot("float32"), slot("float32"), slot("int32")];
    const [i, j] = axesOf(7, 13) as [Index, Index];
    const v = x.load(a, x.flatten([i, j], [7, 13]));
    const results = await both({
      axes: [i, j],
      reads: [[a, noise(91, 3)]],
      outputs: [
        { slot: y, index: x.flatten([j, i], [13, 7]), value: x.mul(v, v), data: new Float32Array(91) },
        {
          slot: z,
          index: x.flatten([i, j], [7, 13]),
          value: x.add(x.mul(i, x.i32(100)), j),
          data: new Int32Array(91),
        },
      ],
    });
    // The interpreter multiplies in float64; storing rounds to the same float32.
    for (const r of results) expect(r.device).toEqual(r.oracle);
  });

  test("updates in place read before they write", async () => {
    const [m, w] = [slot("float32"), slot("float32")];
    const [i] = axesOf(100) as [Index];
    const next = x.add(x.mul(x.load(m, i), x.f32(0.5)), x.load(w, i));
    const results = await both({
      axes: [i],
      outputs: [
        { slot: m, index: i, value: next, data: noise(100, 4), update: true },
        { slot: w, index: i, value: x.sub(x.load(w, i), x.load(m, i)), data: noise(100, 5), update: true },
      ],
    });
    for (const r of results) near(r.device, r.oracle, 1e-6);
  });

  test("nested folds: row maxima of a product, with the inner sum's constant part outside", async () => {
    const [a, b, best, at] = [slot("float32"), slot("float32"), slot("float32"), slot("int32")];
    const [m, n, k] = [5, 9, 17];
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
        { slot: best, index: i, value, data: new Float32Array(m) },
        { slot: at, index: i, value: where, data: new Int32Array(m) },
      ],
    });
    near(results[0]!.device, results[0]!.oracle, 1e-5);
    expect(results[1]!.device).toEqual(results[1]!.oracle);
  });

  test("no name of a long kernel is a word of WGSL", async () => {
    const y = slot("int32");
    const [i] = axesOf(2) as [Index];
    let value: Expr = i;
    for (let k = 0; k < 20; k++)
      value = x.fold(2 + (k % 2), [value], (j, [s]) => [x.binary("xor", x.add(s!, j), x.mul(i, j))])[0]!;
    const [r] = await both({ axes: [i], outputs: [{ slot: y, index: i, value, data: new Int32Array(2) }] });
    expect(r!.device).toEqual(r!.oracle);
  });

  test("fold states swap: Fibonacci", async () => {
    const f = slot("int32");
    const [i] = axesOf(3) as [Index];
    const [a] = x.fold(20, [x.add(i, x.i32(0)), x.i32(1)], (_, [p, q]) => [q!, x.add(p!, q!)]) as [Expr];
    const [r] = await both({
      axes: [i],
      outputs: [{ slot: f, index: i, value: a, data: new Int32Array(3) }],
    });
    expect(r!.device).toEqual(r!.oracle);
    expect(r!.oracle[0]).toBe(6765);
  });

  test("bytes: packed four to a word, and scattered", async () => {
    for (const n of [1, 3, 4, 5, 255, 256, 257]) {
      const [a, y, z, s] = [slot("uint8"), slot("uint8"), slot("uint8"), slot("float32")];
      const [i] = axesOf(n) as [Index];
      const data = Uint8Array.from({ length: n }, (_, k) => (k * 37) % 256);
      const v = x.add(x.load(a, i), x.u32(200));
      const results = await both({
        axes: [i],
        reads: [[a, data]],
        outputs: [
          { slot: y, index: i, value: v, data: new Uint8Array(n) },
          { slot: z, index: x.sub(x.i32(n - 1), i), value: v, data: new Uint8Array(n).fill(170) },
          { slot: s, index: i, value: x.cast(v, "f32"), data: new Float32Array(n) },
        ],
      });
      for (const r of results) expect(r.device).toEqual(r.oracle);
    }
  });

  test("bytes are updated in place", async () => {
    const a = slot("uint8");
    const [i, j] = axesOf(3, 7) as [Index, Index];
    const index = x.flatten([i, j], [3, 7]);
    const data = Uint8Array.from({ length: 21 }, (_, k) => k * 11);
    const [r] = await both({
      axes: [i, j],
      outputs: [{ slot: a, index, value: x.binary("xor", x.load(a, index), x.u32(255)), data, update: true }],
    });
    expect(r!.device).toEqual(r!.oracle);
  });

  test("bools are loaded, combined and stored as 0 and 1", async () => {
    const [a, y] = [slot("bool"), slot("bool")];
    const [i] = axesOf(10) as [Index];
    const v = x.or(x.not(x.load(a, i)), x.lt(i, x.i32(3)));
    const [r] = await both({
      axes: [i],
      reads: [[a, Uint32Array.from({ length: 10 }, (_, k) => k % 2)]],
      outputs: [{ slot: y, index: i, value: v, data: new Uint32Array(10) }],
    });
    expect(r!.device).toEqual(r!.oracle);
  });

  test("infinities, NaN, negative zero, denormals and the ends of the integers are exact", async () => {
    const [bits, ints] = [slot("uint32"), slot("int32")];
    const values = [Infinity, -Infinity, NaN, -0, 1.5e-42, 3.4028234663852886e38, 0.1, -1e-7, 16777217, 1e21];
    const [i] = axesOf(values.length) as [Index];
    const pick = values.reduce<Expr>((rest, v, k) => x.select(x.eq(i, x.i32(k)), x.f32(v), rest), x.f32(0));
    const ends = x.select(x.lt(i, x.i32(5)), x.i32(-2147483648), x.i32(2147483647));
    const results = await both({
      axes: [i],
      outputs: [
        { slot: bits, index: i, value: x.bitcast(pick, "u32"), data: new Uint32Array(values.length) },
        { slot: ints, index: i, value: ends, data: new Int32Array(values.length) },
      ],
    });
    for (const r of results) expect([...r.device]).toEqual([...r.oracle]);
  });

  test("constants that overflow are computed before WGSL can object", async () => {
    const [u, f] = [slot("uint32"), slot("uint32")];
    const [i] = axesOf(4) as [Index];
    const wrapped = x.mul(x.u32(0xfffffff0), x.u32(0x12345));
    const shifted = x.binary("shl", x.binary("add", wrapped, x.u32(0xffffffff)), x.u32(31));
    const infinite = x.mul(x.f32(3e38), x.f32(3e38));
    const results = await both({
      axes: [i],
      outputs: [
        { slot: u, index: i, value: x.binary("xor", shifted, x.cast(i, "u32")), data: new Uint32Array(4) },
        { slot: f, index: i, value: x.bitcast(infinite, "u32"), data: new Uint32Array(4) },
      ],
    });
    for (const r of results) expect(r.device).toEqual(r.oracle);
  });

  test("more than 65,535 workgroups, and not a rectangle of them", async () => {
    const n = 65_536 * 64 + 64 * 3 + 5;
    const y = slot("int32");
    const [i] = axesOf(n) as [Index];
    const kernel: MapKernel = {
      family: "map",
      axes: [i],
      reads: [],
      outputs: [{ slot: y, index: i, value: x.add(i, x.i32(7)) }],
    };
    expect(compileExpression(kernel, baseLimits).workgroups[1]).toBeGreaterThan(1);
    // As on hardware: a software adapter gets fewer, longer workgroups.
    const wide = await openWebGpu({ kernels: "tiles" });
    const [device] = await runKernel(wide, kernel, [
      { dtype: "int32", access: "write", data: new Int32Array(n) },
    ]);
    await wide.destroy();
    expect(device!.findIndex((v, k) => v !== k + 7)).toBe(-1);
  });

  test("small limits fold the dispatch into three dimensions", () => {
    const y = slot("int32");
    const [i] = axesOf(64 * 1000) as [Index];
    const kernel: MapKernel = {
      family: "map",
      axes: [i],
      reads: [],
      outputs: [{ slot: y, index: i, value: i }],
    };
    const { workgroups } = compileExpression(kernel, { ...baseLimits, maxWorkgroupsPerDimension: 10 });
    expect(workgroups.every((g) => g <= 10)).toBe(true);
    expect(workgroups.reduce((p, g) => p * g, 1)).toBeGreaterThanOrEqual(1000);
  });

  test("the same kernel built twice has the same source", () => {
    const build = (): string => {
      const [a, y] = [slot("float32"), slot("float32")];
      const axes = axesOf(4, 6);
      const at = x.flatten([axes[1]!, axes[0]!], [6, 4]);
      const [sum] = x.fold(3, [x.f32(0)], (k, [s]) => [x.add(s!, x.load(a, x.add(at, k)))]) as [Expr];
      return compileExpression(
        {
          family: "map",
          axes,
          reads: [a],
          outputs: [{ slot: y, index: x.flatten(axes, [4, 6]), value: sum }],
        },
        baseLimits,
      ).source;
    };
    expect(build()).toBe(build());
  });
});

describe("integers agree with the interpreter", () => {
  const binaries = [
    "add",
    "sub",
    "mul",
    "idiv",
    "imod",
    "min",
    "max",
    "and",
    "or",
    "xor",
    "shl",
    "shr",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
  ] as const;
  const edges = [0, 1, 2, 3, 7, 31, 255, 65_536, 2147483647, -1, -2, -7, -2147483647, -2147483648];

  test("every binary operator on edge values", async () => {
    const n = edges.length;
    for (const type of ["int32", "uint32"] as const) {
      const kind = type === "int32" ? "i32" : "u32";
      const data = type === "int32" ? Int32Array.from(edges) : Uint32Array.from(edges);
      for (let start = 0; start < binaries.length; start += 6) {
        const fns = binaries.slice(start, start + 6);
        const a = slot(type);
        const [i, j] = axesOf(n, n) as [Index, Index];
        const outputs = fns.map((fn) => {
          const v = x.binary(fn, x.load(a, i), x.load(a, j));
          return {
            slot: slot(type),
            index: x.flatten([i, j], [n, n]),
            value: x.cast(v, kind),
            data: type === "int32" ? new Int32Array(n * n) : new Uint32Array(n * n),
          };
        });
        const results = await both({ axes: [i, j], reads: [[a, data]], outputs });
        results.forEach((r, k) => {
          expect([...r.device], `${type} ${fns[k]}`).toEqual([...r.oracle]);
        });
      }
    }
  });

  test("random expressions over axes, loads and folds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 10, maxLength: 60 }), async (choices) => {
        const [a, y] = [slot("int32"), slot("int32")];
        const axes = axesOf(3, 5, 2);
        const value = randomInteger(choices, a, axes);
        const [r] = await both({
          axes,
          reads: [[a, Int32Array.from({ length: 64 }, (_, k) => (k * 7919) % 101)]],
          outputs: [{ slot: y, index: x.flatten(axes, [3, 5, 2]), value, data: new Int32Array(30) }],
        });
        expect([...r!.device]).toEqual([...r!.oracle]);
      }),
      { numRuns: 25 },
    );
  });
});

/** Grows an expression by applying one randomly chosen constructor after another to earlier results. */
function randomInteger(choices: readonly number[], a: Slot, axes: readonly Index[]): Expr {
  const made: Expr[] = [...axes, x.i32(3), x.load(a, axes[1]!)];
  for (const c of choices) {
    const pick = (salt: number): Expr => made[Math.floor(c / (salt * 17 + 1)) % made.length]!;
    const [p, q] = [pick(1), pick(2)];
    const divisor = 1 + (c % 9);
    switch (c % 9) {
      case 0:
        made.push(x.add(p, q));
        break;
      case 1:
        made.push(x.mul(p, x.i32((c % 13) - 6)));
        break;
      case 2:
        made.push(x.idiv(p, divisor));
        break;
      case 3:
        made.push(x.imod(p, divisor));
        break;
      case 4:
        made.push(x.select(x.lt(p, q), q, x.sub(p, x.i32(c % 5))));
        break;
      case 5:
        made.push(x.load(a, x.imod(x.binary("and", p, x.i32(0x7fffffff)), 64)));
        break;
      case 6:
        made.push(x.min(x.max(p, x.i32(-50)), q));
        break;
      case 7:
        made.push(x.mul(p, q));
        break;
      default: {
        const results = x.fold(1 + (c % 4), [p, q], (i, [s, t]) => {
          const body = x.add(x.mul(s!, x.i32(3)), x.add(i, q));
          const [inner] = x.fold(2, [t!], (j, [u]) => [x.add(u!, x.mul(x.add(i, p), x.add(j, s!)))]) as [
            Expr,
          ];
          return c % 2 ? [t!, body] : [body, inner];
        });
        made.push(...results);
      }
    }
  }
  return made.at(-1)!;
}

function near(got: HostArray, want: HostArray, tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let k = 0; k < want.length; k++)
    expect(Math.abs(got[k]! - want[k]!), `element ${k}: ${got[k]} against ${want[k]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(want[k]!)),
    );
}
