/** What scripts that run for hours share: a line of JSON for each finished part, and a Markdown section at the end. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UsageError } from "@dawnstrap/byol";
import { InvalidArgumentError } from "commander";

/** The file that gets the sections. */
export const resultsFile = fileURLToPath(new URL("RESULTS.md", import.meta.url));

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

const preamble = `# Measured

Made by the scripts \`npm run bench:…\` and \`npm run soak\`; nothing here is written by hand. Each section is one run on one
machine. Those against peers: every contender in a process of its own, in turns (A B C A B C …), the median of the rounds, after
their results were found to agree. Speeds count the operations of the textbook (a convolution's padding included) or the
least bytes that have to move; more is better.

- \`tfjs-wasm\` and \`jax-wasm\` are the libraries as they run in Node, on one thread. The \`-mt\` ones run their threads, as in a
  browser that lets them, by a stand-in for Web Workers (bench/peers/contenders/webWorker.ts). The WebGPU contenders, ours too, run
  on the npm package \`webgpu\` (Dawn) with validation on.
- "ours ÷ best JS peer" compares with the fastest JavaScript contender of the row.
- "Host µs a dispatch" is what encoding and submitting take; with few dispatches it is mostly the submit. "MB bound" adds up
  all bindings of all dispatches. "Cold" is a first call whose kernels are not compiled yet, "warm" a
  function recorded anew when they are.
`;

/** Adds a section, which starts with its heading and ends with a newline, to a results file, or begins one. */
export function appendSection(file: string, section: string): void {
  if (!existsSync(file)) writeFileSync(file, preamble);
  appendFileSync(file, `\n${section}`);
}

/** Option values: whole numbers with commas between. */
export function seedList(text: string): number[] {
  const seeds = text.split(",").map(Number);
  if (text.trim() === "" || !seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
    throw new InvalidArgumentError("It has to be whole numbers with commas between, such as 0,1,2.");
  return seeds;
}

const percent = (share: number): string => (100 * share).toFixed(1);

/** "91.2 (90.8, 91.0, 91.9)": the mean of shares in percent, and each in order. */
export function cell(values: readonly (number | null | undefined)[]): string {
  const known = values.filter((v): v is number => typeof v === "number");
  if (known.length === 0) return "–";
  const mean = percent(known.reduce((sum, v) => sum + v, 0) / known.length);
  return known.length === 1 ? mean : `${mean} (${known.map(percent).join(", ")})`;
}

/** Markdown: the first column to the left, numbers to the right. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...body.map(line)].join("\n");
}
