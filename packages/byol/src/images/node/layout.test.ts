import { describe, expect, it } from "vitest";
import type { Tree } from "./entries.js";
import { layoutOf } from "./layout.js";

/** The folders that hold the files, and others that hold none. */
function treeOf(files: readonly string[], empty: readonly string[] = []): Tree {
  const folders = new Set(empty);
  for (const file of files)
    for (let at = file.indexOf("/"); at >= 0; at = file.indexOf("/", at + 1)) folders.add(file.slice(0, at));
  return { files: [...files].sort(), folders: [...folders].sort() };
}
function read(files: readonly string[], empty?: readonly string[]) {
  const skipped: string[] = [];
  const layout = layoutOf("D", treeOf(files, empty), (path) => skipped.push(path));
  return { ...layout, skipped };
}
const split = (train: string, held: string) =>
  [train, held].flatMap((side) => ["a", "b"].map((name) => `${side}/${name}/1.png`));

describe("a split without classes", () => {
  it.each([
    ["train", "val"],
    ["Train", "Val"],
    ["training", "validation"],
    ["TRAIN", "Test"],
    ["train_images", "test_images"],
    ["train2017", "val2017"],
  ])("%s/ is trained on without labels, %s/ is held out", (train, held) => {
    for (const inner of ["", "images/", "cats/"]) {
      const files = [`${train}/${inner}1.png`, `${train}/${inner}2.png`, `${held}/${inner}3.png`];
      const { classes, notes, ...layout } = read(files);
      expect(classes).toEqual([]);
      expect(layout.train).toEqual({ files: files.slice(0, 2) });
      expect(layout.val ?? layout.test).toEqual({ files: files.slice(2) });
      expect(notes.join()).toMatch(/no labels in D: .* has no folders of classes, .* is held out/);
    }
  });
});

describe("a split with classes", () => {
  it.each([
    ["Train", "Val"],
    ["training", "validation"],
    ["train", "testing"],
    ["trainset", "devset"],
  ])("%s/CLASS and %s/CLASS", (train, held) => {
    const { classes, notes, skipped, ...layout } = read(split(train, held));
    expect([classes, notes, skipped]).toEqual([["a", "b"], [], []]);
    expect(layout.train).toEqual({ files: [`${train}/a/1.png`, `${train}/b/1.png`], labels: [0, 1] });
    expect(layout.val ?? layout.test).toMatchObject({ labels: [0, 1] });
  });

  it("skips loose images by name", () => {
    const { classes, train, val, skipped } = read([...split("train", "val"), "train/x.png", "val/y.png"]);
    expect([classes, skipped]).toEqual([
      ["a", "b"],
      ["train/x.png", "val/y.png"],
    ]);
    expect([train.labels, val!.labels]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it("reads val beside test, each for itself", () => {
    const { train, val, test } = read([...split("train", "val"), "test/a/9.png", "test/b/9.png"]);
    expect(train.files).toEqual(["train/a/1.png", "train/b/1.png"]);
    expect(val).toEqual({ files: ["val/a/1.png", "val/b/1.png"], labels: [0, 1] });
    expect(test).toEqual({ files: ["test/a/9.png", "test/b/9.png"], labels: [0, 1] });
  });

  it("says what is left out beside the sides, and a test side without classes", () => {
    const { test, val, notes } = read([...split("train", "val"), "test/1.png", "more/1.png", "x.png"]);
    expect([test, val!.labels]).toEqual([undefined, [0, 1]]);
    expect(notes).toEqual([
      "left out 2 images of D beside train/, val/, test/: more/1.png …",
      "left out 1 image of D/test: it has no folders of classes",
    ]);
  });

  it("keeps classes without images, for evaluation to refuse", () => {
    expect(read(split("train", "val"), ["train/c", "val/c", "val/d"]).classes).toEqual(["a", "b", "c", "d"]);
  });
});

describe("a layout that fits half is refused with what to do", () => {
  it.each<[string, string[], string[], RegExp]>([
    ["val alone", ["val/a/1.png", "val/b/1.png"], [], /holds val\/ and no train\/ .*give --data D\/val/],
    [
      "val among classes",
      ["cats/1.png", "dogs/1.png", "val/1.png"],
      [],
      /move the folders cats, dogs into train\//,
    ],
    ["train alone", ["train/a/1.png", "train/b/1.png"], [], /give --data D\/train to hold out a fifth/],
    [
      "val without classes",
      ["train/a/1.png", "train/b/1.png", "val/1.png"],
      [],
      /sort its images into val\/CLASS/,
    ],
    ["val without images", ["train/a/1.png", "train/b/1.png"], ["val"], /D\/val holds no images/],
    [
      "two of one side",
      [...split("train", "val"), "valid/a/1.png"],
      [],
      /val\/ and valid\/, which mean the same/,
    ],
    ["a folder deeper", split("set/train", "set/val"), [], /give --data D\/set/],
    ["sides in classes", ["a/train/1.png", "a/test/1.png", "b/train/1.png"], [], /D\/a holds a split/],
  ])("%s", (_, files, empty, message) => {
    expect(() => read(files, empty)).toThrow(message);
  });
});

describe("a folder without sides", () => {
  it("says why there are no labels", () => {
    expect(read(["1.png", "2.png"]).notes).toEqual([]);
    expect(read(["a/1.png", "b/1.png", "x.png"])).toMatchObject({
      ...{ classes: [], train: { files: ["a/1.png", "b/1.png", "x.png"] } },
      notes: ["no labels in D, which folders would give: x.png beside the folders lie in none"],
    });
    expect(read(["a/b/1.png", "a/c/2.png"]).notes.join()).toMatch(/they all lie in a\//);
  });

  it("takes a folder of the name train for a class where others are, and says so", () => {
    const { classes, notes } = read(["bus/1.png", "train/1.png", "boat/1.png"]);
    expect([classes, notes]).toEqual([["boat", "bus", "train"], ["D/train is taken for a class, one of 3"]]);
  });
});
