/** The WebGPU device: Dawn in Node through the npm package `webgpu`, `navigator.gpu` in browsers. */
import { findAdapter, findGpu, openDevice, type WebGpuOptions } from "./adapter.js";
import { WebGpuBackend } from "./backend.js";

export type { KernelStyle, WebGpuOptions } from "./adapter.js";
export { WebGpuBackend } from "./backend.js";

/** Opens an adapter, a software one included unless `requireHardware`. Throws DeviceError naming the remedy where there is none. */
export async function openWebGpu(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
  const gpu = await findGpu(options);
  const adapter = await findAdapter(gpu, options);
  return new WebGpuBackend(gpu, adapter, await openDevice(adapter), options.kernels);
}
