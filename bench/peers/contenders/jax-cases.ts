/**
 * The cases in jax-js. Inputs are permuted to its layout before, outputs after what is timed. A value is consumed by its use: `.ref` keeps it for another one.
 */
import type { Work } from "../cases.js";
import { inputLabels, type Output } from "./contender.js";
import {
  batchNorm,
  type J,
  type JaxArray,
  type JaxStepper,
  type Leaf,
  leafOf,
  toHwio,
  toNchw,
  toNhwc,
  toOihw,
} from "./jax-layout.js";
import { byol, larsEma, supervised } from "./jax-nets.js";

interface Result {
  readonly name: string;
  /** Axes of the canonical layout, where the result's is another. */
  readonly order?: readonly number[];
}

/** A jitted function of fixed inputs. */
function jitted(
  jax: J,
  inputs: JaxArray[],
  outputs: readonly Result[],
  f: (...xs: JaxArray[]) => JaxArray[],
): JaxStepper {
  const compiled = jax.jit(f);
  return {
    step: () => compiled(...inputs.map((x) => x.ref)) as JaxArray[],
    async outputs(results) {
      const list: Output[] = [];
      for (const [i, { name, order }] of outputs.entries()) {
        const kept = results[i]!.ref;
        const of = order ? kept.transpose([...order]) : kept;
        const shape = [...of.shape];
        list.push({ name, shape, data: (await of.data()) as Float32Array });
      }
      return list;
    },
    release: () => {
      for (const x of inputs) x.dispose();
      compiled.dispose();
    },
  };
}

export function stepperOf(jax: J, work: Work): JaxStepper {
  const { numpy: np, nn } = jax;
  const leaf = leafOf(jax);
  switch (work.kind) {
    case "matmul": {
      const inputs = [leaf("a", [work.m, work.k]), leaf("b", [work.k, work.n])];
      return jitted(jax, inputs, [{ name: "c" }], (a, b) => [np.matmul(a!, b!)]);
    }
    case "conv":
      return conv(jax, leaf, work);
    case "batchNormRelu": {
      const channels = [work.shape.at(-1)!];
      const inputs = [
        leaf("x", work.shape, 1, 0, toNchw),
        leaf("scale", channels, 0.25, 1),
        leaf("offset", channels, 0.1),
      ];
      const y: Result = { name: "y", order: toNhwc };
      const forward = (x: JaxArray, scale: JaxArray, offset: JaxArray): JaxArray =>
        nn.relu(batchNorm(jax, x, scale, offset));
      if (work.pass === "forward")
        return jitted(jax, inputs, [y], (...xs) => [forward(xs[0]!, xs[1]!, xs[2]!)]);
      inputs.push(leaf("dy", work.shape, 1, 0, toNchw));
      const outputs = [y, { name: "dx", order: toNhwc }, { name: "dscale" }, { name: "doffset" }];
      return jitted(jax, inputs, outputs, (x, scale, offset, dy) => {
        const [value, pullback] = jax.vjp(forward, [x!, scale!, offset!]);
        const grads = pullback(dy!) as unknown as JaxArray[];
        pullback.dispose();
        return [value, ...grads];
      });
    }
    case "crossEntropy": {
      const labels = np.array(inputLabels(work.rows, work.classes), { shape: [work.rows] });
      const inputs = [leaf("logits", [work.rows, work.classes], 4), labels];
      const loss = (logits: JaxArray, labels: JaxArray): JaxArray =>
        nn.oneHot(labels, work.classes).mul(nn.logSoftmax(logits, -1)).sum(-1).mean().neg();
      return jitted(jax, inputs, [{ name: "loss" }, { name: "dlogits" }], (logits, labels) => {
        const [value, grad] = jax.valueAndGrad(loss)(logits!, labels!);
        return [value, grad as JaxArray];
      });
    }
    case "pointwise": {
      const inputs = [leaf("x", [work.elements], 3), leaf("z", [work.elements], 3)];
      return jitted(jax, inputs, [{ name: "y" }], (x, z) => [
        nn.relu(x!.ref.mul(0.7).add(z!.ref)).mul(nn.sigmoid(z!)).sub(np.tanh(x!).mul(0.1)),
      ]);
    }
    case "sum": {
      const inputs = [leaf("x", [work.rows, work.columns], 1, 0.5)];
      const axes = { rows: [1], columns: [0], all: [0, 1] }[work.over];
      return jitted(jax, inputs, [{ name: "y" }], (x) => [x!.sum(axes)]);
    }
    case "larsEma":
      return larsEma(jax, work.parameters);
    case "supervised":
      return supervised(jax, work);
    case "byol":
      return byol(jax, work);
  }
}

function conv(jax: J, leaf: Leaf, { layer, pass }: Work & { kind: "conv" }): JaxStepper {
  const { batch, size, inC, outC, kernel, stride, pad } = layer;
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const shapes = { x: [batch, inC, size, size], w: [outC, inC, kernel, kernel] };
  const x = (): JaxArray => leaf("x", [batch, size, size, inC], 1, 0, toNchw);
  const w = (): JaxArray =>
    leaf("w", [kernel, kernel, inC, outC], Math.sqrt(3 / (kernel * kernel * inC)), 0, toOihw);
  const dy = (): JaxArray => leaf("dy", [batch, out, out, outC], 1, 0, toNchw);
  const forward = (x: JaxArray, w: JaxArray): JaxArray =>
    jax.lax.convGeneralDilated(
      x,
      w,
      [stride, stride],
      [
        [pad, pad],
        [pad, pad],
      ],
    );
  const y: Result = { name: "y", order: toNhwc };
  const dx: Result = { name: "dx", order: toNhwc };
  const dw: Result = { name: "dw", order: toHwio };
  switch (pass) {
    case "forward":
      return jitted(jax, [x(), w()], [y], (x, w) => [forward(x!, w!)]);
    // Linear in the argument, so it does not matter where the derivative is taken, and jit drops the forward pass.
    case "input grad":
      return jitted(jax, [w(), dy()], [dx], (w, dy) => {
        const [value, pullback] = jax.vjp((x: JaxArray) => forward(x, w!.ref), [jax.numpy.zeros(shapes.x)]);
        value.dispose();
        const [grad] = pullback(dy!) as unknown as JaxArray[];
        pullback.dispose();
        w!.dispose();
        return [grad!];
      });
    case "weight grad":
      return jitted(jax, [x(), dy()], [dw], (x, dy) => {
        const [value, pullback] = jax.vjp((w: JaxArray) => forward(x!.ref, w), [jax.numpy.zeros(shapes.w)]);
        value.dispose();
        const [grad] = pullback(dy!) as unknown as JaxArray[];
        pullback.dispose();
        x!.dispose();
        return [grad!];
      });
    case "forward + both grads":
      return jitted(jax, [x(), w(), dy()], [y, dx, dw], (x, w, dy) => {
        const [value, pullback] = jax.vjp(forward, [x!, w!]);
        const grads = pullback(dy!) as unknown as JaxArray[];
        pullback.dispose();
        return [value, ...grads];
      });
  }
}
