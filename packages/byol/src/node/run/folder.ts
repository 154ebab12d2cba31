/** The folder of a run: makes it, keeps it from others, writes its files. */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { finalNameOf, writeAllSync, writeWhole } from "@dawnstrap/tensor/node";
import { OutputError, UsageError } from "../../errors.js";
import type { StepMetrics } from "../../metrics.js";
import {
  CHECKPOINTS,
  checkReplaced,
  type EMBEDDINGS,
  type ENCODER,
  type Held,
  isRunFile,
  type JsonFile,
  METRICS,
} from "./files.js";
import { lock } from "./lock.js";
import { type Reached, readPast } from "./rewind.js";

/** As mkdir -p. Node's own `recursive` never returns where a parent cannot be made, below /proc for one. */
function makeFolder(path: string): string[] {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw Object.assign(new Error(path), { code: "ENOTDIR" });
    return [];
  }
  const made = makeFolder(dirname(path));
  mkdirSync(path);
  return [...made, path];
}

/**
 * Held by one process at a time. Nothing in it is opened for writing before `begin`, and a start that comes to nothing
 * leaves nothing, not even the folder.
 */
export class RunFolder {
  readonly path: string;
  private readonly made: readonly string[];
  private readonly unlock: () => void;
  private metrics: number | undefined;

  /**
   * Makes the folder and takes its lock.
   *
   * @param resumed whether the run in it is gone on with; else it may hold no file of a run
   * @throws UsageError at once when it cannot be written, holds a run, or is another process's
   */
  constructor(
    path: string,
    private readonly resumed = false,
  ) {
    this.path = resolve(path);
    this.made = claimed(path, () => makeFolder(this.path));
    let unlock: (() => void) | undefined;
    try {
      unlock = claimed(path, () => lock(this.path));
      if (!resumed) refuseRun(path);
    } catch (error) {
      unlock?.();
      removeEmpty(this.made);
      throw error;
    }
    this.unlock = unlock;
  }

  /**
   * The lines of metrics.jsonl that a run goes on from.
   *
   * @param from the checkpoint that it goes on from; undefined for a new run
   * @throws UsageError when they do not lead up to it
   */
  past(from: Reached | undefined): readonly StepMetrics[] {
    return from ? readPast(this.file(METRICS), from).kept : [];
  }

  /**
   * Opens metrics.jsonl; `from` as in `past`.
   *
   * @throws DataError where something else than a file stands in the place of one that will be written
   */
  begin(from: Reached | undefined): void {
    checkReplaced(this.path);
    const path = this.file(METRICS);
    const past = from && readPast(path, from);
    this.writing(METRICS, () => {
      this.metrics = openSync(path, past ? "a" : "wx");
      if (!past) return;
      ftruncateSync(this.metrics, past.end);
      writeAllSync(this.metrics, Buffer.from(past.tail));
    });
    // What a kill left of files that were being written.
    for (const name of readdirSync(this.path))
      if (isRunFile(finalNameOf(name) ?? "")) rmSync(this.file(name), { force: true });
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Whole or not at all, as are all but the metrics. */
  async writeJson<N extends JsonFile>(name: N, value: Held<N>): Promise<void> {
    await this.replace(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  async writeBytes(name: typeof ENCODER | typeof EMBEDDINGS, bytes: Uint8Array): Promise<void> {
    await this.replace(name, [bytes]);
  }

  /** One line, written at once: it stays whatever happens to the run. */
  append(metrics: StepMetrics): void {
    this.writing(METRICS, () => writeAllSync(this.metrics!, Buffer.from(`${JSON.stringify(metrics)}\n`)));
  }

  /** Waits until all lines are on the disk. */
  sync(): void {
    this.writing(METRICS, () => fsyncSync(this.metrics!));
  }

  /** Gives the folder back. What a new run wrote that has not got as far as one step goes. */
  close(): void {
    const steps = this.metrics === undefined ? 0 : fstatSync(this.metrics).size;
    if (this.metrics !== undefined) closeSync(this.metrics);
    if (!this.resumed && steps === 0 && !existsSync(this.file(CHECKPOINTS)))
      for (const name of readdirSync(this.path).filter(isRunFile)) rmSync(this.file(name), { force: true });
    this.unlock();
    removeEmpty(this.made);
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

function claimed<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOTDIR" || code === "EEXIST"
        ? "a file stands in its way"
        : code === "EACCES" || code === "EPERM"
          ? "permission denied"
          : code;
    throw new UsageError(`out: cannot write to ${path}: ${why} (choose another folder with --out)`);
  }
}

/** @throws UsageError where a folder holds anything of a run */
function refuseRun(path: string): void {
  const name = readdirSync(path).find(isRunFile);
  if (name === undefined) return;
  const below = statSync(join(path, CHECKPOINTS), { throwIfNoEntry: false });
  const whole =
    below?.isDirectory() &&
    readdirSync(join(path, CHECKPOINTS)).some((file) => file.endsWith(".safetensors"));
  throw new UsageError(
    whole
      ? `out: ${path} holds checkpoints of an earlier run (go on with it by byol resume ${path}, or choose another folder with --out)`
      : `out: ${path} holds ${name} of an earlier run and no checkpoint to go on from (choose another folder with --out, or remove this one)`,
  );
}

/** The deepest first; those that hold something stay. */
function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}
