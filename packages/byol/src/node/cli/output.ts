/** Files that a command is told to write. */
import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "../../errors.js";

/**
 * @param option whose value the file is
 * @throws UsageError where the file's folder cannot be written; called before any work is done
 */
export const checkOutput = (option: string, file: string): void =>
  naming(option, file, () => accessSync(dirname(resolve(file)), constants.W_OK));

/** @throws UsageError where the file cannot be written */
export const writeOutput = (option: string, file: string, content: string | Uint8Array): void =>
  naming(option, file, () => writeFileSync(file, content));

function naming(option: string, file: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new UsageError(
      `${option}: cannot write ${file}: ${(error as Error).message} (choose another place with --${option})`,
    );
  }
}
