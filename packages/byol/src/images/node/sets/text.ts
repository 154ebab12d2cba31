/** The small text files that name classes and splits. */
import { DataError } from "../../../errors.js";
import { listBytes } from "../limits.js";
import { fileBytes } from "../regular-file.js";

const text = async (file: string): Promise<string> =>
  Buffer.from(await fileBytes(file, listBytes)).toString("utf8");

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
