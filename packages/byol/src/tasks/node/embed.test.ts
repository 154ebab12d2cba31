import { parquetReadObjects } from "hyparquet";
import { parse } from "npyjs";
import { describe, expect, it } from "vitest";
import { embeddingsFormat, npyOf, parquetOf } from "./embed.js";

describe("embeddings", () => {
  const embeddings = {
    ...{ features: Float32Array.of(1, 2, 3, 4, 5, 6.5), width: 3 },
    ...{ names: ["a.png", "b.png"], classes: ["x", "y"] },
  };
  it("go to NumPy's format and back", () => {
    const bytes = npyOf(embeddings);
    const { data, shape, dtype } = parse(bytes.buffer as ArrayBuffer);
    expect({ data: [...(data as Float32Array)], shape, dtype }).toEqual({
      data: [1, 2, 3, 4, 5, 6.5],
      shape: [2, 3],
      dtype: "f4",
    });
  });
  it("go to Parquet and back, with paths and classes", async () => {
    const { buffer } = parquetOf(embeddings);
    const rows = await parquetReadObjects({ file: buffer as ArrayBuffer });
    expect(rows[1]).toEqual({ path: "b.png", class: "y", feature_0: 4, feature_1: 5, feature_2: 6.5 });
  });
  it("are told by the file's ending", () => {
    expect(embeddingsFormat("x.npy")).toBe(npyOf);
    expect(embeddingsFormat("x.parquet")).toBe(parquetOf);
    expect(() => embeddingsFormat("x.csv")).toThrow(/x\.csv ends neither in \.npy nor in \.parquet/);
  });
});
