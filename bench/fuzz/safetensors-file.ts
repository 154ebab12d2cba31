/** safetensors files in a form in which their structure can be changed; nothing is checked. */
import { createHash } from "node:crypto";
import { integer, joined } from "./bytes.js";
import type { Draws } from "./draws.js";

export interface TensorsFile {
  /** Of each tensor: dtype, shape, data_offsets. */
  tensors: Record<string, { dtype: unknown; shape: unknown; data_offsets: unknown }>;
  metadata: Record<string, string>;
  data: Uint8Array;
  /** What the first eight bytes say of the header's length, where that is not so. */
  length?: number;
  /** Instead of the header. */
  header?: string;
}

export function tensorsOf(bytes: Uint8Array): TensorsFile {
  const length = Number(Buffer.from(bytes.subarray(0, 8)).readBigUInt64LE());
  const { __metadata__: metadata = {}, ...tensors } = JSON.parse(
    Buffer.from(bytes.subarray(8, 8 + length)).toString(),
  );
  return { tensors, metadata, data: bytes.subarray(8 + length) };
}

export function tensorsFile({ tensors, metadata, data, length, header }: TensorsFile): Uint8Array {
  const text = Buffer.from(header ?? JSON.stringify({ __metadata__: metadata, ...tensors }));
  return joined(integer(length ?? text.length, 8, true), text, data);
}

/** With the checksum that a checkpoint's record has to have. */
export function signed(file: TensorsFile): TensorsFile {
  const sha256 = createHash("sha256")
    .update(file.metadata.record ?? "")
    .digest("hex");
  return { ...file, metadata: { ...file.metadata, sha256 } };
}

const dtypes = ["F32", "F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "", 7, null];

/** Changes that fit every such file. */
export const tensorChanges: readonly ((file: TensorsFile, draws: Draws) => void)[] = [
  (file, draws) => {
    file.length = draws.number(draws.once(2) ? file.data.length : 2 ** 31);
  },
  (file, draws) => {
    const tensor = file.tensors[draws.pick(Object.keys(file.tensors))];
    if (tensor) tensor.dtype = draws.pick(dtypes);
  },
  (file, draws) => {
    const tensor = file.tensors[draws.pick(Object.keys(file.tensors))];
    if (!tensor) return;
    const shape = Array.isArray(tensor.shape) ? [...(tensor.shape as number[])] : [];
    shape[draws.below(shape.length + 1)] = draws.number(shape[0] ?? 1);
    tensor.shape = draws.pick([shape, shape, [...shape, 1], [], "4", Array(5000).fill(1)]);
  },
  (file, draws) => {
    const tensor = file.tensors[draws.pick(Object.keys(file.tensors))];
    if (!tensor) return;
    const [from = 0, to = 0] = Array.isArray(tensor.data_offsets) ? (tensor.data_offsets as number[]) : [];
    tensor.data_offsets = draws.pick([
      [draws.number(from), to],
      [from, draws.number(to)],
      [to, from],
      [],
      null,
    ]);
  },
  (file, draws) => {
    delete file.tensors[draws.pick(Object.keys(file.tensors))];
  },
  (file, draws) => {
    const name = draws.pick(Object.keys(file.tensors));
    const value = file.tensors[name];
    if (!value) return;
    delete file.tensors[name];
    const other = draws.pick(["", "__proto__", `${name}.running_mean`, "fc.weight", "a".repeat(10_000)]);
    Object.defineProperty(file.tensors, other, { value, enumerable: true, configurable: true });
  },
  (file, draws) => {
    file.header = draws.pick([
      ...["", "{", "[]", "null", "7", '{"a":1}', `${"[".repeat(200_000)}`, `{"a":${"[".repeat(5000)}`],
      ...[`{"__metadata__":[]}`, `{"__metadata__":{"preset":7}}`, "\u0000".repeat(100), " ".repeat(2 ** 20)],
    ]);
  },
  (file, draws) => {
    const name = draws.pick(Object.keys(file.metadata));
    if (name !== undefined) file.metadata[name] = draws.word(file.metadata[name]!);
  },
  (file, draws) => {
    file.data = file.data.subarray(0, draws.below(file.data.length + 1));
  },
  // Weights that are no numbers.
  (file, draws) => {
    const data = Uint8Array.from(file.data);
    for (let at = 4 * draws.below(64); at + 4 <= data.length; at += 4 * (1 + draws.below(64)))
      data.set(
        draws.pick([
          [0, 0, 192, 127],
          [0, 0, 128, 127],
          [255, 255, 127, 127],
        ]),
        at,
      );
    file.data = data;
  },
];
