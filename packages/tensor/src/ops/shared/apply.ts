/** Recording: how op functions turn their arguments into a node. */
import { DawnstrapError, StateError } from "../../errors.js";
import { Node, type Recorder } from "../../graph/node.js";
import type { GraphOp } from "../../graph-op.js";
import { Tensor } from "../../tensor.js";

/** Records `op` on `inputs` and returns a handle on each output. `device` is needed by ops without tensor inputs only. */
export function apply<P>(op: GraphOp<P>, inputs: readonly Tensor[], params: P, device?: Recorder): Tensor[] {
  const on = device ?? inputs[0]?.device;
  if (!on) throw new DawnstrapError(`${op.name}: needs a tensor or a device to run on`);
  for (const t of inputs) {
    if (t.device !== on)
      throw new StateError(
        `${op.name}: one operand lives on ${on.kind}, another on ${t.device.kind} (move one: device.tensor(await x.data(), x.shape))`,
      );
  }
  const outputs = op.infer(
    inputs.map((t) => ({ shape: t.shape, dtype: t.dtype })),
    params,
  );
  const node = new Node(
    on,
    op,
    inputs.map((t) => ({ node: t.node, output: t.output })),
    params,
    outputs,
  );
  on.recorded(node);
  return outputs.map((_, k) => new Tensor(node, k));
}

/** As `apply`, for ops with one output. */
export function apply1<P>(op: GraphOp<P>, inputs: readonly Tensor[], params: P, device?: Recorder): Tensor {
  return apply(op, inputs, params, device)[0]!;
}
