/** MNIST's IDX files, packed by gzip or not. */
import { gzipSync } from "node:zlib";
import { integer, joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";

interface Idx {
  name: string;
  magic: number;
  sizes: number[];
  body: Uint8Array;
  /** Layers of gzip. */
  packed: number;
}

function files(draws: Draws): Idx[] {
  const packed = draws.below(2);
  return ["train", "t10k"].flatMap((part, p) => {
    const count = p === 0 ? 40 : 20;
    const pixels = Uint8Array.from({ length: count * 784 }, (_, i) => (i * 31) & 255);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    return [
      { name: `${part}-images-idx3-ubyte`, magic: 0x803, sizes: [count, 28, 28], body: pixels, packed },
      { name: `${part}-labels-idx1-ubyte`, magic: 0x801, sizes: [count], body: labels, packed },
    ];
  });
}

export const idx = defineFormat<Idx[]>({
  name: "idx",
  sample: files,
  changes: [
    (all, draws) => {
      const { sizes } = draws.pick(all);
      const at = draws.below(sizes.length);
      sizes[at] = draws.number(sizes[at]!);
    },
    // Both files of a side agree on a count that neither holds.
    (all, draws) => {
      const count = draws.number(40);
      all[0]!.sizes[0] = count;
      all[1]!.sizes[0] = count;
    },
    (all, draws) => {
      const file = draws.pick(all);
      file.magic = draws.number(file.magic);
    },
    (all, draws) => void draws.pick(all).sizes.push(draws.below(100)),
    (all, draws) => {
      const labels = draws.pick(all.filter(({ sizes }) => sizes.length === 1));
      if (labels) labels.body = draws.bytes(labels.body.length);
    },
    (all, draws) => {
      draws.pick(all).packed = draws.below(3);
    },
    // What unpacks to far more than it says.
    (all, draws) => {
      const file = draws.pick(all);
      file.packed = 1;
      file.body = new Uint8Array(draws.pick([1, 1, 8, 8, 8, 120]) * 2 ** 20);
    },
  ],
  encode: (all) =>
    new Map(
      all.map(({ name, magic, sizes, body, packed }) => {
        let bytes = joined(integer(magic, 4), ...sizes.map((size) => integer(size, 4)), body);
        for (let layer = 0; layer < packed; layer++) bytes = gzipSync(bytes, { level: 1 });
        return [`${name}${packed > 0 ? ".gz" : ""}`, { bytes }];
      }),
    ),
  attempts: (draws) => [{ read: "data", name: draws.once(4) ? "{}" : "mnist:{}", strict: draws.once(4) }],
});
