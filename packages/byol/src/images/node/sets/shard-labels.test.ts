import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataOptions, DataSource, ImageSet } from "../../source.js";
import { Miniature, valuesOf } from "./miniature.js";
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
const pack = (shard: string, files: Record<string, string | number>) => mini.tar(shard, files);
/** Samples of two classes in turn, grey 10 apart. */
const sound = (count: number, first = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => i + first).flatMap((i) => [
      [`${i}.jpg`, 10 * i],
      [`${i}.cls`, String(i % 2)],
    ]),
  ) as Record<string, string | number>;
const labelsByGrey = async (set: ImageSet) => {
  const values = await valuesOf(set);
  return Object.fromEntries(values.map((value, i) => [value!, set.labels?.[i]]));
};

describe("labels of samples", () => {
  it("an absent label costs the label, not the image", async () => {
    await pack("a/train-0.tar", {
      ...sound(3),
      ...{
        "3.jpg": 30,
        "3.txt": "a caption",
        "4.jpg": 40,
        "4.cls": "-1\n",
        "5.jpg": 50,
        "5.json": '{"url": "x"}',
      },
      ...{
        "6.jpg": 60,
        "6.json": '{"label": "1"}',
        "7.jpg": 70,
        "7.json": '{"cls": "-1"}',
        "8.jpg": 80,
        "8.json": "null",
      },
      ...{
        "9.jpg": 90,
        "9.cls": "dog",
        "10.jpg": 100,
        "10.json": "{",
        "11.jpg": 110,
        "11.json": '{"cls": 1.5}',
      },
    });
    await pack("a/val_000.tar", { "20.jpg": 200, "20.cls": "1", "21.jpg": 210 });
    const source = await open("a");
    expect(await labelsByGrey(source.train)).toEqual({
      ...{ 0: 0, 10: 1, 20: 0, 30: -1, 40: -1, 50: -1, 60: 1, 70: -1, 80: -1, 90: -1, 100: -1, 110: -1 },
    });
    expect(await labelsByGrey(source.heldOut)).toEqual({ 200: 1 });
    expect(source.splits!.trainval.length).toBe(4);
    expect(source.skipped()).toEqual([]);
    expect(source.notes).toEqual([
      '3 of 14 samples are used without their labels, such as train-0.tar/9: its .cls holds no class number: "dog"',
      "8 of 12 samples to train on have no label",
      "left out 1 of 2 samples of val, which have no label",
    ]);
    await expect(open("a", { strict: true })).rejects.toThrow(
      /train-0.tar\/9: its .cls holds no class number/,
    );
  });

  it("takes shards with captions alone, whatever the held-out ones have, and never trains on those", async () => {
    await pack("captions/train000.tar", {
      "1.jpg": 10,
      "1.txt": "x",
      "1.json": '{"caption": "x", "status": "ok"}',
    });
    await pack("captions/validation000.tar", { "2.jpg": 20, "2.cls": "1" });
    const source = await open("captions");
    expect([source.classes, source.train.labels, source.splits]).toEqual([[], undefined, undefined]);
    expect([await valuesOf(source.train), await valuesOf(source.heldOut)]).toEqual([[10], [20]]);
  });

  it("reads val beside test, and refuses held-out samples without labels", async () => {
    await pack("three/c10-train-0.tar", sound(4));
    await pack("three/c10-val-0.tar", sound(2, 4));
    await pack("three/c10-test-0.tar", sound(2, 6));
    const { train, heldOut, splits } = await open("three");
    expect([await valuesOf(train), await valuesOf(heldOut)]).toEqual([
      [0, 10, 20, 30],
      [60, 70],
    ]);
    expect([await valuesOf(splits!.val), await valuesOf(splits!.test)]).toEqual([
      [40, 50],
      [60, 70],
    ]);
    await pack("blind/train-0.tar", sound(4));
    await pack("blind/test-0.tar", { "9.jpg": 90, "9.cls": "-1" });
    await expect(open("blind")).rejects.toThrow(/those held out have none, such as test-0.tar\/9/);
    expect((await open("blind/train-*.tar")).train.length).toBe(3);
  });

  it("reads sides from the folders of shards", async () => {
    await pack("nested/in/train/000.tar", sound(4));
    await pack("nested/in/validation/000.tar", sound(2, 4));
    await pack("nested/in/@eaDir/000.tar", sound(2, 9));
    const { train, heldOut } = await open("nested/in/*/*.tar");
    expect([await valuesOf(train), await valuesOf(heldOut)]).toEqual([
      [0, 10, 20, 30],
      [40, 50],
    ]);
    expect([train.name!(0), heldOut.name!(1)]).toEqual(["train/000.tar/0", "validation/000.tar/5"]);
    await expect(open("nested/in")).rejects.toThrow(/holds no .tar files .*nested\/in\/\*\/\*.tar/);
  });

  it("refuses a folder of held-out shards alone; a pattern may ask for them", async () => {
    await pack("only/val000.tar", sound(4));
    await expect(open("only")).rejects.toThrow(/such as val000.tar, and no images to train on .*pattern/);
    expect((await open("only/val*.tar")).train.length).toBe(3);
  });
});

describe("files of samples", () => {
  it("joins those that are not adjacent", async () => {
    await pack("apart/0.tar", {
      ...{ "1.jpg": 10, "2.jpg": 20, "3.jpg": 30, "4.jpg": 40 },
      ...{ "4.cls": "0", "3.cls": "1", "2.cls": "0", "1.cls": "1" },
    });
    const { train, heldOut, notes } = await open("apart");
    const labels = { ...(await labelsByGrey(train)), ...(await labelsByGrey(heldOut)) };
    expect([labels, notes]).toEqual([{ 10: 1, 20: 0, 30: 1, 40: 0 }, []]);
  });

  it("names a sample without an image, and takes a README for none", async () => {
    await pack("lone/0.tar", { ...sound(2), "7.cls": "1", "8.gif": "x", "8.json": "{}", "README.md": "x" });
    const source = await open("lone");
    expect(source.skipped()).toEqual([
      { file: "0.tar/7", reason: "it has no image (.jpg, .png, .webp), only .cls" },
      { file: "0.tar/8", reason: "it has no image (.jpg, .png, .webp), only .gif, .json" },
    ]);
  });
});

describe("damaged shards are named", () => {
  it("empty and cut ones are skipped from there on", async () => {
    for (const folder of ["cut", "whole"]) await pack(`${folder}/0.tar`, sound(4));
    const bytes = await readFile(mini.path("cut/0.tar"));
    await mini.put("cut/1.tar", "");
    await mini.put("cut/2.tar", new Uint8Array(100).fill(65));
    // Between two files: nothing but the missing end tells.
    await mini.put("cut/0.tar", bytes.subarray(0, bytes.indexOf("3.jpg")));
    const source = await open("cut");
    expect(source.train.length + source.heldOut.length).toBe(3);
    expect(
      source
        .skipped()
        .map(({ file, reason }) => `${file}: ${reason}`)
        .sort(),
    ).toEqual([
      expect.stringMatching(
        /^0.tar: the archive is cut off: it ends at byte \d+, in the middle; the 6 files/,
      ),
      "1.tar: the archive is empty; the 0 files before it are used",
      expect.stringMatching(/^2.tar: the archive is cut off: it ends at byte 100/),
    ]);
    expect((await open("whole")).skipped()).toEqual([]);
  });

  it("a pipe is refused by its name instead of waited for", async () => {
    await mini.put("pipe/x", "");
    execFileSync("mkfifo", [mini.path("pipe/0.tar")]);
    await expect(open("pipe/*.tar")).rejects.toThrow(/pipe\/0.tar is a FIFO, not a regular file/);
    await expect(open("pipe")).rejects.toThrow(/holds no .tar files/);
  });

  it.each(["0.tar", "0.tar.gz", "0.tgz"])("a compressed one is refused by its name: %s", async (name) => {
    await pack("plain/0.tar", sound(2));
    const folder = `packed-${name}`;
    await mini.put(`${folder}/${name}`, gzipSync(await readFile(mini.path("plain/0.tar"))));
    await expect(open(folder)).rejects.toThrow(
      `${mini.path(`${folder}/${name}`)} is compressed with gzip; unpack it to a plain .tar first (gunzip)`,
    );
  });
});
