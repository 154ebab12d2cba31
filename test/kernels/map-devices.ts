/** Map kernels on devices, which must agree to the bit, beside the float64 interpreter. */
import type { DType, HostArray } from "@dawnstrap/tensor";
import { expr as x } from "@dawnstrap/tensor/extend";
import {
  type Backend,
  type Expr,
  evaluateMapOn,
  type Index,
  type MapKernel,
  type Slot,
} from "@dawnstrap/tensor/testing";
import { expect } from "vitest";
import { type HostBinding, runKernel } from "./run-kernel.js";

let slots = 0;
export const slot = (dtype: DType): Slot => ({ id: slots++, dtype });
export const axesOf = (...extents: number[]): Index[] => extents.map((n) => x.index(n));

export interface Output {
  readonly slot: Slot;
  readonly index: Expr;
  readonly value: Expr;
  readonly data: HostArray;
  readonly update?: boolean;
}

export interface Case {
  readonly axes: readonly Index[];
  readonly reads?: readonly (readonly [Slot, HostArray])[];
  readonly outputs: readonly Output[];
}

export interface Result {
  readonly device: HostArray;
  readonly oracle: HostArray;
}

export class Devices {
  constructor(
    private readonly backends: readonly Backend[],
    /** Outputs of a kernel: the others are computed by further ones. */
    private readonly together = Number.POSITIVE_INFINITY,
  ) {}

  async close(): Promise<void> {
    await Promise.all(this.backends.map((b) => b.destroy()));
  }

  /** Every output as the devices (which must agree to the bit) and the interpreter compute it. */
  async run({ axes, reads = [], outputs }: Case): Promise<Result[]> {
    const results: Result[] = [];
    for (let start = 0; start < outputs.length; start += this.together)
      results.push(...(await this.kernel(axes, reads, outputs.slice(start, start + this.together))));
    return results;
  }

  private async kernel(
    axes: readonly Index[],
    reads: readonly (readonly [Slot, HostArray])[],
    outputs: readonly Output[],
  ): Promise<Result[]> {
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
    const [first, ...others] = results;
    for (const other of others)
      first!.forEach((r, k) => {
        expect(Buffer.from(r.buffer).equals(Buffer.from(other[k]!.buffer)), "bits on several threads").toBe(
          true,
        );
      });
    return outputs.map((_, k) => ({ device: first![reads.length + k]!, oracle: oracle[k]! }));
  }
}

/** Relative to the larger of 1 and the wanted value. */
export function near(got: HostArray, want: HostArray, tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let k = 0; k < want.length; k++)
    if (!(Math.abs(got[k]! - want[k]!) <= tolerance * Math.max(1, Math.abs(want[k]!))))
      expect.fail(`element ${k}: ${got[k]} against ${want[k]}`);
}
