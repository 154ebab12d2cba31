/** What recorded values cost, read off the graph. */
import { pendingNodes } from "./build.js";
import type { NodeOutput } from "./node.js";

/**
 * Multiply–adds of convolutions and matrix products that computing the tensors takes, each shared value counted once.
 * Values that were computed already are free. Products with padding's zeros count, as papers count.
 */
export function multiplyAdds(tensors: readonly NodeOutput[]): number {
  const nodes = pendingNodes(tensors);
  let total = 0;
  for (const { op, inputs, params } of nodes) {
    const count = op?.multiplyAdds;
    if (count)
      total += count(
        inputs.map(({ node, output }) => node.outputs[output]!),
        params,
      );
  }
  return total;
}
