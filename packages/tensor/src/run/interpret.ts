/** The reference device's way to run a graph: node by node, each by its op's float64 reference. */
import type { NdArray } from "../op.js";
import type { Node, NodeOutput } from "../graph/node.js";

/** Computes the nodes in order; returns the arrays of every output. `leaf` gives the arrays of stored inputs. */
export function interpret(
  nodes: readonly Node[],
  leaf: (at: NodeOutput) => NdArray,
): Map<Node, readonly NdArray[]> {
  const results = new Map<Node, readonly NdArray[]>();
  for (const node of nodes) {
    const inputs = node.inputs.map((at) => results.get(at.node)?.[at.output] ?? leaf(at));
    results.set(node, node.op!.reference(inputs, node.params, node.outputs));
  }
  return results;
}
