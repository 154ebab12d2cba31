/** Whole runs, from the data's name to the results: begun and resumed. */
import { UsageError } from "../errors.js";
import { parsePreset } from "../presets/preset.js";
import type { PretrainOptions, ResumeOptions } from "./options.js";
import { carryOut, type Finished } from "./pretraining.js";
import { findCheckpoint, hasCheckpoints } from "./run/checkpoints/store.js";

/** Trains an encoder without labels and measures it against its own random initialisation. */
export async function pretrain(options: PretrainOptions): Promise<Finished> {
  if (await hasCheckpoints(options.out))
    throw new UsageError(
      `out: ${options.out} holds checkpoints of an earlier run (go on with it by byol resume, or choose another folder with --out)`,
    );
  return carryOut({ device: "auto", seed: 0, ...options });
}

/**
 * Goes on with a run: on the same kind of device, cpu or webgpu, bit for bit as if it had not been stopped.
 *
 * @throws UsageError when there is no sound checkpoint, saying what is wrong
 */
export async function resume({ from, data, device, ...options }: ResumeOptions): Promise<Finished> {
  const found = await findCheckpoint(from);
  const { record, run } = found;
  return carryOut({
    ...options,
    ...record.dataOptions,
    ...{ preset: parsePreset(record.preset), seed: record.seed, steps: record.steps, out: run },
    data: data ?? record.data,
    device: device ?? record.device,
    tensorboard: record.tensorboard ?? false,
    found,
  });
}
