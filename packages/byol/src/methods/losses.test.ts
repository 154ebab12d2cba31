/** The losses of the methods, and the queue of keys. */
import { grad } from "@dawnstrap/autograd";
import { concat, type Device, l2Normalize, mul, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stream } from "../images/streams.js";
import { crossCorrelationLoss } from "./barlow-twins.js";
import { regression } from "../learner/loss.js";
import { oneVsRest } from "../tasks/logistic.js";
import { infoNce, KeyQueue } from "./moco.js";
import { ntXent } from "./simclr.js";
import { negativeCosine } from "./simsiam.js";
import { vicregLoss } from "./vicreg.js";

let cpu: Device;
let reference: Device;
beforeAll(async () => {
  [cpu, reference] = [await openDevice("cpu"), await openDevice("reference")];
});
afterAll(() => Promise.all([cpu.destroy(), reference.destroy()]));
const stream = new Stream(4, "subset");
const numbers = (count: number) => Float32Array.from({ length: count }, () => stream.between(-1, 1));
const rows = (values: ArrayLike<number>, width: number, device = reference) =>
  device.tensor(Float32Array.from(values), [values.length / width, width]);
const read = async (t: Tensor) => Array.from(await t.data());

describe("losses, by hand", () => {
  it("NT-Xent: two images, each view at its own axis", async () => {
    // Similarities of a view: its partner 1, the two views of the other image 0.
    const z = rows([1, 0, 0, 1, 2, 0, 0, 3], 2);
    expect(await ntXent(z, 0.5).item()).toBeCloseTo(Math.log(Math.exp(2) + 2) - 2, 6);
  });
  it("InfoNCE: the key against two negatives", async () => {
    const loss = infoNce(rows([1, 0], 2), rows([0.6, 0.8], 2), rows([0, 1, -1, 0], 2), 0.2);
    expect(await loss.item()).toBeCloseTo(Math.log(Math.exp(3) + 1 + Math.exp(-5)) - 3, 6);
  });
  it("negative cosine: parallel −1, at right angles 0, opposite 1", async () => {
    expect(await negativeCosine(rows([1, 2], 2), rows([2, 4], 2)).item()).toBeCloseTo(-1, 6);
    expect(await negativeCosine(rows([1, 0], 2), rows([0, 2], 2)).item()).toBeCloseTo(0, 6);
    expect(await negativeCosine(rows([1, 2], 2), rows([-1, -2], 2)).item()).toBeCloseTo(1, 6);
  });
  it("Barlow Twins: C = [[1, 0], [0, 1]] and [[1, 1], [1, 1]] and −1 for opposite features", async () => {
    const apart = rows([1, 1, 1, -1, -1, 1, -1, -1], 2);
    expect(await crossCorrelationLoss(apart, apart, 0.1).item()).toBeCloseTo(0, 4);
    const same = rows([1, 1, -1, -1], 2);
    expect(await crossCorrelationLoss(same, same, 0.1).item()).toBeCloseTo(0.2, 4);
    expect(await crossCorrelationLoss(same, mul(same, -1), 0).item()).toBeCloseTo(8, 3);
  });
});

it("two views' projections of different shapes are refused, not broadcast", () => {
  const [a, b] = [rows([1, 2, 3, 4], 2), rows([1, 2], 2)];
  const losses: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
    regression,
    negativeCosine,
    infoNce: (a, b) => infoNce(a, b, a, 1),
    vicregLoss: (a, b) => vicregLoss(a, b, { invariance: 1, variance: 1, covariance: 1 }),
    crossCorrelationLoss: (a, b) => crossCorrelationLoss(a, b, 1),
    oneVsRest,
  };
  for (const [name, loss] of Object.entries(losses))
    expect(() => loss(a, b)).toThrow(`${name}: shapes [2, 2] and [1, 2] differ`);
});

describe("losses, their invariances", () => {
  const [a, b] = [numbers(6 * 4), numbers(6 * 4)];
  /** Each with its value at (a, b) and its gradient by a. */
  const losses: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
    "NT-Xent": (x, y) => ntXent(concat([x, y]), 0.3),
    InfoNCE: (x, y) => infoNce(l2Normalize(x), l2Normalize(y), l2Normalize(rows(a.map(Math.cos), 4)), 0.3),
    "negative cosine": negativeCosine,
  };
  it.each(Object.keys(losses))(
    "%s does not see lengths, and its gradient is at right angles",
    async (name) => {
      const loss = losses[name]!;
      const [x, y] = [rows(a, 4), rows(b, 4)];
      expect(await loss(mul(x, 7), mul(y, 0.2)).item()).toBeCloseTo(await loss(x, y).item(), 5);
      const g = await read(grad((v: Tensor) => loss(v, y))(x)[0]!);
      for (let i = 0; i < 6; i++) {
        const along = [0, 1, 2, 3].reduce((sum, j) => sum + g[4 * i + j]! * a[4 * i + j]!, 0);
        expect(Math.abs(along)).toBeLessThan(1e-6);
      }
      expect(Math.max(...g.map(Math.abs))).toBeGreaterThan(1e-3);
    },
  );
  it("NT-Xent does not mind which view comes first", async () => {
    const [x, y] = [rows(a, 4), rows(b, 4)];
    expect(await ntXent(concat([x, y]), 0.3).item()).toBeCloseTo(await ntXent(concat([y, x]), 0.3).item(), 6);
  });
  it("negative cosine has no gradient by what is told", async () => {
    const [, g] = grad((x: Tensor, y: Tensor) => negativeCosine(x, y))(rows(a, 4), rows(b, 4));
    expect(await read(g!)).toEqual(new Array(24).fill(0));
  });
  it("Barlow Twins sees neither scale nor shift of a feature", async () => {
    const [x, y] = [rows(a, 4), rows(b, 4)];
    const moved = rows(
      a.map((v, i) => v * (1 + (i % 4)) + (i % 4)),
      4,
    );
    const [one, other] = [crossCorrelationLoss(x, y, 0.1), crossCorrelationLoss(moved, y, 0.1)];
    expect(await other.item()).toBeCloseTo(await one.item(), 3);
  });
});

describe("the queue of keys", () => {
  it.each(["cpu", "reference"] as const)("is a ring that captured steps write on %s", async (kind) => {
    const device = kind === "cpu" ? cpu : reference;
    const queue = new KeyQueue(5, 2).init(device).fill(device, 3);
    const start = await read(queue.keys.value);
    for (let i = 0; i < 5; i++) expect(Math.hypot(start[2 * i]!, start[2 * i + 1]!)).toBeCloseTo(1, 5);
    const step = device.capture((keys: Tensor) => {
      const old = queue.keys.value;
      queue.push(keys);
      return mul(old, 1);
    });
    expect(await read(await step(rows([1, 1, 2, 2], 2, device)))).toEqual(start);
    await step(rows([3, 3, 4, 4], 2, device));
    expect(await read(queue.keys.value)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, ...start.slice(8)]);
    await step(rows([5, 5, 6, 6], 2, device));
    expect(await read(queue.keys.value)).toEqual([6, 6, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(await read(queue.pointer.value)).toEqual([1]);
  });
});
