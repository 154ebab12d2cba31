/** A file of more than 300 lines is one room only for a written reason. */
import { describe, expect, it } from "vitest";
import { large } from "./exceptions.js";
import { packages, sourcesOf, textOf } from "./sources.js";

const most = 300;

describe.each(packages)("%s", (name) => {
  it(`has no file of over ${most} lines without a reason`, () => {
    const found = sourcesOf(name).filter((file) => textOf(name, file).split("\n").length - 1 > most);
    expect(found).toEqual(Object.keys(large[name] ?? {}).sort());
  });
});
