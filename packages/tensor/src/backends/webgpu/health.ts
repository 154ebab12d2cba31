/** What went wrong on the device's own timeline, kept until the next call that can throw it. */
import { DeviceError } from "../../errors.js";

export class Health {
  private lost?: string;
  private error?: string;
  private closed = false;

  constructor(device: GPUDevice) {
    // The listeners hold no device: a closed backend must leave nothing behind that keeps the process alive.
    void device.lost.then((info) => {
      if (!this.closed) this.lost = `${info.reason}: ${info.message.trim() || "no message"}`;
    });
    device.onuncapturederror = (event): void => {
      // Kept, so nobody needs to print it as well.
      event.preventDefault();
      this.record(event.error.message);
    };
  }

  /** Keeps the first error; those that follow are mostly its echoes. */
  record(message: string): void {
    this.error ??= message.trim();
  }

  close(): void {
    this.closed = true;
  }

  /** Throws when the device cannot be used any more. */
  assertAlive(): void {
    if (this.closed)
      throw new DeviceError("webgpu: the device was destroyed (open a new one with openDevice)");
    if (this.lost !== undefined)
      throw new DeviceError(
        `webgpu: the device was lost (${this.lost}). What it held is gone: open a new device with openDevice and ` +
          "continue from the last checkpoint; if it happens again, use smaller batches or the device cpu",
      );
  }

  /** Throws as `assertAlive`, and any error that was reported since the last check. */
  check(): void {
    this.assertAlive();
    const error = this.error;
    if (error === undefined) return;
    this.error = undefined;
    throw new DeviceError(`webgpu: ${error}`);
  }
}
