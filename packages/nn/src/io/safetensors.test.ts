import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from "./safetensors.js";
import { decodeStateDict, encodeStateDict } from "./files.js";
import { fromRaw } from "./values.js";
import type { HostTensor } from "../host-tensor.js";

/** A file with this header (an object or a text) and as many zero bytes of data. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}
const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("decodeSafetensors", () => {
  it("reads a file as the format describes it", () => {
    const bytes = file({ __metadata__: { made: "by hand" }, b: f32([2], 4, 12), a: f32([], 0, 4) }, 12);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(metadata).toEqual({ made: "by hand" });
    expect(fromRaw(tensors.get("b")!).data).toEqual(Float32Array.of(0, 1.5));
    expect(tensors.get("a")!.shape).toEqual([]);
  });

  it.each([
    ["an empty file", new Uint8Array(0), /0 bytes, fewer than the 8/],
    [
      "a header longer than the file",
      file({ a: f32([1], 0, 4) }, 4).subarray(0, 20),
      /header is said to have 54 bytes, the file has 12 left .truncated/,
    ],
    ["a header length of nonsense", new Uint8Array(64).fill(0xff), /beyond the limit/],
    ["a header of nested lists", file("[".repeat(2 ** 20), 0), /nested deeper than 3 levels/],
    ["an entry of nested lists", file({ a: f32([[[[0]]]] as never, 0, 4) }, 4), /nested deeper than 3/],
    [
      "a header longer than any model's",
      file(" ".repeat(2 ** 24 + 8), 0),
      /header of 16777224 bytes is beyond the limit of 16777216/,
    ],
    ["a tensor of very many dimensions", file({ a: f32(Array(65).fill(1), 0, 4) }, 4), /has 65 dimensions/],
    [
      "a long value in a message",
      file({ a: f32(Array(10_000).fill(-1), 0, 4) }, 4),
      /has shape \[[-1,]{79}…,/,
    ],
    ["a header that is no JSON", file("{not json", 0), /header is not JSON/],
    [
      "a header that is no UTF-8",
      (() => {
        const f = file({ a: 1 }, 0);
        f[9] = 0xff;
        return f;
      })(),
      /header is not JSON/,
    ],
    ["a header that is a list", file([1], 0), /not a JSON object/],
    ["an entry that is no object", file({ a: 3 }, 0), /entry of tensor a is not an object/],
    [
      "truncated data",
      file({ a: f32([4], 0, 16) }, 16).subarray(0, -5),
      /tensor a ends at byte 16, the file holds 11.*truncated/,
    ],
    ["an unknown dtype", file({ a: { ...f32([1], 0, 4), dtype: "F4" } }, 4), /tensor a has dtype "F4"/],
    [
      "a dtype of the prototype",
      file({ a: { ...f32([1], 0, 4), dtype: "toString" } }, 4),
      /has dtype "toString"/,
    ],
    ["a negative extent", file({ a: f32([-1], 0, 4) }, 4), /tensor a has shape \[-1\]/],
    ["a shape that overflows", file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /needs \d/],
    ["offsets the wrong way round", file({ a: f32([1], 4, 0) }, 4), /data_offsets \[4,0\]/],
    ["offsets that do not fit the shape", file({ a: f32([3], 0, 4) }, 4), /needs 12 bytes; .* hold 4/],
    [
      "overlapping tensors",
      file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      /tensors a and b overlap at byte 4/,
    ],
    ["a hole", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /bytes 4 to 8, before tensor b/],
    ["bytes left over", file({ a: f32([1], 0, 4) }, 7), /last 3 bytes/],
    [
      "metadata that is no text",
      file({ __metadata__: { a: 1 } }, 0),
      /__metadata__ is not an object of strings/,
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  it("never fails in any other way, whatever byte is changed or cut off", () => {
    const whole = encodeStateDict(
      new Map([["w", { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) }]]),
      { k: "v" },
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const bytes = cut ? whole.slice(0, at) : whole.slice();
        if (!cut) bytes[at] = byte;
        try {
          decodeStateDict(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
    );
  });
});

describe("encodeSafetensors", () => {
  it("takes brackets in names and metadata, and refuses a header that would not be read", () => {
    const name = '[[[[{"\\';
    const one = { dtype: "U8", shape: [1], bytes: Uint8Array.of(1) } as const;
    expect(decodeSafetensors(encodeSafetensors([[name, one]], { k: name })).metadata).toEqual({ k: name });
    expect(() => encodeSafetensors([[name, one]], { k: "x".repeat(2 ** 24) })).toThrow(/header is limited/);
  });

  it("writes what decodeSafetensors reads", () => {
    const tensor = fc.tuple(
      fc.array(fc.nat(4), { maxLength: 3 }),
      fc.constantFrom("float32", "int32", "uint8", "int64"),
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((n) => n !== "__metadata__"),
          tensor,
        ),
        (entries) => {
          const arrays = {
            float32: Float32Array,
            int32: Int32Array,
            uint8: Uint8Array,
            int64: BigInt64Array,
          };
          const dict = new Map(
            Object.entries(entries).map(([name, [shape, dtype]]): [string, HostTensor] => {
              const data = new arrays[dtype](shape.reduce((n, d) => n * d, 1));
              data.forEach((_: unknown, i: number) => {
                data[i] = dtype === "int64" ? BigInt(i) : i;
              });
              return [name, { dtype, shape, data } as HostTensor];
            }),
          );
          const read = decodeStateDict(encodeStateDict(dict, { seed: "1" }));
          expect(read.metadata).toEqual({ seed: "1" });
          expect(new Map([...read.dict].sort())).toEqual(new Map([...dict].sort()));
        },
      ),
    );
  });

  it("aligns the data, so that other readers may map the file", () => {
    const bytes = encodeStateDict(
      new Map([
        ["x", { dtype: "uint8", shape: [1], data: Uint8Array.of(1) }],
        ["y", { dtype: "int64", shape: [], data: BigInt64Array.of(7n) }],
      ]),
    );
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
    expect(decodeSafetensors(bytes).tensors.get("y")!.bytes.byteOffset % 8).toBe(0);
  });

  it("refuses bytes that do not fill the shape, and a name given twice", () => {
    const one = { dtype: "F32", shape: [1], bytes: new Uint8Array(4) } as const;
    expect(() => encodeSafetensors([["a", { ...one, shape: [2] }]])).toThrow(
      /tensor a.* needs 8 bytes, not 4/,
    );
    expect(() =>
      encodeSafetensors([
        ["a", one],
        ["a", one],
      ]),
    ).toThrow(/name a is taken/);
  });
});

describe("fromRaw", () => {
  const raw = (dtype: "F16" | "BF16" | "F64", words: Uint16Array | Float64Array) =>
    fromRaw({ dtype, shape: [words.length], bytes: new Uint8Array(words.buffer) }).data;
  it("widens half precision exactly", () => {
    expect([...raw("F16", Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00))]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      -0,
      Number.POSITIVE_INFINITY,
    ]);
    expect([...raw("BF16", Uint16Array.of(0x3f80, 0xc000, 0x0080))]).toEqual([1, -2, 2 ** -126]);
    expect(Number.isNaN(raw("F16", Uint16Array.of(0x7e00))[0])).toBe(true);
  });
  it("narrows doubles", () => {
    expect(raw("F64", Float64Array.of(0.1))[0]).toBe(Math.fround(0.1));
  });
});
