import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataOptions, DataSource } from "../../source.js";
import { Miniature, plainJpeg, sizesOf, valuesOf } from "./miniature.js";
import { openShards } from "./shards.js";

const format = { stored: 8, channels: 3, background: [0, 0, 0] } as const;
const opened: DataSource[] = [];
let mini: Miniature;
beforeAll(async () => {
  mini = await Miniature.make();
});
afterAll(async () => {
  await Promise.all(opened.map((source) => source.close()));
  await mini.remove();
});

const open = async (pattern: string, options: DataOptions = {}) => {
  const source = await openShards(mini.path(pattern), format, { threads: 1, ...options });
  opened.push(source);
  return source;
};
const pack = (shard: string, files: Record<string, Uint8Array | string>) => mini.tar(shard, files);
const samples = async (labels: readonly number[], first = 0) =>
  Object.fromEntries(
    (
      await Promise.all(
        labels.map(async (label, i) => [
          [`${first + i}.jpg`, await plainJpeg(10 * (first + i))],
          [`${first + i}.cls`, `${label}\n`],
        ]),
      )
    ).flat(),
  ) as Record<string, Uint8Array | string>;

describe("openShards", () => {
  it("reads samples at random across shards, with .cls and .json labels, names by classes.txt", async () => {
    await pack("a/part-000.tar", await samples([0, 1, 0, 1, 0], 0));
    await pack("a/part-001.tar", {
      "README.txt": "not a sample",
      "deep/5.jpeg": await plainJpeg(50),
      "deep/5.json": '{"cls": 1, "url": "x"}',
      ...{ "6.JPG": await plainJpeg(60), "6.json": '{"label": 0}' },
      ...(await samples([1, 0, 1], 7)),
    });
    await mini.put("a/classes.txt", ["cat", "dog"]);
    for (const pattern of ["a", "a/part-{000..001}.tar", "a/*.tar"]) {
      const source = await open(pattern);
      expect(source.classes).toEqual(["cat", "dog"]);
      expect(sizesOf(source)).toEqual([7, 1, 8, 2]);
      if (pattern !== "a") continue;
      const values = [...(await valuesOf(source.heldOut)), ...(await valuesOf(source.train))];
      const labels = [...source.heldOut.labels!, ...source.train.labels!];
      const both = values.map((value, i) => [value!, labels[i]!]).sort(([a], [b]) => a! - b!);
      expect(both).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1].map((label, i) => [10 * i, label]));
    }
  });

  it("keeps the sides that the shards' names give, and takes samples without labels", async () => {
    await pack("b/train-0.tar", await samples([0, 1]));
    await pack("b/val-0.tar", await samples([1], 9));
    const source = await open("b");
    expect(await valuesOf(source.train)).toEqual([0, 10]);
    expect(await valuesOf(source.heldOut)).toEqual([90]);
    await pack("c/0.tar", { "x.jpg": await plainJpeg(7), "y.png.txt": "", "z.jpg": await plainJpeg(8) });
    const bare = await open("c");
    expect([bare.classes.length, bare.train.length, bare.train.labels]).toEqual([0, 2, undefined]);
  });

  it("leaves out hidden and system files, in shards and among them", async () => {
    const bytes = new Uint8Array(200).fill(65);
    await pack("mac/0.tar", {
      ...(await samples([0, 1])),
      ...{ "._0.jpg": bytes, "__MACOSX/._1.jpg": bytes, "a/.ipynb_checkpoints/1-checkpoint.jpg": bytes },
    });
    await mini.put("mac/._0.tar", bytes);
    await mini.put("mac/.hidden.tar", bytes);
    for (const pattern of ["mac", "mac/{.,}*.tar"]) {
      const source = await open(pattern);
      expect(sizesOf(source).slice(2)).toEqual([2, 0]);
      expect([await valuesOf(source.train), source.skipped()]).toEqual([[0, 10], []]);
    }
  });

  it("follows names too long for a header", async () => {
    const long = `${"folder-of-a-long-name/".repeat(8)}${"n".repeat(150)}`;
    await pack("long/0.tar", { [`${long}.jpg`]: await plainJpeg(77), [`${long}.cls`]: "3" });
    const source = await open("long");
    expect(await valuesOf(source.train)).toEqual([77]);
    expect([...source.train.labels!]).toEqual([3]);
  });

  it("skips and names torn images, wrong labels and a truncated archive", async () => {
    await pack("d/0.tar", {
      ...(await samples([0, 1, 0, 1])),
      ...{ "4.jpg": new Uint8Array(300).fill(65), "4.cls": "1" },
      ...{ "5.jpg": await plainJpeg(50), "5.cls": "cat" },
      ...{ "6.jpg": await plainJpeg(60), "6.json": "{" },
      ...{ "7.cls": "0", "7.jpg": await plainJpeg(70) },
    });
    const bytes = await readFile(mini.path("d/0.tar"));
    // The last image begins in the block after its header; two empty blocks and padding follow it.
    const last = bytes.lastIndexOf("7.jpg") + 512;
    await mini.put("d/0.tar", bytes.subarray(0, last + 100));
    const source = await open("d");
    await Promise.all([valuesOf(source.train), valuesOf(source.heldOut)]);
    const skipped = Object.fromEntries(source.skipped().map(({ file, reason }) => [file, reason]));
    expect(Object.keys(skipped).sort()).toEqual(["0.tar", "0.tar/4", "0.tar/7"]);
    expect(skipped["0.tar"]).toMatch(
      /^the archive is cut off: it ends at byte \d+, .* the 16 files before it are used/,
    );
    expect(source.notes).toEqual([
      expect.stringMatching(/^2 of 8 samples are used .* 0.tar\/5: its .cls holds no class number: "cat"$/),
      "2 of 8 samples to train on have no label",
    ]);
    expect(skipped["0.tar/7"]).toMatch(/the archive ends before the file does/);
  });

  it("uses what stands before a corrupt header, or stops there when strict", async () => {
    await pack("e/0.tar", await samples([0, 1, 0, 1]));
    const bytes = await readFile(mini.path("e/0.tar"));
    const at = bytes.indexOf("2.jpg");
    bytes.fill(0xff, at, at + 300);
    await mini.put("e/0.tar", bytes);
    const source = await open("e");
    expect(source.train.length + source.heldOut.length).toBe(2);
    expect(source.skipped()[0]!.reason).toBe(
      `the header at byte ${at} is corrupt; the 4 files before it are used`,
    );
    await expect(open("e", { strict: true })).rejects.toThrow(/0.tar cannot be read: the header at byte/);
  });

  it("says what it lacks", async () => {
    await mini.put("empty/x.txt", "");
    await expect(open("empty")).rejects.toThrow(/empty holds no .tar files/);
    await expect(open("no-{0..3}.tar")).rejects.toThrow(/nothing is found by .*no-\{0..3\}.tar/);
    await pack("text/0.tar", { "a.txt": "x" });
    await expect(open("text")).rejects.toThrow(/holds no images/);
    await expect(open("d", { strict: true })).rejects.toThrow(/0.tar cannot be read: the archive is cut off/);
    await pack("named/0.tar", await samples([0, 2]));
    await mini.put("named/classes.txt", ["one", "two"]);
    await expect(open("named")).rejects.toThrow(/names 2 classes, and labels go to 2/);
  });
});
