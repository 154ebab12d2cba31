import { expect, it } from "vitest";
import { suggestion } from "./suggestion.js";

const names = ["digits", "emoji", "cifar10", "cifar100", "byol"];

it.each([
  ["digit", "digits"],
  ["Digits", "digits"],
  ["cifar-10", "cifar10"],
  ["emojis", "emoji"],
  ["boyl", "byol"],
])("%s: did you mean %s", (word, meant) => {
  expect(suggestion(word, names)).toBe(` (did you mean "${meant}"?)`);
});
it("says nothing where nothing is near, or there are no names", () => {
  for (const word of ["", "photos", "vit"]) expect(suggestion(word, names)).toBe("");
  expect(suggestion("digits", [])).toBe("");
});
