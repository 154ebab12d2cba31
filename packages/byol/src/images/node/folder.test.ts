import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFolder } from "./folder.js";
import type { DataSource, ImageSet } from "../source.js";

const format = { stored: 16, channels: 3, background: [255, 255, 255] } as const;
let root: string;
const opened: DataSource[] = [];

async function open(folder: string): Promise<DataSource> {
  const source = await openFolder(join(root, folder), format);
  opened.push(source);
  return source;
}
async function put(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), bytes);
}
/** A picture with structure, so that a compressed file is long enough to be cut. */
const picture = (r: number, kind: "jpeg" | "png" | "webp", width = 40, height = 30): Promise<Buffer> => {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    i % 3 === 0 ? r : (i * 2654435761) >>> 24,
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    [kind]()
    .toBuffer();
};
const readAll = async (set: ImageSet) =>
  Promise.all(Array.from({ length: set.length }, (_, i) => set.read(i)));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "folder-test-"));
  for (let i = 0; i < 10; i++) {
    await put(`two/cats/${i}.png`, await picture(10, "png"));
    await put(`two/dogs/deep/${i}.JPG`, await picture(200, "jpeg"));
  }
  for (let i = 0; i < 3; i++) await put(`plain/${i}.webp`, await picture(50 * i, "webp"));
  await put("plain/notes.txt", new TextEncoder().encode("not an image"));
  for (const side of ["train", "val"])
    for (const name of ["a", "b"]) await put(`split/${side}/${name}/1.png`, await picture(7, "png"));
  await mkdir(join(root, "empty/inner"), { recursive: true });
});
afterAll(async () => {
  await Promise.all(opened.map((source) => source.close()));
  await rm(root, { recursive: true, force: true });
});

describe("openFolder", () => {
  it("takes sub-folders as classes and holds out a fifth of each", async () => {
    const source = await open("two");
    expect(source.classes).toEqual(["cats", "dogs"]);
    expect([...source.heldOut.labels!]).toEqual([0, 0, 1, 1]);
    expect(source.train.length).toBe(16);
    for (const pixels of await readAll(source.train)) expect(pixels).toHaveLength(16 * 16 * 3);
    const cat = (await source.train.read(0))!;
    expect(Math.abs(cat[0]! - 10)).toBeLessThan(3);
  });

  it("takes a flat folder as images without labels, all of them to train on", async () => {
    const source = await open("plain");
    expect(source.classes).toEqual([]);
    expect(source.train.length).toBe(3);
    expect(source.train.labels).toBeUndefined();
    expect(source.heldOut.length).toBe(0);
  });

  it("keeps a split that the folder gives", async () => {
    const source = await open("split");
    expect(source.classes).toEqual(["a", "b"]);
    expect([source.train.length, source.heldOut.length]).toEqual([2, 2]);
  });

  it("never trains on val: given beside test, or without classes", async () => {
    for (const [side, grey] of [
      ["train", 10],
      ["val", 90],
      ["test", 200],
    ] as const) {
      for (const name of ["a", "b"]) await put(`three/${side}/${name}/1.png`, await picture(grey, "png"));
      await put(`bare/${side}/1.png`, await picture(grey, "png"));
    }
    const reds = async (set: ImageSet) => (await readAll(set)).map((pixels) => pixels![0]);
    const three = await open("three");
    expect([await reds(three.train), await reds(three.heldOut)]).toEqual([
      [10, 10],
      [200, 200],
    ]);
    const { train, val, trainval, test } = three.splits!;
    expect([await reds(train), await reds(val), await reds(test)]).toEqual([
      [10, 10],
      [90, 90],
      [200, 200],
    ]);
    expect([...trainval.labels!]).toEqual([0, 1, 0, 1]);
    const bare = await open("bare");
    expect([bare.classes, bare.splits, bare.train.labels]).toEqual([[], undefined, undefined]);
    expect([await reds(bare.train), await reds(bare.heldOut)]).toEqual([[10], [200]]);
    expect(bare.notes).toHaveLength(1);
  });

  it("keeps classes of which one side, or both, have no images, for evaluation to refuse", async () => {
    for (const file of ["train/a/1.png", "train/b/1.png", "val/a/1.png", "val/only-here/1.png"])
      await put(`gaps/${file}`, await picture(7, "png"));
    await mkdir(join(root, "gaps/train/empty"));
    await mkdir(join(root, "gaps/train/.hidden"));
    const source = await open("gaps");
    expect(source.classes).toEqual(["a", "b", "empty", "only-here"]);
    expect([...source.train.labels!]).toEqual([0, 1]);
    expect([...source.heldOut.labels!]).toEqual([0, 3]);
    await mkdir(join(root, "two/fish"));
    expect((await open("two")).classes).toEqual(["cats", "dogs", "fish"]);
    await rm(join(root, "two/fish"), { recursive: true });
  });

  it("takes links to folders as classes, each folder once, and no hidden or system folder", async () => {
    await put("far/dogs/1.png", await picture(7, "png"));
    await put("linked/cats/1.png", await picture(7, "png"));
    for (const junk of [
      ".ipynb_checkpoints/1.png",
      "__MACOSX/cats/._1.png",
      "cats/._1.png",
      "cats/@eaDir/1.png",
    ])
      await put(`linked/${junk}`, new Uint8Array(9));
    await symlink(join(root, "far/dogs"), join(root, "linked/dogs"));
    await symlink(join(root, "linked/cats"), join(root, "linked/all"));
    await symlink("..", join(root, "linked/up"));
    await symlink(join(root, "far/gone"), join(root, "linked/gone"));
    const source = await open("linked");
    expect(source.classes).toEqual(["cats", "dogs"]);
    expect(source.train.length + source.heldOut.length).toBe(2);
    expect(source.skipped()).toEqual([
      { file: "gone", reason: expect.stringMatching(/link.*does not exist/) },
    ]);
  });

  it("skips, counts and names corrupt and truncated images of every kind", async () => {
    const bad: string[] = [];
    for (const kind of ["jpeg", "png", "webp"] as const) {
      const bytes = await picture(90, kind, 120, 90);
      await put(`bad/good.${kind}`, bytes);
      await put(`bad/truncated.${kind}`, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
      await put(`bad/corrupt.${kind}`, new Uint8Array(500).fill(65));
      bad.push(`truncated.${kind}`, `corrupt.${kind}`);
    }
    await put("bad/empty.png", new Uint8Array(0));
    bad.push("empty.png");
    const source = await open("bad");
    const pixels = await readAll(source.train);
    expect(pixels.filter((p) => p !== undefined)).toHaveLength(3);
    await readAll(source.train);
    expect(
      source
        .skipped()
        .map(({ file }) => file)
        .sort(),
    ).toEqual(bad.sort());
    for (const { reason } of source.skipped()) expect(reason).toMatch(/\w+/);
  });

  it("counts and names pictures of other formats", async () => {
    for (const name of ["1.HEIC", "a/2.heic", "a/b/3.svg", "4.gif", "notes.txt", ".hidden.gif"])
      await put(`other/${name}`, new TextEncoder().encode("anything"));
    const left =
      "4 pictures of other formats are left out: 2 .heic, 1 .gif, 1 .svg (convert them to JPEG, PNG or WebP to use them)";
    await expect(open("other")).rejects.toThrow(`sub-folders too); ${left}`);
    await put("other/5.png", await picture(7, "png"));
    await put("other/6.jfif", await picture(7, "jpeg"));
    const source = await open("other");
    expect(source.train.length).toBe(2);
    expect(source.notes).toEqual([left]);
    expect((await readAll(source.train)).every((pixels) => pixels !== undefined)).toBe(true);
    expect((await open("plain")).notes).toEqual([]);
  });

  it("names what is no regular file", async () => {
    await put("odd/1.png", await picture(7, "png"));
    execFileSync("mkfifo", [join(root, "odd/2.jpg")]);
    await symlink(join(root, "odd/2.jpg"), join(root, "odd/3.jpg"));
    await symlink("/dev/zero", join(root, "odd/4.jpg"));
    const source = await open("odd");
    expect(source.train.length).toBe(1);
    expect(source.skipped()).toEqual([
      { file: "2.jpg", reason: "it is a FIFO, not a regular file" },
      { file: "3.jpg", reason: "it is a FIFO, not a regular file" },
      { file: "4.jpg", reason: "it is a device, not a regular file" },
    ]);
  });

  it("says what is wrong with a folder", async () => {
    await expect(open("empty")).rejects.toThrow(/holds no images/);
    await expect(open("nowhere")).rejects.toThrow(/does not exist/);
    await expect(open("plain/notes.txt")).rejects.toThrow(/is not a folder/);
  });
});
