/** A contender's process: `child.ts NAME` opens the library and answers requests until its stdin ends. */
import { Console } from "node:console";
import { createInterface } from "node:readline";
import { digestOf } from "./agree.js";
import type { Contender, OpenRequest, Prepared } from "./contenders/contender.js";
import { MARK, type Reply, type Request } from "./protocol.js";

// Standard output belongs to the protocol.
globalThis.console = new Console(process.stderr, process.stderr);

const openers: Record<string, () => Promise<{ open(request: OpenRequest): Promise<Contender> }>> = {
  dawnstrap: () => import("./contenders/dawnstrap.js"),
  jax: () => import("./contenders/jax.js"),
  tfjs: () => import("./contenders/tfjs.js"),
};

const load = openers[process.argv[2] ?? ""];
if (!load) throw new Error(`child: no contender ${process.argv[2]}`);

let contender: Contender | undefined;
let prepared: Prepared | undefined;

async function answer(request: Request): Promise<unknown> {
  if (request.do === "open") {
    contender = await (await load!()).open(request);
    const { versions, description, threads } = contender;
    return { versions, description, threads };
  }
  if (request.do === "prepare") {
    prepared = await contender!.prepare(request.case);
    const start = performance.now();
    await prepared.run(1);
    const firstMs = performance.now() - start;
    const outputs = await prepared.outputs();
    return { firstMs, digests: Object.fromEntries(outputs.map((o) => [o.name, digestOf(o)])) };
  }
  if (!prepared) throw new Error(`child: ${request.do} without a prepared case`);
  if (request.do === "run") {
    const start = performance.now();
    await prepared.run(request.iterations);
    return { ms: performance.now() - start };
  }
  if (request.do === "counts") return (await prepared.counts?.()) ?? null;
  prepared.release();
  prepared = undefined;
  return null;
}

// Libraries reject promises that nobody awaits; the request in progress fails by its own error or by its timeout.
process.on("unhandledRejection", (reason) => console.error(reason));

for await (const line of createInterface({ input: process.stdin })) {
  let reply: Reply;
  try {
    reply = { ok: true, value: await answer(JSON.parse(line) as Request) };
  } catch (error) {
    reply = { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${MARK}${JSON.stringify(reply)}\n`);
}
process.exit(0);
