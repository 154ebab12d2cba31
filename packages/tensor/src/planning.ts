/** A device that plans programs for another one and runs none, but counts: what a step takes, without taking it. */
import { RunningDevice } from "./device.js";
import { DeviceError } from "./errors.js";
import type { Backend, BoundCall, DeviceLimits, Memory, PreparedProgram } from "./program.js";
import type { Device } from "./tensor.js";

const refused = (): never => {
  throw new DeviceError("a planning device computes nothing; read values on the device that it plans for");
};

class PlanningBackend implements Backend {
  readonly counters = { kernels: 0, dispatches: 0, submits: 0, buffers: 0, bindGroups: 0 };

  constructor(
    readonly limits: DeviceLimits,
    readonly description: string,
    readonly kernels: string,
  ) {}

  allocate(bytes: number): Memory {
    return { bytes };
  }
  free(): void {}
  write(): void {}
  copy(): void {}
  read = async (): Promise<ArrayBuffer> => refused();
  async prepare(calls: readonly BoundCall[]): Promise<PreparedProgram> {
    return {
      run: () => {
        this.counters.dispatches += calls.length;
      },
      release() {},
    };
  }
  async idle(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/**
 * A device with the limits of `device` on which everything is recorded, lowered and given memory as there, and nothing
 * is allocated or computed: `memory()` then tells what the real device would need.
 *
 * @param sizes "unlimited": tensors and memory may be of any size, for what does not hang on the device
 * @throws DeviceError for the reference device, which has no plan of its memory
 */
export function planningDevice(device: Device, sizes: "limited" | "unlimited" = "limited"): Device {
  if (!device.backend) throw new DeviceError("the reference device plans no memory; plan for cpu or webgpu");
  const { limits, description, kernels } = device.backend;
  const most = Number.MAX_SAFE_INTEGER;
  const planned = sizes === "limited" ? limits : { ...limits, bindingBytes: most, memoryBytes: most };
  return new RunningDevice(device.kind, new PlanningBackend(planned, `plans for ${description}`, kernels));
}
