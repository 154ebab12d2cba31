import { expect, it } from "vitest";
import { clock } from "./progress.js";
import { accuracyTable } from "./table.js";

it("accuracyTable shows points gained, or why there are none", () => {
  const random_init = { knn: 0.637, linear: 0.746, few_shot: 0.416 };
  const pretrained = { knn: 0.76, linear: 0.85, few_shot: 0.4 };
  const table = accuracyTable({ random_init, pretrained });
  expect(table).toMatch(/weighted kNN\s+63\.7 %\s+76\.0 %\s+\+12\.3/);
  expect(table).toMatch(/ten labels a class\s+41\.6 %\s+40\.0 %\s+−1\.6/);
  const none = { knn: null, linear: null, few_shot: null };
  expect(accuracyTable({ random_init: none, pretrained: none })).toMatch(/no labels/);
});

it("clock", () => {
  expect([5, 75, 3700, Number.POSITIVE_INFINITY].map(clock)).toEqual(["0:05", "1:15", "1:01:40", "?"]);
});
