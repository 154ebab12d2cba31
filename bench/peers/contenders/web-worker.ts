/**
 * Web Workers in Node, so that peers use the threads they would use in a browser: jax-js asks for the global `Worker`,
 * the threaded build of tfjs-backend-wasm for `worker_threads`; both start workers from blob URLs, which Node refuses.
 */
import { resolveObjectURL } from "node:buffer";
import { createRequire } from "node:module";
import type { Worker as NodeWorker } from "node:worker_threads";

const require = createRequire(import.meta.url);
// The CommonJS object of the module can be patched, the ES namespace cannot.
const threads = require("node:worker_threads") as { Worker: typeof NodeWorker };
const Base = threads.Worker;

/** What a dedicated worker's global scope offers, as far as jax-js needs it. */
const dedicatedScope = `
const { parentPort, workerData } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
workerData.text().then((source) => {
  (0, eval)(source);
  parentPort.on("message", (data) => globalThis.onmessage({ data }));
});`;

/** The `Worker` of the Web over Node's, for sources in blob URLs. */
export class WebWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  private readonly worker: NodeWorker;

  constructor(url: string | URL) {
    this.worker = new Base(dedicatedScope, { eval: true, workerData: blobOf(String(url)) });
    this.worker.on("message", (data) => this.onmessage?.({ data }));
    this.worker.on("error", (error) => this.onerror?.({ message: error.message }));
  }

  postMessage(message: unknown): void {
    this.worker.postMessage(message);
  }

  terminate(): void {
    void this.worker.terminate();
  }
}

/**
 * Runs Emscripten's worker script, which the bundler left with references to its module's scope: Node's modules as
 * `require$$0` and so on, and TypeScript's helpers for ES5.
 */
const emscriptenScope = `
const { parentPort, workerData } = require("node:worker_threads");
Object.assign(globalThis, {
  commonjsGlobal: globalThis,
  "require$$0": require("node:fs"),
  "require$$1": require("node:path"),
  "require$$3": require("node:perf_hooks"),
  "require$$4": require("node:os"),
  __read: (from, n) => (n === undefined ? [...from] : [...from].slice(0, n)),
  __values: (from) => from[Symbol.iterator](),
  __spreadArray: (to, from) => [...to, ...from],
});
const scripts = new Map();
const on = parentPort.on.bind(parentPort);
parentPort.on = (kind, listener) =>
  on(kind, kind !== "message" ? listener : async (data) => {
    if (data?.urlOrBlob instanceof Blob) {
      const name = "script" + scripts.size;
      scripts.set(name, await data.urlOrBlob.text());
      data.urlOrBlob = name;
    }
    listener(data);
  });
workerData.text().then((source) => {
  new Function("require", "__filename", source)(require, __filename);
  globalThis.importScripts = (name) => (0, eval)(scripts.get(name));
});`;

/** Lets `new (require("worker_threads").Worker)(blobUrl)` start Emscripten's threads. */
export function acceptBlobWorkers(): void {
  threads.Worker = class extends Base {
    constructor(source: string | URL, options?: ConstructorParameters<typeof Base>[1]) {
      if (typeof source === "string" && source.startsWith("blob:"))
        super(emscriptenScope, { eval: true, workerData: blobOf(source) });
      else super(source, options);
    }
  };
}

function blobOf(url: string): unknown {
  const blob = resolveObjectURL(url);
  if (!blob) throw new Error(`worker: ${url} names no blob`);
  return blob;
}
