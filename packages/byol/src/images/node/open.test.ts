import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { absoluteData, openData } from "./open.js";
import { Miniature } from "./sets/miniature.js";

const format = { stored: 8, channels: 3, background: [0, 0, 0] } as const;
let mini: Miniature;
beforeAll(async () => {
  mini = await Miniature.make();
  for (const name of [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
    "test_batch",
  ])
    await mini.put(`cifar/${name}.bin`, new Uint8Array(10 * 3073));
  await mini.put("cifar/batches.meta.txt", ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
  for (const side of ["train", "val"])
    for (const name of ["a", "b"]) await mini.jpeg(`photos/${side}/${name}/1.jpg`, 3);
});
afterAll(() => mini.remove());

it("recognises a published layout in a plain folder, and takes any other as images", async () => {
  const cifar = await openData(mini.path("cifar"), format, { anySize: true });
  expect(cifar.name).toBe(`cifar10:${mini.path("cifar")}`);
  await expect(openData(mini.path("cifar"), format)).rejects.toThrow(/not the whole of CIFAR-10/);
  const photos = await openData(mini.path("photos"), format);
  expect(photos.classes).toEqual(["a", "b"]);
  await Promise.all([cifar.close(), photos.close()]);
});

it("refuses unknown kinds, kinds without a folder, and folders that are not there", async () => {
  await expect(openData("cifar11:x", format)).rejects.toThrow(
    /no kind "cifar11" \(did you mean "cifar10"\?\); --data takes digits, emoji, shards:DIR_OR_PATTERN, cifar10:DIR/,
  );
  await expect(openData("cifar10:", format)).rejects.toThrow(/cifar10 needs a folder/);
  await expect(openData(mini.path("nowhere"), format)).rejects.toThrow(
    /nowhere does not exist; --data takes/,
  );
  for (const [name, meant] of [
    ["digit", "digits"],
    ["emojis", "emoji"],
    [mini.path("photo"), "photos"],
    [`cifar10:${mini.path("photo")}`, "photos"],
  ] as const)
    await expect(openData(name, format)).rejects.toThrow(
      new RegExp(`does not exist \\(did you mean "${meant}"\\?\\)`),
    );
});

it("a relative path in the name of data is made absolute, and nothing else is", () => {
  const here = process.cwd();
  expect(absoluteData("photos")).toBe(join(here, "photos"));
  expect(absoluteData("../photos")).toBe(join(here, "..", "photos"));
  expect(absoluteData("cifar10:sets/cifar")).toBe(`cifar10:${join(here, "sets", "cifar")}`);
  expect(absoluteData("shards:web/{000..146}.tar")).toBe(`shards:${join(here, "web", "{000..146}.tar")}`);
  for (const name of ["digits", "emoji", "/photos", "cifar10:/sets", "cifar10:", ""])
    expect(absoluteData(name)).toBe(name);
});
