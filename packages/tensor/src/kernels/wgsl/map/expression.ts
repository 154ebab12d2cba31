/** Map kernels in WGSL. */
import { affineParts, type Expr, type Index, type Slot } from "../../../expr/expr.js";
import type { MapKernel } from "../../../program.js";
import { stridesOf } from "../../../shape.js";
import { Emitter, type Place } from "./emitter.js";
import { ceilDiv, grid } from "../grid.js";
import { elementType, type WgslKernel, type WgslLimits } from "../types.js";

/** How a kernel's items (elements, or words of four bytes) are dealt out. */
interface Work {
  readonly groupSize: number;
  /** Items that an invocation computes, one after another. */
  readonly turns: number;
}

/**
 * A GPU gets an invocation for each item, two to four subgroups at a time. On llvmpipe an invocation costs as much as
 * several loads and a workgroup as much as several invocations, so its workgroups are one vector wide and long.
 */
function workOf(items: number, limits: WgslLimits): Work {
  if (limits.hardware) return { groupSize: 64, turns: 1 };
  const groupSize = limits.subgroupSize ?? 8;
  return { groupSize, turns: Math.min(64, Math.max(1, Math.floor(items / (groupSize * wantedGroups)))) };
}

/** Enough for the threads of a small machine to finish together. */
const wantedGroups = 16;

export function compileExpression(kernel: MapKernel, limits: WgslLimits): WgslKernel {
  const { axes, outputs, reads } = kernel;
  const extents = axes.map((a) => a.extent);
  const total = extents.reduce((n, d) => n * d, 1);
  const places = new Map<Slot, Place>();
  reads.forEach((slot, k) => {
    places.set(slot, { name: `b${k}`, atomic: false });
  });
  const bytes = outputs.map((o) => o.slot.dtype === "uint8");
  // Four bytes make a word: one invocation computes four neighbours where the outputs run along the iteration space.
  const packed = outputs.map((o, k) => bytes[k]! && isIdentity(o.index, axes));
  outputs.forEach((o, k) => {
    places.set(o.slot, { name: `b${reads.length + k}`, atomic: bytes[k]! && !packed[k] });
  });

  const declarations = [...reads, ...outputs.map((o) => o.slot)].map((slot, k) => {
    const { atomic } = places.get(slot)!;
    const type = atomic ? "atomic<u32>" : elementType[slot.dtype];
    const access = k < reads.length ? "read" : "read_write";
    return `@group(0) @binding(${k}) var<storage, ${access}> b${k}: array<${type}>;`;
  });

  const perItem = packed.some(Boolean) ? 4 : 1;
  const items = ceilDiv(total, perItem);
  const { groupSize, turns } = workOf(items, limits);
  const g = grid(ceilDiv(items, groupSize * turns), limits);
  const emitter = new Emitter(places, outputs, limits);
  const element = emitter.element(axes, packed);
  const body =
    perItem === 1
      ? ["let flat = item;", ...element]
      : [
          ...outputs.flatMap((_, k) => (packed[k] ? [`var word${k} = 0u;`] : [])),
          "for (var q = 0u; q < 4u; q++) {",
          "let flat = item * 4u + q;",
          ...(total % 4 === 0 ? [] : [`if (flat >= ${total}u) { break; }`]),
          ...element,
          "}",
          ...outputs.flatMap((o, k) => (packed[k] ? [`${places.get(o.slot)!.name}[item] = word${k};`] : [])),
        ];
  const invariants = [
    ...(emitter.needsOpaque ? ["let opaque = i32(min(count.x, 1u));"] : []),
    ...emitter.invariants,
  ];
  const first = `(${g.id}) * ${groupSize * turns}u`;
  const exact = items % groupSize === 0 && !g.overshoots;
  const deal =
    turns === 1
      ? [
          `let item = ${first} + lane;`,
          ...(exact ? [] : [`if (item >= ${items}u) { return; }`]),
          ...invariants,
          ...body,
        ]
      : [
          `let first = ${first};`,
          `let end = min(first + ${groupSize * turns}u, ${items}u);`,
          ...invariants,
          `for (var item = first + lane; item < end; item += ${groupSize}u) {`,
          ...body,
          "}",
        ];
  const source = [
    ...declarations,
    ...emitter.globals,
    `@compute @workgroup_size(${groupSize})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>,",
    "@builtin(local_invocation_index) lane: u32) {",
    ...deal,
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}

/** Whether the index is the row-major position in the iteration space. */
function isIdentity(index: Expr, axes: readonly Index[]): boolean {
  const { terms, offset } = affineParts(index);
  if (offset !== 0) return false;
  const strides = stridesOf(axes.map((a) => a.extent));
  const coefficient = new Map<Expr, number>(terms);
  const matches = axes.every((a, k) => a.extent === 1 || coefficient.get(a) === strides[k]);
  return matches && terms.every(([t]) => axes.some((a) => a === t));
}
