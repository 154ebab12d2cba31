/** What the backward pass needs of the forward pass, counted from the recorded graph. */
import type { Node, NodeOutput } from "@dawnstrap/tensor/extend";

/** Looks through ops that only rename indices: they keep no bytes of their own. */
function stored(at: NodeOutput): NodeOutput {
  const { op, inputs } = at.node;
  return op?.free && inputs.length === 1 ? stored(inputs[0]!) : at;
}

/**
 * Bytes of the float32 arrays behind `root` that ops say they keep for their derivatives (OpDef.keeps: those of
 * convolutions, linear layers, batch norms and ReLUs), each once. Weights and the function's arguments are not counted, nor what lies behind a stopped gradient.
 */
export function keptForBackward(root: Node): number {
  const kept = new Map<string, number>();
  const keep = (at: NodeOutput): void => {
    const { node, output } = stored(at);
    if (!node.op) return;
    const size = node.outputs[output]!.shape.reduce((n, d) => n * d, 1);
    kept.set(`${node.id}.${output}`, 4 * size);
  };
  const seen = new Set<Node>();
  const stack = [root];
  while (stack.length) {
    const node = stack.pop()!;
    if (seen.has(node) || !node.op || node.op.name === "stopGradient") continue;
    seen.add(node);
    if (node.op.keeps === "input") keep(node.inputs[0]!);
    if (node.op.keeps === "output") keep({ node, output: 0 });
    for (const input of node.inputs) stack.push(input.node);
  }
  return [...kept.values()].reduce((a, b) => a + b, 0);
}
