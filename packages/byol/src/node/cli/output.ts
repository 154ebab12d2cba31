/** Files that a command is told to write. */
import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { OutputError, UsageError } from "../../errors.js";
import { CHECKPOINTS, isRunFile, LOCK, METRICS } from "../run/files.js";

/**
 * @param option whose value the file is
 * @throws UsageError where the file's folder cannot be written, or the file is one of a run; called before any work is done
 */
export function checkOutput(option: string, file: string): void {
  const path = resolve(file);
  naming(option, file, UsageError, () => accessSync(dirname(path), constants.W_OK));
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

/** @throws OutputError where the file cannot be written */
export const writeOutput = (option: string, file: string, content: string | Uint8Array): void =>
  naming(option, file, OutputError, () => writeFileSync(file, content));

function naming(
  option: string,
  file: string,
  Refusal: typeof UsageError | typeof OutputError,
  act: () => void,
): void {
  try {
    act();
  } catch (error) {
    throw new Refusal(
      `${option}: cannot write ${file}: ${(error as Error).message} (choose another place with --${option})`,
    );
  }
}
