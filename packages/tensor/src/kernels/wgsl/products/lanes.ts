/**
 * Products for software adapters. llvmpipe runs a workgroup on one thread, its invocations side by side in the lanes
 * of vectors; barriers and workgroup memory cost more than they save, and a load costs one scalar load per lane
 * whatever the addresses are (about as much as ten vector operations). So the lanes of one vector share a tile:
 * each holds its own columns of B, and rows of A are loaded one per lane and handed round by broadcasts.
 */
import type { Binding } from "../../../program.js";
import { ceilDiv, grid } from "../grid.js";
import { nest } from "./nest.js";
import type { Product } from "./product.js";
import { elementTypes, type WgslKernel, type WgslLimits } from "../types.js";

export interface LaneTile {
  /** Rows of a tile; a multiple of `lanes` when they are broadcast. */
  readonly rows: number;
  /** Columns that each lane holds. */
  readonly columns: number;
  /** Invocations of a workgroup: one subgroup, so that broadcasts need no barrier. */
  readonly lanes: number;
  /** Without subgroups every lane loads every row. */
  readonly broadcast: boolean;
}

/** Cycles on llvmpipe, from its machine code: a gathered load, a multiply-add with its masked store. */
const loadCost = 28;
const multiplyAddCost = 2.5;
/** Compiling takes some 3 ms per multiply-add of the tile; as cycles of a call, spread over a hundred calls. */
const compileCost = 120_000;
/** Enough tiles for the threads of a small machine to finish together. */
const wantedTiles = 8;
/** Stores that stand in the code at once. */
const storeSites = 16;

/** Tiles with broadcasts (where there are subgroups of a known size) or without, the least estimated time first. */
export function lanesFor(p: Product, limits: WgslLimits, broadcast: boolean): LaneTile[] {
  const lanes = limits.subgroupSize ?? (limits.hardware ? 64 : 8);
  if (broadcast && limits.subgroupSize === undefined) return [];
  const all = [8, 16, 32].flatMap((rows) =>
    [1, 2, 4, 8].map((columns) => {
      const vectors = p.outVectors && columns % 4 === 0 ? 1 : 1.1;
      const tiles = p.problems * ceilDiv(p.m, rows) * ceilDiv(p.n, lanes * columns);
      const loads = (broadcast ? rows / lanes : rows) + columns;
      const step = loads * loadCost + rows * columns * multiplyAddCost * vectors;
      const cost =
        Math.max(tiles, wantedTiles) * (step * p.depth + rows * columns * loadCost) +
        rows * columns * compileCost;
      return { tile: { rows, columns, lanes, broadcast }, cost };
    }),
  );
  return all
    .filter(({ tile }) => tile.rows * tile.columns <= 128 && !(broadcast && tile.rows % lanes !== 0))
    .sort((s, t) => s.cost - t.cost)
    .map(({ tile }) => tile);
}

export function compileLanes(
  p: Product,
  bindings: readonly Binding[],
  tile: LaneTile,
  limits: WgslLimits,
): WgslKernel {
  const [a, b, c] = elementTypes(bindings);
  const { rows, columns, lanes, broadcast } = tile;
  const tilesN = ceilDiv(p.n, lanes * columns);
  const tilesM = ceilDiv(p.m, rows);
  const g = grid(tilesN * tilesM * p.problems, limits);
  // A lane's columns are neighbours where they are stored as vectors, else the lanes are neighbours.
  const vectors = p.outVectors && columns % 4 === 0;
  const bVectors = vectors && p.bVectors && !p.bAlongK;
  const parts = Array.from({ length: vectors ? columns / 4 : columns }, (_, q) => q);
  const width = vectors ? 4 : 1;
  const type = vectors ? "vec4<f32>" : "f32";
  const held = Array.from({ length: broadcast ? rows / lanes : rows }, (_, i) => String(i));
  const all = Array.from({ length: rows }, (_, r) => r);
  const holder = (r: number): string => held[broadcast ? Math.floor(r / lanes) : r]!;
  const fromHolder = (name: string, r: number): string =>
    broadcast ? `subgroupBroadcast(${name}${holder(r)}, ${r % lanes}u)` : `${name}${holder(r)}`;
  const rowsCut = p.m % rows !== 0;
  const columnsCut = p.n % (lanes * columns) !== 0;
  const column = (q: number): string => `column${q}`;

  const bText = (q: number): string => {
    if (bVectors) return `B[(${p.b(column(q))}) / 4u]`;
    if (!vectors) return `B[${p.b(column(q))}]`;
    return `vec4<f32>(${[0, 1, 2, 3].map((i) => `B[${p.b(`(${column(q)} + ${i}u)`)}]`).join(", ")})`;
  };
  const inner = [
    `let end = ${p.to} * opaque;`,
    `for (var k = ${p.from}; k < end; k++) {`,
    ...held.map(
      (i) => `let a${i} = ${p.inside ? `select(0f, A[${p.a(i)}], ${p.inside(i)})` : `A[${p.a(i)}]`};`,
    ),
    ...parts.map((q) => `let b${q} = ${bText(q)};`),
    ...all.flatMap((r) => [
      `let x${r} = ${type}(${fromHolder("a", r)});`,
      ...parts.map((q) => `s${r}_${q} = fma(x${r}, b${q}, s${r}_${q});`),
    ]),
    "}",
  ];

  // Each store costs every lane a branch in llvmpipe's code, most of what there is to compile; so they stand in a loop
  // that stores `sites` rows a turn.
  const sites = Math.max(Math.min(rows, Math.floor(storeSites / columns)), ceilDiv(rows, lanes));
  const turns = rows / sites;
  const pick = (names: readonly string[]): string =>
    names.reduce((rest, name, i) => (i === 0 ? name : `select(${rest}, ${name}, turn == ${i}u)`), "");
  const store = (site: number): string[] => {
    const first = site * turns;
    const among = all.slice(first, first + turns);
    const body = parts.flatMap((q) => {
      const at = vectors ? `(o${site} + wanted${q}) / 4u` : `o${site} + wanted${q}`;
      const line = `C[${at}] = ${pick(among.map((r) => `s${r}_${q}`))};`;
      return columnsCut ? [`if (wanted${q} < ${p.n}u) { ${line} }`] : [line];
    });
    const out = broadcast
      ? `subgroupShuffle(out${holder(first)}, ${first % lanes}u + turn)`
      : pick(among.map((r) => `out${holder(r)}`));
    const guarded = rowsCut || p.valid !== undefined;
    return [`let o${site} = ${out};`, ...(guarded ? [`if (o${site} != ${nowhere}) {`, ...body, "}"] : body)];
  };
  const place = (i: string): string => {
    const checks = [...(rowsCut ? [`wantedRow${i} < ${p.m}u`] : []), ...(p.valid ? [p.valid(i)] : [])];
    return checks.length === 0 ? p.out(i) : `select(${nowhere}, ${p.out(i)}, ${checks.join(" && ")})`;
  };

  const source = [
    ...(broadcast ? ["enable subgroups;", "diagnostic(off, subgroup_uniformity);"] : []),
    `@group(0) @binding(0) var<storage, read> A: array<${a}>;`,
    `@group(0) @binding(1) var<storage, read> B: array<${bVectors ? `vec4<${b}>` : b}>;`,
    `@group(0) @binding(2) var<storage, read_write> C: array<${vectors ? `vec4<${c}>` : c}>;`,
    ...(p.globals ?? []),
    `@compute @workgroup_size(${lanes})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
    // One, but compilers cannot know: where they know that a loop runs, Mesa peels off its first turn and then copies
    // every sum twice in each of the others; and short loops would be unrolled.
    "let opaque = min(count.x, 1u);",
    `let tile = ${g.id};`,
    ...(g.overshoots ? [`if (tile >= ${tilesN * tilesM * p.problems}u) { return; }`] : []),
    `let firstColumn = (tile % ${tilesN}u) * ${lanes * columns}u;`,
    `let firstRow = (tile / ${tilesN}u % ${tilesM}u) * ${rows}u;`,
    `let problem = tile / ${tilesN * tilesM}u;`,
    ...p.setup,
    ...held.flatMap((i) => [
      `let wantedRow${i} = firstRow + ${broadcast ? `${Number(i) * lanes}u + lane` : `${i}u`};`,
      // Every lane stays in the game: rows past the end compute the last one again and do not store it.
      `let row${i} = ${rowsCut ? `min(wantedRow${i}, ${p.m - 1}u)` : `wantedRow${i}`};`,
      ...p.row(i),
    ]),
    ...parts.flatMap((q) => [
      `let wanted${q} = firstColumn + ${vectors ? `lane * ${columns}u + ${q * 4}u` : `lane + ${q * lanes}u`};`,
      `let ${column(q)} = ${columnsCut ? `min(wanted${q}, ${p.n - width}u)` : `wanted${q}`};`,
    ]),
    ...all.flatMap((r) => parts.map((q) => `var s${r}_${q} = ${type}();`)),
    ...nest(p.loops, held, inner),
    ...held.map((i) => `let out${i} = ${place(i)};`),
    `let turns = opaque * ${turns}u;`,
    "for (var turn = 0u; turn < turns; turn++) {",
    ...Array.from({ length: sites }, (_, i) => store(i)).flat(),
    "}",
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}

const nowhere = "0xffffffffu";
