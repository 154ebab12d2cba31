import { expect, it } from "vitest";
import { confusionTable } from "./confusion.js";

it("shades every count by its share of the row, also of a class without test images", () => {
  const html = confusionTable([3, 1, 0, 0], ["<a>", "b"]);
  const cells = [...html.matchAll(/<td style="--share:([\d.]+)">(\d+)<\/td>/g)].map(([, share, n]) => [
    share,
    n,
  ]);
  expect(cells).toEqual([
    ["0.750", "3"],
    ["0.250", "1"],
    ["0", "0"],
    ["0", "0"],
  ]);
  expect(html).toContain('<th scope="row">&lt;a&gt;</th>');
});

it("lists the most frequent confusions of many classes instead, the right ones left out", () => {
  const count = 40;
  const classes = Array.from({ length: count }, (_, c) => `class ${c}`);
  const counts = Array.from<unknown, number>({ length: count * count }, (_, at) =>
    at % (count + 1) === 0 ? 50 : 0,
  );
  counts[3 * count + 7] = 9;
  counts[8 * count + 2] = 12;
  const html = confusionTable(counts, classes);
  expect(html.match(/<td>.*<\/td>/g)).toEqual([
    "<td>class 8</td><td>class 2</td><td>12</td>",
    "<td>class 3</td><td>class 7</td><td>9</td>",
  ]);
});
