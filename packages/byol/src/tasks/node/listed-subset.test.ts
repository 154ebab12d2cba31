import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { parse } from "npyjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embeddingsFormat, npyOf, parquetOf } from "./embed.js";
import { balancedSubset } from "../subsets.js";
import { listedSubset } from "./listed-subset.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "subsets-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const labels = Int32Array.from({ length: 300 }, (_, i) => (i % 10 < 7 ? 0 : i % 10 < 9 ? 1 : 2));
const names = ["often", "less", "seldom"];

describe("subsets", () => {
  it("balance the classes, repeat with the seed and differ without it", () => {
    const places = balancedSubset(labels, names, 0.1, 4);
    expect(places).toHaveLength(30);
    for (let c = 0; c < 3; c++) expect(places.filter((i) => labels[i] === c)).toHaveLength(10);
    expect(balancedSubset(labels, names, 0.1, 4)).toEqual(places);
    expect(balancedSubset(labels, names, 0.1, 5)).not.toEqual(places);
    // At least one of each, and all of a class that has too few.
    expect(balancedSubset(labels, names, 1e-6, 4)).toHaveLength(3);
    expect(balancedSubset(labels, names, 1, 4).filter((i) => labels[i] === 2)).toHaveLength(30);
  });
  it("name a class without images", () => {
    expect(() => balancedSubset(labels, [...names, "never"], 0.1, 0)).toThrow(/no image of class never/);
    expect(() => balancedSubset(labels, names, 0, 0)).toThrow(/a share of 0/);
  });
  it("read SimCLR's lists, and name what they list in vain", async () => {
    const list = join(folder, "1percent.txt");
    await writeFile(list, "n02_7.JPEG\nn01_3.JPEG\n\n");
    const all = ["n01/n01_3.JPEG", "n01/n01_4.JPEG", "n02/n02_7.JPEG"];
    expect(listedSubset(list, all)).toEqual([0, 2]);
    expect(() => listedSubset(list, all.slice(0, 2))).toThrow(/lists n02_7\.JPEG, which is not among the 2/);
    const refused: [lines: string, message: RegExp][] = [
      ["n01_3.JPEG\nn01/n01_3.JPEG", /lists n01\/n01_3\.JPEG, an image that it has listed before/],
      ["1.png", /lists 1\.png, the name of several images/],
      ["\n \n", /lists no images/],
    ];
    for (const [lines, message] of refused) {
      await writeFile(list, lines);
      expect(() => listedSubset(list, [...all, "a/1.png", "b/1.png"])).toThrow(message);
    }
    await writeFile(list, "b/1.png\r\n");
    expect(listedSubset(list, ["a/1.png", "b/1.png"])).toEqual([1]);
    expect(listedSubset(list, ["a\\1.png", "b\\1.png"])).toEqual([1]);
    expect(() => listedSubset(join(folder, "none.txt"), all)).toThrow(/cannot read .*none\.txt/);
  });
});

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
