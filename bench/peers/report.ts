/** Rows as text: a line for the terminal, tables for RESULTS.md. */
import { machineText } from "../shared/machine.js";
import { sectionOf, table } from "../shared/section.js";
import type { DeviceName } from "./contenders/list.js";
import type { Results, Row } from "./rows.js";

const digits = (x: number): string =>
  x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x >= 1 ? x.toFixed(2) : x.toPrecision(2);
const orDash = (x: number | null | undefined, text = digits): string =>
  x === null || x === undefined ? "–" : text(x);
const times = (x: number): string => `${digits(x)}×`;

export function lineOf(row: Row): string {
  const peers = Object.entries(row.peers).map(
    ([name, v]) => `${name} ${v === null ? `– (${row.reasons[name]})` : digits(v)}`,
  );
  const ours = row.ours === null ? `– (${row.reasons["dawnstrap"]})` : digits(row.ours);
  const spread = Math.max(0, ...Object.values(row.timings).map((t) => t.spread));
  return (
    `${row.device}  ${row.case}: ${ours} ${row.unit}; ${peers.join(", ")}; ` +
    `${orDash(row.ratio_to_best_peer, times)} the best peer, rounds within ${Math.round(spread * 100)} %`
  );
}

/** Reasons as footnotes, each text once. */
class Notes {
  private readonly texts: string[] = [];

  mark(text: string): string {
    let at = this.texts.indexOf(text);
    if (at < 0) at = this.texts.push(text) - 1;
    return `– [${at + 1}]`;
  }

  toString(): string {
    return this.texts.map((text, i) => `[${i + 1}] ${text}  `).join("\n");
  }
}

function speeds(rows: readonly Row[]): string {
  const notes = new Notes();
  const names = [...new Set(rows.flatMap((r) => Object.keys(r.peers)))];
  const native = rows.some((r) => r.ratio_to_native !== null);
  const body = rows.map((r) => [
    r.case,
    r.unit,
    r.ours === null ? notes.mark(r.reasons["dawnstrap"]!) : `**${digits(r.ours)}**`,
    ...names.map((n) => {
      const v = r.peers[n];
      return v === null || v === undefined ? notes.mark(r.reasons[n] ?? "did not take part") : digits(v);
    }),
    orDash(r.ratio_to_best_peer, times),
    ...(native ? [orDash(r.ratio_to_native, times)] : []),
  ]);
  const head = [
    "case",
    "unit",
    "dawnstrap",
    ...names,
    "ours ÷ best JS peer",
    ...(native ? ["ours ÷ PyTorch"] : []),
  ];
  return `${table(head, body)}\n\n${notes}`;
}

function costs(rows: readonly Row[]): string {
  const body = rows.flatMap((r) => {
    const { counts: n, timings } = r;
    const timing = timings["dawnstrap"];
    if (!n || !timing) return [];
    return [
      [
        r.case,
        digits(timing.ms),
        `${n.dispatches}`,
        `${n.submits}`,
        `${n.buffersCreated} / ${n.bindGroupsCreated} / ${n.kernelsCreated}`,
        digits(n.bytesBound / 1e6),
        orDash(n.hostMicrosPerDispatch),
        digits(timing.firstMs),
        digits(n.firstWarmMs),
        digits(n.peakBytes / 2 ** 20),
      ],
    ];
  });
  const head = [
    "dawnstrap, per call",
    "ms",
    "dispatches",
    "submits",
    "buffers / bind groups / kernels made",
    "MB bound",
    "host µs a dispatch",
    "first call, cold, ms",
    "first call, warm, ms",
    "peak MiB",
  ];
  return table(head, body);
}

export function peersSection(results: Results): string {
  const { threads, limit, contenders, rows } = results;
  const parts = [
    `${machineText(results)}; ${threads} threads on the CPU.`,
    Object.entries(contenders)
      .map(([name, { description, versions }]) => {
        const list = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
        return `- ${name}: ${description} (${list.join(", ")})`;
      })
      .join("\n"),
  ];
  if (limit) {
    const fused =
      limit.fused === null ? "this engine has no fused multiply-add" : `${digits(limit.fused)} fused`;
    parts.push(
      `128-bit vectors that stay in registers reach ${digits(limit.mulAdd)} GFLOP/s on these threads by WebAssembly (${fused}). No kernel multiplies faster; Winograd convolutions need fewer multiplications than the textbook count that stands here.`,
    );
  }
  for (const device of ["cpu", "webgpu"] satisfies DeviceName[]) {
    const own = rows.filter((r) => r.device === device);
    if (own.length) parts.push(`### ${device}`, speeds(own), costs(own));
  }
  return sectionOf("Against peers", results, parts);
}
