/** The cases in Dawnstrap's ops. */
import { valueAndGrad, vjp } from "@dawnstrap/autograd";
import { crossEntropy } from "@dawnstrap/nn";
import {
  add,
  batchNorm,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  type Device,
  matmul,
  mul,
  relu,
  sigmoid,
  sub,
  sum,
  tanh,
  type Tensor,
} from "@dawnstrap/tensor";
import type { Work } from "../cases.js";
import { input, inputLabels, type Stepper } from "./contender.js";
import { byol, larsEma, supervised } from "./dawnstrap-nets.js";

export function stepperOf(device: Device, work: Work): Stepper<Tensor> {
  const leaf = (name: string, shape: readonly number[], scale = 1, offset = 0): Tensor =>
    device.tensor(input(name, shape, scale, offset), shape);
  switch (work.kind) {
    case "matmul": {
      const [a, b] = [leaf("a", [work.m, work.k]), leaf("b", [work.k, work.n])];
      return { names: ["c"], step: () => [matmul(a, b)] };
    }
    case "conv":
      return conv(leaf, work);
    case "batchNormRelu": {
      const channels = [work.shape.at(-1)!];
      const [x, dy] = [leaf("x", work.shape), leaf("dy", work.shape)];
      const [scale, offset] = [leaf("scale", channels, 0.25, 1), leaf("offset", channels, 0.1)];
      const forward = (...[x, scale, offset]: Tensor[]): Tensor =>
        relu(batchNorm(x!, scale!, offset!, { eps: 1e-5 }).y);
      if (work.pass === "forward") return { names: ["y"], step: () => [forward(x, scale, offset)] };
      return {
        names: ["y", "dx", "dscale", "doffset"],
        step: () => {
          const { value, pullback } = vjp(forward, x, scale, offset);
          return [value, ...pullback(dy)];
        },
      };
    }
    case "crossEntropy": {
      const logits = leaf("logits", [work.rows, work.classes], 4);
      const labels = device.tensor(inputLabels(work.rows, work.classes), [work.rows]);
      return {
        names: ["loss", "dlogits"],
        step: () => {
          const { value, grads } = valueAndGrad((z) => crossEntropy(z!, labels))(logits);
          return [value, ...grads];
        },
      };
    }
    case "pointwise": {
      const [x, z] = [leaf("x", [work.elements], 3), leaf("z", [work.elements], 3)];
      return {
        names: ["y"],
        step: () => [sub(mul(relu(add(mul(x, 0.7), z)), sigmoid(z)), mul(tanh(x), 0.1))],
      };
    }
    case "sum": {
      const x = leaf("x", [work.rows, work.columns], 1, 0.5);
      const axes = { rows: [1], columns: [0], all: [0, 1] }[work.over];
      return { names: ["y"], step: () => [sum(x, axes)] };
    }
    case "larsEma":
      return larsEma(device, work.parameters);
    case "supervised":
      return supervised(device, work);
    case "byol":
      return byol(device, work);
  }
}

function conv(
  leaf: (name: string, shape: readonly number[], scale?: number) => Tensor,
  { layer, pass }: Work & { kind: "conv" },
): Stepper<Tensor> {
  const { batch, size, inC, outC, kernel, stride, pad } = layer;
  const options = { stride, padding: pad };
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const x = leaf("x", [batch, size, size, inC]);
  const w = leaf("w", [kernel, kernel, inC, outC], Math.sqrt(3 / (kernel * kernel * inC)));
  const dy = leaf("dy", [batch, out, out, outC]);
  switch (pass) {
    case "forward":
      return { names: ["y"], step: () => [conv2d(x, w, options)] };
    case "input grad":
      return { names: ["dx"], step: () => [conv2dInputGrad(dy, w, [size, size], options)] };
    case "weight grad":
      return { names: ["dw"], step: () => [conv2dWeightGrad(x, dy, [kernel, kernel], options)] };
    case "forward + both grads":
      return {
        names: ["y", "dx", "dw"],
        step: () => {
          const { value, pullback } = vjp((x, w) => conv2d(x!, w!, options), x, w);
          return [value, ...pullback(dy)];
        },
      };
  }
}
