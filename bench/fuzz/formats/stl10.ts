/** STL-10, binary version. */
import { joined } from "../bytes.js";
import { defineFormat } from "../format.js";

const record = 3 * 96 * 96;

interface Stl {
  /** Images in each of the files of pixels. */
  images: Record<"train" | "test" | "unlabeled", number>;
  labels: Record<"train" | "test", number[]>;
  classes: string[];
}

const parts = ["train", "test"] as const;

export const stl10 = defineFormat<Stl>({
  name: "stl10",
  sample: () => ({
    images: { train: 20, test: 10, unlabeled: 5 },
    labels: {
      train: Array.from({ length: 20 }, (_, i) => 1 + (i % 10)),
      test: Array.from({ length: 10 }, (_, i) => 1 + (i % 10)),
    },
    classes: Array.from({ length: 10 }, (_, k) => `class ${k}`),
  }),
  changes: [
    ({ images }, draws) => {
      images[draws.pick(["train", "test", "unlabeled"] as const)] = draws.pick([0, 1, 3.5, 9.999, 21]);
    },
    ({ labels }, draws) => {
      const side = labels[draws.pick(parts)];
      side[draws.below(side.length)] = draws.pick([0, 11, 255]);
    },
    ({ labels }, draws) => {
      labels[draws.pick(parts)].splice(draws.below(10), draws.below(20));
    },
    ({ classes }, draws) => {
      classes.splice(draws.below(10), draws.below(10));
    },
    ({ classes }, draws) => {
      classes[draws.below(10)] = draws.word("class");
    },
  ],
  encode: ({ images, labels, classes }) =>
    new Map([
      ...Object.entries(images).map(([part, count]): [string, { bytes: Uint8Array }] => [
        `${part}_X.bin`,
        { bytes: Uint8Array.from({ length: Math.floor(count * record) }, (_, i) => (i * 13) & 255) },
      ]),
      ...parts.map((part): [string, { bytes: Uint8Array }] => [
        `${part}_y.bin`,
        { bytes: Uint8Array.from(labels[part]) },
      ]),
      ["class_names.txt", { bytes: joined(classes.join("\n")) }],
    ]),
  attempts: (draws) => [{ read: "data", name: draws.pick(["{}", "stl10:{}"]), strict: draws.once(4) }],
});
