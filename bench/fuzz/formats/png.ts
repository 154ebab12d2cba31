/** A folder of PNG files: chunks with checksums, and scan lines packed by zlib. */
import { crc32, deflateSync } from "node:zlib";
import { integer, joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";

interface Chunk {
  type: string;
  data: Uint8Array;
  /** What its header says, where that is not its length. */
  length?: number;
  wrongSum?: boolean;
}

interface Picture {
  width: number;
  height: number;
  depth: number;
  colour: number;
  interlace: number;
  /** Scan lines, packed; of what was drawn, whatever the header says. */
  lines: Uint8Array;
  more: Chunk[];
  end: boolean;
}

/** Channels by the header's colour type. */
const channels: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function picture(draws: Draws): Picture {
  const [width, height, colour] = [4 + draws.below(40), 4 + draws.below(40), draws.pick([0, 2, 6])];
  const row = 1 + width * channels[colour]!;
  const lines = Uint8Array.from({ length: height * row }, (_, i) => (i % row === 0 ? 0 : (i * 37) & 255));
  return { width, height, depth: 8, colour, interlace: 0, lines: deflateSync(lines), more: [], end: true };
}

const chunk = ({ type, data, length, wrongSum }: Chunk): Uint8Array => {
  const body = joined(Buffer.from(type, "latin1"), data);
  return joined(integer(length ?? data.length, 4), body, integer(crc32(body) + (wrongSum ? 1 : 0), 4));
};

function file({ width, height, depth, colour, interlace, lines, more, end }: Picture): Uint8Array {
  const header = joined(
    integer(width, 4),
    integer(height, 4),
    Uint8Array.from([depth, colour, 0, 0, interlace]),
  );
  const chunks: Chunk[] = [{ type: "IHDR", data: header }, ...more, { type: "IDAT", data: lines }];
  if (end) chunks.push({ type: "IEND", data: new Uint8Array(0) });
  return joined(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks.map(chunk));
}

const types = [
  "IHDR",
  "PLTE",
  "tRNS",
  "iCCP",
  "gAMA",
  "eXIf",
  "iTXt",
  "zTXt",
  "acTL",
  "fcTL",
  "IDAT",
  "IEND",
  "AbCd",
];

export const png = defineFormat<Picture[]>({
  name: "png",
  sample: (draws) => Array.from({ length: 6 }, () => picture(draws)),
  changes: [
    (all, draws) => {
      draws.pick(all).width = draws.number(16);
    },
    (all, draws) => {
      draws.pick(all).height = draws.number(16);
    },
    // Large and sound: a few kilobytes that are decoded to many.
    (all, draws) => {
      const at = draws.pick(all);
      const side = draws.pick([2000, 2000, 4000, 4000, 16_000]);
      Object.assign(at, { width: side, height: side, colour: 0, interlace: draws.below(2) });
      at.lines = deflateSync(new Uint8Array((side + 1) * Math.min(side, 4000)), { level: 1 });
    },
    (all, draws) => {
      draws.pick(all).depth = draws.pick([1, 2, 4, 16, 0, 3, 255]);
    },
    (all, draws) => {
      draws.pick(all).colour = draws.pick([3, 4, 6, 1, 7]);
    },
    (all, draws) => {
      draws.pick(all).interlace = draws.pick([1, 2, 255]);
    },
    (all, draws) => {
      draws.pick(all).end = false;
    },
    (all, draws) => {
      const data = draws.once(3) ? deflateSync(new Uint8Array(2 ** 24)) : draws.bytes(draws.below(200));
      const more: Chunk = { type: draws.pick(types), data, wrongSum: draws.once(4) };
      if (draws.once(2)) more.length = draws.number(data.length);
      draws.pick(all).more.push(more);
    },
    (all, draws) => {
      draws.pick(all).lines = deflateSync(draws.bytes(draws.below(400)));
    },
  ],
  encode: (all) =>
    new Map(all.map((each, i) => [`${i % 2 ? "cats" : "dogs"}/${i}.png`, { bytes: file(each) }])),
  attempts: (draws) => [{ read: "data", name: "{}", strict: draws.once(4), boxes: draws.once(2) }],
});
