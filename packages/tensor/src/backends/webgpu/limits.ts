/** What an adapter's limits mean to the planner and to the generators. */
import type { WgslLimits } from "../../kernels/wgsl/index.js";
import type { DeviceLimits } from "../../program.js";
import { isSoftware, type KernelStyle } from "./adapter.js";

/**
 * A GPU hides memory latency with some thousand invocations per core: 2¹⁵ fill a middling one. A software adapter needs
 * its few 8-lane threads kept busy and pays for every further partial result; 2,048 items are 32 workgroups of 64.
 */
const parallelism = (software: boolean): number => (software ? 2048 : 32_768);

export function wgslLimits(
  info: GPUAdapterInfo,
  { limits, features }: GPUDevice,
  style: KernelStyle,
): WgslLimits {
  const size = info.subgroupMinSize ?? 0;
  // A lane tile relies on knowing the subgroup's size when the kernel is written.
  const fixed = features.has("subgroups") && size === info.subgroupMaxSize && size >= 4 && size <= 32;
  return {
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupStorageBytes: limits.maxComputeWorkgroupStorageSize,
    hardware: style === "auto" ? !isSoftware(info) : style === "tiles",
    ...(fixed && style !== "plain" && { subgroupSize: size }),
  };
}

export function deviceLimits(limits: GPUSupportedLimits, software: boolean): DeviceLimits {
  const down = (n: number, multiple: number): number => Math.floor(n / multiple) * multiple;
  return {
    buffersPerKernel: limits.maxStorageBuffersPerShaderStage,
    bindingBytes: down(limits.maxStorageBufferBindingSize, 16),
    memoryBytes: down(limits.maxBufferSize, 256),
    offsetAlignment: limits.minStorageBufferOffsetAlignment,
    // Usage is tracked by buffer, not by range.
    exclusiveWrites: true,
    parallelism: parallelism(software),
    vectorWidth: 64,
    foldRows: 4096,
    cacheElements: Number.POSITIVE_INFINITY,
  };
}
