/** Gaussian blur along one axis, with a kernel of its own for each image. */
import { ShapeError, type Tensor } from "@dawnstrap/tensor";
import { apply1, defineOp, expr as e, nondifferentiable } from "@dawnstrap/tensor/extend";
import type { Columns } from "./parameters.js";

interface Params {
  /** 1: along the height; 2: along the width. */
  readonly axis: 1 | 2;
  /** First column of the half kernel. */
  readonly column: number;
  /** Its length, the centre included. */
  readonly taps: number;
  /** What lies beyond the border: zeros (the paper's code), or the image mirrored about its border pixels (torchvision). */
  readonly padding: "zero" | "reflect";
}

/** Inputs: images [images, h, w, channels], rows [images, columns]. */
const blurOp = defineOp<Params>({
  name: "blurAxis",
  infer([x, rows], { axis, column, taps, padding }) {
    if (x!.shape.length !== 4 || rows!.shape[0] !== x!.shape[0] || column + taps > rows!.shape[1]!)
      throw new ShapeError("blurAxis", `images [${x!.shape}] beside rows [${rows!.shape}]`);
    if (padding === "reflect" && taps > x!.shape[axis]!)
      throw new ShapeError("blurAxis", `${2 * taps - 1} taps on images [${x!.shape}]`, "a smaller kernel");
    return [{ shape: x!.shape, dtype: "float32" }];
  },
  reference([x, rows], { axis, column, taps, padding }, [out]) {
    const [, height, width, channels] = x!.shape as [number, number, number, number];
    const extent = axis === 1 ? height : width;
    const stride = axis === 1 ? width * channels : channels;
    const data = x!.data.map((_, at) => {
      const place = Math.floor(at / stride) % extent;
      const row = Math.floor(at / (height * width * channels)) * rows!.shape[1]! + column;
      let sum = 0;
      for (let t = 1 - taps; t < taps; t++) {
        const to = padding === "zero" ? place + t : reflected(place + t, extent);
        if (to >= 0 && to < extent)
          sum += rows!.data[row + Math.abs(t)]! * x!.data[at + (to - place) * stride]!;
      }
      return sum;
    });
    return [{ ...out!, data }];
  },
  lower(_b, [x, rows], _outs, { axis, column, taps, padding }) {
    const source = x!.cached();
    const kernel = rows!.cached();
    const extent = source.shape[axis]!;
    return (at) => {
      const weight = (t: number) => kernel.at([at[0]!, e.i32(column + t)]);
      const tap = (t: number) => {
        const place = e.add(at[axis]!, e.i32(t));
        const from = (index: e.Expr) => source.at(at.map((other, k) => (k === axis ? index : other)));
        if (padding === "reflect") {
          const last = e.i32(extent - 1);
          const mirrored = e.max(place, e.sub(e.i32(0), place));
          return from(e.min(mirrored, e.sub(e.add(last, last), mirrored)));
        }
        const inside = e.and(e.ge(place, e.i32(0)), e.lt(place, e.i32(extent)));
        // The index is clamped because both sides of a select are evaluated.
        return e.select(inside, from(e.min(e.max(place, e.i32(0)), e.i32(extent - 1))), e.f32(0));
      };
      let sum: e.Expr = e.mul(weight(0), tap(0));
      for (let t = 1; t < taps; t++) sum = e.add(sum, e.mul(weight(t), e.add(tap(-t), tap(t))));
      return sum;
    };
  },
  vjp: nondifferentiable("images are data"),
  sample(s) {
    const taps = s.int(1, 4);
    const padding = s.pick(["zero", "reflect"] as const);
    const least = padding === "reflect" ? taps : 1;
    const [images, height, width, channels] = [s.int(1, 3), s.int(least, 9), s.int(least, 9), s.pick([1, 3])];
    return {
      inputs: [{ shape: [images, height, width, channels] }, { shape: [images, taps + 2] }],
      params: { axis: s.pick([1, 2] as const), column: 1, taps, padding },
    };
  },
});

/** Place i of a row of pixels mirrored about its first and its last one; |i| < extent beyond either end. */
const reflected = (i: number, extent: number): number =>
  Math.min(Math.abs(i), 2 * (extent - 1) - Math.abs(i));

/** Blurs every image along height and width with the symmetric kernel of its row (App. B). */
export function gaussianBlur(
  images: Tensor,
  rows: Tensor,
  { blur: column, taps }: Columns,
  padding: Params["padding"],
): Tensor {
  if (taps === 1) return images;
  const tall = apply1<Params>(blurOp, [images, rows], { axis: 1, column, taps, padding });
  return apply1<Params>(blurOp, [tall, rows], { axis: 2, column, taps, padding });
}
