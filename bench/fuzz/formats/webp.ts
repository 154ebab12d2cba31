/** WebP files, lossy and lossless: RIFF chunks. */
import { integer, joined } from "../bytes.js";
import { defineFormat } from "../format.js";
import { ramp, webp as lossy } from "../pictures.js";

interface Chunk {
  type: string;
  data: Uint8Array;
  length?: number;
}

interface Webp {
  chunks: Chunk[];
  /** What the header says of the whole, where that is not so. */
  length?: number;
}

function parsed(bytes: Buffer): Webp {
  const chunks: Chunk[] = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    chunks.push({
      type: bytes.toString("latin1", at, at + 4),
      data: bytes.subarray(at + 8, at + 8 + length),
    });
    at += 8 + length + (length % 2);
  }
  return { chunks };
}

function file({ chunks, length }: Webp): Uint8Array {
  const body = joined(
    "WEBP",
    ...chunks.flatMap(({ type, data, length: said }) => [
      Buffer.from(type, "latin1"),
      integer(said ?? data.length, 4, true),
      data,
      new Uint8Array(data.length % 2),
    ]),
  );
  return joined("RIFF", integer(length ?? body.length, 4, true), body);
}

/** The extended header: flags, and the canvas less one. */
const canvas = (flags: number, width: number, height: number): Chunk => ({
  type: "VP8X",
  data: joined(
    [flags, 0, 0, 0],
    integer(width - 1, 4, true).subarray(0, 3),
    integer(height - 1, 4, true).subarray(0, 3),
  ),
});

const lossless = await ramp(18, 3).webp({ lossless: true }).toBuffer();
const types = ["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP", "EXIF", "XMP ", "    "];

export const webp = defineFormat<Webp[]>({
  name: "webp",
  sample: () => Array.from({ length: 6 }, (_, i) => parsed(i % 2 ? lossy : lossless)),
  changes: [
    (all, draws) => {
      const chunk = draws.pick(draws.pick(all).chunks);
      if (chunk) chunk.length = draws.number(chunk.data.length);
    },
    (all, draws) => {
      draws.pick(all).length = draws.number(1000);
    },
    // Sizes stand in the first ten bytes of either kind.
    (all, draws) => {
      const chunk = draws.pick(draws.pick(all).chunks);
      if (!chunk) return;
      const data = Uint8Array.from(chunk.data);
      for (let n = draws.below(3); n >= 0; n--)
        data[draws.below(Math.min(10, data.length))] = draws.bits() & 255;
      chunk.data = data;
    },
    (all, draws) =>
      void draws.pick(all).chunks.unshift(canvas(draws.bits() & 255, draws.number(20), draws.number(20))),
    (all, draws) => void draws.pick(all).chunks.unshift(canvas(0, 16_384, 16_384)),
    (all, draws) => {
      const chunk = draws.pick(draws.pick(all).chunks);
      if (chunk) chunk.type = draws.pick(types);
    },
    // An animation of frames that are elsewhere.
    (all, draws) => {
      const picture = draws.pick(all);
      const frame = joined(draws.bytes(16), ...picture.chunks.map(({ data }) => data));
      const frames = Array.from({ length: 1 + draws.below(200) }, () => ({ type: "ANMF", data: frame }));
      picture.chunks = [canvas(2, 22, 22), { type: "ANIM", data: new Uint8Array(6) }, ...frames];
    },
    (all, draws) => {
      const { chunks } = draws.pick(all);
      const [chunk] = chunks.splice(draws.below(chunks.length), 1);
      if (chunk && draws.once(2)) chunks.push(chunk, chunk);
    },
  ],
  encode: (all) =>
    new Map(all.map((each, i) => [`${i % 2 ? "cats" : "dogs"}/${i}.webp`, { bytes: file(each) }])),
  attempts: (draws) => [{ read: "data", name: "{}", strict: draws.once(4), boxes: draws.once(2) }],
});
