/**
 * Convolution of image batches and its two adjoints. A convolution is linear in the image and in the weight, so the
 * derivatives of any of the three ops are the other two.
 */
import { ShapeError } from "../../errors.js";
import { add, f32, fold } from "../../expr/expr.js";
import { conv2d as conv2dFamily } from "../../families/conv2d.js";
import { conv2dInputGrad as inputGradFamily } from "../../families/conv2d-input-grad.js";
import { conv2dWeightGrad as weightGradFamily } from "../../families/conv2d-weight-grad.js";
import {
  type ConvParams,
  convFlops,
  imageShape,
  outputShape,
  perGroup,
  weightShape,
} from "../../families/convolution.js";
import { type Aval, defineOp, type LowerBuilder, type OpDef, type Sampler } from "../../op.js";
import { numel, type Shape, show } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { apply1 } from "../shared/apply.js";
import { zerosLike } from "../shared/reference.js";
import { checkImages, eachTap, sampleWindow, type WindowOptions, windowOf } from "../windows/window.js";

export interface Conv2dOptions extends WindowOptions {
  /** Input and output channels are cut into this many groups, each convolved on its own. Default 1. */
  readonly groups?: number;
}

/** The three tensors that a convolution ties together; each op computes one of them from the other two. */
type Role = "image" | "weight" | "output";
interface Part {
  readonly what: string;
  readonly shape: (p: ConvParams) => Shape;
  /** What it is computed from. */
  readonly from: readonly [Role, Role];
  /** Adds up the products of those two, whose elements stand at x in the image, w in the weight, y in the output. */
  readonly sum: (to: Float64Array, a: Float64Array, b: Float64Array) => Visit;
}
type Visit = (x: number, w: number, y: number) => void;
const parts: Readonly<Record<Role, Part>> = {
  image: {
    what: "input",
    shape: imageShape,
    from: ["output", "weight"],
    sum: (dx, dy, weight) => (x, w, y) => {
      dx[x]! += dy[y]! * weight[w]!;
    },
  },
  weight: {
    what: "weight",
    shape: weightShape,
    from: ["image", "output"],
    sum: (dw, image, dy) => (x, w, y) => {
      dw[w]! += image[x]! * dy[y]!;
    },
  },
  output: {
    what: "output gradient",
    shape: outputShape,
    from: ["image", "weight"],
    sum: (output, image, weight) => (x, w, y) => {
      output[y]! += image[x]! * weight[w]!;
    },
  },
};

function expectShape(op: string, what: string, x: Aval, wanted: Shape): void {
  if (x.dtype !== "float32")
    throw new ShapeError(op, `${what} is ${x.dtype}, float32 is wanted`, "cast it first");
  if (x.shape.length !== wanted.length || x.shape.some((d, i) => d !== wanted[i]))
    throw new ShapeError(op, `${what} has shape ${show(x.shape)}, ${show(wanted)} is wanted`);
}

/** Calls `visit` with the positions in image, weight and output of every product that a convolution adds up. */
function eachProduct(p: ConvParams, visit: Visit): void {
  const { inG, outG } = perGroup(p);
  for (let n = 0; n < p.batch; n++)
    eachTap(p, p.h, p.w, (oy, ox, y, x, ky, kx) => {
      for (let o = 0; o < p.outC; o++)
        for (let i = 0; i < inG; i++)
          visit(
            ((n * p.h + y) * p.w + x) * p.inC + Math.floor(o / outG) * inG + i,
            ((ky * p.kw + kx) * inG + i) * p.outC + o,
            ((n * p.outH + oy) * p.outW + ox) * p.outC + o,
          );
    });
}

function sampleParams(s: Sampler): ConvParams {
  const { h, w, window } = sampleWindow(s, "conv2d", [1, 2, 3], [1, 1, 2]);
  const groups = s.pick([1, 1, 2, 3]);
  const inC = groups * s.pick([1, 2, 3, 4]);
  const outC = groups * s.pick([1, 3, 4, 5]);
  return { ...window, batch: s.pick([1, 2, 3]), h, w, inC, outC, groups };
}

/** The op that computes one of the tensors. */
function defineRole(name: string, role: Role, lower: OpDef<ConvParams>["lower"]): OpDef<ConvParams> {
  const { shape, from, sum } = parts[role];
  return defineOp<ConvParams>({
    name,
    infer(inputs, p) {
      from.forEach((read, i) => {
        expectShape(name, parts[read].what, inputs[i]!, parts[read].shape(p));
      });
      return [{ shape: shape(p), dtype: "float32" }];
    },
    reference([a, b], p, [out]) {
      const result = zerosLike(out!);
      eachProduct(p, sum(result.data, a!.data, b!.data));
      return [result];
    },
    lower,
    vjp({ inputs, grads: [g], params, needs }) {
      const tensors = { [from[0]]: inputs[0]!, [from[1]]: inputs[1]!, [role]: g! } as Record<Role, Tensor>;
      const gradient = (of: Role): Tensor => {
        const [a, b] = parts[of].from;
        return apply1(ops[of], [tensors[a], tensors[b]], params);
      };
      return from.map((read, i) => (needs[i] ? gradient(read) : undefined));
    },
    sample(s) {
      const params = sampleParams(s);
      return { inputs: from.map((read) => ({ shape: parts[read].shape(params) })), params };
    },
    ...(role === "output" ? { keeps: "input" } : {}),
    multiplyAdds: (_, p) => convFlops(p) / 2,
    // Sums of up to kh·kw·inC (or batch·outH·outW) products that may cancel, compared by the size of the result.
    tolerance: 1e-4,
  });
}

const conv2dOp = defineRole("conv2d", "output", (b, [x, w], _, p) => {
  if (p.inC === 0) return () => f32(0);
  b.call(conv2dFamily, p, [x!.buffer(), w!.buffer()], b.out(0));
});

const conv2dInputGradOp = defineRole("conv2dInputGrad", "image", (b, [dy, w], _, p) => {
  if (p.outC === 0) return () => f32(0);
  b.call(inputGradFamily, p, [dy!.buffer(), w!.buffer()], b.out(0));
});

const conv2dWeightGradOp = defineRole("conv2dWeightGrad", "weight", (b, [x, dy], [out], p) => {
  const rows = p.batch * p.outH * p.outW;
  if (rows === 0) return () => f32(0);
  const splits = weightGradSplits(b, p, rows);
  const reads = [x!.buffer(), dy!.buffer()];
  const shape = [splits, ...out!.shape];
  const partials = splits === 1 ? b.out(0) : b.temp("float32", shape);
  b.call(weightGradFamily, { ...p, splits }, reads, partials);
  if (splits === 1) return;
  const shares = b.view(partials, shape);
  return (at) => fold(splits, [f32(0)], (i, [total]) => [add(total!, shares.at([i, ...at]))])[0]!;
});

const ops: Readonly<Record<Role, OpDef<ConvParams>>> = {
  image: conv2dInputGradOp,
  weight: conv2dWeightGradOp,
  output: conv2dOp,
};

/** A register tile of the weight gradient is about this many elements, and is one work item. */
const TILE = 32;
/** Splits shorter than this would spend more on storing and adding partial sums than they gain. */
const SHORTEST_SPLIT = 64;
/** Partial sums may take this many elements (32 MiB) at most. */
const PARTIAL_ELEMENTS = 8 * 1024 * 1024;

/** How many shares the rows of a weight gradient are cut into, so that the device has enough to do at once. */
function weightGradSplits(b: LowerBuilder, p: ConvParams, rows: number): number {
  const weights = numel(weightShape(p));
  const wanted = Math.ceil(b.limits.parallelism / Math.max(1, weights / TILE));
  const most = Math.min(
    Math.floor(rows / SHORTEST_SPLIT),
    Math.floor(PARTIAL_ELEMENTS / Math.max(1, weights)),
  );
  return Math.max(1, Math.min(wanted, most));
}

/**
 * 2-D convolution (cross-correlation, as in every framework) of an image batch.
 *
 * `y[b, i, j, o] = Σ_{u,v,c} x[b, i·stride + u·dilation − top, j·stride + v·dilation − left, c] · w[u, v, c, o]`,
 * with zeros outside the image. With groups, output channel o sees the input channels of its group only.
 *
 * @param x float32 `[batch, height, width, inC]`
 * @param w float32 `[kh, kw, inC / groups, outC]`
 * @param options stride (default 1), dilation (1), padding ("valid"), groups (1)
 * @returns float32 `[batch, outH, outW, outC]`, with outH = ceil(height / stride) for "same", otherwise
 *   floor((height + top + bottom − (kh − 1)·dilation − 1) / stride) + 1
 * @throws ShapeError when the channels do not match or the window does not fit into the padded image
 */
export function conv2d(x: Tensor, w: Tensor, options: Conv2dOptions = {}): Tensor {
  checkImages("conv2d", x);
  if (w.rank !== 4)
    throw new ShapeError("conv2d", `weight of shape ${show(w.shape)} is not [kh, kw, in / groups, out]`);
  const { groups = 1 } = options;
  const [batch, h, width, inC] = x.shape as [number, number, number, number];
  const [kh, kw, perGroup, outC] = w.shape as [number, number, number, number];
  if (!Number.isInteger(groups) || groups < 1 || outC % groups !== 0)
    throw new ShapeError(
      "conv2d",
      `${groups} groups do not divide the ${outC} output channels of weight ${show(w.shape)}`,
    );
  if (inC !== perGroup * groups)
    throw new ShapeError(
      "conv2d",
      `input has ${inC} channels, weight ${show(w.shape)} (kh, kw, in, out) wants ${perGroup * groups}`,
      groups > 1 ? `${perGroup} in each of ${groups} groups` : undefined,
    );
  const window = windowOf("conv2d", [h, width], [kh, kw], options);
  return apply1(conv2dOp, [x, w], { ...window, batch, h, w: width, inC, outC, groups });
}

/**
 * Gradient of `conv2d` with respect to its input: the transposed convolution of `dy` with `w`.
 *
 * @param dy float32 `[batch, outH, outW, outC]`
 * @param w float32 `[kh, kw, inC / groups, outC]`
 * @param size height and width of the convolution's input
 * @param options the convolution's
 * @returns float32 `[batch, height, width, inC]`
 */
export function conv2dInputGrad(
  dy: Tensor,
  w: Tensor,
  size: readonly [number, number],
  options: Conv2dOptions = {},
): Tensor {
  checkImages("conv2dInputGrad", dy, "output gradient");
  if (w.rank !== 4)
    throw new ShapeError(
      "conv2dInputGrad",
      `weight of shape ${show(w.shape)} is not [kh, kw, in / groups, out]`,
    );
  const { groups = 1 } = options;
  const [kh, kw, perGroup, outC] = w.shape as [number, number, number, number];
  const window = windowOf("conv2dInputGrad", size, [kh, kw], options);
  const params = {
    ...window,
    batch: dy.shape[0]!,
    h: size[0],
    w: size[1],
    inC: perGroup * groups,
    outC,
    groups,
  };
  return apply1(conv2dInputGradOp, [dy, w], params);
}

/**
 * Gradient of `conv2d` with respect to its weight.
 *
 * @param x float32 `[batch, height, width, inC]`
 * @param dy float32 `[batch, outH, outW, outC]`
 * @param kernel kh and kw
 * @param options the convolution's
 * @returns float32 `[kh, kw, inC / groups, outC]`
 */
export function conv2dWeightGrad(
  x: Tensor,
  dy: Tensor,
  kernel: readonly [number, number],
  options: Conv2dOptions = {},
): Tensor {
  checkImages("conv2dWeightGrad", x);
  checkImages("conv2dWeightGrad", dy, "output gradient");
  const { groups = 1 } = options;
  const [batch, h, w, inC] = x.shape as [number, number, number, number];
  if (inC % groups !== 0)
    throw new ShapeError("conv2dWeightGrad", `${groups} groups do not divide ${inC} input channels`);
  const window = windowOf("conv2dWeightGrad", [h, w], kernel, options);
  return apply1(conv2dWeightGradOp, [x, dy], { ...window, batch, h, w, inC, outC: dy.shape[3]!, groups });
}
