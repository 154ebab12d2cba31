/** Compiled kernels, shared by every program of a device. */
import { DeviceError } from "../../errors.js";
import type { BoundCall } from "../../program.js";
import { compileWgsl, type Variant, type WgslKernel, type WgslLimits } from "../../kernels/wgsl/index.js";

export interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly workgroups: readonly [number, number, number];
}

/** "r" for a binding that is only read, "w" for one that is written or updated: all that a bind-group layout knows. */
const signatureOf = (call: BoundCall): string =>
  call.bindings.map((b) => (b.access === "read" ? "r" : "w")).join("");

export class Pipelines {
  private readonly byKey = new Map<string, Promise<CompiledKernel>>();
  private readonly bySource = new Map<string, Promise<GPUComputePipeline>>();
  private readonly layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(
    private readonly device: GPUDevice,
    private readonly limits: WgslLimits,
    private readonly counters: { kernels: number },
    /** How the tuner wants a kernel to be written; undefined where it does not know better than the default. */
    private readonly chosen: (call: BoundCall) => Variant | undefined,
  ) {}

  /** In the given way, or as chosen. */
  get(call: BoundCall, variant?: Variant): Promise<CompiledKernel> {
    const signature = signatureOf(call);
    const way = variant ?? this.chosen(call);
    const key = `${way ? JSON.stringify(way) : ""} ${signature} ${call.bindings.map((b) => `${b.dtype}${b.bytes}`).join()} ${call.spec.family} ${call.key}`;
    let kernel = this.byKey.get(key);
    if (!kernel) {
      kernel = this.compile(call, signature, way);
      if (way && !variant)
        kernel = kernel.catch((error: Error) => {
          console.warn(`dawnstrap: a tuned kernel is not usable, its default runs instead: ${error.message}`);
          return this.compile(call, signature, undefined);
        });
      // A failure is thrown to whoever waits for it; the next attempt starts afresh.
      kernel.catch(() => this.byKey.delete(key));
      this.byKey.set(key, kernel);
    }
    return kernel;
  }

  private async compile(
    call: BoundCall,
    signature: string,
    variant: Variant | undefined,
  ): Promise<CompiledKernel> {
    const layout = this.layout(signature);
    const kernel = compileWgsl(call.spec, call.bindings, this.limits, variant);
    const max = this.limits.maxWorkgroupsPerDimension;
    if (kernel.workgroups.some((n) => n > max))
      throw new DeviceError(
        `webgpu: kernel ${label(call)} needs ${kernel.workgroups.join(" × ")} workgroups; the adapter allows ${max} a dimension (split the tensor)`,
      );
    const cacheKey = `${signature}\n${kernel.source}`;
    let pipeline = this.bySource.get(cacheKey);
    if (!pipeline) {
      pipeline = this.create(kernel, label(call), layout.pipeline);
      pipeline.catch(() => this.bySource.delete(cacheKey));
      this.bySource.set(cacheKey, pipeline);
    }
    return { pipeline: await pipeline, layout: layout.group, workgroups: kernel.workgroups };
  }

  private async create(
    kernel: WgslKernel,
    name: string,
    layout: GPUPipelineLayout,
  ): Promise<GPUComputePipeline> {
    this.counters.kernels++;
    const { device } = this;
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: name, code: kernel.source });
    const shaderError = device.popErrorScope();
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: name,
        layout,
        compute: { module, entryPoint: "main" },
      });
      await shaderError;
      return pipeline;
    } catch (cause) {
      const messages = (await module.getCompilationInfo()).messages
        .filter((m) => m.type === "error")
        .map((m) => `line ${m.lineNum}: ${m.message}: ${kernel.source.split("\n")[m.lineNum - 1] ?? ""}`);
      const why = [...messages, (await shaderError)?.message ?? String(cause)].join("\n");
      throw new DeviceError(`internal: kernel ${name} does not compile:\n${why}`, { cause });
    }
  }

  private layout(signature: string): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    let layout = this.layouts.get(signature);
    if (!layout) {
      const group = this.device.createBindGroupLayout({
        label: signature,
        entries: [...signature].map((access, binding) => ({
          binding,
          visibility: 0x4, // compute
          buffer: { type: access === "r" ? "read-only-storage" : "storage" },
        })),
      });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(signature, layout);
    }
    return layout;
  }
}

/** A kernel's key as a label: map kernels' keys can be long. */
export const label = (call: BoundCall): string =>
  `${call.spec.family} ${call.key.length > 160 ? `${call.key.slice(0, 160)}…` : call.key}`;
