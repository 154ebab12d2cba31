/** Data that do not fill a batch, and the batch that would do. */
import type { Device } from "@dawnstrap/tensor";
import { DataError } from "../errors.js";
import { type DataSource, probeClasses } from "../images/source.js";
import { effectiveBatch, type Preset } from "../presets/preset.js";
import { largestFitting, type Place } from "./fit.js";

/**
 * @throws DataError where the images do not fill one effective batch, naming the largest power of two that they fill
 * and that the device can hold
 */
export async function checkBatch(device: Device, preset: Preset, data: DataSource): Promise<void> {
  const images = data.train.length;
  const batch = effectiveBatch(preset);
  if (images >= batch) return;
  const few = images === 1 ? "one image does" : `${images} images do`;
  const problem = `data: ${few} not fill a batch of ${batch}`;
  if (images < 2) throw new DataError(`${problem}, nor the least there is, 2 (add images)`);
  const { image } = data;
  const place: Place = { device, image, classes: probeClasses(data), memory: device.totalBytes };
  const sizes = Array.from({ length: Math.floor(Math.log2(images)) }, (_, k) => 2 ** (k + 1));
  const { accumulate: _, ...once } = preset;
  const rising = sizes.map((batch) => ({ ...once, batch }));
  // The reference device plans no memory.
  const fitting = device.kind === "reference" ? rising.at(-1) : await largestFitting(rising, place);
  throw new DataError(
    fitting
      ? `${problem} (use --batch ${fitting.batch}${preset.accumulate ? " --accumulate 1" : ""})`
      : `${problem}, and none of this network that they fill fits the device (take a smaller network)`,
  );
}
