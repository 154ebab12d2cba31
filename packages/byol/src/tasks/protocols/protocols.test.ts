/** The table of protocols, and one of a user's own in it. */
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ImageSettings } from "../../images/settings.js";
import { type DataSource, memorySet } from "../../images/source.js";
import { whole } from "../options.js";
import { defineProtocol, type Quick } from "../protocol.js";
import { resultTable } from "../result-table.js";
import type { Result } from "../result.js";
import { measure } from "../measure.js";
import { protocols, publishedFor, quickProtocols } from "./index.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("reference");
});
afterAll(() => device.destroy());

it("names every protocol once, each with names for its metrics", () => {
  const names = protocols.map(({ name }) => name);
  expect(names).toEqual(["knn", "linear", "few-shot", "semi", "finetune", "transfer"]);
  for (const { metrics } of protocols) expect(Object.keys(metrics).length).toBeGreaterThan(0);
  expect(quickProtocols.map(({ key }) => key)).toEqual(["knn", "linear", "few_shot"]);
});

it("has the paper's rows of Tables 1, 2, 3, 7 and 8", () => {
  expect(publishedFor("linear", "imagenet:x")).toMatchObject({ top1: 0.743, source: "Table 1" });
  expect(publishedFor("semi 10 %", "imagenet:x")).toMatchObject({ top1: 0.688, source: "Table 2" });
  expect(publishedFor("transfer", "pets:x")).toMatchObject({ mean_per_class: 0.904, source: "Table 3" });
  expect(publishedFor("finetune", "pets:x")).toMatchObject({ mean_per_class: 0.917, source: "Table 3" });
  expect(publishedFor("finetune", "imagenet:x")).toMatchObject({ top1: 0.777, source: "Table 8" });
  expect(publishedFor("linear", "pets:x")).toBeUndefined();
});

const brightness = defineProtocol({
  name: "brightness",
  about: "how bright the features of one dimension are",
  options: { dimension: whole(0, "n", "which", 0) },
  run: async () => ({}) as Result,
  metrics: { brightness: "brightness" },
  published: (_, data) => (data === "imagenet" ? { brightness: 0.5, source: "nowhere" } : undefined),
  quick: { key: "bright", title: "brightness", accuracy: async (_, bank) => bank.features[0]! },
});

it("shows the metric of a user's protocol, beside what is published of it", () => {
  const value = { value: 0.25, low: 0.2, high: 0.3 };
  const listed = { id: "1", protocol: "brightness", data: "imagenet:x", encoder: "e", seed: 0 };
  const table = resultTable([{ ...listed, metrics: { brightness: value } }], [...protocols, brightness]);
  expect(table.split("\n")).toEqual([
    "| protocol | data | encoder | seed | brightness | id |",
    "| --- | --- | --- | --- | --- | --- |",
    "| brightness | imagenet:x | e | 0 | 25.0 (20.0–30.0) | 1 |",
    "| brightness | imagenet:x | BYOL, ResNet-50, the paper's nowhere |  | 50.0 |  |",
  ]);
});

it("measures a user's quick protocol before and after training", async () => {
  const set = memorySet(
    new Uint8Array(4 * 16).fill(51),
    { height: 4, width: 4, channels: 1 },
    Int32Array.of(0, 1, 0, 1),
  );
  const data = {
    ...{ name: "grey", train: set, heldOut: set, classes: ["a", "b"], skipped: () => [] },
    ...{ image: { height: 4, width: 4, channels: 1 }, close: async () => {} },
  } as DataSource;
  const image: ImageSettings = {
    ...{ stored: 4, size: 4, channels: 1, resize: "bilinear" },
    ...{ background: [0, 0, 0], mean: [0], deviation: [1] },
  };
  const features = { device, image, forward: (x: Tensor) => x.reshape([x.shape[0]!, 16]) };
  const settings = { bank: 10, queries: 10, neighbours: 1, subsets: 1 };
  expect(await measure(features, data, settings, [brightness.quick!])).toEqual({
    bright: expect.closeTo(0.2),
  });
  expect(await measure(features, { ...data, classes: [] }, settings, [brightness.quick!])).toEqual({
    bright: null,
  });
  // Images of an unknown class teach no measure.
  const gaps = { ...set, labels: Int32Array.of(-1, 0, -1, 1) };
  const lowest: Quick = { ...brightness.quick!, accuracy: async (_, bank) => Math.min(...bank.labels) };
  expect(await measure(features, { ...data, train: gaps }, settings, [lowest])).toEqual({ bright: 0 });
});
