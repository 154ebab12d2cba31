/** The checkpoints of a run: written at once or not at all, the last few and the best kept. */
import { type FileHandle, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { copyWhole, finalNameOf, readWhole, syncFolder, writeWhole } from "@dawnstrap/tensor/node";
import { OutputError, UsageError } from "../../../errors.js";
import { presetSchema } from "../../../presets/preset.js";
import { CHECKPOINTS, readRunFile } from "../files.js";
import { nearbyPath } from "../../../images/node/nearby.js";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./format.js";
import type { RunRecord } from "./record.js";

const BEST = "best.safetensors";

const nameOf = (step: number): string => `step-${String(step).padStart(8, "0")}.safetensors`;
const stepOf = (name: string): number | undefined => {
  const digits = /^step-(\d+)\.safetensors$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** Steps that a run has checkpoints of, the newest first. */
async function stepsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => stepOf(name) ?? []).sort((a, b) => b - a);
}

export class CheckpointStore {
  readonly folder: string;

  /**
   * @param keep how many of the last checkpoints stay
   * @param openFile for tests: how a file is opened for writing
   */
  constructor(
    readonly run: string,
    private readonly keep: number,
    private readonly openFile?: (path: string, flags: string) => Promise<FileHandle>,
  ) {
    this.folder = join(run, CHECKPOINTS);
  }

  /**
   * Writes a checkpoint whole or not at all. Then those that are neither among the last nor the best are removed.
   *
   * @throws UsageError where the disk is full or the like; every earlier checkpoint is still there
   */
  async save(checkpoint: Checkpoint): Promise<void> {
    const { step, best } = checkpoint.record;
    const path = join(this.folder, nameOf(step));
    try {
      if (await mkdir(this.folder, { recursive: true })) await syncFolder(this.run);
      await writeWhole(path, encodeCheckpoint(checkpoint), this.openFile);
      if (best?.step === step) await copyWhole(path, join(this.folder, BEST));
      await this.prune(step);
    } catch (error) {
      const last = (await stepsIn(this.folder))[0];
      throw new OutputError(
        `checkpoint: cannot write ${path}: ${(error as Error).message}; ` +
          (last === undefined
            ? "there is no earlier one"
            : `that of step ${last} is whole, make room and go on with: byol resume ${this.run}`),
      );
    }
  }

  /** Those beyond `step` belong to a course that was left, when an earlier checkpoint was resumed. */
  private async prune(step: number): Promise<void> {
    const steps = await stepsIn(this.folder);
    const kept = steps.filter((s) => s <= step).slice(0, this.keep);
    const names = steps.filter((s) => !kept.includes(s)).map(nameOf);
    const partial = (await readdir(this.folder)).filter((name) => finalNameOf(name) !== undefined);
    for (const name of [...names, ...partial]) await rm(join(this.folder, name), { force: true });
  }
}

/** Whether a folder holds checkpoints of a run. */
export const hasCheckpoints = async (run: string): Promise<boolean> =>
  (await stepsIn(join(run, CHECKPOINTS))).length > 0;

/** A checkpoint with the folder of the run that it belongs to. */
export interface Found extends Checkpoint {
  readonly run: string;
}

/**
 * The folder of the run that a path names: itself, or that to which a checkpoint belongs.
 *
 * @throws UsageError where it names neither
 */
export async function runOf(path: string): Promise<string> {
  const about = await stat(path).catch(() => undefined);
  if (!about)
    throw new UsageError(
      `resume: ${path} does not exist${nearbyPath(path)}; name the folder of a run, as given to --out`,
    );
  if (about.isDirectory()) return path;
  const folder = dirname(resolve(path));
  if (basename(folder) !== CHECKPOINTS)
    throw new UsageError(
      `resume: ${path} is no checkpoint of a run (name a run's folder, or a file in its folder ${CHECKPOINTS})`,
    );
  return dirname(folder);
}

/**
 * The newest checkpoint of a run's folder, or the one whose file is named.
 *
 * @throws UsageError saying what is wrong with it, and which earlier one is sound
 */
export async function findCheckpoint(path: string): Promise<Found> {
  const run = await runOf(path);
  const folder = join(run, CHECKPOINTS);
  const steps = await stepsIn(folder);
  if (run === path && steps.length === 0)
    throw new UsageError(
      `resume: ${path} holds no checkpoints (name the folder of a run, as given to --out)`,
    );
  const file = run === path ? join(folder, nameOf(steps[0]!)) : path;
  const read = await attempt(run, file);
  if ("state" in read) return { ...read, run };
  const earlier = steps.filter((step) => step < (stepOf(basename(file)) ?? Number.POSITIVE_INFINITY));
  for (const step of earlier) {
    const other = join(folder, nameOf(step));
    if ("state" in (await attempt(run, other)))
      throw new UsageError(
        `resume: ${file} cannot be used: ${read.problem}; the one of step ${step} is sound, go on with: byol resume ${other}`,
      );
  }
  throw new UsageError(`resume: ${file} cannot be used: ${read.problem}; there is no earlier sound one`);
}

/**
 * Copies the best checkpoint again, where a run was killed between writing it and copying it.
 *
 * @param step of the best one, by the record that a run goes on from
 */
export async function restoreBest(run: string, step: number): Promise<void> {
  const [best, one] = [BEST, nameOf(step)].map((name) => join(run, CHECKPOINTS, name));
  const now = await attempt(run, best!);
  if ("state" in now && now.record.step === step) return;
  if (!("state" in (await attempt(run, one!)))) return;
  await copyWhole(one!, best!).catch((error: Error) => {
    throw new OutputError(`checkpoint: cannot write ${best}: ${error.message}`);
  });
}

async function attempt(run: string, file: string): Promise<Checkpoint | { problem: string }> {
  try {
    const checkpoint = decodeCheckpoint(await readWhole(file));
    const problem = misplaced(checkpoint.record, basename(file), run);
    return problem === undefined ? checkpoint : { problem };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** Why a checkpoint does not belong where it lies: copied from another run, or under another step's name. */
function misplaced(record: RunRecord, name: string, run: string): string | undefined {
  const { step, best } = record;
  const named = name === BEST ? best?.step : stepOf(name);
  if (named !== undefined && named !== step) return `it is of step ${step}, not of ${named}`;
  const config = readRunFile(run, "config.json");
  if (!config) return undefined;
  const preset = presetSchema().safeParse(config.preset);
  const differing =
    // Runs of earlier versions have no name; those that agree in everything are the same computation.
    record.run !== undefined && config.run !== undefined
      ? record.run !== config.run && "its name"
      : preset.success && !isDeepStrictEqual(preset.data, record.preset) && "its preset";
  const what = differing || (["seed", "steps"] as const).find((field) => config[field] !== record[field]);
  return what ? `it is of another run: ${what} is not that of config.json` : undefined;
}
