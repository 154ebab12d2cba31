/** Test support: map kernels on the cpu device, on one thread and on three, beside the float64 interpreter. */
import { expect } from "vitest";
import { type CpuBackend, openCpu } from "../../../backends/cpu/backend.js";
import type { DType, HostArray } from "../../../dtype.js";
import { evaluateMapOn } from "../../../expr/evaluate.js";
import * as x from "../../../expr/expr.js";
import type { Expr, Index, Slot } from "../../../expr/expr.js";
import type { MapKernel } from "../../../program.js";
import { type HostBinding, runKernel } from "../../wgsl/testing.js";

let slots = 0;
export const slot = (dtype: DType): Slot => ({ id: slots++, dtype });
export const axesOf = (...extents: number[]): Index[] => extents.map((n) => x.index(n));

export interface Case {
  readonly axes: readonly Index[];
  readonly reads?: readonly (readonly [Slot, HostArray])[];
  readonly outputs: readonly {
    readonly slot: Slot;
    readonly index: Expr;
    readonly value: Expr;
    readonly data: HostArray;
    readonly update?: boolean;
  }[];
}

/** Private memory on one thread, and shared memory on three. */
export class Devices {
  private constructor(private readonly backends: readonly CpuBackend[]) {}

  static async open(): Promise<Devices> {
    return new Devices([await openCpu({ threads: 1, shared: false }), await openCpu({ threads: 3 })]);
  }

  async close(): Promise<void> {
    await Promise.all(this.backends.map((b) => b.destroy()));
  }

  /** Every output as the devices (which must agree to the bit) and the interpreter compute it. */
  async run({ axes, reads = [], outputs }: Case): Promise<{ device: HostArray; oracle: HostArray }[]> {
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
    for (const backend of this.backends) results.push(await runKernel(backend, kernel, bindings));
    const oracle = outputs.map((o) => o.data.slice());
    evaluateMapOn(kernel, new Map([...reads, ...outputs.map((o, k) => [o.slot, oracle[k]!] as const)]));
    const [one, three] = results as [HostArray[], HostArray[]];
    one.forEach((r, k) => {
      expect(Buffer.from(r.buffer).equals(Buffer.from(three[k]!.buffer)), "one thread, three threads").toBe(
        true,
      );
    });
    return outputs.map((_, k) => ({ device: one[reads.length + k]!, oracle: oracle[k]! }));
  }
}

/** Relative to the larger of 1 and the wanted value. */
export function near(got: HostArray, want: HostArray, tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let k = 0; k < want.length; k++)
    if (!(Math.abs(got[k]! - want[k]!) <= tolerance * Math.max(1, Math.abs(want[k]!))))
      expect.fail(`element ${k}: ${got[k]} against ${want[k]}`);
}
