/** Files that a command is told to write. */
import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { OutputError, UsageError } from "../../errors.js";

/**
 * @param option whose value the file is
 * @throws UsageError where the file's folder cannot be written; called before any work is done
 */
export const checkOutput = (option: string, file: string): void =>
  naming(option, file, UsageError, () => accessSync(dirname(resolve(file)), constants.W_OK));

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
