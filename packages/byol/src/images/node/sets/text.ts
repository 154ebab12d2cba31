/** The small text files that name classes and splits. */
import { readFile } from "node:fs/promises";
import { DataError } from "../../../errors.js";

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new DataError(`data: ${file} ${code === "ENOENT" ? "does not exist" : `cannot be read (${code})`}`);
  }
}

/** Lines that are not blank, without the blanks at their ends. */
export async function linesOf(file: string): Promise<string[]> {
  return (await text(file))
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Lines as fields between tabs or blanks. Throws DataError for a line of fewer than `least` fields. */
export async function fieldsOf(
  file: string,
  least: number,
  separator: string | RegExp = /\s+/,
): Promise<string[][]> {
  const rows = (await linesOf(file)).map((line) => line.split(separator));
  const short = rows.findIndex((row) => row.length < least);
  if (short >= 0)
    throw new DataError(
      `data: ${file}, line ${short + 1}: ${least} fields expected, not "${rows[short]!.join(" ")}"`,
    );
  return rows;
}
