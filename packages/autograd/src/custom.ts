import { DawnstrapError, type Tensor } from "@dawnstrap/tensor";
import { rules } from "./backward.js";
import { boundary } from "./identity.js";

/**
 * A function with a derivative of your own.
 *
 * `pull({ inputs, output, grad })` returns the cotangent of each input (undefined for none), written with ops. The
 * ops inside `f` are not differentiated.
 */
export function custom<A extends readonly Tensor[]>(
  f: (...xs: A) => Tensor,
  pull: (args: {
    readonly inputs: A;
    readonly output: Tensor;
    readonly grad: Tensor;
  }) => readonly (Tensor | undefined)[],
): (...xs: A) => Tensor {
  return (...inputs) => {
    const output = boundary(f(...inputs));
    rules.set(output.node, {
      inputs,
      pull: ([grad]) => {
        const grads = pull({ inputs, output, grad: grad! });
        if (grads.length !== inputs.length)
          throw new DawnstrapError(
            `custom: the derivative returned ${grads.length} cotangents for ${inputs.length} inputs`,
          );
        return grads;
      },
    });
    return output;
  };
}
