/** What the engine that runs us can do, asked by validating tiny modules. */
import { encodeModule, Func } from "./assembler.js";
import { op } from "./opcodes.js";

let madd: boolean | undefined;

/** Whether fused (or relaxed) multiply-add of vectors exists. V8 has it since 11.4; kernels never require it. */
export function hasRelaxedMadd(): boolean {
  if (madd === undefined) {
    const f = new Func(["v128"], ["v128"]);
    f.code.get(0).get(0).get(0).op(op.f32x4RelaxedMadd);
    madd = WebAssembly.validate(encodeModule({ f }, { shared: false }));
  }
  return madd;
}

let fused: boolean | undefined;

/**
 * Whether multiply-add rounds once here: a·b + c is then another number than a product and a sum, each rounded. Relaxed
 * multiply-add is fused only where the processor can.
 */
export function isMultiplyAddFused(): boolean {
  if (fused === undefined && hasRelaxedMadd()) {
    const f = new Func(["f32", "f32"], ["f32"]);
    f.code.get(0).op(op.f32x4Splat).get(0).op(op.f32x4Splat).get(1).op(op.f32x4Splat);
    f.code.op(op.f32x4RelaxedMadd).lane(op.f32x4ExtractLane, 0);
    const module = new WebAssembly.Module(encodeModule({ f }, { shared: false }));
    const env = { memory: new WebAssembly.Memory({ initial: 0 }) };
    const squareAnd = new WebAssembly.Instance(module, { env }).exports["f"] as (
      a: number,
      c: number,
    ) => number;
    // (1 + 2⁻¹²)² is 1 + 2⁻¹¹ + 2⁻²⁴, whose last term a rounded product has not.
    fused = squareAnd(1 + 2 ** -12, -(1 + 2 ** -11)) !== 0;
  }
  return fused ?? false;
}

/** Whether 128-bit vectors exist: without them there is no cpu device. */
export function hasSimd(): boolean {
  const f = new Func(["v128"], ["v128"]);
  f.code.get(0).get(0).op(op.f32x4Add);
  return WebAssembly.validate(encodeModule({ f }, { shared: false }));
}
