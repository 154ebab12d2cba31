/**
 * Adds updates to the rows of a matrix, in the order of the sorted row numbers: the first update of a row is found by
 * looking at its neighbour, and that invocation adds all of the row's updates. No atomics, so every run gives the same bits.
 */
import type { ScatterAddParams } from "../../families/scatter-add.js";
import type { Binding } from "../../program.js";
import { ceilDiv, grid } from "./grid.js";
import { elementTypes, type WgslKernel, type WgslLimits } from "./types.js";

export function compileScatterAdd(
  { rows, inner, count }: ScatterAddParams,
  bindings: readonly Binding[],
  limits: WgslLimits,
): WgslKernel {
  const size = 64;
  const total = count * inner;
  const g = grid(ceilDiv(total, size), limits);
  const [rowType, orderType, updateType, resultType] = elementTypes(bindings);
  const source = [
    `@group(0) @binding(0) var<storage, read> rowOf: array<${rowType}>;`,
    `@group(0) @binding(1) var<storage, read> order: array<${orderType}>;`,
    `@group(0) @binding(2) var<storage, read> updates: array<${updateType}>;`,
    `@group(0) @binding(3) var<storage, read_write> result: array<${resultType}>;`,
    `@compute @workgroup_size(${size})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
    `let item = (${g.id}) * ${size}u + lane;`,
    `if (item >= ${total}u) { return; }`,
    `let start = item / ${inner}u;`,
    `let column = item % ${inner}u;`,
    "let row = rowOf[start];",
    `if (u32(row) >= ${rows}u) { return; }`,
    "if (start > 0u) { if (rowOf[start - 1u] == row) { return; } }",
    `let at = u32(row) * ${inner}u + column;`,
    "var sum = result[at];",
    `for (var j = start; j < ${count}u; j++) {`,
    "if (rowOf[j] != row) { break; }",
    `sum += updates[u32(order[j]) * ${inner}u + column];`,
    "}",
    "result[at] = sum;",
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}
