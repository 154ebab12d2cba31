import { join } from "node:path";
import { cropAndResize, openDevice } from "@dawnstrap/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawBox } from "../augment/parameters.js";
import { presetNamed } from "../../presets/index.js";
import { makeLearner } from "../../training/setup.js";
import { Stream } from "../streams.js";
import { prepareTraining } from "../../training/trainer.js";
import { decodedViews } from "./decode.js";
import { openFolder } from "../node/folder.js";
import { Miniature } from "../node/sets/miniature.js";
import { type DataSource, memorySet } from "../source.js";

const [width, height] = [160, 96];
const tiny = presetNamed("tiny");
const preset = {
  ...tiny,
  image: { ...tiny.image, size: 32, crop: "decode", resize: "bicubic" } as const,
  batch: 4,
};

/** A smooth picture, so that kernels that smooth and kernels that do not agree. */
const picture = (kind: number) =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 128 + 100 * Math.sin(x / (20 + kind) + (i % 3)) * Math.cos(y / 25 + kind);
  });
const encoder = (kind: number) => sharp(picture(kind), { raw: { width, height, channels: 3 } });

let mini: Miniature;
let data: DataSource;
beforeAll(async () => {
  mini = await Miniature.make();
  for (let i = 0; i < 4; i++) await mini.put(`photos/${i}.png`, await encoder(i).png().toBuffer());
  for (let i = 4; i < 8; i++)
    await mini.put(`photos/${i}.jpg`, await encoder(i).jpeg({ quality: 98 }).toBuffer());
  data = await openFolder(mini.path("photos"), preset.image, { threads: 1 });
});
afterAll(async () => {
  await data.close();
  await mini.remove();
});

describe("decodedViews", () => {
  it("are those of the decoded image, cropped and resized on the device", async () => {
    const device = await openDevice("cpu");
    const { size } = preset.image;
    const views = decodedViews(preset).readable(data, 5);
    const boxes: number[][] = [];
    for (const index of [0, 1, 4, 5]) {
      const both = (await views.read(index, 3))!;
      const file = join(mini.path("photos"), `${index}.${index < 4 ? "png" : "jpg"}`);
      const whole = new Uint8Array(await sharp(file).raw().toBuffer());
      for (const view of [0, 1] as const) {
        const box = drawBox(new Stream(5, "crop", 3, index, view), height, width, preset.views[view]);
        boxes.push(box);
        const wanted = await cropAndResize(
          device.tensor(whole, [1, height, width, 3]),
          device.tensor(Float32Array.from(box), [1, 4]),
          [size, size],
          { method: "bicubic" },
        ).data();
        const made = both.subarray(view * size * size * 3, (view + 1) * size * size * 3);
        const off = Array.from(made, (value, i) => Math.abs(value - Math.min(255, Math.max(0, wanted[i]!))));
        expect(Math.max(...off), `image ${index}, box ${box}`).toBeLessThan(4);
        expect(off.reduce((sum, d) => sum + d, 0) / off.length).toBeLessThan(1);
      }
    }
    // Beyond the central square of 96 columns, which begins at 32.
    expect(boxes.some(([, left, , w]) => left! + w! > 128 || left! < 32)).toBe(true);
    await device.destroy();
  });

  it("depend on seed, step and image alone", async () => {
    const read = (seed: number, index: number, step: number) =>
      decodedViews(preset).readable(data, seed).read(index, step);
    const first = await read(1, 2, 3);
    expect(await read(1, 2, 3)).toEqual(first);
    expect(await read(2, 2, 3)).not.toEqual(first);
    expect(await read(1, 2, 4)).not.toEqual(first);
  });

  it("see an image the way up that its EXIF says", async () => {
    await mini.put("turned/a.jpg", await encoder(0).jpeg().withMetadata({ orientation: 6 }).toBuffer());
    const turned = await openFolder(mini.path("turned"), preset.image, { threads: 1 });
    const seen: number[][] = [];
    await turned.train.readBoxes!(
      0,
      (h, w) => {
        seen.push([h, w]);
        return [[h - 10, 0, 10, w]];
      },
      { size: 8, kernel: "cubic" },
    );
    expect(seen).toEqual([[160, 96]]);
    expect(turned.skipped()).toEqual([]);
    await turned.close();
  });

  it("skip and name what cannot be read, and refuse images that are not files", async () => {
    await mini.put("bad/a.jpg", new Uint8Array(400).fill(3));
    const bad = await openFolder(mini.path("bad"), preset.image, { threads: 1 });
    expect(await decodedViews(preset).readable(bad, 0).read(0, 0)).toBeUndefined();
    expect(bad.skipped().map(({ file }) => file)).toEqual(["a.jpg"]);
    await bad.close();
    const held = { ...data, name: "held", train: memorySet(new Uint8Array(3), data.image, Int32Array.of(0)) };
    expect(() => decodedViews(preset).readable(held, 0)).toThrow(/held does not come as image files/);
  });

  it("train, and the same run gives the same losses", async () => {
    const device = await openDevice("cpu");
    const run = async () => {
      const losses: number[] = [];
      const learner = makeLearner(device, preset, 0, 0);
      await prepareTraining(learner, {
        ...{ device, preset, data, seed: 0, steps: 3 },
        onStep: ({ loss }) => losses.push(loss),
      }).run();
      return losses;
    };
    const losses = await run();
    expect(losses).toHaveLength(3);
    for (const loss of losses) expect(loss).toBeGreaterThan(0);
    expect(await run()).toEqual(losses);
    await device.destroy();
  });
});
