/** Files that a command is told to write. */
import { accessSync, constants, existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { writeWhole } from "@dawnstrap/tensor/node";
import { OutputError, UsageError } from "../../errors.js";
import { CHECKPOINTS, isRunFile, LOCK, METRICS } from "../run/files.js";

/**
 * @param option whose value the file is
 * @throws UsageError where the file's folder cannot be written, or the file is one of a run; called before any work is done
 */
export function checkOutput(option: string, file: string): void {
  const path = resolve(file);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(unwritable(option, file, error));
  }
  const run = runAround(path);
  if (run !== undefined)
    throw new UsageError(
      `${option}: ${file} is a file of the run in ${run} (choose another name or place with --${option})`,
    );
}

/** The folder of the run whose file or checkpoint a path is; undefined where it is none. */
function runAround(path: string): string | undefined {
  const above = dirname(path);
  const [folder, name] =
    basename(above) === CHECKPOINTS ? [dirname(above), CHECKPOINTS] : [above, basename(path)];
  const holdsRun = [METRICS, LOCK].some((file) => existsSync(join(folder, file)));
  return holdsRun && (isRunFile(name) || name === LOCK) ? folder : undefined;
}

/** Writes a file whole or not at all. @throws OutputError where that cannot be done */
export async function writeOutput(option: string, file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeWhole(file, typeof content === "string" ? content : [content]);
  } catch (error) {
    throw new OutputError(unwritable(option, file, error));
  }
}

const unwritable = (option: string, file: string, error: unknown): string =>
  `${option}: cannot write ${file}: ${(error as Error).message} (choose another place with --${option})`;
