import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeModule, Func, leb, signedLeb } from "./assembler.js";
import { hasRelaxedMadd, hasSimd, isMultiplyAddFused } from "./features.js";
import { op } from "./opcodes.js";

type Exported = (...args: number[]) => number;

function build(f: Func): Exported {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(encodeModule({ f }, { shared: false }));
  return new WebAssembly.Instance(module, { env: { memory } }).exports["f"] as Exported;
}

describe("numbers", () => {
  test("unsigned LEB128 reads back", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        const value = leb(n).reduceRight((v, byte) => v * 128 + (byte & 0x7f), 0);
        expect(value).toBe(n);
      }),
    );
  });

  test("signed LEB128 is what an engine reads", () => {
    const values = [0, 1, -1, 63, 64, -64, -65, 127, 128, 2147483647, -2147483648, 8191, 8192, -8192, -8193];
    for (const v of values) {
      const f = new Func([], ["i32"]);
      f.code.i32(v);
      expect(build(f)(), String(signedLeb(v))).toBe(v);
    }
  });

  test("float constants keep their bits", () => {
    for (const v of [0, -0, 1.5, Infinity, -Infinity, 2 ** -140, Math.fround(0.1)]) {
      const f = new Func([], ["f32"]);
      f.code.f32(v);
      expect(Object.is(build(f)(), v)).toBe(true);
    }
  });
});

describe("functions", () => {
  test("a loop with locals: the sum of the first n numbers", () => {
    const f = new Func(["i32"], ["i32"]);
    const [i, sum] = [f.local(), f.local()];
    f.code.block((c) => {
      c.get(0).op(op.i32Eqz).brIf(0);
      c.loop((l) => {
        l.get(i).i32(1).op(op.i32Add).tee(i).get(sum).op(op.i32Add).set(sum);
        l.get(i).get(0).op(op.i32LtS).brIf(0);
      });
    });
    f.code.get(sum);
    expect([0, 1, 10, 1000].map((n) => build(f)(n))).toEqual([0, 1, 55, 500500]);
  });

  test("locals of several types and more than 127 of them", () => {
    const f = new Func(["f32"], ["f32"]);
    const many = Array.from({ length: 300 }, (_, k) =>
      f.local(k % 3 === 0 ? "f32" : k % 3 === 1 ? "v128" : "i32"),
    );
    f.code.get(0).set(many[297]!).get(many[297]!).op(op.f32x4Splat).set(many[298]!);
    f.code.get(many[298]!).lane(op.f32x4ExtractLane, 3);
    expect(build(f)(2.5)).toBe(2.5);
  });

  test("if, else, memory, vectors and lanes", () => {
    const f = new Func(["i32"], ["f32"]);
    const v = f.local("v128");
    f.code.get(0).if(
      (c) => c.i32(16).v128([0x3f800000, 0x40000000, 0x40400000, 0x40800000]).memory(op.v128Store),
      (c) => c.i32(16).f32(7).op(op.f32x4Splat).memory(op.v128Store),
    );
    f.code.i32(16).memory(op.v128Load).set(v);
    f.code.get(v).get(v).shuffle32([2, 2, 2, 2]).lane(op.f32x4ExtractLane, 0);
    expect([build(f)(1), build(f)(0)]).toEqual([3, 7]);
  });

  test("an invalid body is refused by the engine, not run", () => {
    const f = new Func([], ["i32"]);
    expect(WebAssembly.validate(encodeModule({ f }, { shared: false }))).toBe(false);
  });

  test("modules over shared memory import shared memory only", () => {
    const f = new Func([], ["i32"]);
    f.code.i32(1);
    const module = new WebAssembly.Module(encodeModule({ f }, { shared: true }));
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    expect(() => new WebAssembly.Instance(module, { env: { memory: shared } })).not.toThrow();
    const own = new WebAssembly.Memory({ initial: 1 });
    expect(() => new WebAssembly.Instance(module, { env: { memory: own } })).toThrow(WebAssembly.LinkError);
  });
});

test("features are answered, and vectors exist here", () => {
  expect(hasSimd()).toBe(true);
  expect(typeof hasRelaxedMadd()).toBe("boolean");
  // Fused or not is the processor's choice; where the instruction is missing, nothing is.
  if (!hasRelaxedMadd()) expect(isMultiplyAddFused()).toBe(false);
});
