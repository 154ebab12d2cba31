import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyWhole, finalNameOf, readWhole, writeAllSync, writeWhole } from "./whole.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "whole-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A file whose `write` takes no more than `most` bytes at once. */
const taking =
  (most: number, seen: () => void = () => {}) =>
  async (path: string, flags: string): Promise<FileHandle> => {
    const file = await open(path, flags);
    const write = file.write.bind(file) as (b: Uint8Array, at: number, n: number) => Promise<unknown>;
    return Object.assign(file, {
      write: (part: Uint8Array, at: number, length: number) => {
        seen();
        return most === 0 ? { bytesWritten: 0 } : write(part, at, Math.min(length, most));
      },
    });
  };

describe("a file that is replaced", () => {
  it("is the old one until all is written, and then the new one alone", async () => {
    const path = join(root, "file");
    writeFileSync(path, "old");
    const contents: string[] = [];
    const seen = () => contents.push(readFileSync(path, "utf8"));
    await writeWhole(path, [Buffer.from("ne"), Buffer.from("wer")], taking(2, seen));
    expect(contents).toEqual(["old", "old", "old"]);
    expect(readFileSync(path, "utf8")).toBe("newer");
    expect(readdirSync(root)).toEqual(["file"]);
  });

  it("stays where not a byte can be written, beside no half one", async () => {
    const path = join(root, "file");
    writeFileSync(path, "old");
    await expect(writeWhole(path, "new", taking(0))).rejects.toThrow(/no byte was written/);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(root)).toEqual(["file"]);
  });

  it("is one or the other where two write it at once", async () => {
    const path = join(root, "file");
    const texts = ["a", "b"].map((letter) => letter.repeat(2000));
    let names: string[] = [];
    const seen = () => (names = readdirSync(root));
    await Promise.all(texts.map((text) => writeWhole(path, text, taking(100, seen))));
    expect(texts).toContain(readFileSync(path, "utf8"));
    expect(names.map(finalNameOf)).toContain("file");
    expect(readdirSync(root)).toEqual(["file"]);
  });

  it("may be named by a link, which stays", async () => {
    writeFileSync(join(root, "file"), "old");
    symlinkSync("file", join(root, "link"));
    await writeWhole(join(root, "link"), "new");
    expect(readFileSync(join(root, "file"), "utf8")).toBe("new");
    expect(readdirSync(root, { withFileTypes: true }).find(({ name }) => name === "link")).toSatisfy(
      (entry: { isSymbolicLink(): boolean }) => entry.isSymbolicLink(),
    );
  });

  it("that is copied takes the place of a link, and what this points to stays", async () => {
    writeFileSync(join(root, "file"), "old");
    symlinkSync("file", join(root, "link"));
    symlinkSync(".", join(root, "folder"));
    writeFileSync(join(root, "from"), "new");
    for (const name of ["link", "folder"]) {
      await copyWhole(join(root, "from"), join(root, name));
      expect(readFileSync(join(root, name), "utf8")).toBe("new");
    }
    expect(readFileSync(join(root, "file"), "utf8")).toBe("old");
  });

  // Windows has no pipes among its files.
  it.skipIf(process.platform === "win32")("is not read where it is a pipe or a folder", async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    for (const path of [join(root, "pipe"), root])
      await expect(readWhole(path)).rejects.toThrow(`${path} is no regular file`);
  });

  // Windows has no pipes among its files.
  it.skipIf(process.platform === "win32")("may be a pipe, which stays one", async () => {
    const pipe = join(root, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [text] = await Promise.all([readFile(pipe, "utf8"), writeWhole(pipe, "through")]);
    expect(text).toBe("through");
  });
});

describe("writeAllSync", () => {
  it("goes on after short writes, and says where nothing is written", () => {
    const bytes = Buffer.from("0123456789");
    let written = "";
    const short = (_: number, part: Uint8Array, at: number) => {
      const some = Buffer.from(part.subarray(at, at + 3)).toString();
      written += some;
      return some.length;
    };
    writeAllSync(1, bytes, short);
    expect(written).toBe("0123456789");
    expect(() => writeAllSync(1, bytes, () => 0)).toThrow(/no byte was written/);
  });
});
