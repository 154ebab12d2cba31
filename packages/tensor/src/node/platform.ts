/** Node: worker threads, Dawn through the npm package `webgpu`, tuning results in a file. */
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Platform, WorkerHandle } from "../platform.js";
import { fileStore } from "./file-store.js";

function startWorker(program: string): WorkerHandle {
  const source = `
    const { parentPort } = require("node:worker_threads");
    (${program})({ onMessage: (f) => parentPort.on("message", f), post: (m) => parentPort.postMessage(m) });`;
  const worker = new Worker(source, { eval: true, name: "dawnstrap-cpu", execArgv: [], stdout: false });
  return {
    post: (m) => worker.postMessage(m),
    onMessage: (f) => void worker.on("message", f),
    onEnd: (f) => {
      worker.on("error", f);
      worker.on("exit", (code) => f(new Error(`it ended with code ${code}`)));
    },
    hold: (on) => (on ? worker.ref() : worker.unref()),
    // An idle worker does not hold the process; waiting for its end must, or the process would leave in between.
    terminate: () => {
      worker.ref();
      return worker.terminate();
    },
  };
}

export const platform: Platform = {
  cores: availableParallelism(),
  sharesMemory: true,
  mayBlock: true,
  startWorker,
  async openGpu(flags) {
    // Electron and newer runtimes have one of their own.
    if (typeof navigator !== "undefined" && navigator.gpu) return navigator.gpu;
    // Typed here, so that the types of this package do not need those of that one.
    type Dawn = { create(flags: readonly string[]): GPU };
    const { create } = await import("webgpu").then(
      (dawn: unknown) => dawn as Dawn,
      (cause: unknown) => {
        throw new Error(`the npm package "webgpu" does not load: ${String(cause)}`, { cause });
      },
    );
    return create(flags);
  },
  gpuRemedy:
    "install a Vulkan driver (on Debian 12: mesa-vulkan-drivers 24 or newer from bookworm-backports), or use --device cpu",
  /** $DAWNSTRAP_TUNE_CACHE, else dawnstrap/tune.json in the user's cache folder. */
  tuneStore() {
    const { DAWNSTRAP_TUNE_CACHE: own, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = process.env;
    return fileStore(own || join(caches || local || join(homedir(), ".cache"), "dawnstrap", "tune.json"));
  },
};
