/** The views of the form "torchvision" against torchvision's transforms, a batch of different views on every device. */
import { type Preset, presets } from "@dawnstrap/byol";
import type { ViewAugmentation } from "@dawnstrap/byol/images";
import { augment, firstView } from "@dawnstrap/byol/images";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ColourOp,
  colourCodes,
  columnsOf,
  drawBox,
  gaussianTaps,
  Stream,
} from "@dawnstrap/byol/testing";
import { labels } from "./formula.js";
import { golden } from "./load.js";

type Op =
  | { readonly op: ColourOp | "blur"; readonly by: number }
  | { readonly op: "flip" | "grey" | "solarize" }
  | {
      readonly op: "crop";
      readonly method: "bilinear" | "bicubic";
      readonly size: number;
      readonly box: readonly [number, number, number, number];
    };
interface View {
  readonly ops: readonly Op[];
  readonly values: readonly number[];
}
interface Boxes {
  readonly height: number;
  readonly width: number;
  readonly area: readonly [number, number];
  readonly draws: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}
const { stored, kernel, colour, grey, boxes } = golden<{
  stored: number;
  kernel: number;
  colour: View[];
  grey: View[];
  boxes: Boxes[];
}>("augment");

const settings: ViewAugmentation = {
  ...firstView,
  form: "torchvision",
  blur: { ...firstView.blur, kernel },
  solarize: 1,
};

const isColour = (op: Op): op is { op: ColourOp; by: number } => op.op in colourCodes;
const cropOf = (ops: readonly Op[]) => ops.find((op) => op.op === "crop");

/** The row that asks for these operations and no other. */
function rowOf(ops: readonly Op[], size: number, channels: number): Float32Array {
  const columns = columnsOf(size, channels, kernel);
  const row = new Float32Array(columns.count);
  row.set(cropOf(ops)?.box ?? [0, 0, stored, stored], columns.box);
  row.fill(-1, columns.round, columns.round + columns.rounds);
  for (const [round, { op, by }] of ops.filter(isColour).entries()) {
    row[columns.round + round] = colourCodes[op];
    row[columns.strength + colourCodes[op]] = by;
  }
  row[columns.blur] = 1;
  for (const op of ops) {
    if (op.op === "blur") row.set(gaussianTaps(op.by, columns.taps), columns.blur);
    if (op.op === "flip" || op.op === "grey" || op.op === "solarize") row[columns[op.op]] = 1;
  }
  return row;
}

describe.each(["reference", "cpu", "webgpu"] as const)("torchvision's views on %s", (kind) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(kind);
  });
  afterAll(() => device.destroy());

  /** Makes all views of one geometry in one batch, and compares. */
  async function check(views: readonly View[], channels: 1 | 3): Promise<void> {
    const first = cropOf(views[0]!.ops);
    const size = first?.size ?? stored;
    const image: Preset["image"] = {
      ...presets["tiny"]!.image,
      ...{ size, channels, resize: first?.method ?? "bilinear" },
    };
    const pixels = Uint8Array.from(labels("augment/image", stored * stored * channels, 256));
    const batch = new Uint8Array(views.length * pixels.length);
    views.forEach((_, i) => batch.set(pixels, i * pixels.length));
    const rows = views.flatMap(({ ops }) => [...rowOf(ops, size, channels)]);
    const got = await augment(
      device.tensor(batch, [views.length, stored, stored, channels]),
      device.tensor(Float32Array.from(rows), [views.length, rows.length / views.length]),
      settings,
      image,
    ).data();
    for (const [i, { ops, values }] of views.entries()) {
      const mine = got.subarray(i * values.length, (i + 1) * values.length);
      const worst = values.reduce((most, v, k) => Math.max(most, Math.abs(v - mine[k]!)), 0);
      expect(worst, ops.map((op) => op.op).join(", ")).toBeLessThan(3e-6);
    }
  }
  const geometry = ({ ops }: View) => {
    const crop = cropOf(ops);
    return crop ? `crops, ${crop.method}` : "whole images";
  };

  it.each([...new Set(colour.map(geometry))])("%s", (name) =>
    check(
      colour.filter((view) => geometry(view) === name),
      3,
    ),
  );
  it("grey images", () => check(grey, 1));
});

describe("torchvision's crop boxes", () => {
  it.each(boxes)("of $height×$width, area $area", ({ height, width, area, draws, mean, deviation }) => {
    const stream = new Stream(Number(process.env.DAWNSTRAP_SEED), "augment");
    const crop = { ...settings.crop, area: [...area] as [number, number] };
    const drawn = Array.from({ length: draws }, () => drawBox(stream, height, width, { ...settings, crop }));
    for (const [k, wanted] of mean.entries()) {
      const got = drawn.reduce((sum, box) => sum + box[k]!, 0) / draws;
      // Both sides are means of as many draws: five standard errors of their difference.
      const allowed = 5 * deviation[k]! * Math.sqrt(2 / draws) + 1e-9;
      expect(Math.abs(got - wanted), `number ${k}: ${got} for ${wanted}`).toBeLessThan(allowed);
    }
  });
});
