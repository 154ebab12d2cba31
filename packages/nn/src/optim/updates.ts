/**
 * The in-place kernels of optimiser steps: one pass over the weights, their state and, with it, the target's
 * EMA.
 */
import { stack, type Tensor } from "@dawnstrap/tensor";
import {
  apply,
  type Aval,
  defineOp,
  expr as e,
  type LowerBuilder,
  type NdArray,
  nondifferentiable,
  type OpDef,
  type Sampler,
  type Source,
  type TensorSpec,
} from "@dawnstrap/tensor/extend";
import { BLOCK } from "../arena.js";

type Expr = e.Expr;

/** Where the numbers that change from step to step stand in the scalars tensor. */
export const scalarAt = { lr: 0, targetRate: 1, correction1: 2, correction2: 3, peak: 4, skip: 5 } as const;
export const SCALARS = 6;

/** What an update sees of one element, beside its state. */
export interface Element<V> {
  readonly g: V;
  /** Weight decay of the element's parameter. */
  readonly decay: V;
  /** Trust ratio of the element's parameter. */
  readonly ratio: V;
  /** Learning rate of the element's parameter. */
  readonly lr: V;
  readonly scalar: (name: keyof typeof scalarAt) => V;
}

/** Arithmetic on host numbers or on kernel expressions, so that reference and kernel are one formula. */
export interface Arithmetic<V> {
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  mul(a: V, b: V): V;
  div(a: V, b: V): V;
  sqrt(a: V): V;
  of(x: number): V;
  /** b where a ≥ 1, else c. */
  ifFull(a: V, b: V, c: V): V;
}

/** Rows of the table of parameters, float32 [3, segments]: one tensor, because some devices bind no more than 8 at once. */
const tableRows = { decay: 0, ratio: 1, lr: 2 } as const;

const onNumbers: Arithmetic<number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  sqrt: Math.sqrt,
  of: (x) => x,
  ifFull: (a, b, c) => (a >= 1 ? b : c),
};
const onExpressions: Arithmetic<Expr> = {
  add: e.add,
  sub: e.sub,
  mul: e.mul,
  div: e.div,
  sqrt: (a) => e.unary("sqrt", a),
  of: e.f32,
  ifFull: (a, b, c) => e.select(e.ge(a, e.f32(1)), b, c),
};

export interface UpdateRule<P> {
  readonly name: string;
  /** Arrays beside the weights that the rule keeps. */
  readonly states: number;
  /** Constants with which the kernel is tested. */
  readonly sample: (s: Sampler) => P;
  /** New [w, …states] of one element. */
  step<V>(m: Arithmetic<V>, w: V, states: readonly V[], x: Element<V>, constants: P): V[];
}

export type Params<P> = P & {
  /** A target follows the weights: ξ ← ξ + (1 − τ)(w_new − ξ). */
  readonly target: boolean;
  /** Where the scalar `skip` is 1 nothing changes, not even the state. */
  readonly skips: boolean;
};

/**
 * Inputs: the arrays that are updated (w, states…, ξ where there is a target), then g, segmentOfBlock, table, scalars.
 * Outputs: the updated arrays.
 */
export function updateOp<P>(rule: UpdateRule<P>): OpDef<Params<P>> {
  const updatedCount = ({ target }: Params<P>): number => 1 + rule.states + (target ? 1 : 0);
  const stepAll = <V>(m: Arithmetic<V>, arrays: readonly V[], x: Element<V>, params: Params<P>): V[] => {
    const [w, ...states] = arrays.slice(0, 1 + rule.states);
    const next = rule.step(m, w!, states, x, params);
    if (params.target) {
      const [xi, rate] = [arrays.at(-1)!, x.scalar("targetRate")];
      // τ = 0 copies exactly, which ξ + 1·(w − ξ) would do up to rounding only.
      next.push(m.ifFull(rate, next[0]!, m.add(xi, m.mul(rate, m.sub(next[0]!, xi)))));
    }
    return params.skips ? next.map((v, k) => m.ifFull(x.scalar("skip"), arrays[k]!, v)) : next;
  };
  return defineOp<Params<P>>({
    name: rule.name,
    infer: (inputs, params): Aval[] =>
      inputs.slice(0, updatedCount(params)).map(({ shape, dtype }) => ({ shape, dtype })),
    reference(inputs, params): NdArray[] {
      const count = updatedCount(params);
      const updated = inputs.slice(0, count).map((x) => ({ ...x, data: x.data.slice() }));
      const [g, segmentOf, table, scalars] = inputs.slice(count) as [NdArray, NdArray, NdArray, NdArray];
      const scalar = (name: keyof typeof scalarAt): number => scalars.data[scalarAt[name]]!;
      g.data.forEach((d, i) => {
        const segment = segmentOf.data[Math.floor(i / BLOCK)]!;
        const of = (row: keyof typeof tableRows): number =>
          table.data[tableRows[row] * table.shape[1]! + segment]!;
        const element = { g: d, decay: of("decay"), ratio: of("ratio"), lr: of("lr"), scalar };
        const next = stepAll(
          onNumbers,
          updated.map((x) => x.data[i]!),
          element,
          params,
        );
        next.forEach((v, k) => {
          updated[k]!.data[i] = v;
        });
      });
      return updated;
    },
    lower(b: LowerBuilder, inputs: readonly Source[], outs, params) {
      const count = updatedCount(params);
      const [g, segmentOf, parameters, scalars] = inputs.slice(count).map((x) => x.cached()) as [
        Source,
        Source,
        Source,
        Source,
      ];
      const table = b.view(parameters.buffer(), parameters.shape);
      const bufs = inputs.slice(0, count).map((x, k) => b.updated(k, x));
      const grid = [outs[0]!.shape[0]! / BLOCK, BLOCK];
      const arrays = bufs.map((buf) => b.view(buf, grid));
      b.map(bufs, grid, (at) => {
        const segment = segmentOf.at([at[0]!]);
        const of = (row: keyof typeof tableRows): Expr => table.at([e.i32(tableRows[row]), segment]);
        const element = {
          g: g.at([e.flatten(at, grid)]),
          decay: of("decay"),
          ratio: of("ratio"),
          lr: of("lr"),
          scalar: (name: keyof typeof scalarAt) => scalars.at([e.i32(scalarAt[name])]),
        };
        return stepAll(
          onExpressions,
          arrays.map((a) => a.at(at)),
          element,
          params,
        );
      });
    },
    updates: true,
    vjp: nondifferentiable("an optimiser step is not differentiated"),
    sample(s) {
      const [blocks, segments] = [s.int(1, 9), s.int(1, 4)];
      const params = { ...rule.sample(s), target: s.bool(), skips: s.bool() };
      const flat: TensorSpec = { shape: [blocks * BLOCK] };
      const positive: TensorSpec = { ...flat, range: [0, 2] };
      const updated = Array.from({ length: updatedCount(params) }, (_, k) => (k === 2 ? positive : flat));
      const inputs: TensorSpec[] = [
        ...updated,
        flat,
        { shape: [blocks], dtype: "int32", range: [0, segments - 1] },
        { shape: [Object.keys(tableRows).length, segments], range: [0, 1] },
        { shape: [SCALARS], range: [0.1, 1] },
      ];
      return { inputs, params };
    },
  });
}

/** Arrays that an update reads beside the ones it changes. */
export interface UpdateInputs {
  readonly g: Tensor;
  readonly segmentOfBlock: Tensor;
  /** Weight decay, trust ratio and learning rate of each parameter, each float32 [segments]. */
  readonly decay: Tensor;
  readonly ratio: Tensor;
  readonly rates: Tensor;
  readonly scalars: Tensor;
}

/** Records an update of `arrays` (w, states…, and ξ where `params.target`); returns their new values. */
export function applyUpdate<P extends { target: boolean; skips: boolean }>(
  op: Parameters<typeof apply<P>>[0],
  arrays: readonly Tensor[],
  { g, segmentOfBlock, decay, ratio, rates, scalars }: UpdateInputs,
  params: P,
): Tensor[] {
  return apply(op, [...arrays, g, segmentOfBlock, stack([decay, ratio, rates]), scalars], params);
}
