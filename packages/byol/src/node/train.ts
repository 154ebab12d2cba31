/** Whole runs, from the data's name to the results: begun and resumed. */
import { absoluteData } from "../images/node/open.js";
import type { PretrainOptions, ResumeOptions } from "./options.js";
import { carryOut, type Finished } from "./pretraining.js";
import { findCheckpoint, runOf } from "./run/checkpoints/store.js";
import { RunFolder } from "./run/folder.js";

/** Trains an encoder without labels and measures it against its own random initialisation. */
export async function pretrain(options: PretrainOptions): Promise<Finished> {
  return holding(new RunFolder(options.out), (folder) =>
    carryOut({ device: "auto", seed: 0, ...options, data: absoluteData(options.data), folder }),
  );
}

/**
 * Goes on with a run: on the same kind of device, cpu or webgpu, bit for bit as if it had not been stopped.
 *
 * @throws UsageError when there is no sound checkpoint, saying what is wrong
 */
export async function resume({ from, data, device, ...options }: ResumeOptions): Promise<Finished> {
  const out = await runOf(from);
  return holding(new RunFolder(out, true), async (folder) => {
    const found = await findCheckpoint(from);
    const { record } = found;
    return carryOut({
      ...options,
      ...record.dataOptions,
      ...{ preset: record.preset, seed: record.seed, steps: record.steps, out },
      data: absoluteData(data ?? record.data),
      device: device ?? record.device,
      tensorboard: record.tensorboard ?? false,
      ...{ folder, found },
    });
  });
}

async function holding(folder: RunFolder, run: (folder: RunFolder) => Promise<Finished>): Promise<Finished> {
  try {
    return await run(folder);
  } finally {
    folder.close();
  }
}
