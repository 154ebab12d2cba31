import { afterAll, beforeAll, expect, it } from "vitest";
import { imagenet } from "./imagenet.js";
import { Miniature, sizesOf, valuesOf } from "./miniature.js";

let mini: Miniature;
beforeAll(async () => {
  mini = await Miniature.make();
  for (const junk of ["train/.ipynb_checkpoints/x", "train/n01440764/._x", "val/__MACOSX/x", "val/@eaDir/x"])
    await mini.put(`folders/${junk}.JPEG`, "no image");
  for (const folder of ["folders", "flat", "none"])
    for (const [k, wnid] of ["n01440764", "n01443537"].entries())
      for (let i = 0; i < 3; i++) await mini.jpeg(`${folder}/train/${wnid}/${wnid}_${i}.JPEG`, 50 * k + i);
  await mini.jpeg("folders/val/n01440764/ILSVRC2012_val_00000002.JPEG", 100);
  await mini.jpeg("folders/val/n01443537/ILSVRC2012_val_00000001.JPEG", 200);
  await mini.jpeg("flat/val/ILSVRC2012_val_00000001.JPEG", 200);
  await mini.put("flat/LOC_val_solution.csv", [
    "ImageId,PredictionString",
    "ILSVRC2012_val_00000001,n01443537 1 2 3 4 n01440764 1 2 3 4",
  ]);
  await mini.jpeg("none/val/ILSVRC2012_val_00000001.JPEG", 200);
});
afterAll(() => mini.remove());

it("takes the folders of train as classes, hidden and system ones apart, and tests on val", async () => {
  const source = await mini.open(imagenet, "folders");
  expect(source.classes).toEqual(["n01440764", "n01443537"]);
  expect([...source.train.labels!]).toEqual([0, 0, 0, 1, 1, 1]);
  expect(sizesOf(source)).toEqual([6, 0, 6, 2]);
  expect([...source.heldOut.labels!]).toEqual([0, 1]);
  expect(await valuesOf(source.heldOut)).toEqual([100, 200]);
});

it("reads Kaggle's list for a flat val", async () => {
  const source = await mini.open(imagenet, "flat");
  expect([...source.heldOut.labels!]).toEqual([1]);
  expect(await valuesOf(source.heldOut)).toEqual([200]);
});

it("says what is missing, by folder", async () => {
  await expect(mini.open(imagenet, "none")).rejects.toThrow(/val has neither a folder per class nor LOC_val/);
  await expect(mini.open(imagenet, "none/train")).rejects.toThrow(/it lacks train, val/);
  await expect(mini.open(imagenet, "folders", {})).rejects.toThrow(/trainval 6 instead of 1281167/);
  await mini.put("none/val/n09999999/x.JPEG", "");
  await expect(mini.open(imagenet, "none")).rejects.toThrow(
    /val\/n09999999 has no folder of its name in train/,
  );
});
