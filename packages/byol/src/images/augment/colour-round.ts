/**
 * One round of the colour jitter. The four operations come in an order drawn per image, so a round computes, for each
 * image, the operation whose code stands in its row: all of them are evaluated and one is selected, which costs less
 * than a branch and keeps the program the same for every batch.
 */
import { ShapeError, type Tensor } from "@dawnstrap/tensor";
import {
  type Aval,
  apply,
  defineOp,
  expr as e,
  type NdArray,
  nondifferentiable,
} from "@dawnstrap/tensor/extend";
import { luma, onExpressions, onNumbers, turnAndScale, unit } from "./hsv.js";
import { type Columns, colourCodes as code } from "./parameters.js";
import type { ViewAugmentation } from "./settings.js";

interface Params {
  readonly form: ViewAugmentation["form"];
  /** Column of this round's operation code. */
  readonly round: number;
  /** First of the four columns of strengths. */
  readonly strength: number;
}

/** The four candidates for every channel of a pixel, and the choice among them. */
interface Choice<T> {
  readonly pixel: readonly T[];
  readonly means: readonly T[];
  /** The number in a column of the image's row. */
  readonly row: (column: number) => T;
}

function chosen<T>(
  m: typeof onNumbers | typeof onExpressions,
  { pixel, means, row }: Choice<T>,
  { form, round, strength }: Params,
): T[] {
  // The two arithmetics share their form, which the union of their types does not show.
  const a = m as unknown as Parameters<typeof turnAndScale<T>>[0];
  const op = row(round);
  const is = (wanted: number, yes: T, no: T) => a.ifEqual(op, a.of(wanted), yes, no);
  const of = (wanted: number) => row(strength + wanted);
  const contrast = of(code.contrast);
  const turn = is(code.hue, of(code.hue), a.of(0));
  const factor = is(code.saturation, of(code.saturation), a.of(1));
  const coloured = pixel.length === 3;
  const inHsv = form === "deepmind";
  const turned = coloured
    ? turnAndScale(a, pixel as readonly [T, T, T], turn, inHsv ? factor : a.of(1))
    : pixel;
  const grey = (values: readonly T[]): T => (coloured ? luma(a, values as readonly [T, T, T]) : values[0]!);
  const blend = (x: T, f: T, centre: T): T => a.add(a.mul(f, a.sub(x, centre)), centre);
  return pixel.map((x, c) => {
    const brighter = inHsv ? a.add(x, of(code.brightness)) : a.mul(x, of(code.brightness));
    // The mean of the grey image is the grey of the channels' means.
    const contrasted = blend(x, contrast, inHsv ? means[c]! : grey(means));
    const saturated = inHsv ? turned[c]! : is(code.saturation, blend(x, factor, grey(pixel)), turned[c]!);
    // −1 stands for no operation: such images stay as they are, bit for bit.
    const hueOrNone = is(-1, x, saturated);
    return unit(a, is(code.brightness, brighter, is(code.contrast, contrasted, hueOrNone)));
  });
}

const half = (inputs: readonly unknown[]) => (inputs.length - 1) / 2;

/** Inputs: a plane [images, h, w] per channel, the mean of each [images], the rows [images, columns]. */
const colourRoundOp = defineOp<Params>({
  name: "colourRound",
  infer(inputs) {
    const planes = inputs.slice(0, half(inputs));
    const rows = inputs.at(-1)!;
    for (const plane of planes)
      if (plane.shape.length !== 3 || plane.shape[0] !== rows.shape[0])
        throw new ShapeError("colourRound", `a plane [${plane.shape}] beside rows [${rows.shape}]`);
    return planes.map(({ shape }): Aval => ({ shape, dtype: "float32" }));
  },
  reference(inputs, params, outs): NdArray[] {
    const channels = half(inputs);
    const [images, height, width] = outs[0]!.shape as [number, number, number];
    const rows = inputs.at(-1)!;
    const results = outs.map((out) => ({ ...out, data: new Float64Array(images * height * width) }));
    for (let at = 0; at < images * height * width; at++) {
      const image = Math.floor(at / (height * width));
      const value = chosen(
        onNumbers,
        {
          pixel: inputs.slice(0, channels).map((plane) => plane.data[at]!),
          means: inputs.slice(channels, 2 * channels).map((mean) => mean.data[image]!),
          row: (column) => rows.data[image * rows.shape[1]! + column]!,
        },
        params,
      );
      for (const [c, v] of value.entries()) results[c]!.data[at] = v;
    }
    return results;
  },
  lower(b, inputs, outs, params) {
    const channels = half(inputs);
    const planes = inputs.slice(0, channels).map((plane) => plane.cached());
    const means = inputs.slice(channels, 2 * channels).map((mean) => mean.cached());
    const rows = inputs.at(-1)!.cached();
    b.map(
      outs.map((_, c) => b.out(c)),
      outs[0]!.shape,
      ([image, y, x]) =>
        chosen<e.Expr>(
          onExpressions,
          {
            pixel: planes.map((plane) => plane.at([image!, y!, x!])),
            means: means.map((mean) => mean.at([image!])),
            row: (column) => rows.at([image!, e.i32(column)]),
          },
          params,
        ),
    );
  },
  vjp: nondifferentiable("images are data"),
  sample(s) {
    const [images, height, width] = [s.int(1, 4), s.int(1, 9), s.int(1, 9)];
    const channels = s.pick([1, 3]);
    const plane = { shape: [images, height, width], range: [0, 1] as const };
    const mean = { shape: [images], range: [0, 1] as const };
    const rows = { shape: [images, 6], range: [0, 1] as const };
    return {
      inputs: [...Array(channels).fill(plane), ...Array(channels).fill(mean), rows],
      params: { form: s.pick(["deepmind", "torchvision"] as const), round: 0, strength: 1 },
    };
  },
});

/**
 * Applies to every image the operation of round `index`: brightness, contrast, saturation, hue or none (App. B) in
 * the given form, each followed by a clip to [0, 1].
 *
 * @param planes channels, float32 [images, h, w] in [0, 1]: one or three
 * @param means mean of each plane over each image, [images]
 * @param rows see `drawViews`
 */
export function colourRound(
  planes: readonly Tensor[],
  means: readonly Tensor[],
  rows: Tensor,
  columns: Columns,
  index: number,
  form: ViewAugmentation["form"],
): Tensor[] {
  return apply(colourRoundOp, [...planes, ...means, rows], {
    form,
    round: columns.round + index,
    strength: columns.strength,
  });
}
