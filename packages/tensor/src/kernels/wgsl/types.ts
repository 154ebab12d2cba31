/** What a WGSL generator is told about its surroundings, and what it returns. */

import type { DType } from "../../dtype.js";
import type { Binding } from "../../program.js";

export interface WgslLimits {
  readonly maxWorkgroupsPerDimension: number;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupStorageBytes: number;
  /** False for llvmpipe, SwiftShader and WARP, which want register tiles and no workgroup memory. */
  readonly hardware: boolean;
  /** Invocations of a subgroup, where the adapter has subgroups of one size only. */
  readonly subgroupSize?: number;
}

export interface WgslKernel {
  /** Entry point `main`; binding k of the kernel is `@group(0) @binding(k)`. */
  readonly source: string;
  readonly workgroups: readonly [number, number, number];
}

/** What an element of a buffer is in WGSL. Four elements of uint8 share a word. */
export const elementType: Readonly<Record<DType, string>> = {
  float32: "f32",
  int32: "i32",
  uint32: "u32",
  uint8: "u32",
  bool: "u32",
};

export const elementTypes = (bindings: readonly Binding[]): string[] =>
  bindings.map(({ dtype }) => elementType[dtype]);

/** Every WebGPU implementation offers at least these. */
export const baseLimits: WgslLimits = {
  maxWorkgroupsPerDimension: 65_535,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupStorageBytes: 16_384,
  hardware: true,
};
