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

/** Whether 128-bit vectors exist: without them there is no cpu device. */
export function hasSimd(): boolean {
  const f = new Func(["v128"], ["v128"]);
  f.code.get(0).get(0).op(op.f32x4Add);
  return WebAssembly.validate(encodeModule({ f }, { shared: false }));
}
