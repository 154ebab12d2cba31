/** The WebGPU device: Dawn in Node through the npm package `webgpu`, `navigator.gpu` in browsers. */
import { platform } from "#platform";
import { DeviceError } from "../../errors.js";
import { Choices } from "../../tune/choices.js";
import { adapterKey, generatorHash } from "../../tune/key.js";
import { tuneModes } from "../../tune/tuner.js";
import { findAdapter, findGpu, openDevice, type WebGpuOptions } from "./adapter.js";
import { wgslLimits } from "./limits.js";
import { WebGpuBackend } from "./backend.js";

export type { KernelStyle, WebGpuOptions } from "./adapter.js";
export { WebGpuBackend } from "./backend.js";

/** Opens an adapter, a software one included unless `requireHardware`. Throws DeviceError naming the remedy where there is none. */
export async function openWebGpu(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
  const gpu = await findGpu(options);
  const adapter = await findAdapter(gpu, options);
  const device = await openDevice(adapter);
  const limits = wgslLimits(adapter.info, device, options.kernels ?? "auto");
  const { tune = "cached" } = options;
  if (!tuneModes.includes(tune))
    throw new DeviceError(`webgpu: unknown tune "${String(tune)}"; choose one of ${tuneModes.join(", ")}`);
  const store = tune === "off" ? undefined : platform.tuneStore();
  const runtime = globalThis.navigator?.userAgent ?? "";
  const choices = await Choices.open(store, adapterKey(adapter.info, device.features, limits, runtime), () =>
    generatorHash(limits),
  );
  return new WebGpuBackend(gpu, adapter, device, limits, choices, options);
}
