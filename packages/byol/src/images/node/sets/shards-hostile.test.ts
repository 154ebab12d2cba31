import { Header } from "tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError } from "../../../errors.js";
import { Miniature, plainJpeg } from "./miniature.js";
import { openShards } from "./shards.js";

const format = { stored: 8, channels: 3, background: [0, 0, 0] } as const;
let mini: Miniature;
let image: Uint8Array;
beforeAll(async () => {
  [mini, image] = [await Miniature.make(), await plainJpeg(10)];
});
afterAll(() => mini.remove());

interface Entry {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** What the header says, where it lies. */
  readonly size?: number;
  readonly type?: "File" | "ExtendedHeader" | "NextFileHasLongPath";
}

/** A tar whose headers say what the entries say. */
function archive(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content, size, type = "File" }) => {
    const bytes = Buffer.from(content);
    const header = new Header({ path, type, size: size ?? bytes.length, mode: 0o644 });
    header.encode();
    const body = Buffer.alloc(Math.ceil(bytes.length / 512) * 512);
    bytes.copy(body);
    return [header.block!, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const labelled = (labels: readonly string[]): Entry[] =>
  labels.flatMap((label, i) => [
    { path: `${i}.jpg`, content: image },
    { path: `${i}.cls`, content: label },
  ]);

async function opened(name: string, entries: readonly Entry[], classes?: string[]) {
  await mini.put(`${name}/0.tar`, archive(entries));
  if (classes) await mini.put(`${name}/classes.txt`, classes);
  const source = await openShards(mini.path(name), format, { threads: 1 });
  try {
    await Promise.all(
      [source.train, source.heldOut].map((set) =>
        Promise.all(Array.from({ length: set.length }, (_, i) => set.read(i))),
      ),
    );
    return {
      classes: source.classes.length,
      labels: [...(source.train.labels ?? []), ...(source.heldOut.labels ?? [])],
      notes: source.notes!.join("\n"),
      skipped: Object.fromEntries(source.skipped().map(({ file, reason }) => [file, reason])),
    };
  } finally {
    await source.close();
  }
}

describe("numbers in shards", () => {
  it("takes decimal classes that int32 holds, and no others", async () => {
    const wrong = ["4294967298", "2147483648", "9".repeat(400), "0x10", "1e1", "1.0", "-1", "", "1 2", "١"];
    const { labels, classes, skipped, notes } = await opened("cls", labelled([" 1\n", "0", "007", ...wrong]));
    // The images stay, without labels; −1 says that there is none.
    expect(skipped).toEqual({});
    expect(notes).toMatch(/^9 of 13 samples are used without their labels, such as 0.tar\/3: .*"4294967298"/);
    expect(classes).toBe(8);
    expect(labels.sort((a, b) => a - b)).toEqual([...wrong.map(() => -1), 0, 1, 7]);
  });

  it.each([10_000, 100_000, 400_000_000, 2_147_483_647])(
    "refuses class %i of two samples by the sample's name",
    async (label) => {
      const entries = labelled(["0", String(label)]);
      await expect(opened(`far-${label}`, entries)).rejects.toThrow(DataError);
      await expect(opened(`far-${label}`, entries)).rejects.toThrow(
        new RegExp(`0.tar/1 has label ${label}, and there are 2 samples.*classes.txt`),
      );
    },
  );

  it("refuses a pattern of more files than can be looked for", async () => {
    await expect(openShards("none/train-{000..999999999}-{0..9}.tar", format)).rejects.toThrow(
      /stands for 10000000000 files, more than 10000: write none\/train-\*-\*.tar/,
    );
  });

  it("takes as many classes as a list names", async () => {
    const names = Array.from({ length: 21_841 }, (_, k) => `class ${k}`);
    expect((await opened("listed", labelled(["0", "21840"]), names)).classes).toBe(21_841);
  });

  it("takes no memory for a size beyond the archive or the limits", async () => {
    const two = 2 ** 31;
    const { skipped } = await opened("sizes", [
      ...labelled(["0", "1"]),
      { path: "2.cls", content: "1" },
      { path: "2.jpg", content: image, size: two },
    ]);
    const end = expect.stringMatching(/^the archive is cut off: it ends at byte \d+, in the middle/);
    expect(skipped).toEqual({ "0.tar": end, "0.tar/2": "the archive ends before the file does" });
    const label = await opened("label", [
      ...labelled(["0", "1"]),
      { path: "2.jpg", content: image },
      { path: "2.cls", content: "0", size: 2 ** 40 },
    ]);
    expect(label.skipped).toEqual({ "0.tar": end });
    expect(label.notes).toMatch(/0.tar\/2: its .cls cannot be read: the archive ends before the file does/);
    const text = await opened("text", [
      ...labelled(["0", "1"]),
      { path: "2.jpg", content: image },
      { path: "2.json", content: "[".repeat(2 ** 20 + 1) },
    ]);
    expect(text.skipped).toEqual({});
    expect(text.notes).toMatch(
      /0.tar\/2: its .json cannot be read: its 1048577 bytes are more than the 1048576/,
    );
  });

  it.each(["ExtendedHeader", "NextFileHasLongPath"] as const)(
    "stops at a %s of unbelievable size",
    async (type) => {
      const { skipped } = await opened(type, [
        ...labelled(["0", "1"]),
        { path: "long", content: "x", type, size: 2 ** 31 },
        ...labelled(["1"]),
      ]);
      expect(skipped["0.tar"]).toMatch(
        /announces a name of 2147483648 bytes; the 4 files before it are used/,
      );
    },
  );

  it.each(["1e400", "9".repeat(30)])("stops at a size of %s", async (size) => {
    const record = ` size=${size}\n`;
    const { skipped } = await opened(`pax${size}`, [
      ...labelled(["0", "1"]),
      { path: "pax", content: `${record.length + 2}${record}`, type: "ExtendedHeader" },
      { path: "2.cls", content: "1" },
    ]);
    expect(skipped["0.tar"]).toMatch(/^the header at byte \d+ is corrupt; the 4 files before it are used$/);
  });
});
