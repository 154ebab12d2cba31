/**
 * Products for GPUs: a workgroup of 16 × 16 invocations loads tiles of A and B into workgroup memory, and each
 * invocation multiplies its rows with its columns out of there.
 */
import { ceilDiv, grid } from "./grid.js";
import { nest } from "./nest.js";
import type { Product } from "./product.js";
import type { WgslKernel, WgslLimits } from "./types.js";

export interface WorkgroupTile {
  /** Rows and columns of each invocation; the workgroup's tile is 16 times as large both ways. */
  readonly rows: number;
  readonly columns: number;
  /** Steps of the sum per load of the tiles; a divisor of 256. */
  readonly depth: number;
}

const side = 16;
const threads = side * side;

export function tilesFor(p: Product, limits: WgslLimits): WorkgroupTile {
  const fit = (extent: number): number => (extent <= 16 ? 1 : extent <= 32 ? 2 : 4);
  let [rows, columns] = [fit(p.m), fit(p.n)];
  // The larger tile halves the traffic, where enough of them remain to fill the GPU.
  if (p.m >= 128 && p.n >= 128 && p.problems * ceilDiv(p.m, 128) * ceilDiv(p.n, 128) >= 64)
    rows = columns = 8;
  // A sum of few steps, such as the three channels of an image, should not be padded to many.
  const depth = p.innerExtent <= 4 ? 4 : p.innerExtent <= 8 || rows === 8 ? 8 : 16;
  const tile = { rows, columns, depth };
  return bytes(tile) <= limits.maxWorkgroupStorageBytes ? tile : { rows: 1, columns: 1, depth: 4 };
}

/** One float of padding a row keeps the writes along k out of each other's banks. */
const bytes = (t: WorkgroupTile): number => 4 * t.depth * (side * (t.rows + t.columns) + 2);

export function compileTiles(p: Product, tile: WorkgroupTile, limits: WgslLimits): WgslKernel {
  const { rows, columns, depth } = tile;
  const [tileM, tileN] = [side * rows, side * columns];
  const tilesN = ceilDiv(p.n, tileN);
  const tilesM = ceilDiv(p.m, tileM);
  const g = grid(tilesN * tilesM * p.problems, limits);
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const a = loads(tileM, depth, p.aAlongK);
  const b = loads(tileN, depth, p.bAlongK);
  const aRows = count(a.lines).map(String);

  const fillA = [
    ...count(a.each).map((i) => {
      const line = p.aAlongK ? i : 0;
      const step = p.aAlongK ? 0 : i;
      return [
        `{ let k = k0 + aStep + ${step * a.stride}u;`,
        `var v = 0f; if (k < ${p.to} && wantedRow${line} < ${p.m}u) { v = ${p.a(String(line))}; }`,
        `tileA[(aStep + ${step * a.stride}u) * ${tileM + 1}u + aLine + ${line * a.stride}u] = v; }`,
      ].join("\n");
    }),
  ];
  const fillB = [
    ...count(b.each).map((i) => {
      const line = p.bAlongK ? i : 0;
      const step = p.bAlongK ? 0 : i;
      return [
        `{ let k = k0 + bStep + ${step * b.stride}u; let column = firstColumn + bLine + ${line * b.stride}u;`,
        `var v = 0f; if (k < ${p.to} && column < ${p.n}u) { v = B[${p.b("column")}]; }`,
        `tileB[(bStep + ${step * b.stride}u) * ${tileN + 1}u + bLine + ${line * b.stride}u] = v; }`,
      ].join("\n");
    }),
  ];
  const multiply = [
    `for (var step = 0u; step < ${depth}u; step++) {`,
    ...count(rows).map((r) => `let x${r} = tileA[step * ${tileM + 1}u + y + ${r * side}u];`),
    ...count(columns).map((c) => `let w${c} = tileB[step * ${tileN + 1}u + x + ${c * side}u];`),
    ...count(rows).flatMap((r) => count(columns).map((c) => `s${r}_${c} = fma(x${r}, w${c}, s${r}_${c});`)),
    "}",
  ];
  const inner = [
    `for (var k0 = ${p.from}; k0 < ${p.to}; k0 += ${depth}u) {`,
    ...guarded(tileM * depth, fillA),
    ...guarded(tileN * depth, fillB),
    "workgroupBarrier();",
    ...multiply,
    "workgroupBarrier();",
    "}",
  ];
  const rowAt = (name: string, at: string): string[] => [
    `let wantedRow${name} = ${at};`,
    `let row${name} = min(wantedRow${name}, ${p.m - 1}u);`,
    ...p.row(name),
  ];
  const store = (r: number): string[] => [
    "{",
    ...rowAt("S", `firstRow + y + ${r * side}u`),
    `if (wantedRowS < ${p.m}u${p.valid ? ` && ${p.valid("S")}` : ""}) {`,
    `let out = ${p.out("S")};`,
    ...count(columns).map(
      (c) =>
        `if (firstColumn + x + ${c * side}u < ${p.n}u) { C[out + firstColumn + x + ${c * side}u] = s${r}_${c}; }`,
    ),
    "}",
    "}",
  ];

  const source = [
    "@group(0) @binding(0) var<storage, read> A: array<f32>;",
    "@group(0) @binding(1) var<storage, read> B: array<f32>;",
    "@group(0) @binding(2) var<storage, read_write> C: array<f32>;",
    `var<workgroup> tileA: array<f32, ${depth * (tileM + 1)}>;`,
    `var<workgroup> tileB: array<f32, ${depth * (tileN + 1)}>;`,
    ...(p.globals ?? []),
    `@compute @workgroup_size(${threads})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {",
    `let tile = ${g.id};`,
    ...(g.overshoots ? [`if (tile >= ${tilesN * tilesM * p.problems}u) { return; }`] : []),
    `let firstColumn = (tile % ${tilesN}u) * ${tileN}u;`,
    `let firstRow = (tile / ${tilesN}u % ${tilesM}u) * ${tileM}u;`,
    `let problem = tile / ${tilesN * tilesM}u;`,
    `let x = thread % ${side}u;`,
    `let y = thread / ${side}u;`,
    `let aStep = ${a.step}; let aLine = ${a.line};`,
    `let bStep = ${b.step}; let bLine = ${b.line};`,
    ...p.setup,
    ...aRows.flatMap((i) => rowAt(i, `firstRow + aLine + ${Number(i) * a.stride}u`)),
    ...count(rows).flatMap((r) => count(columns).map((c) => `var s${r}_${c} = 0f;`)),
    ...nest(p.loops, aRows, inner),
    ...count(rows).flatMap(store),
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}

/** Small tiles have fewer elements than there are threads. */
const guarded = (elements: number, body: readonly string[]): readonly string[] =>
  elements < threads ? [`if (thread < ${elements}u) {`, ...body, "}"] : body;

/** How the threads share the loads of a tile of `extent` lines (rows or columns) × `depth` steps. */
function loads(extent: number, depth: number, alongK: boolean): Loads {
  const each = ceilDiv(extent * depth, threads);
  if (alongK) {
    const stride = threads / depth;
    return { each, lines: each, stride, step: `thread % ${depth}u`, line: `thread / ${depth}u` };
  }
  return {
    each,
    lines: 1,
    stride: threads / extent,
    step: `thread / ${extent}u`,
    line: `thread % ${extent}u`,
  };
}

interface Loads {
  /** Elements that a thread loads. */
  readonly each: number;
  /** Different rows or columns among them. */
  readonly lines: number;
  /** From one element to the next, in lines (along k) or in steps. */
  readonly stride: number;
  /** WGSL of the first element's step and line. */
  readonly step: string;
  readonly line: string;
}
