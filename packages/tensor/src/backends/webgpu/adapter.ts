/** Finding a WebGPU implementation and an adapter on it. */
import { platform } from "#platform";
import { DeviceError } from "../../errors.js";
import type { TuneMode, TuneProgress } from "../../tune/tuner.js";

/** Which generator writes the matrix products: workgroup tiles, lane tiles with or without subgroup operations. */
export type KernelStyle = "auto" | "tiles" | "lanes" | "plain";

export interface WebGpuOptions {
  /** The implementation to use, instead of the browser's or the npm package's. */
  readonly gpu?: GPU;
  readonly powerPreference?: GPUPowerPreference;
  /** Refuse software adapters (llvmpipe, SwiftShader, WARP). */
  readonly requireHardware?: boolean;
  /** Node only: false lets Dawn skip the validation of calls. Kernels are checked either way. */
  readonly validation?: boolean;
  /** Default "auto": tiles on hardware, lanes on software adapters. */
  readonly kernels?: KernelStyle;
  /** Default "cached". */
  readonly tune?: TuneMode;
  /** With tune "full": the most seconds that are spent before a program runs first; default 60. */
  readonly tuneSeconds?: number;
  /** With tune "full": told of every kernel that was tuned. */
  readonly onTune?: (progress: TuneProgress) => void;
}

/** In Node the implementation is a native library, which stays loaded as long as the returned object is referenced. */
export async function findGpu(options: WebGpuOptions): Promise<GPU> {
  if (options.gpu) return options.gpu;
  try {
    return await platform.openGpu(
      options.validation === false ? ["enable-dawn-features=skip_validation"] : [],
    );
  } catch (cause) {
    throw new DeviceError(`webgpu: ${(cause as Error).message} (${platform.gpuRemedy})`, { cause });
  }
}

export async function findAdapter(gpu: GPU, options: WebGpuOptions): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({
    powerPreference: options.powerPreference ?? "high-performance",
  });
  if (!adapter) throw new DeviceError(`webgpu: no adapter found (${platform.gpuRemedy})`);
  if (options.requireHardware && isSoftware(adapter.info))
    throw new DeviceError(
      `webgpu: only a software adapter found, ${describe(adapter.info)} (${platform.gpuRemedy})`,
    );
  return adapter;
}

/** Adapters that compute on the CPU. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter === true || /llvmpipe|swiftshader|basic render|\bwarp\b|lavapipe/i.test(text);
}

/** Such as "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)". */
export function describe(info: GPUAdapterInfo): string {
  return (
    info.description ||
    info.device ||
    [info.vendor, info.architecture].filter(Boolean).join(" ") ||
    "unnamed adapter"
  );
}

const wantedFeatures: readonly GPUFeatureName[] = ["timestamp-query", "shader-f16", "subgroups"];
const wantedLimits = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** A device with the adapter's own limits, in place of the small ones that every adapter has. */
export async function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name];
  try {
    return await adapter.requestDevice({
      label: "dawnstrap",
      requiredFeatures: wantedFeatures.filter((f) => adapter.features.has(f)),
      requiredLimits,
    });
  } catch (cause) {
    throw new DeviceError(`webgpu: ${describe(adapter.info)} gives no device: ${String(cause)}`, { cause });
  }
}
