import { afterAll, describe, expect, it } from "vitest";
import { familyOf, openEmoji } from "./emoji.js";
import type { DataSource } from "../source.js";

describe("familyOf", () => {
  it("is one for the sexes, skins and directions of a glyph", () => {
    const runners = ["1F3C3", "1F3C3-200D-2640-FE0F", "1F3C3-1F3FD-200D-2642-FE0F", "1F3C3-200D-27A1-FE0F"];
    expect(new Set(runners.map(familyOf)).size).toBe(1);
    expect(familyOf("1F468-200D-1F692")).toBe(familyOf("1F9D1-200D-1F692"));
  });
  it("is another for another glyph", () => {
    expect(familyOf("1F1E9-1F1EA")).not.toBe(familyOf("1F1EB-1F1F7"));
    expect(familyOf("1F468-200D-1F692")).not.toBe(familyOf("1F468-200D-1F33E"));
  });
});

describe("openEmoji", () => {
  const open: DataSource[] = [];
  const emoji = async (skinTones = false) => {
    const source = await openEmoji({ stored: 32, channels: 3, background: [255, 255, 255] }, { skinTones });
    open.push(source);
    return source;
  };
  afterAll(() => Promise.all(open.map((source) => source.close())));

  it("has nine classes, and about a fifth held out", async () => {
    const source = await emoji();
    expect(source.classes).toHaveLength(9);
    expect(source.train.length + source.heldOut.length).toBe(2 * 1906);
    const share = source.heldOut.length / (2 * 1906);
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.25);
    for (let c = 0; c < 9; c++) expect(source.heldOut.labels).toContain(c);
  });

  it("adds skin tones on the side of their glyph only", async () => {
    const plain = await emoji();
    const toned = await emoji(true);
    expect(toned.train.length + toned.heldOut.length).toBe(2 * (1906 + 1875));
    expect(toned.heldOut.length).toBeGreaterThan(plain.heldOut.length);
  });

  it("shows the background where a drawing is transparent", async () => {
    const source = await emoji();
    const pixels = (await source.train.read(0))!;
    expect(pixels.length).toBe(32 * 32 * 3);
    expect([...pixels.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect(Math.min(...pixels)).toBeLessThan(200);
    expect(source.skipped()).toEqual([]);
  });
});
