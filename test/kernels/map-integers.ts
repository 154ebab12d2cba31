import { expr as x } from "@dawnstrap/tensor/extend";
import type { Expr, Index, Slot } from "@dawnstrap/tensor/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { axesOf, type Devices, slot } from "./map-devices.js";

export const integers = (devices: () => Devices, randomRuns: number): void => {
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
        const results = await devices().run({ axes: [i, j], reads: [[a, data]], outputs });
        results.forEach((r, k) => {
          expect([...r.device], `${type} ${binaries[k]}`).toEqual([...r.oracle]);
        });
      }
    });

    test("division by constants, positive numerators taking the multiplication", async () => {
      const n = 257;
      const [a, u] = [slot("int32"), slot("uint32")];
      const [i] = axesOf(n) as [Index];
      const data = Int32Array.from({ length: n }, (_, k) =>
        k < 8 ? 2147483647 - k : Math.imul(k, 0x9e3779b1),
      );
      const masked = x.max(x.load(a, i), x.i32(0));
      const divisors = [1, 2, 3, 5, 7, 10, 64, 100, 641, 65537, 1000003, 2147483647];
      const results = await devices().run({
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
            const [r] = await devices().run({
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
        { numRuns: randomRuns },
      );
    });
  });
};

/** Grows an expression by applying one randomly chosen constructor after another to earlier results. */
function randomInteger(choices: readonly number[], a: Slot, axes: readonly Index[]): Expr {
  const made: Expr[] = [...axes, x.i32(3), x.load(a, axes.at(-1)!)];
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
