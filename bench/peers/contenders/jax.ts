/** jax-js, backends wasm and webgpu: every case is one jitted function, as its documentation advises. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type * as Jax from "@jax-js/jax";
import type { Case } from "../cases.js";
import type { Contender, OpenRequest, Prepared } from "./contender.js";
import { stepperOf } from "./jax-cases.js";
import { adapterName, provideNavigator } from "./navigator.js";
import { WebWorker } from "./web-worker.js";

type JaxArray = Jax.Array;

/** Environment: DAWNSTRAP_PEER_THREADS=1 offers it the Web Workers on which it runs its threads; Node has none. */
export async function open({ device, threads }: OpenRequest): Promise<Contender> {
  const gpu = device === "webgpu";
  const many = !gpu && Boolean(process.env["DAWNSTRAP_PEER_THREADS"]);
  await provideNavigator({ gpu, threads });
  if (many) Object.assign(globalThis, { Worker: WebWorker });
  const jax = await import("@jax-js/jax");
  const backend = gpu ? "webgpu" : "wasm";
  if (!(await jax.init(backend)).includes(backend))
    throw new Error(`jax-js: its ${backend} backend does not start`);
  jax.defaultDevice(backend);
  const used = many || gpu ? threads : 1;
  return {
    versions: { "jax-js": version() },
    description: gpu
      ? `jax-js webgpu on ${await adapterName()}`
      : `jax-js wasm, ${used} thread${used > 1 ? "s" : ""}`,
    threads: used,
    prepare: async (c) => prepare(jax, c),
  };
}

function version(): string {
  const main = createRequire(import.meta.url).resolve("@jax-js/jax");
  return (
    JSON.parse(readFileSync(new URL("../package.json", `file://${main}`), "utf8")) as { version: string }
  ).version;
}

function prepare(jax: typeof Jax, c: Case): Prepared {
  const stepper = stepperOf(jax, c.work);
  let results: JaxArray[] = [];
  return {
    async run(iterations) {
      for (let i = 0; i < iterations; i++) {
        for (const t of results) t.dispose();
        results = stepper.step();
        // Its documentation recommends waiting in loops, and its pool of buffers is fastest that way.
        await jax.blockUntilReady(results);
      }
    },
    outputs: () => stepper.outputs(results),
    release() {
      for (const t of results) t.dispose();
      stepper.release();
    },
  };
}
