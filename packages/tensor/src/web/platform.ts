/** A page or a web worker: workers made from text, `navigator.gpu`, tuning results in IndexedDB. */
import type { Platform, WorkerHandle } from "../platform.js";
import { databaseStore } from "./database-store.js";

function startWorker(program: string): WorkerHandle {
  const source = `(${program})({ onMessage: (f) => { onmessage = (e) => f(e.data); }, post: (m) => postMessage(m) });`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "dawnstrap-cpu" });
  URL.revokeObjectURL(url);
  return {
    post: (m) => worker.postMessage(m),
    onMessage: (f) => {
      worker.onmessage = (e) => f(e.data);
    },
    onEnd: (f) => {
      worker.onerror = (e) => f(new Error(e.message));
    },
    hold: () => undefined,
    terminate: async () => worker.terminate(),
  };
}

export const platform: Platform = {
  get cores() {
    return navigator.hardwareConcurrency ?? 1;
  },
  get sharesMemory() {
    return globalThis.crossOriginIsolated === true;
  },
  /** The main thread of a page may not. */
  get mayBlock() {
    return typeof document === "undefined";
  },
  startWorker,
  async openGpu() {
    if (navigator.gpu) return navigator.gpu;
    throw new Error("this browser has no navigator.gpu");
  },
  gpuRemedy: "use a newer browser, or the device cpu",
  tuneStore: () => (typeof indexedDB === "undefined" ? undefined : databaseStore("dawnstrap")),
};
