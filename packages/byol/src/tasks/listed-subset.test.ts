import { describe, expect, it } from "vitest";
import { balancedSubset } from "./subsets.js";
import { listedSubset } from "./listed-subset.js";

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
  it("read SimCLR's lists, and name what they list in vain", () => {
    const list = (text: string) => ({ path: "1percent.txt", text });
    const two = list("n02_7.JPEG\nn01_3.JPEG\n\n");
    const all = ["n01/n01_3.JPEG", "n01/n01_4.JPEG", "n02/n02_7.JPEG"];
    expect(listedSubset(two, all)).toEqual([0, 2]);
    expect(() => listedSubset(two, all.slice(0, 2))).toThrow(/lists n02_7\.JPEG, which is not among the 2/);
    const refused: [lines: string, message: RegExp][] = [
      ["n01_3.JPEG\nn01/n01_3.JPEG", /lists n01\/n01_3\.JPEG, an image that it has listed before/],
      ["1.png", /lists 1\.png, the name of several images/],
      ["\n \n", /lists no images/],
    ];
    for (const [lines, message] of refused)
      expect(() => listedSubset(list(lines), [...all, "a/1.png", "b/1.png"])).toThrow(message);
    const one = list("b/1.png\r\n");
    expect(listedSubset(one, ["a/1.png", "b/1.png"])).toEqual([1]);
    expect(listedSubset(one, ["a\\1.png", "b\\1.png"])).toEqual([1]);
  });
});
