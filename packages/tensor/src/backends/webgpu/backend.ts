/** The Backend over WebGPU. */
import { DeviceError } from "../../errors.js";
import type { BoundCall, KernelSpec, Memory } from "../../program.js";
import { type Variant, variantsOf, type WgslLimits } from "../../kernels/wgsl/index.js";
import type { Choices } from "../../tune/choices.js";
import type { TuneTarget } from "../../tune/trial.js";
import { Tuner } from "../../tune/tuner.js";
import type { Backend, DeviceLimits, PreparedProgram } from "../../program.js";
import { describe, isSoftware, type WebGpuOptions } from "./adapter.js";
import { Clock } from "./clock.js";
import { Health } from "./health.js";
import { deviceLimits } from "./limits.js";
import { GpuMemory, gpuMemory, mapModeRead, roundUp, StagingPool, usage } from "./memory.js";
import { Pipelines } from "./pipelines.js";
import { prepare, type Runtime } from "./program.js";

export class WebGpuBackend implements Backend, TuneTarget {
  readonly counters = { kernels: 0, dispatches: 0, submits: 0, buffers: 0, bindGroups: 0 };
  readonly limits: DeviceLimits;
  readonly description: string;
  readonly kernels: string;
  /** True for llvmpipe, SwiftShader and WARP. */
  readonly isSoftware: boolean;
  readonly tuner: Tuner;
  private readonly health: Health;
  private readonly staging: StagingPool;
  private readonly runtime: Runtime;
  /** Undefined once destroyed: the native library goes away with its last reference, and only then may Node exit. */
  private gpu: GPU | undefined;
  private device: GPUDevice | undefined;
  private scratch?: GPUBuffer;
  private clock?: Clock;

  constructor(
    gpu: GPU,
    adapter: GPUAdapter,
    device: GPUDevice,
    private readonly kernelLimits: WgslLimits,
    choices: Choices,
    private readonly options: WebGpuOptions,
  ) {
    this.gpu = gpu;
    this.device = device;
    this.isSoftware = isSoftware(adapter.info);
    this.description = `${describe(adapter.info)}, WebGPU`;
    const { hardware, subgroupSize } = kernelLimits;
    const lanes = subgroupSize === undefined ? "no fixed subgroups" : `subgroups of ${subgroupSize}`;
    this.kernels = `${this.description}, kernels for ${hardware ? "a GPU" : "a processor"}, ${lanes}`;
    this.limits = deviceLimits(device.limits, this.isSoftware);
    this.health = new Health(device);
    this.staging = new StagingPool(device, this.counters);
    this.tuner = new Tuner(this, choices);
    const pipelines = new Pipelines(device, kernelLimits, this.counters, (call) => this.tuner.chosen(call));
    this.runtime = {
      device,
      health: this.health,
      pipelines,
      counters: this.counters,
      chunk: this.isSoftware ? 32 : 128,
    };
  }

  allocate(bytes: number): Memory {
    const device = this.alive();
    const size = Math.max(16, roundUp(bytes, 16));
    if (size > this.limits.memoryBytes)
      throw new DeviceError(
        `webgpu: ${bytes} bytes asked for; one allocation holds up to ${this.limits.memoryBytes}`,
      );
    this.counters.buffers++;
    device.pushErrorScope("out-of-memory");
    const buffer = device.createBuffer({ size, usage: usage.storage | usage.copySrc | usage.copyDst });
    void device.popErrorScope().then(
      (error) =>
        error && this.health.record(`out of memory while allocating ${bytes} bytes: ${error.message}`),
      () => {},
    );
    return new GpuMemory(size, buffer);
  }

  free(memory: Memory): void {
    gpuMemory(memory).buffer.destroy();
  }

  write(memory: Memory, byteOffset: number, data: ArrayBufferView): void {
    const { queue } = this.alive();
    const { buffer } = gpuMemory(memory);
    const tail = data.byteLength % 4;
    if (tail === 0) {
      queue.writeBuffer(buffer, byteOffset, data.buffer, data.byteOffset, data.byteLength);
      return;
    }
    const padded = new Uint8Array(data.byteLength + 4 - tail);
    padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    queue.writeBuffer(buffer, byteOffset, padded);
  }

  async read(memory: Memory, byteOffset: number, bytes: number): Promise<ArrayBuffer> {
    const device = this.alive();
    if (bytes === 0) return new ArrayBuffer(0);
    const size = roundUp(bytes, 4);
    const staging = this.staging.take(size);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(gpuMemory(memory).buffer, byteOffset, staging, 0, size);
    this.submit(encoder);
    try {
      await staging.mapAsync(mapModeRead, 0, size);
    } catch (cause) {
      this.health.check();
      throw new DeviceError(`webgpu: reading ${bytes} bytes failed: ${String(cause)}`, { cause });
    }
    const copy = staging.getMappedRange(0, size).slice(0, bytes);
    staging.unmap();
    this.staging.give(staging);
    this.health.check();
    return copy;
  }

  copy(from: Memory, fromOffset: number, to: Memory, toOffset: number, bytes: number): void {
    const device = this.alive();
    const source = gpuMemory(from).buffer;
    const target = gpuMemory(to).buffer;
    const size = roundUp(bytes, 4);
    const encoder = device.createCommandEncoder();
    if (source !== target) encoder.copyBufferToBuffer(source, fromOffset, target, toOffset, size);
    else {
      // WebGPU copies between different buffers only.
      const scratch = this.scratchOf(device, size);
      encoder.copyBufferToBuffer(source, fromOffset, scratch, 0, size);
      encoder.copyBufferToBuffer(scratch, 0, target, toOffset, size);
    }
    this.submit(encoder);
  }

  async prepare(
    calls: readonly BoundCall[],
    onProgress?: (done: number, total: number) => void,
  ): Promise<PreparedProgram> {
    this.alive();
    const { tune, tuneSeconds = 60, onTune } = this.options;
    if (tune === "full") await this.tuner.tune(calls, { seconds: tuneSeconds, onProgress: onTune });
    return prepare(this.runtime, calls, onProgress);
  }

  variantsOf(spec: KernelSpec): readonly Variant[] {
    return variantsOf(spec, this.kernelLimits);
  }

  prepareAs(call: BoundCall, variant: Variant, repeats: number): Promise<PreparedProgram> {
    this.alive();
    return prepare(this.runtime, new Array<BoundCall>(repeats).fill(call), undefined, variant);
  }

  time(program: PreparedProgram): Promise<number> {
    this.clock ??= new Clock(this.alive(), this.staging);
    return this.clock.time(() => program.run());
  }

  async idle(): Promise<void> {
    const { queue } = this.alive();
    await queue.onSubmittedWorkDone();
    this.health.check();
  }

  /** Waits for the enqueued work, then frees the device. */
  async destroy(): Promise<void> {
    const device = this.device;
    if (!device) return;
    await device.queue.onSubmittedWorkDone().catch(() => {});
    this.health.close();
    this.staging.destroy();
    this.clock?.destroy();
    this.scratch?.destroy();
    device.onuncapturederror = null;
    device.destroy();
    this.device = undefined;
    this.gpu = undefined;
  }

  private alive(): GPUDevice {
    this.health.assertAlive();
    if (!this.device || !this.gpu) throw new DeviceError("webgpu: the device was destroyed");
    return this.device;
  }

  private submit(encoder: GPUCommandEncoder): void {
    this.alive().queue.submit([encoder.finish()]);
    this.counters.submits++;
  }

  private scratchOf(device: GPUDevice, bytes: number): GPUBuffer {
    if (!this.scratch || this.scratch.size < bytes) {
      this.scratch?.destroy();
      this.counters.buffers++;
      this.scratch = device.createBuffer({
        label: "scratch",
        size: bytes,
        usage: usage.copySrc | usage.copyDst,
      });
    }
    return this.scratch;
  }
}
