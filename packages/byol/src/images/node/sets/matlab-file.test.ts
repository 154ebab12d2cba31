import { deflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { readMatlab } from "./matlab-file.js";

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
};
const element = (type: number, content: Buffer, length = content.length): Buffer =>
  Buffer.concat([u32(type, length), content, Buffer.alloc(type === 15 ? 0 : (8 - (content.length % 8)) % 8)]);
const array = (kind: number, sizes: number[], ...values: Buffer[]): Buffer =>
  element(
    14,
    Buffer.concat([
      element(6, u32(kind, 0)),
      element(5, u32(...sizes)),
      element(1, Buffer.from("x")),
      ...values,
    ]),
  );
const bytes = (...values: number[]): Buffer => element(2, Buffer.from(values));
const file = (...elements: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("MATLAB 5.0".padEnd(124)), Buffer.from([0, 1]), Buffer.from("IM"), ...elements]);
const x = (...elements: Buffer[]) => readMatlab(file(...elements), ["x"]).get("x");

it("reads numbers, text, cells and structures, packed or not", () => {
  expect(x(array(9, [1, 3], bytes(7, 8, 9)))).toEqual([7, 8, 9]);
  expect(x(element(15, deflateSync(array(6, [1, 2], bytes(1, 2)))))).toEqual([1, 2]);
  expect(x(array(4, [1, 2], element(16, Buffer.from("hé"))))).toBe("hé");
  const [one, two] = [array(9, [1, 1], bytes(1)), array(4, [1, 1], element(4, Buffer.from("a\0")))];
  expect(x(array(1, [1, 2], one, two))).toEqual([[1], "a"]);
  const fields = [element(5, u32(4)), element(1, Buffer.from("ab\0\0cd\0\0"))];
  expect(x(array(2, [1, 1], ...fields, one, two))).toEqual([{ ab: [1], cd: "a" }]);
});

const nested = (depth: number): Buffer =>
  depth === 0 ? array(9, [1, 1], bytes(1)) : array(1, [1, 1], nested(depth - 1));

it.each<[string, Buffer, RegExp]>([
  [
    "numbers than it says",
    array(9, [1, 2_000_000_000], bytes(1)),
    /1 numbers stand in an array of 2000000000/,
  ],
  ["cells than it says", array(1, [65_535, 65_535], bytes(1)), /type 2 stands where an array should/],
  ["cells in all than it says", array(1, [65_535, 65_535], nested(0)), /ends within an element/],
  ["records, of no fields", array(2, [1, 4_000_000_000], bytes(0), bytes(0)), /no fields/],
  [
    "room than an element's length",
    element(14, Buffer.alloc(8), 4_000_000_000),
    /4000000000 bytes does not fit/,
  ],
  ["room than what it unpacks to", element(15, deflateSync(Buffer.alloc(2 ** 25))), /larger than/],
])("refuses a file of fewer %s", (_, content, why) => {
  expect(() => x(content)).toThrow(why);
});

it("refuses cells that lie too deep in each other", () => {
  expect(() => x(nested(8))).not.toThrow();
  expect(() => x(nested(9))).toThrow(/more than 8 deep/);
});
