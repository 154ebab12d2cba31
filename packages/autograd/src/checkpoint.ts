/**
 * Activation checkpointing: memory for time. The backward pass recomputes what a function computed inside instead of
 * keeping it since the forward pass (Chen et al. 2016, "Training deep nets with sublinear memory cost").
 *
 * The recorded nodes are recorded a second time when the gradient is asked for. The function itself is not called
 * again, so side effects such as batch norm's running statistics happen once.
 */
import { Tensor } from "@dawnstrap/tensor";
import { apply, nodeClock, type Node, type NodeOutput, withHistory } from "@dawnstrap/tensor/extend";
import { backward, rules, sourcesOf } from "./backward.js";
import { boundary } from "./identity.js";

/** `f`, whose intermediate values are recomputed for the backward pass. */
export function checkpoint<A extends readonly Tensor[]>(f: (...xs: A) => Tensor): (...xs: A) => Tensor {
  return (...xs) => {
    const since = nodeClock();
    const inner = withHistory(() => f(...xs));
    const { nodes, outside } = interior(inner.node, since);
    const output = boundary(inner);
    // Only float32 values can carry a gradient across.
    const inputs = outside.map((at) => new Tensor(at.node, at.output)).filter((t) => t.dtype === "float32");
    rules.set(output.node, {
      inputs,
      pull: ([grad]) => {
        const again = nodeClock();
        const copies = recordAgain(nodes);
        const value = copies.get(inner.node);
        return value
          ? backward(new Tensor(value, inner.output), grad!, inputs, again)
          : inputs.map((t) => (t.node === inner.node ? grad : undefined));
      },
    });
    return output;
  };
}

/** Nodes recorded since `since` that lead to `root`, oldest first, and the older values that they read. */
function interior(root: Node, since: number): { nodes: Node[]; outside: NodeOutput[] } {
  const nodes = new Set<Node>();
  const outside = new Map<string, NodeOutput>();
  const visit = (at: NodeOutput): void => {
    if (at.node.id < since || !at.node.op) outside.set(`${at.node.id}.${at.output}`, at);
    else if (!nodes.has(at.node)) {
      nodes.add(at.node);
      at.node.inputs.forEach(visit);
      sourcesOf(at.node).forEach(visit);
    }
  };
  visit({ node: root, output: 0 });
  return { nodes: [...nodes].sort((a, b) => a.id - b.id), outside: [...outside.values()] };
}

function recordAgain(nodes: readonly Node[]): Map<Node, Node> {
  const copies = new Map<Node, Node>();
  const moved = ({ node, output }: NodeOutput): Tensor => new Tensor(copies.get(node) ?? node, output);
  for (const node of nodes) {
    const [copy] = apply(node.op!, node.inputs.map(moved), node.params, node.device);
    copies.set(node, copy!.node);
    const rule = rules.get(node);
    if (rule)
      rules.set(copy!.node, {
        inputs: rule.inputs.map((t) => moved({ node: t.node, output: t.output })),
        pull: rule.pull,
      });
  }
  return copies;
}
