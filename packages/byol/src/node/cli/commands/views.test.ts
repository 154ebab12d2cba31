import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../program.js";

let root: string;
/** A teal picture whose name needs care. */
let teal: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "views-test-"));
  teal = join(root, "teal <&>.png");
  const background = { r: 0, g: 128, b: 128 };
  await sharp({ create: { width: 90, height: 60, channels: 3, background } })
    .png()
    .toFile(teal);
});
afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

async function views(...words: string[]): Promise<{ code: number; err: string }> {
  let err = "";
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += text;
    return true;
  });
  return { code: await main(["views", "--device", "cpu", ...words]), err };
}

describe("byol views", () => {
  it("draws a row per image, the same for the same seed, another for another", async () => {
    const sheets: Buffer[] = [];
    for (const seed of ["5", "5", "6"]) {
      const out = join(root, `${sheets.length}.png`);
      const words = [teal, teal, "--preset", "tiny", "--count", "3", "--seed", seed, "--out", out];
      expect(await views(...words)).toMatchObject({ code: 0 });
      sheets.push(await readFile(out));
    }
    expect(sheets[0]!.equals(sheets[1]!)).toBe(true);
    expect(sheets[0]!.equals(sheets[2]!)).toBe(false);
    const { width, height } = await sharp(sheets[0]).metadata();
    // Views of 16 pixels are shown six times as large: seven columns and two rows of 96 pixels.
    expect(width).toBeGreaterThan(7 * 96);
    expect(height).toBeGreaterThan(2 * 96);
    expect(height).toBeLessThan(3 * 96);
  });

  it("shows a file's own colours in the first column", async () => {
    const out = join(root, "sheet.png");
    expect(await views(teal, "--preset", "tiny", "--count", "1", "--out", out)).toMatchObject({
      code: 0,
      err: "",
    });
    const { data, info } = await sharp(out).raw().toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number) => [
      ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
    ];
    expect(at(180, 80)).toEqual([0, 128, 128]);
  });

  it("refuses in one line", async () => {
    await writeFile(join(root, "broken.jpg"), "no image");
    for (const [words, message] of [
      [[], /name image files, or data/],
      [["a.png", "--data", "digits"], /not both/],
      [[join(root, "broken.jpg")], /broken\.jpg: it is no JPEG, PNG or WebP/],
      [
        ["--data", "digits", "--preset", "tiny", "--images", "1", "--out", "/nowhere/views.png"],
        /cannot write \/nowhere/,
      ],
      [["--data", "digits", "--count", "0"], /from 1 to 50/],
    ] as const) {
      const { code, err } = await views(...words);
      expect(code).not.toBe(0);
      expect(err).toMatch(message);
    }
  });
});
