import { describe, expect, it } from "vitest";
import { sideOfFolder, sidesOfShards } from "./sides.js";

describe("sides", () => {
  it.each([
    ["train", ["train", "Train", "TRAIN", "training", "Training", "train_images", "trainset", "train2017"]],
    ["train", ["Training Set", "TrainingSet", "images-train", "trainval", "trn", "training_data"]],
    [
      "val",
      ["val", "Val", "valid", "validation", "Validation", "val2017", "val_set", "dev", "eval", "holdout"],
    ],
    ["test", ["test", "Test", "testing", "test_set", "test-images", "tst"]],
    [undefined, ["cats", "train station", "testament", "valley", "images", "data", "2017", "trained", "кот"]],
  ] as const)("%s: %j", (side, names) => {
    for (const name of names) expect([name, sideOfFolder(name)]).toEqual([name, side]);
  });

  it("reads the side of a shard from its first word, or from any where all shards have one", () => {
    const [train, val, test] = ["train", "val", "test"];
    expect(sidesOfShards(["train-0.tar", "val_000.tar", "val000.tar", "validation-0-of-2.tar"])).toEqual([
      ...[train, val, val, val],
    ]);
    expect(sidesOfShards(["000.tar", "test-1.tar", "valid.tar", "Val_0.tar"])).toEqual([
      ...[undefined, test, val, val],
    ]);
    expect(sidesOfShards(["in1k-train-00.tar", "in1k-validation-00.tar"])).toEqual([train, val]);
    expect(sidesOfShards(["crash-test-0.tar", "road-0.tar"])).toEqual([undefined, undefined]);
  });
});
