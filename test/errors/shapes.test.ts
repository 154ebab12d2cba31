/**
 * What each op family says of operands that it cannot take. Thrown where the op is recorded, so the user's own line is
 * on the stack; the message names the op, the shapes or dtypes at hand, and where there is one, the remedy.
 */
import * as t from "@dawnstrap/tensor";
import {
  DawnstrapError,
  type Device,
  type DType,
  openDevice,
  ShapeError,
  type Tensor,
} from "@dawnstrap/tensor";
import { packFlat } from "@dawnstrap/tensor/extend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("wrong operands", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("reference");
  });
  afterAll(() => device.destroy());

  const x = (...shape: number[]): Tensor => device.zeros(shape);
  const of = (dtype: DType, ...shape: number[]): Tensor => device.zeros(shape, dtype);
  const int = (...shape: number[]): Tensor => of("int32", ...shape);

  /** One line a call: all must throw a DawnstrapError, at once. */
  function refusals(...calls: (() => unknown)[]): string {
    return calls
      .map((call) => {
        try {
          call();
        } catch (error) {
          expect(error, String(error)).toBeInstanceOf(DawnstrapError);
          expect((error as Error).stack).toContain("shapes.test.ts");
          return `${(error as Error).name}: ${(error as Error).message}`;
        }
        throw new Error(`nothing was thrown by ${call}`);
      })
      .join("\n");
  }

  it("tensors", () => {
    expect(
      refusals(
        () => device.tensor(new Float32Array(5), [2, 3]),
        () => device.tensor([1, 2], [2, 1.5]),
        () => device.tensor([[1, 2], [3]]),
        () => device.tensor([[1], 2] as never),
        () => device.zeros([2, -1]),
        () => device.arange(-3),
        () => device.variable(x(2)).assign(x(3)),
        () => device.variable(x(2), "w").assign(int(2)),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: tensor: 5 elements do not fill shape [2, 3] (it holds 6)
      ShapeError: tensor: shape [2, 1.5] has an extent that is not a whole number ≥ 0
      ShapeError: tensor: nested arrays are ragged: 1 elements at depth 1 (the first array there has 2)
      ShapeError: tensor: nested arrays are of unequal depth
      ShapeError: full: shape [2, -1] has an extent that is not a whole number ≥ 0
      ShapeError: arange: shape [-3] has an extent that is not a whole number ≥ 0
      ShapeError: assign: variable variable is float32 [2], the new value float32 [3]
      ShapeError: assign: variable w is float32 [2], the new value int32 [2]"
    `);
  });

  it("pointwise", () => {
    expect(
      refusals(
        () => t.add(x(2, 3), x(2, 4)),
        () => t.mul(x(3), x(2, 1, 4)),
        () => t.less(x(2), x(3)),
        () => t.logicalAnd(x(2), x(3)),
        () => t.where(of("bool", 2), x(3), x(2)),
        () => t.maximum(x(5), int(4)),
        () => t.pow(x(2, 2), x(3)),
        () => x(2).add(x(3)),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: add: shapes [2, 3] and [2, 4] do not broadcast (axis 1: 3 against 4)
      ShapeError: mul: shapes [3] and [2, 1, 4] do not broadcast (axis 2: 3 against 4)
      ShapeError: less: shapes [2] and [3] do not broadcast (axis 0: 2 against 3)
      ShapeError: logicalAnd: shapes [2] and [3] do not broadcast (axis 0: 2 against 3)
      ShapeError: where: shapes [2] and [3] and [2] do not broadcast (axis 0: 2 against 3)
      ShapeError: maximum: shapes [5] and [4] do not broadcast (axis 0: 5 against 4)
      ShapeError: pow: shapes [2, 2] and [3] do not broadcast (axis 1: 2 against 3)
      ShapeError: add: shapes [2] and [3] do not broadcast (axis 0: 2 against 3)"
    `);
  });

  it("reductions", () => {
    expect(
      refusals(
        () => t.sum(x(2, 3), 2),
        () => t.mean(x(2, 3), -3),
        () => t.max(x(2, 3), [0, 0]),
        () => t.variance(x(2, 3), 0.5),
        () => t.argMax(x(), 0),
        () => t.max(x(2, 0), 1),
        () => t.min(x(0)),
        () => t.argMin(x(0, 2), 0),
        () => t.softmax(x(2, 3), 4),
        () => t.logSumExp(x(2), 1),
        () => t.cumsum(x(2), 1),
        () => t.all(x(2), 3),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: sum: axis 2 is out of range for rank 2 (use -2 to 1)
      ShapeError: sum: axis -3 is out of range for rank 2 (use -2 to 1)
      ShapeError: max: axes [0,0] repeat an axis
      ShapeError: mean: axis 0.5 is out of range for rank 2 (use -2 to 1)
      ShapeError: argMax: axis 0 is out of range for rank 0 (a scalar has no axes)
      ShapeError: max: axis 1 of [2, 0] is empty, and max of nothing is undefined
      ShapeError: min: axis 0 of [0] is empty, and min of nothing is undefined
      ShapeError: argMin: axis 0 of [0, 2] is empty, and argMin of nothing is undefined
      ShapeError: softmax: axis 4 is out of range for rank 2 (use -2 to 1)
      ShapeError: logSumExp: axis 1 is out of range for rank 1 (use -1 to 0)
      ShapeError: cumsum: axis 1 is out of range for rank 1 (use -1 to 0)
      ShapeError: all: axis 3 is out of range for rank 1 (use -1 to 0)"
    `);
  });

  it("matmul", () => {
    expect(
      refusals(
        () => t.matmul(x(2, 3), x(4, 5)),
        () => t.matmul(x(2, 3), x(5, 3)),
        () => t.matmul(x(2, 3), x(3, 5), { transposeA: true }),
        () => t.matmul(x(4, 2, 3), x(5, 3, 2)),
        () => t.matmul(x(), x(2, 2)),
        () => t.matmul(int(2, 3), x(3, 2)),
        () => t.matmul(x(3), x(3, 2), { transposeA: true }),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: matmul: [2, 3] times [4, 5]: the summed extents 3 and 4 differ
      ShapeError: matmul: [2, 3] times [5, 3]: the summed extents 3 and 5 differ (transposeB: true would make them match)
      ShapeError: matmul: [2, 3] transposed times [3, 5]: the summed extents 2 and 3 differ
      ShapeError: matmul: the batch axes of [4, 2, 3] and [5, 3, 2] do not broadcast
      ShapeError: matmul: a scalar operand (shapes [] and [2, 2]) (use mul)
      ShapeError: matmul: operands are int32 and float32, float32 is wanted (cast them first)
      DawnstrapError: matmul: a vector has no transpose (shapes [3] and [3, 2])"
    `);
  });

  it("convolutions", () => {
    expect(
      refusals(
        () => t.conv2d(x(4, 4, 3), x(3, 3, 3, 8)),
        () => t.conv2d(x(1, 4, 4, 3), x(3, 3, 8)),
        () => t.conv2d(x(1, 4, 4, 3), x(3, 3, 4, 8)),
        () => t.conv2d(x(1, 4, 4, 4), x(3, 3, 2, 9), { groups: 2 }),
        () => t.conv2d(x(1, 4, 4, 4), x(3, 3, 4, 8), { groups: 2 }),
        () => t.conv2d(x(1, 4, 4, 3), x(5, 5, 3, 8)),
        () => t.conv2d(x(1, 4, 4, 3), x(3, 3, 3, 8), { stride: 0 }),
        () => t.conv2d(x(1, 4, 4, 3), x(3, 3, 3, 8), { padding: -1 }),
        () => t.conv2d(x(1, 4, 4, 3), x(3, 3, 3, 8), { padding: "full" as never }),
        () => t.conv2d(of("uint8", 1, 4, 4, 3), x(3, 3, 3, 8)),
        () => t.conv2dInputGrad(x(1, 2, 2, 7), x(3, 3, 3, 8), [4, 4]),
        () => t.conv2dWeightGrad(x(1, 4, 4, 3), x(1, 3, 3, 8), [3, 3]),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: conv2d: input of shape [4, 4, 3] is not [batch, height, width, channels]
      ShapeError: conv2d: weight of shape [3, 3, 8] is not [kh, kw, in / groups, out]
      ShapeError: conv2d: input has 3 channels, weight [3, 3, 4, 8] (kh, kw, in, out) wants 4
      ShapeError: conv2d: 2 groups do not divide the 9 output channels of weight [3, 3, 2, 9]
      ShapeError: conv2d: input has 4 channels, weight [3, 3, 4, 8] (kh, kw, in, out) wants 8 (4 in each of 2 groups)
      ShapeError: conv2d: a window of 5 rows does not fit in 4 rows padded by 0 + 0 (pad more, or use padding "same")
      ShapeError: conv2d: stride 0 is not a whole number ≥ 1 or a pair of them
      ShapeError: conv2d: padding -1 is not made of whole numbers ≥ 0
      ShapeError: conv2d: padding "full" is unknown ("same", "valid", a number or [[top, bottom], [left, right]])
      ShapeError: conv2d: input is uint8, float32 is wanted (cast it first)
      ShapeError: conv2dInputGrad: output gradient has shape [1, 2, 2, 7], [1, 2, 2, 8] is wanted
      ShapeError: conv2dWeightGrad: output gradient has shape [1, 3, 3, 8], [1, 2, 2, 8] is wanted"
    `);
  });

  it("pooling and batch norm", () => {
    const [two, three] = [x(2), x(3)];
    expect(
      refusals(
        () => t.maxPool2d(x(4, 4, 3), 2),
        () => t.maxPool2d(x(1, 4, 4, 3), 5),
        () => t.maxPool2d(x(1, 4, 4, 3), 2, { padding: 2 }),
        () => t.maxPool2d(int(1, 4, 4, 3), 2),
        () => t.avgPool2d(x(1, 4, 4, 3), [2, 0]),
        () => t.globalAvgPool(x(4, 3)),
        () => t.batchNorm(x(3), three, three),
        () => t.batchNorm(x(5, 3), two, three),
        () => t.batchNorm(x(5, 3), three, int(3)),
        () => t.batchNorm(x(0, 3), three, three),
        () => t.batchNormInference(x(5, 3), three, three, three, two),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: maxPool2d: input of shape [4, 4, 3] is not [batch, height, width, channels]
      ShapeError: maxPool2d: a window of 5 rows does not fit in 4 rows padded by 0 + 0 (pad more, or use padding "same")
      ShapeError: maxPool2d: padding 2 leaves a 2 × 2 window of [1, 4, 4, 3] without any pixel (pad by less than the window)
      ShapeError: maxPool2d: input is int32, float32 is wanted (cast it first)
      ShapeError: avgPool2d: window [2,0] is not a whole number ≥ 1 or a pair of them
      ShapeError: globalAvgPool: input of shape [4, 3] is not [batch, height, width, channels]
      ShapeError: batchNorm: input of shape [3] has no axis besides the channels (give it rank 2 or more)
      ShapeError: batchNorm: scale has shape [2], input [5, 3] wants [3]
      ShapeError: batchNorm: offset is int32, float32 is wanted (cast it first)
      ShapeError: batchNorm: input of shape [0, 3] has no rows to take statistics of
      ShapeError: batchNormInference: offset has shape [2], input [5, 3] wants [3]"
    `);
  });

  it("shapes and views", () => {
    expect(
      refusals(
        () => t.reshape(x(2, 3), [4, 2]),
        () => t.reshape(x(2, 3), [-1, 4]),
        () => t.reshape(x(2, 3), [-1, -1]),
        () => t.squeeze(x(2, 1), 0),
        () => t.unsqueeze(x(2), 3),
        () => t.permute(x(2, 3), [0]),
        () => t.permute(x(2, 3), [0, 0]),
        () => t.transpose(x(2)),
        () => t.expand(x(2, 3), [2, 4]),
        () => t.expand(x(2, 3), [3]),
        () => t.slice(x(2, 3), [0, 0, 0]),
        () => t.slice(x(2, 3), [0.5]),
        () => t.slice(x(2, 3), [0], [1], [0]),
        () => t.split(x(2, 3), 2, 1),
        () => t.split(x(2, 3), [1, 1], 1),
        () => t.flip(x(2), 1),
        () => t.pad(x(2, 3), [[1, 1]]),
        () => t.pad(x(2, 3), -1),
        () => t.pad(x(2, 3), 2, { mode: "reflect" }),
        () => t.pad(x(0), 1, { mode: "edge" }),
        () => t.concat([]),
        () => t.concat([x(2, 3), x(2, 4)]),
        () => t.concat([x(2, 3), x(6)]),
        () => t.stack([x(2), x(3)]),
        () => t.stack([]),
        () => t.tile(x(2), [-1]),
        () => t.roll(x(2), 0.5),
        () => packFlat([x(2)], [1], 64),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: reshape: [2, 3] (6 elements) cannot become [4, 2] (8 elements)
      ShapeError: reshape: [2, 3] (6 elements) does not fit [-1, 4]: 6 is not a multiple of 4 (only one extent may be −1)
      ShapeError: reshape: [2, 3] (6 elements) does not fit [-1, -1]: 6 is not a multiple of -1 (only one extent may be −1)
      ShapeError: squeeze: axis 0 of [2, 1] has extent 2, not 1
      ShapeError: unsqueeze: axis 3 is out of range for rank 2 (use -2 to 1)
      ShapeError: permute: axes [0] do not name each axis of [2, 3] once
      ShapeError: permute: axes [0,0] do not name each axis of [2, 3] once
      ShapeError: transpose: axis -2 is out of range for rank 1 (use -1 to 0)
      ShapeError: expand: shapes [2, 3] and [2, 4] do not broadcast (axis 1: 3 against 4)
      ShapeError: expand: [2, 3] does not stretch to [3] (only extents of 1 stretch)
      ShapeError: slice: 3 bounds for 2 axes of [2, 3]
      ShapeError: slice: bound 0.5 of axis 0 is not a whole number
      ShapeError: slice: step 0 of axis 0 is not a whole number ≠ 0
      ShapeError: split: axis 1 of [2, 3] does not fall into 2 equal parts
      ShapeError: split: sizes [1, 1] add up to 2, axis 1 of [2, 3] has 3
      ShapeError: flip: axis 1 is out of range for rank 1 (use -1 to 0)
      ShapeError: pad: 1 pairs of widths for 2 axes of [2, 3]
      ShapeError: pad: width -1 is not a whole number ≥ 0 (cut with slice)
      ShapeError: pad: reflecting 2 elements needs more than 2 in axis 0 of [2, 3]
      ShapeError: pad: axis 0 of [0] is empty and has no edge to repeat
      ShapeError: concat: there is nothing to join
      ShapeError: concat: input 1 is float32 [2, 4], input 0 is float32 [2, 3] (they may differ along axis 0 only)
      ShapeError: concat: shapes [2, 3], [6] differ in rank
      ShapeError: stack: shapes [2], [3] differ
      ShapeError: concat: there is nothing to join
      ShapeError: tile: count -1 is not a whole number ≥ 0
      ShapeError: roll: shift 0.5 is not a whole number
      ShapeError: packFlat: offset 1 of input 0 is not a multiple of 64 at or after 0, where input -1 ends"
    `);
  });

  it("indexing and sorting", () => {
    expect(
      refusals(
        () => t.gather(x(3, 2), x(2)),
        () => t.gather(x(3, 2), int(2), 2),
        () => t.gather(x(0, 2), int(2)),
        () => t.scatterAdd(x(3, 2), int(4), x(4, 3)),
        () => t.scatterAdd(x(), int(1), x(1)),
        () => t.scatterAdd(int(3), int(1), int(1)),
        () => t.takeAlongAxis(x(3, 2), int(3, 4, 1)),
        () => t.oneHot(int(2), 0),
        () => t.oneHot(x(2), 3),
        () => t.sort(x()),
        () => t.sort(x(3), 1),
        () => t.topK(x(3), 4),
        () => t.topK(x(3), 0),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: gather: indices are float32, int32 is wanted (cast them first)
      ShapeError: gather: axis 2 is out of range for rank 2 (use -2 to 1)
      ShapeError: gather: axis 0 of [0, 2] has nothing to gather
      ShapeError: scatterAdd: updates have shape [4, 3]; indices [4] into x [3, 2] want [4, 2]
      ShapeError: scatterAdd: a scalar has no rows to add to
      ShapeError: scatterAdd: x is int32 and updates are int32, float32 is wanted (cast them first)
      ShapeError: takeAlongAxis: indices [3, 4, 1] and values [3, 2] must agree on every axis but 1
      ShapeError: oneHot: depth 0 for indices [2] is not a whole number ≥ 1
      ShapeError: oneHot: indices are float32, int32 is wanted (cast them first)
      ShapeError: sort: a scalar has no axis to sort along
      ShapeError: sort: axis 1 is out of range for rank 1 (use -1 to 0)
      ShapeError: topK: k is 4, axis 0 of [3] has 3 elements (1 to 3 can be taken)
      ShapeError: topK: k is 0, axis 0 of [3] has 3 elements (1 to 3 can be taken)"
    `);
  });

  it("images", () => {
    expect(
      refusals(
        () => t.resize(x(4, 4, 3), [2, 2]),
        () => t.resize(x(1, 4, 4, 3), [0, 2]),
        () => t.resize(int(1, 4, 4, 3), [2, 2]),
        () => t.resize(x(1, 4, 4, 3), [2, 2], { method: "lanczos" as never }),
        () => t.cropAndResize(x(4, 4, 3), x(1, 4), [2, 2]),
        () => t.cropAndResize(x(2, 4, 4, 3), x(1, 4), [2, 2]),
        () => t.cropAndResize(x(1, 4, 4, 3), x(1, 4), [2, 0.5]),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: resize: input of shape [4, 4, 3] is not [batch, height, width, channels]
      ShapeError: resize: size [0, 2] is not made of whole numbers ≥ 1
      ShapeError: resize: input is int32, float32 or uint8 is wanted
      ShapeError: resize: method "lanczos" is unknown ("nearest", "bilinear", "bicubic")
      ShapeError: cropAndResize: input of shape [4, 4, 3] is not [batch, height, width, channels]
      ShapeError: cropAndResize: boxes are float32 [1, 4], float32 [2, 4] is wanted for [2, 4, 4, 3] (one (y, x, height, width) per image)
      ShapeError: cropAndResize: size [2, 0.5] is not made of whole numbers ≥ 1"
    `);
  });

  it("random numbers", () => {
    expect(
      refusals(
        () => t.randomKey(device, -1),
        () => t.randomUniform(x(2), [3]),
        () => t.randomUniform(t.randomKey(device, 0), [-3]),
        () => t.randomUniform(t.randomKey(device, 0), [3], { lo: 2, hi: 1 }),
        () => t.randomBernoulli(t.randomKey(device, 0), [3], 1.5),
        () => t.randomNormal(t.randomKey(device, 0), [3], { stream: 0.5 }),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: randomKey: seed -1 is not a whole number from 0 to 2⁵³ − 1
      ShapeError: randomUniform: key is float32 [2], uint32 [2] is wanted (make one with randomKey(device, seed))
      ShapeError: randomUniform: shape [-3] has an extent that is not a whole number ≥ 0
      ShapeError: randomUniform: the range from 2 to 1 is empty
      ShapeError: randomBernoulli: probability 1.5 is not in 0 … 1
      ShapeError: randomNormal: stream 0.5 is not a whole number from 0 to 2³² − 1"
    `);
  });

  it("where a float or a bool is needed", () => {
    expect(
      refusals(
        () => t.matmul(int(2, 2), int(2, 2)),
        () => t.conv2d(int(1, 3, 3, 1), int(3, 3, 1, 1)),
        () => t.batchNorm(int(5, 3), x(3), x(3)),
        () => t.avgPool2d(int(1, 2, 2, 1), 2),
        () => t.globalAvgPool(int(1, 2, 2, 1)),
        () => packFlat([int(2)], [0], 2),
      ),
    ).toMatchInlineSnapshot(`
      "ShapeError: matmul: operands are int32 and int32, float32 is wanted (cast them first)
      ShapeError: conv2d: input is int32, float32 is wanted (cast it first)
      ShapeError: batchNorm: input is int32, float32 is wanted (cast it first)
      ShapeError: avgPool2d: input is int32, float32 is wanted (cast it first)
      ShapeError: globalAvgPool: input is int32, float32 is wanted (cast it first)
      ShapeError: packFlat: input 0 is int32, not float32"
    `);
    // Functions of real numbers take integers and give float32.
    for (const y of [
      t.exp(int(2)),
      t.softmax(int(2)),
      t.mean(int(2)),
      t.sqrt(of("uint8", 2)),
      t.div(int(2), 2),
    ])
      expect(y.dtype).toBe("float32");
  });

  it("are ShapeErrors that know their op", () => {
    try {
      t.add(x(2), x(3));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ShapeError);
      expect((error as ShapeError).op).toBe("add");
    }
  });
});
