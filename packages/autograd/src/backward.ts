/**
 * The graph walk of reverse-mode differentiation. Each op knows its own vector–Jacobian product (in its file, in
 * `@dawnstrap/tensor`); this walks the recorded nodes from the output back to the inputs and adds cotangents up.
 */
import { add, DawnstrapError, Tensor } from "@dawnstrap/tensor";
import { definitionOf, type Node, type NodeOutput } from "@dawnstrap/tensor/extend";

/** A derivative that replaces the op's own: cotangents of `inputs`, from the cotangents of the node's outputs. */
export interface Rule {
  readonly inputs: readonly Tensor[];
  pull(grads: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[];
}

/** Rules of nodes whose derivative is not that of the ops behind them: `custom` and `checkpoint` put theirs here. */
export const rules = new WeakMap<Node, Rule>();

/** Identity of one output of a node. */
const keyOf = ({ node, output }: NodeOutput): string => `${node.id}.${output}`;
const outputOf = (t: Tensor): NodeOutput => ({ node: t.node, output: t.output });

/**
 * Cotangents of `inputs`, given the cotangent `seed` of `output`: ∂⟨seed, output⟩/∂inputs. Undefined where no path
 * of differentiable ops leads from the input to the output. Nodes older than `since` are constants.
 */
export function backward(
  output: Tensor,
  seed: Tensor,
  inputs: readonly Tensor[],
  since: number,
): (Tensor | undefined)[] {
  const targets = new Set(inputs.map((t) => keyOf(outputOf(t))));
  const order = reachable(output.node, targets, since);
  const needed = new Set<Node>();
  // Oldest first: a node is needed when one of its inputs is a target or needed.
  for (const node of [...order].reverse())
    if (sourcesOf(node).some((s) => targets.has(keyOf(s)) || needed.has(s.node))) needed.add(node);

  const cotangents = new Map<string, Tensor>([[keyOf(outputOf(output)), seed]]);
  const accumulate = (at: NodeOutput, grad: Tensor): void => {
    const key = keyOf(at);
    const sum = cotangents.get(key);
    cotangents.set(key, sum ? add(sum, grad) : grad);
  };
  for (const node of order) {
    if (!needed.has(node)) continue;
    const grads = node.outputs.map((_, output) => cotangents.get(keyOf({ node, output })));
    if (grads.every((g) => g === undefined)) continue;
    const custom = rules.get(node);
    if (custom) {
      const pulled = custom.pull(grads);
      custom.inputs.forEach((input, i) => pulled[i] && accumulate(outputOf(input), pulled[i]));
      continue;
    }
    const { vjp } = definitionOf(node.op!);
    if (typeof vjp !== "function") continue;
    const needs = node.inputs.map((s) => targets.has(keyOf(s)) || needed.has(s.node));
    const contributions = vjp({
      inputs: node.inputs.map((s) => new Tensor(s.node, s.output)),
      outputs: node.outputs.map((_, output) => new Tensor(node, output)),
      grads,
      params: node.params,
      needs,
    });
    node.inputs.forEach((s, i) => {
      const grad = contributions[i];
      if (!grad || !needs[i]) return;
      const want = s.node.outputs[s.output]!.shape;
      if (grad.shape.length !== want.length || grad.shape.some((d, k) => d !== want[k]))
        throw new DawnstrapError(
          `internal: ${node.op!.name} gave input ${i} of shape [${want}] a cotangent of shape [${grad.shape}]`,
        );
      accumulate(s, grad);
    });
  }
  return inputs.map((t) => cotangents.get(keyOf(outputOf(t))));
}

/** What a node's derivative flows to: the inputs of its rule, or of its op. */
export const sourcesOf = (node: Node): readonly NodeOutput[] =>
  rules.get(node)?.inputs.map(outputOf) ?? node.inputs;

/** Nodes from which the output was computed, newest first; does not go past targets or nodes older than `since`. */
function reachable(root: Node, targets: ReadonlySet<string>, since: number): Node[] {
  const found = new Set<Node>();
  const stack = [root];
  while (stack.length) {
    const node = stack.pop()!;
    if (found.has(node) || node.id < since) continue;
    // A target that is a whole node ends the walk: what lies behind it does not matter.
    if (node.outputs.every((_, output) => targets.has(keyOf({ node, output })))) continue;
    found.add(node);
    for (const { node: input } of sourcesOf(node)) stack.push(input);
  }
  return [...found].sort((a, b) => b.id - a.id);
}
