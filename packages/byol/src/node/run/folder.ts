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
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../../errors.js";
import { rewind } from "./rewind.js";

/** What is looked at now and then, on the lines of those steps. */
export interface WatchMetrics {
  /** Of the covariance of the ℓ2-normalised projections of a fixed set of images: 1 means all on one line. */
  readonly effective_rank?: number;
  /** ‖θ − ξ‖ / ‖θ‖. */
  readonly target_distance?: number;
  /** Weighted kNN on a subset of the held-out images. */
  readonly knn_accuracy?: number;
}

/** What is known of one step. */
export interface StepMetrics extends WatchMetrics {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** Of methods with a target network. */
  readonly tau?: number;
  /** Mean standard deviation of the ℓ2-normalised online projections over the batch: near 0 means collapse. */
  readonly std: number;
  readonly images_per_second: number;
  /** ‖g‖ of the step's gradient over all parameters, before the guard. */
  readonly grad_norm?: number;
  /** Cross-entropy and accuracy of the online probe; absent without labels. */
  readonly probe_loss?: number;
  readonly probe_accuracy?: number;
  /** A warning, on the line of the step that gave rise to it. */
  readonly alarm?: string;
}

/** Shares of held-out images classified right; null where there are no labels. */
export interface Accuracies {
  readonly knn: number | null;
  readonly linear: number | null;
  readonly few_shot: number | null;
}

export interface Summary {
  readonly device: string;
  readonly data: string;
  readonly preset: string;
  readonly seed: number;
  readonly epochs: number;
  readonly steps: number;
  /** From the start of the command to the end of the evaluation. */
  readonly seconds: number;
  /** Of the training steps alone. */
  readonly images_per_second: number;
  readonly loss_first: number;
  readonly loss_last: number;
  readonly random_init: Accuracies;
  readonly pretrained: Accuracies;
}

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

  writeJson(name: "config.json" | "summary.json", value: unknown): void {
    this.writing(name, () =>
      writeFileSync(
        this.file(name),
        `${JSON.stringify(value, null, 2)}
`,
      ),
    );
  }

  writeBytes(name: "encoder.safetensors" | "embeddings.safetensors", bytes: Uint8Array): void {
    this.writing(name, () => writeFileSync(this.file(name), bytes));
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

  /** Turns a full disk and its like into an error that names the file. */
  private writing<T>(name: string, write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw new UsageError(`out: cannot write ${this.file(name)}: ${(error as Error).message}`);
    }
  }
}
