/**
 * Products for GPUs: a workgroup of down × across invocations loads tiles of A and B into workgroup memory, and each
 * invocation multiplies its rows with its columns out of there. Tiles are loaded and held as vectors of four wherever
 * four neighbours in memory are aligned: along the sum or along the lines (rows of A, columns of B), as they lie, so
 * that nothing is transposed on the way.
 */
import type { Binding } from "../../../program.js";
import { ceilDiv, grid } from "../grid.js";
import { four, Held } from "./held.js";
import { nest } from "./nest.js";
import type { Product } from "./product.js";
import { elementTypes, type WgslKernel, type WgslLimits } from "../types.js";

export interface WorkgroupTile {
  /** Invocations of a workgroup along the rows and along the columns. */
  readonly down: number;
  readonly across: number;
  /** Rows and columns of each invocation; multiples of four that divide `across` and `down`. */
  readonly rows: number;
  readonly columns: number;
  /** Steps of the sum per load of the tiles; a multiple of four. */
  readonly depth: number;
}

/** Down, across, rows, columns. */
export const tileShapes = [
  [16, 16, 8, 8],
  [16, 16, 8, 4],
  [16, 8, 8, 8],
  [8, 16, 8, 8],
  [8, 8, 8, 8],
  [8, 8, 8, 4],
  [16, 16, 4, 4],
  [16, 8, 4, 4],
  [8, 16, 4, 4],
  [8, 32, 4, 4],
  [8, 8, 4, 4],
  [32, 4, 4, 4],
  [16, 4, 4, 4],
] as const;

/** Of a multiply-add: a GPU's core makes 128 of them in the time of 32 values from workgroup memory, */
const readCost = 4;
/** and of some six values from the second-level cache. */
const loadCost = 20;
/** Two barriers, with the loads' latency that other workgroups do not hide. */
const turnCost = 400;
/** Invocations that keep a middling GPU busy; with fewer, more time does not buy more work. */
const wantedThreads = 16_384;

/** Tiles that the adapter allows, the least estimated time first. */
export function tilesFor(p: Product, limits: WgslLimits): WorkgroupTile[] {
  const all = tileShapes.flatMap(([down, across, rows, columns]) =>
    (p.innerExtent <= 4 ? [4] : p.innerExtent <= 8 ? [8] : [8, 16]).map((depth) => {
      const tile = { down, across, rows, columns, depth };
      return { tile, cost: cost(p, tile) };
    }),
  );
  const allowed = all.filter(
    ({ tile }) =>
      tile.down * tile.across <= limits.maxInvocationsPerWorkgroup &&
      bytes(p, tile) <= limits.maxWorkgroupStorageBytes,
  );
  return allowed.sort((s, t) => s.cost - t.cost).map(({ tile }) => tile);
}

function cost(p: Product, { down, across, rows, columns, depth }: WorkgroupTile): number {
  const threads = down * across;
  const tiles = p.problems * ceilDiv(p.m, down * rows) * ceilDiv(p.n, across * columns);
  const loads = (down * rows + across * columns) / threads;
  const step = rows * columns + readCost * (rows + columns) + loadCost * loads;
  const turns = (p.depth / p.innerExtent) * ceilDiv(p.innerExtent, depth);
  return turns * (step * depth + turnCost) * Math.max(1, (tiles * threads) / wantedThreads);
}

function held(p: Product, { down, across, rows, columns, depth }: WorkgroupTile): { a: Held; b: Held } {
  const threads = down * across;
  return {
    a: new Held("A", down * rows, depth, p.aAlongK, p.aVectors, threads),
    b: new Held("B", across * columns, depth, p.bAlongK, p.bVectors, threads),
  };
}

function bytes(p: Product, tile: WorkgroupTile): number {
  const { a, b } = held(p, tile);
  return 4 * (a.length * a.width + b.length * b.width);
}

export function compileTiles(
  p: Product,
  bindings: readonly Binding[],
  tile: WorkgroupTile,
  limits: WgslLimits,
): WgslKernel {
  const { down, across, rows, columns, depth } = tile;
  const { a, b } = held(p, tile);
  const [tileM, tileN] = [down * rows, across * columns];
  const tilesN = ceilDiv(p.n, tileN);
  const tilesM = ceilDiv(p.m, tileM);
  const g = grid(tilesN * tilesM * p.problems, limits);
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const ragged = p.from !== "0u" || p.innerExtent % depth !== 0 ? ["k < end"] : [];
  // Sums stand in vectors of four columns where B's do.
  const sums = count(b.quads ? columns / 4 : columns);
  const sumType = b.quads ? "vec4<f32>" : "f32";
  const outVectors = b.quads && p.outVectors;
  const types = elementTypes(bindings);
  const stored = (binding: number, vectors: boolean): string =>
    vectors ? `vec4<${types[binding]}>` : types[binding]!;

  const inner = [
    `let end = ${p.to} * opaque;`,
    `for (var k0 = ${p.from}; k0 < end; k0 += ${depth}u) {`,
    ...a.fill(
      (i) => p.a(String(i)),
      (i) => [...ragged, ...(p.inside ? [p.inside(String(i))] : [])],
    ),
    ...b.fill(
      (i) => p.b(`column${i}`),
      () => ragged,
    ),
    "workgroupBarrier();",
    "for (var quad = 0u; quad < quads; quad++) {",
    ...a.read(rows, "y", down),
    ...b.read(columns, "x", across),
    ...four.flatMap((step) =>
      count(rows).flatMap((r) =>
        sums.map(
          (c) =>
            `s${r}_${c} = fma(${sumType}(${a.value(r, step)}), ${b.value(c, step, b.quads)}, s${r}_${c});`,
        ),
      ),
    ),
    "}",
    "workgroupBarrier();",
    "}",
  ];
  // Rows and columns past the end compute the last ones again, and do not store them.
  const rowAt = (name: string, at: string, width: number): string[] => [
    `let wantedRow${name} = ${at};`,
    `let row${name} = ${p.m % tileM === 0 ? `wantedRow${name}` : `min(wantedRow${name}, ${p.m - width}u)`};`,
    ...p.row(name),
  ];
  const store = (r: number): string[] => {
    const checks = [
      ...(p.m % tileM === 0 ? [] : [`wantedRowS < ${p.m}u`]),
      ...(p.valid ? [p.valid("S")] : []),
    ];
    const put = (column: string, value: string): string => {
      const at = outVectors ? `(out + ${column}) / 4u` : `out + ${column}`;
      const line = `C[${at}] = ${value};`;
      return p.n % tileN === 0 ? line : `if (${column} < ${p.n}u) { ${line} }`;
    };
    const line = (c: number): string => `(firstColumn + ${b.line(c, "x", across)})`;
    const body =
      b.quads && !outVectors
        ? sums.flatMap((q) => four.map((c) => put(line(4 * q + c), `s${r}_${q}[${c}]`)))
        : sums.map((q) => put(line(b.quads ? 4 * q : q), `s${r}_${q}`));
    return [
      "{",
      ...rowAt("S", `firstRow + ${a.line(r, "y", down)}`, 1),
      `if (${checks.join(" && ") || "true"}) {`,
      `let out = ${p.out("S")};`,
      ...body,
      "}",
      "}",
    ];
  };
  const aLines = count(a.lines).map(String);

  const source = [
    `@group(0) @binding(0) var<storage, read> A: array<${stored(0, a.vectors)}>;`,
    `@group(0) @binding(1) var<storage, read> B: array<${stored(1, b.vectors)}>;`,
    `@group(0) @binding(2) var<storage, read_write> C: array<${stored(2, outVectors)}>;`,
    a.declaration,
    b.declaration,
    ...(p.globals ?? []),
    `@compute @workgroup_size(${down * across})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) thread: u32) {",
    // One, but compilers cannot know. Four steps stand in the code; Mesa would unroll short loops around them, and
    // take seconds for it.
    "let opaque = min(count.x, 1u);",
    `let quads = ${depth / 4}u * opaque;`,
    `let tile = ${g.id};`,
    ...(g.overshoots ? [`if (tile >= ${tilesN * tilesM * p.problems}u) { return; }`] : []),
    `let firstColumn = (tile % ${tilesN}u) * ${tileN}u;`,
    `let firstRow = (tile / ${tilesN}u % ${tilesM}u) * ${tileM}u;`,
    `let problem = tile / ${tilesN * tilesM}u;`,
    `let x = thread % ${across}u;`,
    `let y = thread / ${across}u;`,
    `let stepA = ${a.firstStep}; let lineA = ${a.firstLine};`,
    `let stepB = ${b.firstStep}; let lineB = ${b.firstLine};`,
    ...p.setup,
    ...count(a.lines).flatMap((i) => rowAt(String(i), `firstRow + lineA + ${a.lineOf(i)}u`, a.quads ? 4 : 1)),
    ...count(b.lines).map(
      (i) => `let column${i} = min(firstColumn + lineB + ${b.lineOf(i)}u, ${p.n - (b.quads ? 4 : 1)}u);`,
    ),
    ...count(rows).flatMap((r) => sums.map((c) => `var s${r}_${c} = ${sumType}();`)),
    ...nest(p.loops, aLines, inner),
    ...count(rows).flatMap(store),
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}
