import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presets } from "../../presets/index.js";
import { Stream } from "../streams.js";
import { gaussianBlur } from "./blur.js";
import { colourRound } from "./colour-round.js";
import { type ColourOp, columnsOf, colourCodes, drawViews, gaussianTaps } from "./parameters.js";
import { firstView, secondView, type ViewAugmentation } from "./settings.js";
import { augment, makeViews, plainViews } from "./view.js";

const devices: Device[] = [];
beforeAll(async () => {
  devices.push(await openDevice("reference"), await openDevice("cpu"));
});
afterAll(async () => {
  for (const device of devices) await device.destroy();
});
/** Runs a check on the reference and on the cpu device. */
async function everywhere(check: (device: Device) => Promise<void>): Promise<void> {
  for (const device of devices) await check(device);
}
const read = async (t: Tensor): Promise<number[]> => Array.from(await t.data());
/** Compares to half a unit of the given decimal place, and names the worst element. */
function close(actual: readonly number[], wanted: readonly number[], digits = 6): void {
  expect(actual).toHaveLength(wanted.length);
  let worst = 0;
  for (const [i, v] of wanted.entries())
    if (!(Math.abs(actual[i]! - v) <= Math.abs(actual[worst]! - wanted[worst]!))) worst = i;
  if (wanted.length > 0) expect(actual[worst], `element ${worst}`).toBeCloseTo(wanted[worst]!, digits);
}

const columns = columnsOf(32, 3);
/** A row that does nothing, with changes. */
function rowWith(changes: Record<number, number>): Float32Array {
  const row = new Float32Array(columns.count);
  row.fill(-1, columns.round, columns.round + columns.rounds);
  row[columns.blur] = 1;
  for (const [at, value] of Object.entries(changes)) row[Number(at)] = value;
  return row;
}

describe("colour operations", () => {
  /** One operation on one pixel, beside a second image that is left alone. */
  async function apply(
    device: Device,
    op: ColourOp,
    strength: number,
    pixels: number[][],
  ): Promise<number[]> {
    const planes = [0, 1, 2].map((c) =>
      device.tensor(Float32Array.from([...pixels.map((p) => p[c]!), ...pixels.map(() => 0.3)]), [
        2,
        1,
        pixels.length,
      ]),
    );
    const means = [0, 1, 2].map((c) =>
      device.tensor(Float32Array.of(pixels.reduce((sum, p) => sum + p[c]!, 0) / pixels.length, 0.3)),
    );
    const row = rowWith({
      [columns.round + 2]: colourCodes[op],
      [columns.strength + colourCodes[op]]: strength,
    });
    const rows = device.tensor(Float32Array.from([...row, ...rowWith({})]), [2, columns.count]);
    const results = await Promise.all(colourRound(planes, means, rows, columns, 2, "deepmind").map(read));
    for (const plane of results)
      close(
        plane.slice(pixels.length),
        pixels.map(() => Math.fround(0.3)),
        7,
      );
    return pixels.flatMap((_, i) => results.map((plane) => plane[i]!));
  }
  const colour = [[0.2, 0.6, 0.4]];

  it("hue", () =>
    everywhere(async (device) => {
      close(await apply(device, "hue", 0.1, colour), [0.2, 0.56, 0.6]);
      close(await apply(device, "hue", -0.1, colour), [0.24, 0.6, 0.2]);
      // A whole turn comes back; a grey pixel has no hue to turn.
      close(await apply(device, "hue", 1, colour), colour[0]!);
      close(
        await apply(device, "hue", 0.37, [
          [0.5, 0.5, 0.5],
          [0, 0, 0],
          [1, 1, 1],
        ]),
        [0.5, 0.5, 0.5, 0, 0, 0, 1, 1, 1],
      );
      close(
        await apply(device, "hue", 1 / 3, [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ]),
        [0, 1, 0, 0, 0, 1, 1, 0, 0],
      );
    }));
  it("saturation", () =>
    everywhere(async (device) => {
      close(await apply(device, "saturation", 1.2, colour), [0.12, 0.6, 0.36]);
      close(await apply(device, "saturation", 0.8, colour), [0.28, 0.6, 0.44]);
      close(await apply(device, "saturation", 0, colour), [0.6, 0.6, 0.6]);
    }));
  it("brightness is additive and clipped", () =>
    everywhere(async (device) =>
      close(await apply(device, "brightness", 0.3, [[0.2, 0.6, 0.9]]), [0.5, 0.9, 1]),
    ));
  it("contrast is about the channel's mean and clipped", () =>
    everywhere(async (device) => {
      const channel = [0, 0.2, 0.4, 1].map((v) => [v, v, v]);
      const result = await apply(device, "contrast", 1.4, channel);
      close(
        result,
        [0, 0.12, 0.4, 1].flatMap((v) => [v, v, v]),
      );
    }));
});

describe("blur", () => {
  it("weighs neighbours and pads with zeros", () =>
    everywhere(async (device) => {
      const rows = [1, 0.5].map((sigma) => {
        const [w0, w1] = gaussianTaps(sigma, 2);
        return rowWith({ [columns.blur]: w0!, [columns.blur + 1]: w1! });
      });
      const rowsTensor = device.tensor(Float32Array.from(rows.flatMap((row) => [...row])), [
        2,
        columns.count,
      ]);
      const ones = gaussianBlur(device.ones([2, 5, 5, 3]), rowsTensor, columns, "zero");
      const result = await read(ones);
      // Corner, edge and interior of the first image; separable, so they are products.
      const [edge, inside] = [0.7259313809, 1];
      const at = (image: number, y: number, x: number) => result[((image * 5 + y) * 5 + x) * 3]!;
      close([at(0, 0, 0), at(0, 0, 2), at(0, 2, 2), at(0, 4, 4)], [edge * edge, edge, inside, edge * edge]);
      close([at(1, 0, 2)], [0.786986042 + 0.106506979]);
    }));
});

describe("augment", () => {
  const image = {
    ...presets["tiny"]!.image,
    size: 32,
    mean: [0, 0, 0] as [number, number, number],
    deviation: [1, 1, 1] as [number, number, number],
  };
  const whole = { 0: 0, 1: 0, 2: 32, 3: 32 };
  const pixels = (() => {
    const stream = new Stream(5, "subset");
    return Uint8Array.from({ length: 2 * 32 * 32 * 3 }, () => stream.below(256));
  })();
  const run = (device: Device, changes: Record<number, number>, settings: ViewAugmentation) =>
    read(
      augment(
        device.tensor(pixels, [2, 32, 32, 3]),
        device.tensor(Float32Array.from([...rowWith({ ...whole, ...changes }), ...rowWith(whole)]), [
          2,
          columns.count,
        ]),
        settings,
        image,
      ),
    );
  const size = 32 * 32 * 3;
  const original = Array.from(pixels, (v) => v / 255);

  it("leaves an image alone whose row does nothing", () =>
    everywhere(async (device) => close(await run(device, {}, secondView), original, 5)));
  it("mirrors", () =>
    everywhere(async (device) => {
      const result = await run(device, { [columns.flip]: 1 }, secondView);
      const mirrored = original.map((_, at) => {
        const [c, x, y] = [at % 3, Math.floor(at / 3) % 32, Math.floor(at / 96)];
        return original[(y * 32 + 31 - x) * 3 + c]!;
      });
      close(result.slice(0, size), mirrored.slice(0, size), 5);
      close(result.slice(size), original.slice(size), 5);
    }));
  it("makes grey with the weights of the paper's code", () =>
    everywhere(async (device) => {
      const result = await run(device, { [columns.grey]: 1 }, secondView);
      const grey = (at: number) =>
        0.2989 * original[at]! + 0.587 * original[at + 1]! + 0.114 * original[at + 2]!;
      for (let at = 0; at < size; at += 3) close(result.slice(at, at + 3), [grey(at), grey(at), grey(at)], 5);
      close(result.slice(size), original.slice(size), 5);
    }));
  it("solarizes from one half on", () =>
    everywhere(async (device) => {
      const result = await run(device, { [columns.solarize]: 1 }, secondView);
      close(
        result.slice(0, size),
        original.slice(0, size).map((v) => (v < 0.5 ? v : 1 - v)),
        5,
      );
    }));
  it("crops the box and nothing else", () =>
    everywhere(async (device) => {
      const result = await run(device, { 0: 5, 1: 9, 2: 1, 3: 1 }, secondView);
      const wanted = original.slice((5 * 32 + 9) * 3, (5 * 32 + 9) * 3 + 3);
      for (let at = 0; at < size; at += 3) close(result.slice(at, at + 3), wanted, 5);
    }));

  it("gives the same views on cpu as in float64", async () => {
    const geometry = { height: 32, width: 32, channels: 3, size: 32 };
    const images = [...Array(16).keys()];
    const stream = new Stream(8, "subset");
    const batch = Uint8Array.from({ length: 16 * size }, () => stream.below(256));
    for (const settings of [firstView, secondView]) {
      const rows = drawViews(settings, geometry, { seed: 3, step: 1, view: 0, images });
      const views = await Promise.all(
        devices.map((device) =>
          read(
            makeViews(
              device.tensor(batch, [16, 32, 32, 3]),
              device.tensor(rows, [16, columns.count]),
              settings,
              image,
            ),
          ),
        ),
      );
      const worst = views[0]!.reduce((most, v, i) => Math.max(most, Math.abs(v - views[1]![i]!)), 0);
      expect(worst).toBeLessThan(2e-5);
      for (const v of views[1]!) expect(v >= 0 && v <= 1).toBe(true);
    }
  });
});

describe("plainViews", () => {
  const image = {
    ...presets["tiny"]!.image,
    size: 4,
    mean: [0.5, 0, 0] as [number, number, number],
    deviation: [0.5, 1, 2] as [number, number, number],
  };
  it("normalises each channel", () =>
    everywhere(async (device) => {
      const images = device.tensor(new Uint8Array(48).fill(255), [1, 4, 4, 3]);
      close((await read(plainViews(images, image))).slice(0, 3), [1, 1, 0.5]);
    }));
  it("shows the centre, where that is all that evaluation sees", () =>
    everywhere(async (device) => {
      // As the paper's code crops: ⌊0.6·7⌋ = 4 wide, from (7 − 4 + 1) >> 1 = 2 on.
      const pixels = Uint8Array.from({ length: 7 * 7 * 3 }, (_, at) => Math.floor(at / 3));
      const views = plainViews(device.tensor(pixels, [1, 7, 7, 3]), { ...image, centre: 0.6 });
      const wanted = Array.from({ length: 16 }, (_, i) => (2 + Math.floor(i / 4)) * 7 + 2 + (i % 4));
      const green = (await read(views)).filter((_, at) => at % 3 === 1);
      close(
        green,
        wanted.map((v) => v / 255),
      );
    }));
  it("resizes to the views' size", () =>
    everywhere(async (device) => {
      const images = device.tensor(new Uint8Array(8 * 8 * 3).fill(51), [1, 8, 8, 3]);
      const views = plainViews(images, image);
      expect(views.shape).toEqual([1, 4, 4, 3]);
      close((await read(views)).slice(-3), [-0.6, 0.2, 0.1]);
    }));
});
