/** CIFAR-10 and CIFAR-100, binary version. */
import { joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";

interface Cifar {
  readonly kind: "cifar10" | "cifar100";
  files: { name: string; labels: number[]; labelBytes: number; pixels: number }[];
  names: { file: string; lines: string[] };
}

function sample(draws: Draws): Cifar {
  const ten = draws.once(2);
  const names = ten
    ? [...[1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`), "test_batch.bin"]
    : ["train.bin", "test.bin"];
  const classes = ten ? 10 : 100;
  return {
    kind: ten ? "cifar10" : "cifar100",
    files: names.map((name) => ({
      ...{ name, labelBytes: ten ? 1 : 2, pixels: 3072 },
      labels: Array.from({ length: ten ? 20 : 200 }, (_, i) => i % classes),
    })),
    names: {
      file: ten ? "batches.meta.txt" : "fine_label_names.txt",
      lines: Array.from({ length: classes }, (_, k) => `class ${k}`),
    },
  };
}

export const cifar = defineFormat<Cifar>({
  name: "cifar",
  sample,
  changes: [
    ({ files }, draws) => {
      const { labels } = draws.pick(files);
      for (let n = draws.below(4); n >= 0; n--) labels[draws.below(labels.length)] = draws.bits() & 255;
    },
    ({ files }, draws) => {
      draws.pick(files).labels.splice(draws.below(20), draws.below(300));
    },
    ({ files }, draws) => {
      draws.pick(files).pixels = draws.pick([3071, 3073, 0, 1]);
    },
    ({ files }, draws) => {
      draws.pick(files).labelBytes = draws.pick([0, 1, 2, 3]);
    },
    ({ names }, draws) => {
      names.lines.splice(draws.below(names.lines.length), draws.below(names.lines.length + 1));
    },
    ({ names }, draws) => {
      names.lines[draws.below(names.lines.length)] = draws.word("class");
    },
  ],
  encode: ({ files, names }) =>
    new Map([
      ...files.map(({ name, labels, labelBytes, pixels }): [string, { bytes: Uint8Array }] => {
        const records = labels.map((label, i) => [
          Array<number>(labelBytes).fill(label),
          Array.from({ length: pixels }, (_, p) => (i * 7 + p) & 255),
        ]);
        return [name, { bytes: joined(...records.flat()) }];
      }),
      [names.file, { bytes: joined(names.lines.join("\n")) }],
    ]),
  attempts: (draws, { kind }) => [
    { read: "data", name: draws.once(3) ? "{}" : `${kind}:{}`, strict: draws.once(4) },
  ],
});
