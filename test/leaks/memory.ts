/** Resident memory, after a collection: what garbage the engine happens to hold is no leak. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** A full collection. Finalisers run in a later turn of the event loop. */
export const collect = runInNewContext("gc") as () => void;

/** Collects twice, with turns of the event loop between, so that finalisers have run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    collect();
    await new Promise(setImmediate);
  }
}

/** Bytes, after `settle`. */
export async function resident(): Promise<number> {
  await settle();
  return process.memoryUsage().rss;
}
