/** Constants as WGSL text. */
import type { ScalarType } from "../../../dtype.js";

const view = new DataView(new ArrayBuffer(4));

/**
 * A literal of the exact value, or undefined where it must be made from bits at run time: WGSL refuses infinities and
 * NaN in constant expressions, and compilers lose the sign of a zero literal and may flush a denormal one.
 */
export function literal(value: number, type: ScalarType): string | undefined {
  switch (type) {
    case "bool":
      return value ? "true" : "false";
    case "u32":
      return `${value}u`;
    case "i32":
      // −2³¹ has no literal: the minus is an operator applied to 2147483648.
      return value < 0 ? `i32(${value})` : `${value}i`;
    case "f32": {
      if (!Number.isFinite(value) || Object.is(value, -0)) return undefined;
      if (value !== 0 && Math.abs(value) < 1.1754943508222875e-38) return undefined;
      return value < 0 ? `(${value}f)` : `${value}f`;
    }
  }
}

export function f32Bits(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}
