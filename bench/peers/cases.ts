/** What is measured, as data: the contenders (one of them in Python) read nothing else. */
import {
  blocksOf,
  byolParametersOf,
  type ConvLayer,
  convLayers,
  digitsNet,
  type Net,
  type NetworkForm,
  type Parameter,
  parametersOf,
  resnet18,
  resnet50,
  totalSize,
} from "./networks.js";

export type ConvPass = "forward" | "input grad" | "weight grad" | "forward + both grads";

export type Work =
  /** C [m, n] = A [m, k] · B [k, n] */
  | { readonly kind: "matmul"; readonly m: number; readonly k: number; readonly n: number }
  | { readonly kind: "conv"; readonly pass: ConvPass; readonly layer: ConvLayer }
  /** relu(batchNorm(x)) over [batch, h, w, channels] with batch statistics, and all three gradients. */
  | {
      readonly kind: "batchNormRelu";
      readonly pass: "forward" | "forward + backward";
      readonly shape: readonly number[];
    }
  /** Mean of −log softmax(logits)[label], and the gradient of the logits. */
  | { readonly kind: "crossEntropy"; readonly rows: number; readonly classes: number }
  /** relu(0.7·x + z) · sigmoid(z) − 0.1·tanh(x) */
  | { readonly kind: "pointwise"; readonly elements: number }
  /** Sums of a matrix along its rows (one per row), along its columns, or of all of it. */
  | {
      readonly kind: "sum";
      readonly over: "rows" | "columns" | "all";
      readonly rows: number;
      readonly columns: number;
    }
  /** One LARS step (momentum, trust ratios, weight decay; biases and norms excluded) and the target's moving average. */
  | { readonly kind: "larsEma"; readonly parameters: readonly Parameter[] }
  /** Forward in training mode, cross-entropy, gradients, SGD with momentum 0.9. */
  | ({ readonly kind: "supervised"; readonly classes: number; readonly lr: number } & TrainedNet)
  /** Algorithm 1 without the augmentation: two views given, four passes, online probe, LARS, moving average. */
  | ({
      readonly kind: "byol";
      readonly classes: number;
      readonly hidden: number;
      readonly projection: number;
    } & TrainedNet);

export interface TrainedNet {
  readonly form: NetworkForm;
  /** The form's blocks, for contenders that have no ResNet of their own. */
  readonly net: Net;
  readonly parameters: readonly Parameter[];
  /** What is compared after a step: how far these have moved. */
  readonly looked: readonly string[];
  /** Of the images, [batch, h, w, channels]. */
  readonly shape: readonly number[];
  /** Zeros on both sides alike, as in PyTorch, or TensorFlow's SAME. */
  readonly padding: "symmetric" | "same";
}

export interface Case {
  readonly name: string;
  /** Cases of one group share a contender's process. */
  readonly group: string;
  readonly work: Work;
  readonly unit: "GFLOP/s" | "GB/s" | "images/s";
  /** What one call does, in the unit's numerator (operations, bytes, images). */
  readonly amount: number;
  /** Largest deviation between contenders, in units of an output's root mean square. */
  readonly tolerance: number;
  /** Compiling a whole step may take this many times the limit of a single op. */
  readonly patience: number;
  /** Belongs to the small subset of --quick. */
  readonly quick: boolean;
}

type Rest = Partial<Pick<Case, "group" | "tolerance" | "quick" | "patience">>;

export function define(name: string, work: Work, unit: Case["unit"], amount: number, rest: Rest = {}): Case {
  return { name, work, unit, amount, group: name, tolerance: 1e-4, quick: false, patience: 1, ...rest };
}

const BYTES = 4;

function matmul(m: number, k: number, n: number, quick = false): Case {
  const name = m === k && k === n ? `matmul ${n}` : `matmul ${m}x${k} by ${k}x${n}`;
  return define(name, { kind: "matmul", m, k, n }, "GFLOP/s", 2 * m * k * n, { quick });
}

const passes = {
  forward: 1,
  "input grad": 1,
  "weight grad": 1,
  "forward + both grads": 3,
} as const satisfies Record<ConvPass, number>;

const layerName = ({ kernel, stride, inC, outC, size, batch }: ConvLayer): string =>
  `conv ${kernel}x${kernel}${stride > 1 ? `/${stride}` : ""} ${inC}->${outC} at ${size}x${size} b${batch}`;

function conv(layer: ConvLayer): Case[] {
  const out = Math.floor((layer.size + 2 * layer.pad - layer.kernel) / layer.stride) + 1;
  const flops = 2 * layer.batch * out * out * layer.outC * layer.kernel ** 2 * layer.inC;
  const group = layerName(layer);
  // The layer of the issue's table.
  const headline = layer.kernel === 3 && layer.inC === 64 && layer.outC === 64;
  const wanted = (Object.keys(passes) as ConvPass[]).filter((pass) => headline || passes[pass] === 1);
  return wanted.map((pass) =>
    define(`${group}, ${pass}`, { kind: "conv", pass, layer }, "GFLOP/s", flops * passes[pass], {
      group,
      quick: headline && layer.size === 32 && pass !== "input grad" && pass !== "weight grad",
    }),
  );
}

function batchNorm(shape: readonly number[]): Case[] {
  const elements = shape.reduce((a, b) => a * b, 1);
  const name = `batch norm + relu [${shape.join(", ")}]`;
  // Least traffic: x in and y out; then x and dy in, dx out.
  return (["forward", "forward + backward"] as const).map((pass) =>
    define(
      `${name}, ${pass}`,
      { kind: "batchNormRelu", pass, shape },
      "GB/s",
      BYTES * elements * (pass === "forward" ? 2 : 5),
      {
        group: name,
        quick: shape[0] === 32 && pass === "forward + backward",
      },
    ),
  );
}

function sum(over: "rows" | "columns" | "all", rows: number, columns: number): Case {
  const work: Work = { kind: "sum", over, rows, columns };
  return define(
    `sum ${over === "all" ? "of all" : `along ${over}`} [${rows}, ${columns}]`,
    work,
    "GB/s",
    BYTES * rows * columns,
    {
      group: "sums",
      quick: over === "columns",
    },
  );
}

const million4 = 4 * 1024 * 1024;
export const supervised = (form: NetworkForm, shape: readonly number[], looked: readonly string[]): Work => ({
  kind: "supervised",
  form,
  net: blocksOf(form),
  parameters: parametersOf(form),
  looked: [...looked, "fc.weight"],
  shape,
  padding: "symmetric",
  classes: form.classes,
  lr: 0.05,
});

export const byol = (
  form: NetworkForm,
  shape: readonly number[],
  hidden: number,
  projection: number,
): Work => ({
  kind: "byol",
  form,
  net: blocksOf(form),
  parameters: byolParametersOf(form, hidden, projection, 10),
  looked: [
    "encoder.layer1.0.conv1.weight",
    "encoder.layer2.0.bn2.weight",
    "projector.3.weight",
    "predictor.0.weight",
    "probe.weight",
  ],
  shape,
  padding: "same",
  classes: 10,
  hidden,
  projection,
});

export const cases: readonly Case[] = [
  matmul(256, 256, 256),
  matmul(512, 512, 512, true),
  matmul(1024, 1024, 1024),
  matmul(2048, 2048, 2048),
  matmul(16384, 256, 64),
  matmul(64, 1024, 4096),
  matmul(128, 16384, 128),
  matmul(1024, 16, 1024),
  ...convLayers(resnet18, 32, 32).flatMap(conv),
  ...convLayers(resnet50, 224, 4).flatMap(conv),
  ...batchNorm([32, 32, 32, 64]),
  ...batchNorm([4, 56, 56, 256]),
  ...batchNorm([4, 7, 7, 2048]),
  define(
    "cross-entropy [1024, 1000] + gradient",
    { kind: "crossEntropy", rows: 1024, classes: 1000 },
    "GB/s",
    2 * BYTES * 1024 * 1000,
  ),
  define(
    "pointwise chain, 4 M elements",
    { kind: "pointwise", elements: million4 },
    "GB/s",
    3 * BYTES * million4,
    { quick: true },
  ),
  sum("rows", 4096, 1024),
  sum("columns", 4096, 1024),
  sum("all", 4096, 1024),
  // w, g, momentum and target in; w, momentum and target out.
  define(
    "LARS + EMA of ResNet-50's parameters",
    { kind: "larsEma", parameters: parametersOf(resnet50) },
    "GB/s",
    7 * BYTES * totalSize(parametersOf(resnet50)),
    { tolerance: 1e-2 },
  ),
  define(
    "ResNet-18 supervised step, 32x32 b32",
    supervised(resnet18, [32, 32, 32, 3], ["conv1.weight", "layer1.0.bn1.bias", "layer3.0.conv1.weight"]),
    "images/s",
    32,
    // Rounding errors grow along a net; the golden tests bound ours more tightly.
    { tolerance: 1e-2, patience: 5 },
  ),
  define(
    "BYOL step, width-16 net, 28x28 b128",
    byol(digitsNet, [128, 28, 28, 1], 256, 64),
    "images/s",
    128,
    // Against float64, PyTorch's float32 moves single elements of convolution weights by 4 % of their size here.
    { tolerance: 0.1, patience: 5 },
  ),
];

/** Cases whose name matches. */
export function select(only: RegExp | undefined, quick: boolean): Case[] {
  return cases.filter((c) => (!quick || c.quick) && (!only || only.test(c.name)));
}
