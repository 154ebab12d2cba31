/** MATLAB files of version 5, as the Flowers data set has them: elements of type, length and content, packed or not. */
import { deflateSync } from "node:zlib";
import { integer, joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";
import { jpeg } from "../pictures.js";

interface Variable {
  name: string;
  values: number[];
  sizes: number[];
  /** Of the array: 6 double, 4 text, 1 cells, 2 a structure. */
  kind: number;
  /** Of the numbers: 9 double, 2 uint8, and others. */
  type: number;
  /** Said of the whole, where it is not so. */
  length?: number;
  packed: boolean;
}

interface Flowers {
  files: { name: string; version: number; variables: Variable[] }[];
  images: number;
}

const variable = (name: string, values: number[]): Variable => ({
  ...{ name, values, sizes: [1, values.length], kind: 6, type: 9, packed: true },
});

/** Type and length, then the content, filled up to eight bytes. */
function element(type: number, content: Uint8Array, length = content.length): Uint8Array {
  const rest = type === 15 ? 0 : (8 - (content.length % 8)) % 8;
  return joined(integer(type, 4, true), integer(length, 4, true), content, new Uint8Array(rest));
}

function written({ name, values, sizes, kind, type, length, packed }: Variable): Uint8Array {
  const dimensions = joined(...sizes.map((size) => integer(size, 4, true)));
  const content = joined(
    element(6, joined(integer(kind, 4, true), integer(0, 4))),
    element(5, dimensions),
    element(1, joined(name)),
    element(type, new Uint8Array(Float64Array.from(values).buffer)),
  );
  const whole = element(14, content, length);
  return packed ? element(15, deflateSync(whole)) : whole;
}

const file = (version: number, variables: readonly Variable[]): Uint8Array =>
  joined("MATLAB 5.0 MAT-file".padEnd(124), integer(version, 2, true), "IM", ...variables.map(written));

const ids = (from: number): number[] => Array.from({ length: 6 }, (_, i) => from + i);

const variableOf = (sample: Flowers, draws: Draws): Variable | undefined =>
  draws.pick(draws.pick(sample.files).variables);

export const mat = defineFormat<Flowers>({
  name: "mat",
  sample: () => ({
    images: 18,
    files: [
      {
        name: "imagelabels.mat",
        version: 0x100,
        variables: [
          variable(
            "labels",
            ids(0)
              .concat(ids(0), ids(0))
              .map((i) => i + 1),
          ),
        ],
      },
      {
        ...{ name: "setid.mat", version: 0x100 },
        variables: [variable("trnid", ids(1)), variable("valid", ids(7)), variable("tstid", ids(13))],
      },
    ],
  }),
  changes: [
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.values[draws.below(of.values.length)] = draws.number(6);
    },
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.sizes[draws.below(of.sizes.length)] = draws.number(6);
    },
    (sample, draws) => {
      variableOf(sample, draws)?.sizes.push(draws.number(2));
    },
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.kind = draws.below(20);
    },
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.type = draws.below(20);
    },
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.length = draws.number(100);
    },
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.name = draws.word("labels");
    },
    (sample, draws) => {
      const of = variableOf(sample, draws);
      if (of) of.packed = !of.packed;
    },
    (sample, draws) => {
      const { variables } = draws.pick(sample.files);
      variables.splice(
        draws.below(variables.length),
        draws.below(2),
        variable("bomb", new Array(10 ** 6).fill(1)),
      );
    },
    (sample, draws) => {
      draws.pick(sample.files).version = draws.pick([0x200, 0, 0xffff]);
    },
    (sample, draws) => {
      sample.images = draws.below(18);
    },
  ],
  encode: ({ files, images }) =>
    new Map([
      ...files.map(({ name, version, variables }) => [name, { bytes: file(version, variables) }] as const),
      ...Array.from(
        { length: images },
        (_, i) => [`jpg/image_${`${i + 1}`.padStart(5, "0")}.jpg`, { bytes: jpeg }] as const,
      ),
    ]),
  attempts: (draws) => [{ read: "data", name: "flowers102:{}", strict: draws.once(4) }],
});
