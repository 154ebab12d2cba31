/** Grouped convolutions with few channels a group (depthwise among them): one output element per invocation. */
import { type ConvParams, perGroup } from "../../../families/convolution.js";
import type { Binding } from "../../../program.js";
import { ceilDiv, grid } from "../grid.js";
import { elementTypes, type WgslKernel, type WgslLimits } from "../types.js";

export function narrowConv2d(p: ConvParams, bindings: readonly Binding[], limits: WgslLimits): WgslKernel {
  const { inG, outG } = perGroup(p);
  return perElement(p.batch * p.outH * p.outW * p.outC, bindings, limits, [
    `let o = item % ${p.outC}u;`,
    `let pixel = item / ${p.outC}u;`,
    `let top = i32(pixel / ${p.outW}u % ${p.outH}u) * ${p.strideH} - ${p.padTop};`,
    `let left = i32(pixel % ${p.outW}u) * ${p.strideW} - ${p.padLeft};`,
    `let image = pixel / ${p.outH * p.outW}u;`,
    `for (var ky = 0; ky < ${p.kh}; ky++) {`,
    `let y = top + ky * ${p.dilationH};`,
    `for (var kx = 0; kx < ${p.kw}; kx++) {`,
    `let x = left + kx * ${p.dilationW};`,
    `if (u32(y) < ${p.h}u && u32(x) < ${p.w}u) {`,
    `let at = ((image * ${p.h}u + u32(y)) * ${p.w}u + u32(x)) * ${p.inC}u + o / ${outG}u * ${inG}u;`,
    `let tap = u32(ky * ${p.kw} + kx) * ${inG * p.outC}u + o;`,
    `for (var c = 0u; c < ${inG}u; c++) { sum = fma(A[at + c], B[tap + c * ${p.outC}u], sum); }`,
    "} } }",
  ]);
}

export function narrowInputGrad(p: ConvParams, bindings: readonly Binding[], limits: WgslLimits): WgslKernel {
  const { inG, outG } = perGroup(p);
  return perElement(p.batch * p.h * p.w * p.inC, bindings, limits, [
    `let channel = item % ${p.inC}u;`,
    `let part = channel / ${inG}u;`,
    `let pixel = item / ${p.inC}u;`,
    `let y = i32(pixel / ${p.w}u % ${p.h}u) + ${p.padTop};`,
    `let x = i32(pixel % ${p.w}u) + ${p.padLeft};`,
    `let image = pixel / ${p.h * p.w}u;`,
    `for (var ky = 0; ky < ${p.kh}; ky++) {`,
    `let dy = y - ky * ${p.dilationH};`,
    `for (var kx = 0; kx < ${p.kw}; kx++) {`,
    `let dx = x - kx * ${p.dilationW};`,
    `let between = dy % ${p.strideH} != 0 || dx % ${p.strideW} != 0;`,
    `if (!between && dy >= 0 && dx >= 0 && dy / ${p.strideH} < ${p.outH} && dx / ${p.strideW} < ${p.outW}) {`,
    `let at = ((image * ${p.outH}u + u32(dy / ${p.strideH})) * ${p.outW}u + u32(dx / ${p.strideW})) * ${p.outC}u + part * ${outG}u;`,
    `let tap = (u32(ky * ${p.kw} + kx) * ${inG}u + channel % ${inG}u) * ${p.outC}u + part * ${outG}u;`,
    `for (var o = 0u; o < ${outG}u; o++) { sum = fma(A[at + o], B[tap + o], sum); }`,
    "} } }",
  ]);
}

function perElement(
  total: number,
  bindings: readonly Binding[],
  limits: WgslLimits,
  body: readonly string[],
): WgslKernel {
  const [a, b, c] = elementTypes(bindings);
  const size = 64;
  const g = grid(ceilDiv(total, size), limits);
  const source = [
    `@group(0) @binding(0) var<storage, read> A: array<${a}>;`,
    `@group(0) @binding(1) var<storage, read> B: array<${b}>;`,
    `@group(0) @binding(2) var<storage, read_write> C: array<${c}>;`,
    `@compute @workgroup_size(${size})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
    `let item = (${g.id}) * ${size}u + lane;`,
    `if (item >= ${total}u) { return; }`,
    "var sum = 0f;",
    ...body,
    "C[item] = sum;",
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}
