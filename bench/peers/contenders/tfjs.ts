/** TensorFlow.js, backends wasm and webgpu: eager, with tidy. */
import { createRequire } from "node:module";
import os from "node:os";
import type * as TF from "@tensorflow/tfjs";
import type * as Wasm from "@tensorflow/tfjs-backend-wasm";
import type { Case } from "../cases.js";
import type { Contender, OpenRequest, Output, Prepared } from "./contender.js";
import { adapterName, provideNavigator } from "./navigator.js";
import { stepperOf } from "./tfjs-cases.js";
import { acceptBlobWorkers } from "./web-worker.js";

const require = createRequire(import.meta.url);

/** Environment: DAWNSTRAP_PEER_THREADS=1 uses the build with threads, which the library by itself does not use in Node. */
export async function open({ device, threads }: OpenRequest): Promise<Contender> {
  const gpu = device === "webgpu";
  await provideNavigator({ gpu, threads });
  const tf = require("@tensorflow/tfjs") as typeof TF;
  const { version: versions } = tf;
  if (gpu) {
    require("@tensorflow/tfjs-backend-webgpu");
    if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs: its webgpu backend does not start");
    return {
      versions: { tfjs: versions["tfjs-core"] },
      description: `tfjs-backend-webgpu on ${await adapterName()}`,
      threads,
      prepare: async (c) => prepare(tf, c),
    };
  }
  const wanted = process.env["DAWNSTRAP_PEER_THREADS"] ? threads : 1;
  const used = await openWasm(tf, wanted);
  return {
    versions: { tfjs: versions["tfjs-core"] },
    description: `tfjs-backend-wasm, ${used} thread${used > 1 ? "s" : ""}`,
    threads: used,
    prepare: async (c) => prepare(tf, c),
  };
}

async function openWasm(tf: typeof TF, threads: number): Promise<number> {
  const wasm = require("@tensorflow/tfjs-backend-wasm") as typeof Wasm;
  if (threads > 1) {
    acceptBlobWorkers();
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", true);
    // The library takes half the cores that the system reports, whatever number of threads is asked for.
    const cpus = os.cpus();
    os.cpus = () => Array.from({ length: 2 * threads }, () => cpus[0]!);
    wasm.setThreadsCount(threads);
  }
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs: its wasm backend does not start");
  return threads > 1 ? wasm.getThreadsCount() : 1;
}

function prepare(tf: typeof TF, c: Case): Prepared {
  // Everything made until release belongs to this scope: inputs, results, variables.
  tf.engine().startScope();
  const stepper = stepperOf(tf, c.work);
  let results: TF.Tensor[] = [];
  return {
    async run(iterations) {
      for (let i = 0; i < iterations; i++) {
        tf.dispose(results);
        results = tf.tidy(() => stepper.step());
      }
      await finish(tf, results[0]!);
    },
    async outputs() {
      const outputs: Output[] = (await stepper.state?.()) ?? [];
      for (const [i, name] of stepper.names.entries())
        outputs.push({ name, shape: results[i]!.shape, data: await results[i]!.data() });
      return outputs;
    },
    release() {
      tf.disposeVariables();
      tf.engine().endScope();
    },
  };
}

/** Reads one element of a result: the backend has no other way to tell when its queue is empty. */
async function finish(tf: typeof TF, t: TF.Tensor): Promise<void> {
  const zeros = t.shape.map(() => 0);
  const one =
    t.rank === 0
      ? t.clone()
      : tf.slice(
          t,
          zeros,
          zeros.map(() => 1),
        );
  await one.data();
  one.dispose();
}
