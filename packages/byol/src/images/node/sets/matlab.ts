/** MATLAB files, read by mat-for-js. It is under the GPL, so it is installed only by those who need it. */
import { readFile } from "node:fs/promises";
import { DataError } from "../../../errors.js";

type Read = (file: ArrayBuffer) => { data: Record<string, unknown> };

async function reader(): Promise<Read> {
  try {
    return (await import("mat-for-js")).read;
  } catch {
    throw new DataError(
      "data: MATLAB files (.mat) are read by the npm package mat-for-js, which is not installed (npm install mat-for-js; it is under GPL-3.0)",
    );
  }
}

/** The named variables of a file. Throws DataError when it cannot be read or lacks one. */
export async function matlabVariables(file: string, names: readonly string[]): Promise<unknown[]> {
  const read = await reader();
  const bytes = await readFile(file);
  let data: Record<string, unknown>;
  try {
    data = read(new Uint8Array(bytes).buffer).data;
  } catch (error) {
    throw new DataError(`data: ${file} is no MATLAB file of version 5 to 7: ${(error as Error).message}`);
  }
  const gone = names.filter((name) => data[name] === undefined);
  if (gone.length > 0) throw new DataError(`data: ${file} lacks the variable ${gone.join(", ")}`);
  return names.map((name) => data[name]);
}

/** A vector of numbers; a single one is its own. */
export const numbersOf = (value: unknown): number[] =>
  Array.isArray(value) ? value.flat().map(Number) : [Number(value)];
