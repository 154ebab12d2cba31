/** Which devices the tests run on. */
import { type Device, openDevice } from "@dawnstrap/tensor";

export type DeviceName = "cpu" | "webgpu";

const known: readonly DeviceName[] = ["cpu", "webgpu"];

/** The devices under test: DAWNSTRAP_DEVICES, comma-separated; all when unset. An unknown name is an error. */
export const deviceNames: readonly DeviceName[] = (process.env.DAWNSTRAP_DEVICES ?? known.join(","))
  .split(",")
  .map((name) => {
    if (!known.includes(name as DeviceName))
      throw new Error(`DAWNSTRAP_DEVICES names "${name}"; choose among ${known.join(", ")}`);
    return name as DeviceName;
  });

/** Opens a device; a missing adapter fails the tests, it never skips them. */
export const open = (name: DeviceName | "reference"): Promise<Device> => openDevice(name);
