/** Lists of images in MATLAB files. */
import { DataError } from "../../../errors.js";
import { matlabBytes } from "../limits.js";
import { fileBytes } from "../regular-file.js";
import { type MatlabRecord, type MatlabValue, readMatlab } from "./matlab-file.js";

/** The named variables of a file. Throws DataError when it cannot be read or lacks one. */
export async function matlabVariables(file: string, names: readonly string[]): Promise<MatlabValue[]> {
  const bytes = await fileBytes(file, matlabBytes);
  let data: Map<string, MatlabValue>;
  try {
    data = readMatlab(bytes, names);
  } catch (error) {
    throw new DataError(`data: ${file} is no MATLAB file of version 5 to 7: ${(error as Error).message}`);
  }
  const gone = names.filter((name) => !data.has(name));
  if (gone.length > 0) throw new DataError(`data: ${file} lacks the variable ${gone.join(", ")}`);
  return names.map((name) => data.get(name)!);
}

/** The numbers of a vector. */
export function numbersOf(value: MatlabValue, from: string): number[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "number")) return value;
  throw new DataError(`data: ${from}: these are no numbers`);
}

/** The texts of cells. */
export function textsOf(value: MatlabValue, from: string): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw new DataError(`data: ${from}: these are no cells of text`);
}

/** The records of a structure, each with a number and a text of the given names. */
export function recordsOf(
  value: MatlabValue,
  { number, text, from }: { number: string; text: string; from: string },
): { number: number; text: string }[] {
  const wrong = new DataError(`data: ${from}: this is no structure of ${number} and ${text}`);
  if (!Array.isArray(value)) throw wrong;
  return value.map((one: MatlabRecord | MatlabValue | number) => {
    if (typeof one !== "object" || Array.isArray(one)) throw wrong;
    const { [number]: numbers, [text]: name } = one as MatlabRecord;
    if (typeof name !== "string" || numbers === undefined) throw wrong;
    return { number: numbersOf(numbers, from)[0] ?? Number.NaN, text: name };
  });
}
