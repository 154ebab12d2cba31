/** A tile of an operand in workgroup memory: how threads load it, and how each reads its part. */
import { ceilDiv } from "../grid.js";

/** Steps that stand in the code together. */
export const four = [0, 1, 2, 3];

/** How a tile of `extent` lines × `depth` steps is loaded by the threads, held, and read by each. */
export class Held {
  readonly width: number;
  /** Units (values or vectors) of one line, or of one step. */
  private readonly run: number;
  readonly units: number;
  /** Units that a thread loads, and the different lines among them. */
  readonly each: number;
  readonly lines: number;
  /** From one line (along the sum) or one step to the next; odd where threads read along it, to spare the banks. */
  private readonly pitch: number;
  readonly length: number;

  constructor(
    private readonly name: string,
    extent: number,
    depth: number,
    readonly alongK: boolean,
    readonly vectors: boolean,
    private readonly threads: number,
  ) {
    this.width = vectors ? 4 : 1;
    this.run = (alongK ? depth : extent) / this.width;
    this.units = (extent * depth) / this.width;
    this.each = ceilDiv(this.units, threads);
    this.lines = alongK ? this.each : 1;
    if (vectors) this.pitch = alongK ? this.run + 1 - (this.run % 2) : this.run;
    else this.pitch = extent + 1;
    this.length = this.pitch * (vectors && alongK ? extent : depth);
  }

  /** Whether a thread owns groups of four neighbouring lines, or single ones. */
  get quads(): boolean {
    return this.vectors && !this.alongK;
  }
  get type(): string {
    return this.vectors ? "vec4<f32>" : "f32";
  }
  get declaration(): string {
    return `var<workgroup> tile${this.name}: array<${this.type}, ${this.length}>;`;
  }

  /** WGSL of the first step and line that a thread loads. */
  get firstStep(): string {
    return this.alongK ? `thread % ${this.run}u * ${this.width}u` : `thread / ${this.run}u`;
  }
  get firstLine(): string {
    return this.alongK ? `thread / ${this.run}u` : `thread % ${this.run}u * ${this.width}u`;
  }
  /** Further on by this many lines, steps. */
  lineOf(unit: number): number {
    return this.alongK ? (unit * this.threads) / this.run : 0;
  }
  private stepOf(unit: number): number {
    return this.alongK ? 0 : (unit * this.threads) / this.run;
  }

  /** Loads this thread's units; `at` is the position in memory, given `k`. */
  fill(at: (line: number) => string, conditions: (line: number) => readonly string[]): string[] {
    const { name, type } = this;
    const body = Array.from({ length: this.each }, (_, unit) => {
      const line = this.alongK ? unit : 0;
      const [step, place] = [this.stepOf(unit), this.lineOf(unit)];
      const checks = conditions(line).join(" && ");
      const from = `${name}[${this.vectors ? `(${at(line)}) / 4u` : at(line)}]`;
      const [s, l] = [`(step${name} + ${step}u)`, `(line${name} + ${place}u)`];
      const to = this.vectors
        ? this.alongK
          ? `${l} * ${this.pitch}u + ${s} / 4u`
          : `${s} * ${this.pitch}u + ${l} / 4u`
        : `${s} * ${this.pitch}u + ${l}`;
      return [
        `{ let k = k0 + step${name} + ${step}u;`,
        checks ? `var value = ${type}(); if (${checks}) { value = ${from}; }` : `let value = ${from};`,
        `tile${name}[${to}] = value; }`,
      ].join("\n");
    });
    return this.units < this.threads ? [`if (thread < ${this.units}u) {`, ...body, "}"] : body;
  }

  /** A thread's line number `i` in the tile, where the thread is `at` of `count` along this side. */
  line(i: number, at: string, count: number): string {
    return this.quads ? `(${at} + ${Math.floor(i / 4) * count}u) * 4u + ${i % 4}u` : `${at} + ${i * count}u`;
  }

  /** Reads the thread's `own` lines at the steps 4·quad … 4·quad + 3. */
  read(own: number, at: string, count: number): string[] {
    const { name, pitch } = this;
    const lines = Array.from({ length: this.quads ? own / 4 : own }, (_, i) => i);
    if (this.vectors && this.alongK)
      return lines.map((i) => `let ${name}${i} = tile${name}[(${at} + ${i * count}u) * ${pitch}u + quad];`);
    return four.flatMap((step) =>
      lines.map(
        (i) =>
          `let ${name}${i}_${step} = tile${name}[(quad * 4u + ${step}u) * ${pitch}u + ${at} + ${i * count}u];`,
      ),
    );
  }

  /** Line `i` (or, `whole`, the group of four lines `i`) at a step of the four. */
  value(i: number, step: number, whole = false): string {
    const { name } = this;
    if (whole) return `${name}${i}_${step}`;
    if (this.vectors && this.alongK) return `${name}${i}[${step}]`;
    return this.quads ? `${name}${Math.floor(i / 4)}_${step}[${i % 4}]` : `${name}${i}_${step}`;
  }
}
