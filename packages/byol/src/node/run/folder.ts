/** The folder of a run: config.json, metrics.jsonl, encoder.safetensors, embeddings.safetensors, summary.json. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { writeWhole } from "@dawnstrap/nn/node";
import { OutputError, UsageError } from "../../errors.js";
import type { StepMetrics } from "../../metrics.js";
import { rewind } from "./rewind.js";

/** As mkdir -p. Node's own `recursive` never returns where a parent cannot be made, below /proc for one. */
function makeFolder(path: string): void {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw Object.assign(new Error(path), { code: "ENOTDIR" });
    return;
  }
  makeFolder(dirname(path));
  mkdirSync(path);
}

export class RunFolder {
  readonly path: string;
  /** The lines of metrics.jsonl that a resumed run goes on from. */
  readonly past: readonly StepMetrics[];
  private readonly metrics: number;

  /**
   * Makes the folder. Throws UsageError at once when it cannot be written, before any work is done.
   *
   * @param from the step that a resumed run goes on with
   */
  constructor(path: string, from?: number) {
    this.path = resolve(path);
    try {
      makeFolder(this.path);
      accessSync(this.path, constants.W_OK | constants.X_OK);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const why =
        code === "ENOTDIR" || code === "EEXIST"
          ? "a file stands in its way"
          : code === "EACCES" || code === "EPERM"
            ? "permission denied"
            : code;
      throw new UsageError(`out: cannot write to ${path}: ${why} (choose another folder with --out)`);
    }
    const metrics = this.file("metrics.jsonl");
    this.past = from === undefined ? [] : rewind(metrics, from);
    this.metrics = this.writing("metrics.jsonl", () => openSync(metrics, from === undefined ? "w" : "a"));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Whole or not at all, as are all but the metrics. */
  async writeJson(name: "config.json" | "summary.json", value: unknown): Promise<void> {
    await this.replace(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  async writeBytes(name: "encoder.safetensors" | "embeddings.safetensors", bytes: Uint8Array): Promise<void> {
    await this.replace(name, [bytes]);
  }

  /** One line, written at once: it stays whatever happens to the run. */
  append(metrics: StepMetrics): void {
    this.writing("metrics.jsonl", () => writeSync(this.metrics, `${JSON.stringify(metrics)}\n`));
  }

  /** Waits until all lines are on the disk. */
  sync(): void {
    this.writing("metrics.jsonl", () => fsyncSync(this.metrics));
  }

  close(): void {
    closeSync(this.metrics);
  }

  private async replace(name: string, content: string | readonly Uint8Array[]): Promise<void> {
    await writeWhole(this.file(name), content).catch((error: Error) => {
      throw this.unwritable(name, error);
    });
  }

  private writing<T>(name: string, write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw this.unwritable(name, error as Error);
    }
  }

  /** A full disk and its like as an error that names the file. */
  private unwritable(name: string, { message }: Error): OutputError {
    return new OutputError(`out: cannot write ${this.file(name)}: ${message}`);
  }
}
