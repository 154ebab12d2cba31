/** What scripts that run for hours have finished: a line of JSON for each part, so that a run that was cut off goes on. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { UsageError } from "@dawnstrap/byol";

/** Finished parts, in a file where one is wanted. */
export class Journal<Row> {
  readonly rows: Row[];

  /** @param resume keep what the file holds already; a last line that was cut off is dropped */
  constructor(
    private readonly file: string | undefined,
    resume: boolean,
  ) {
    this.rows = resume && file !== undefined && existsSync(file) ? this.read(file) : [];
    if (file !== undefined) writeFileSync(file, this.rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }

  add(row: Row): void {
    this.rows.push(row);
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(row)}\n`);
  }

  private read(file: string): Row[] {
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return lines.map((line, i) => {
      try {
        return JSON.parse(line) as Row;
      } catch {
        throw new UsageError(`resume: line ${i + 1} of ${file} is not JSON (remove the line, or the file)`);
      }
    });
  }
}
