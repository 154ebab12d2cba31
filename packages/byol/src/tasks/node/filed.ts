/** Results in the folder of the run whose encoder they measure: RUN/evaluations, a file for every question asked. */
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "@dawnstrap/tensor/node";
import { OutputError, UsageError } from "../../errors.js";
import { EVALUATIONS } from "../../node/run/files.js";
import type { Result } from "../result.js";

/**
 * The folder for results on an encoder, made if need be; undefined where `encoder` names no run's folder.
 *
 * @throws UsageError when it cannot be written, before anything is computed
 */
export function openEvaluations(encoder: string): string | undefined {
  if (!existsSync(join(encoder, "config.json"))) return undefined;
  const folder = join(encoder, EVALUATIONS);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(
      `encoder: results cannot be filed in ${folder}: ${(error as Error).message} ` +
        `(name ${join(encoder, "encoder.safetensors")} instead to leave the run as it is)`,
    );
  }
  return folder;
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");

/** knn-digits-seed0-1f3a9c02.json: only an answer to the same question has the same name. */
export const fileNameOf = ({ protocol, data, seed, id }: Result): string =>
  `${slug(protocol)}-${slug(data).slice(-40)}-seed${seed}-${id}.json`;

/** Writes a result whole or not at all, over an earlier answer to the same question. Returns the file. */
export async function fileResult(folder: string, result: Result): Promise<string> {
  const file = join(folder, fileNameOf(result));
  try {
    await writeWhole(file, jsonOf(result));
  } catch (error) {
    throw new OutputError(
      `encoder: cannot write ${file}: ${(error as Error).message} (--json writes a result elsewhere)`,
    );
  }
  return file;
}

export const jsonOf = (result: Result): string => `${JSON.stringify(result, null, 2)}\n`;
