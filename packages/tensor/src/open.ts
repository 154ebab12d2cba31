/** `openDevice`: from a name to a device. */
import { DeviceError } from "./errors.js";
import { RunningDevice } from "./device.js";
import type { Device } from "./tensor.js";
import type { CpuOptions } from "./backends/cpu/backend.js";
import type { WebGpuOptions } from "./backends/webgpu/index.js";

export type DeviceChoice = "auto" | "webgpu" | "cpu" | "reference";
export const deviceChoices: readonly DeviceChoice[] = ["auto", "webgpu", "cpu", "reference"];

export interface OpenOptions extends CpuOptions, WebGpuOptions {}

/**
 * Opens a device.
 *
 * - `"auto"`: a hardware GPU if WebGPU offers one, else `"cpu"`. Software adapters are never chosen on their own.
 * - `"webgpu"`: any adapter, a software one included; throws a DeviceError with the remedy when there is none.
 * - `"cpu"`: WebAssembly SIMD on worker threads; always available.
 * - `"reference"`: float64 loops, slow and obvious; the oracle of the tests.
 */
export async function openDevice(choice: DeviceChoice = "auto", options: OpenOptions = {}): Promise<Device> {
  switch (choice) {
    case "reference":
      return new RunningDevice("reference", undefined);
    case "cpu":
      return openOnCpu(options);
    case "webgpu":
      return openOnWebGpu(options);
    case "auto":
      return openOnWebGpu({ ...options, requireHardware: true }).catch(() => openOnCpu(options));
    default:
      throw new DeviceError(`unknown device "${String(choice)}"; choose one of ${deviceChoices.join(", ")}`);
  }
}

// Imported when asked for, so that a program loads only the device that it uses.
async function openOnCpu(options: CpuOptions): Promise<Device> {
  const { openCpu } = await import("./backends/cpu/backend.js");
  return new RunningDevice("cpu", await openCpu(options));
}

async function openOnWebGpu(options: WebGpuOptions): Promise<Device> {
  const { openWebGpu } = await import("./backends/webgpu/index.js");
  return new RunningDevice("webgpu", await openWebGpu(options));
}
