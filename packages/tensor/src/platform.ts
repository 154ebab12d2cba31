/**
 * What the engine asks of the program that it runs in. Node's answers are `node/platform.ts`, a page's `web/platform.ts`;
 * `#platform` in package.json names the one that fits, so that a bundler for pages never meets Node's modules.
 */

/** A thread of its own, with messages in both directions. */
export interface WorkerHandle {
  post(message: unknown): void;
  onMessage(handle: (message: unknown) => void): void;
  /** Called when the worker fails, and when it ends without an error; also when it was told to end. */
  onEnd(handle: (error: Error) => void): void;
  /** Whether the worker keeps the process alive. */
  hold(on: boolean): void;
  terminate(): Promise<unknown>;
}

/** Where tuning results are kept. */
export interface TuneStore {
  /** For messages: the file's path, or the database's name. */
  readonly place: string;
  /** Undefined where nothing was kept yet. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

export interface Platform {
  /** Threads that run side by side. */
  readonly cores: number;
  /** Whether threads may share memory. */
  readonly sharesMemory: boolean;
  /** Whether the calling thread may wait for others without returning to its event loop. */
  readonly mayBlock: boolean;
  /**
   * @param program text of a module-free script: an expression that is a function of
   *   `{ onMessage(handle), post(message) }`, the worker's side of the messages
   */
  startWorker(program: string): WorkerHandle;
  /**
   * The implementation of WebGPU.
   *
   * @param flags Dawn's own, such as `enable-dawn-features=…`; without meaning in a page
   * @throws Error saying why there is none
   */
  openGpu(flags: readonly string[]): Promise<GPU>;
  /** What to do where there is no implementation or no adapter, for the end of a message. */
  readonly gpuRemedy: string;
  /** Where tuning results are kept by default; undefined where there is no place for them. */
  tuneStore(): TuneStore | undefined;
}
