/** The cases in TensorFlow.js, as its documentation and its own layers write them. */
import type * as TF from "@tensorflow/tfjs";
import type { Work } from "../cases.js";
import { input, inputLabels, type Stepper } from "./contender.js";
import { byol, larsEma, supervised } from "./tfjs-nets.js";

type Tf = typeof TF;

export function stepperOf(tf: Tf, work: Work): Stepper<TF.Tensor> {
  const leaf = (name: string, shape: readonly number[], scale = 1, offset = 0): TF.Tensor =>
    tf.tensor(input(name, shape, scale, offset), [...shape]);
  switch (work.kind) {
    case "matmul": {
      const [a, b] = [leaf("a", [work.m, work.k]), leaf("b", [work.k, work.n])];
      return { names: ["c"], step: () => [tf.matMul(a, b)] };
    }
    case "conv":
      return conv(tf, leaf, work);
    case "batchNormRelu": {
      const channels = [work.shape.at(-1)!];
      const [x, dy] = [leaf("x", work.shape), leaf("dy", work.shape)];
      const [scale, offset] = [leaf("scale", channels, 0.25, 1), leaf("offset", channels, 0.1)];
      const forward = (...[x, scale, offset]: TF.Tensor[]): TF.Tensor => {
        const { mean, variance } = tf.moments(x!, [0, 1, 2]);
        return tf.relu(
          tf.batchNorm(
            x!,
            mean as TF.Tensor1D,
            variance as TF.Tensor1D,
            offset as TF.Tensor1D,
            scale as TF.Tensor1D,
            1e-5,
          ),
        );
      };
      if (work.pass === "forward") return { names: ["y"], step: () => [forward(x, scale, offset)] };
      return {
        names: ["y", "dx", "dscale", "doffset"],
        step: () => {
          const { value, grads } = tf.valueAndGrads(forward)([x, scale, offset], dy);
          return [value, ...grads];
        },
      };
    }
    case "crossEntropy": {
      const logits = leaf("logits", [work.rows, work.classes], 4);
      const labels = tf.tensor1d(inputLabels(work.rows, work.classes), "int32");
      const loss = tf.valueAndGrad(
        (z) => tf.losses.softmaxCrossEntropy(tf.oneHot(labels, work.classes), z) as TF.Scalar,
      );
      return {
        names: ["loss", "dlogits"],
        step: () => {
          const { value, grad } = loss(logits);
          return [value, grad];
        },
      };
    }
    case "pointwise": {
      const [x, z] = [leaf("x", [work.elements], 3), leaf("z", [work.elements], 3)];
      return {
        names: ["y"],
        step: () => [x.mul(0.7).add(z).relu().mul(z.sigmoid()).sub(x.tanh().mul(0.1))],
      };
    }
    case "sum": {
      const x = leaf("x", [work.rows, work.columns], 1, 0.5);
      const axes = { rows: [1], columns: [0], all: [0, 1] }[work.over];
      return { names: ["y"], step: () => [tf.sum(x, axes)] };
    }
    case "larsEma":
      return larsEma(tf, work.parameters);
    case "supervised":
      return supervised(tf, work);
    case "byol":
      return byol(tf, work);
  }
}

type Leaf = (name: string, shape: readonly number[], scale?: number) => TF.Tensor;

function conv(tf: Tf, leaf: Leaf, { layer, pass }: Work & { kind: "conv" }): Stepper<TF.Tensor> {
  const { batch, size, inC, outC, kernel, stride, pad } = layer;
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const x = leaf("x", [batch, size, size, inC]) as TF.Tensor4D;
  const w = leaf("w", [kernel, kernel, inC, outC], Math.sqrt(3 / (kernel * kernel * inC))) as TF.Tensor4D;
  const dy = leaf("dy", [batch, out, out, outC]) as TF.Tensor4D;
  const forward = (x: TF.Tensor4D, w: TF.Tensor4D): TF.Tensor4D => tf.conv2d(x, w, stride, pad);
  // The gradients' kernels themselves: through tf.grads the forward pass would be in the measurement.
  const attributes = { strides: [stride, stride], pad, dataFormat: "NHWC", dimRoundingMode: undefined };
  const kernelOf = (name: string, inputs: TF.NamedTensorMap, more: object): TF.Tensor =>
    tf
      .engine()
      .runKernel(name, inputs, { ...attributes, ...more } as unknown as TF.NamedAttrMap) as TF.Tensor;
  switch (pass) {
    case "forward":
      return { names: ["y"], step: () => [forward(x, w)] };
    case "input grad":
      return {
        names: ["dx"],
        step: () => [kernelOf("Conv2DBackpropInput", { dy, filter: w }, { inputShape: x.shape })],
      };
    case "weight grad":
      return {
        names: ["dw"],
        step: () => [kernelOf("Conv2DBackpropFilter", { x, dy }, { filterShape: w.shape })],
      };
    case "forward + both grads": {
      const both = tf.valueAndGrads((x, w) => forward(x as TF.Tensor4D, w as TF.Tensor4D));
      return {
        names: ["y", "dx", "dw"],
        step: () => {
          const { value, grads } = both([x, w], dy);
          return [value, ...grads];
        },
      };
    }
  }
}
