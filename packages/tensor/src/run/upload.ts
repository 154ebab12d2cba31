/** Host data on its way to a device. */
import { pendingNodes } from "../graph/build.js";
import type { NodeOutput } from "../graph/node.js";
import { numel } from "../shape.js";
import type { Session } from "./executor.js";

/**
 * Gives the host leaves that the outputs depend on their storage, and enqueues the writes. They are done whether or
 * not the rest of the program succeeds: from here on, a leaf is what its storage holds.
 */
export function upload({ executor, queue, results }: Session, outputs: readonly NodeOutput[]): Promise<void> {
  const writes: (() => void)[] = [];
  const written = (): Promise<void> => {
    const done = queue.enqueue(() => writes.forEach((write) => write()));
    // Whoever awaits it sees the error; nobody may, when the program is refused.
    done.catch(() => {});
    return done;
  };
  try {
    for (const node of pendingNodes(outputs)) {
      if (node.host === undefined) continue;
      const { dtype, shape } = node.outputs[0]!;
      const storage = executor.newStorage(dtype, numel(shape));
      const write = executor.store(storage, node.host, shape);
      if (write) writes.push(write);
      node.settle(0, storage);
      node.host = undefined;
      results.track(storage, node);
    }
  } catch (error) {
    void written();
    throw error;
  }
  return written();
}
