import { ShapeError } from "./errors.js";

export type Shape = readonly number[];

export const numel = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, s = 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i]!;
  }
  return strides;
}

export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

/** @throws ShapeError unless the shapes are equal, where broadcasting would hide a mistake */
export function checkSameShape(op: string, a: { readonly shape: Shape }, b: { readonly shape: Shape }): void {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(op, `shapes ${show(a.shape)} and ${show(b.shape)} differ`, "reshape one of them");
}

/** NumPy's broadcasting rule: align at the right, an extent of 1 stretches. */
export function broadcastShapes(op: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      const d = shape[i]!;
      if (d === out[at] || d === 1) continue;
      if (out[at] !== 1)
        throw new ShapeError(
          op,
          `shapes ${shapes.map(show).join(" and ")} do not broadcast`,
          `axis ${at}: ${out[at]} against ${d}`,
        );
      out[at] = d;
    }
  }
  return out;
}

/** Turns a possibly negative axis into 0 … rank − 1. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank)
    throw new ShapeError(
      op,
      `axis ${axis} is out of range for rank ${rank}`,
      rank ? `use ${-rank} to ${rank - 1}` : "a scalar has no axes",
    );
  return a;
}

/** Normalised, sorted, distinct axes; every axis when none is given. */
export function normalizeAxes(
  op: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : [...axes]).map((a) => normalizeAxis(op, a, rank));
  if (new Set(list).size !== list.length) throw new ShapeError(op, `axes [${list}] repeat an axis`);
  return list.sort((a, b) => a - b);
}

export function checkShape(op: string, shape: Shape): void {
  for (const d of shape)
    if (!Number.isInteger(d) || d < 0)
      throw new ShapeError(op, `shape ${show(shape)} has an extent that is not a whole number ≥ 0`);
}
