/** Sections of RESULTS.md, and what they are written with. */
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { About } from "./machine.js";

/** The file that gets the sections. */
export const resultsFile = fileURLToPath(new URL("../RESULTS.md", import.meta.url));

const preamble = `# Measured

Made by the scripts \`npm run bench:…\` and \`npm run soak\`; nothing here is written by hand. Each section is one run on one
machine. Those against peers: every contender in a process of its own, in turns (A B C A B C …), the median of the rounds, after
their results were found to agree. Speeds count the operations of the textbook (a convolution's padding included) or the
least bytes that have to move; more is better.

- \`tfjs-wasm\` and \`jax-wasm\` are the libraries as they run in Node, on one thread. The \`-mt\` ones run their threads, as in a
  browser that lets them, by a stand-in for Web Workers (bench/peers/contenders/web-worker.ts). The WebGPU contenders, ours too, run
  on the npm package \`webgpu\` (Dawn) with validation on.
- "ours ÷ best JS peer" compares with the fastest JavaScript contender of the row.
- "Host µs a dispatch" is what encoding and submitting take; with few dispatches it is mostly the submit. "MB bound" adds up
  all bindings of all dispatches. "Cold" is a first call whose kernels are not compiled yet, "warm" a
  function recorded anew when they are.
`;

/** Ten digits of a commit, and the "+" of one with changes. */
const short = (commit: string): string => commit.slice(0, 10) + (commit.endsWith("+") ? "+" : "");

/** A dated section of paragraphs and tables. `commits` are those of its rows, where a run has gone on at another one. */
export function sectionOf(
  title: string,
  { date, commit }: About,
  parts: readonly string[],
  commits: readonly string[] = [commit],
): string {
  const when = date.slice(0, 16).replace("T", " ");
  return `## ${title}, ${when}, commit ${[...new Set(commits.map(short))].join(", ")}\n\n${parts.join("\n\n")}\n`;
}

/** Adds a section, which starts with its heading and ends with a newline, to a results file, or begins one. */
export function appendSection(file: string, section: string): void {
  if (!existsSync(file)) writeFileSync(file, preamble);
  appendFileSync(file, `\n${section}`);
}

/** "91.2", of a share. */
export const percent = (share: number): string => (100 * share).toFixed(1);

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
