import { join } from "node:path";
import { expect, it } from "vitest";
import { absoluteData } from "./open.js";

it("a relative path in the name of data is made absolute, and nothing else is", () => {
  const here = process.cwd();
  expect(absoluteData("photos")).toBe(join(here, "photos"));
  expect(absoluteData("../photos")).toBe(join(here, "..", "photos"));
  expect(absoluteData("cifar10:sets/cifar")).toBe(`cifar10:${join(here, "sets", "cifar")}`);
  expect(absoluteData("shards:web/{000..146}.tar")).toBe(`shards:${join(here, "web", "{000..146}.tar")}`);
  for (const name of ["digits", "emoji", "/photos", "cifar10:/sets", "cifar10:", ""])
    expect(absoluteData(name)).toBe(name);
});
