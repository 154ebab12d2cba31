/** The time that enqueued work takes on the device. */
import { type StagingPool, mapModeRead, usage } from "./memory.js";

/** Between two empty passes that take the device's time, where it can be asked; else from the host, until all is done. */
export class Clock {
  private readonly stamps: { set: GPUQuerySet; buffer: GPUBuffer } | undefined;

  constructor(
    private readonly device: GPUDevice,
    private readonly staging: StagingPool,
  ) {
    if (device.features.has("timestamp-query"))
      this.stamps = {
        set: device.createQuerySet({ type: "timestamp", count: 2 }),
        buffer: device.createBuffer({
          label: "timestamps",
          size: 16,
          usage: usage.queryResolve | usage.copySrc,
        }),
      };
  }

  /** Milliseconds of what `enqueue` enqueues; nothing else may be under way. */
  async time(enqueue: () => void): Promise<number> {
    const { queue } = this.device;
    await queue.onSubmittedWorkDone();
    if (!this.stamps) {
      const start = performance.now();
      enqueue();
      await queue.onSubmittedWorkDone();
      return performance.now() - start;
    }
    this.stamp(0);
    enqueue();
    this.stamp(1);
    const [start, end] = await this.read(this.stamps);
    return Number(end! - start!) / 1e6;
  }

  private stamp(which: 0 | 1): void {
    const querySet = this.stamps!.set;
    const encoder = this.device.createCommandEncoder();
    const timestampWrites =
      which === 0 ? { querySet, beginningOfPassWriteIndex: 0 } : { querySet, endOfPassWriteIndex: 1 };
    encoder.beginComputePass({ timestampWrites }).end();
    this.device.queue.submit([encoder.finish()]);
  }

  private async read({ set, buffer }: { set: GPUQuerySet; buffer: GPUBuffer }): Promise<BigUint64Array> {
    const target = this.staging.take(16);
    const encoder = this.device.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, 2, buffer, 0);
    encoder.copyBufferToBuffer(buffer, 0, target, 0, 16);
    this.device.queue.submit([encoder.finish()]);
    await target.mapAsync(mapModeRead, 0, 16);
    const values = new BigUint64Array(target.getMappedRange(0, 16).slice(0));
    target.unmap();
    this.staging.give(target);
    return values;
  }

  destroy(): void {
    this.stamps?.set.destroy();
    this.stamps?.buffer.destroy();
  }
}
