/** `grad` and `valueAndGrad`: derivatives of functions of tensors. */
import { DawnstrapError, full, ShapeError, Tensor, zerosLike } from "@dawnstrap/tensor";
import { escaped, nodeClock, withHistory } from "@dawnstrap/tensor/extend";
import { backward } from "./backward.js";

/** What a differentiated function may return: a scalar, or a scalar with further results that are passed through. */
export type WithAux<Aux> = Tensor | { readonly loss: Tensor; readonly aux: Aux };

export interface ValueAndGrad<Aux> {
  /** The scalar. */
  readonly value: Tensor;
  /** ∂value/∂xᵢ, shaped like xᵢ; zeros where the value does not depend on it. */
  readonly grads: Tensor[];
  readonly aux: Aux;
}

/**
 * The value of a scalar function and its gradient with respect to every argument.
 *
 * `f` is synchronous and is called with the very tensors given, so a closure over them (such as a module's
 * parameters) works as well as the arguments. Only what is recorded during the call is differentiated: anything
 * computed before is a constant. Nests: gradients of gradients are gradients.
 *
 * @throws ShapeError when the value is not a float32 scalar.
 */
export function valueAndGrad<Aux = undefined>(
  f: (...xs: Tensor[]) => WithAux<Aux>,
): (...xs: Tensor[]) => ValueAndGrad<Aux> {
  return (...xs) => {
    const differentiated = withHistory(() => {
      for (const [i, x] of xs.entries())
        if (x.dtype !== "float32")
          throw new ShapeError("grad", `argument ${i} is ${x.dtype}`, "only float32 tensors have gradients");
      const since = nodeClock();
      const result = f(...xs);
      if (result instanceof Promise)
        throw new DawnstrapError(
          "grad: the function is asynchronous; record synchronously and read values afterwards",
        );
      const value = result instanceof Tensor ? result : result.loss;
      if (value.size !== 1 || value.dtype !== "float32")
        throw new ShapeError(
          "grad",
          `the function returned ${value.dtype} [${value.shape}]`,
          "it must return a float32 scalar; sum or mean it",
        );
      const seed = full(value.device, value.shape, 1);
      const grads = backward(value, seed, xs, since).map((g, i) => g ?? zerosLike(xs[i]!));
      return { value, grads, aux: (result instanceof Tensor ? undefined : result.aux) as Aux };
    });
    escaped(differentiated);
    return differentiated;
  };
}

/** The gradient of a scalar function with respect to its arguments (`argnums` selects; all by default). */
export function grad(
  f: (...xs: Tensor[]) => Tensor,
  argnums?: readonly number[],
): (...xs: Tensor[]) => Tensor[] {
  return (...xs) => {
    const chosen = argnums ?? xs.map((_, i) => i);
    for (const i of chosen)
      if (!xs[i])
        throw new DawnstrapError(`grad: argnums names argument ${i}, the function was given ${xs.length}`);
    const { grads } = valueAndGrad((...picked: Tensor[]) => {
      void picked;
      return f(...xs);
    })(...chosen.map((i) => xs[i]!));
    return grads;
  };
}

/**
 * Vector–Jacobian product: returns f(xs) and a function from a cotangent of the output to cotangents of the inputs.
 * The returned function must be called in the same synchronous stretch, before anything is computed.
 */
export function vjp(
  f: (...xs: Tensor[]) => Tensor,
  ...xs: Tensor[]
): { value: Tensor; pullback: (cotangent: Tensor) => Tensor[] } {
  const since = nodeClock();
  const value = withHistory(() => f(...xs));
  escaped(value);
  return {
    value,
    pullback: (cotangent) => {
      if (value.node.realized)
        throw new DawnstrapError(
          "vjp: the value was computed before its pullback was used; call the pullback first",
        );
      const grads = withHistory(() =>
        backward(value, cotangent, xs, since).map((g, i) => g ?? zerosLike(xs[i]!)),
      );
      escaped(grads);
      return grads;
    },
  };
}
