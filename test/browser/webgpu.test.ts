/**
 * The webgpu device in Chromium, on SwiftShader: every op against its float64 reference, every derivative against the
 * reference's, and steps of BYOL against Node's cpu device. Few cases an op; DAWNSTRAP_RUNS multiplies them.
 */
// With the ops of augmentation, optimisers and running averages.
import { presetNamed } from "@dawnstrap/byol";
import { openDevice } from "@dawnstrap/tensor";
import { registry } from "@dawnstrap/tensor/extend";
import type { JSHandle, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { differentiable } from "../gradients/cases.js";
import { serve, type Site, swiftShader } from "./page.js";
import type { Suites } from "./suites.page.js";
import { losses } from "./training.js";

const seed = Number(process.env.DAWNSTRAP_SEED);
const times = Number(process.env.DAWNSTRAP_RUNS ?? 1);
/** Compilers of software adapters are slow when every core is busy. */
const patience = 600_000;

let site: Site;
let page: Page;
let suites: JSHandle<Suites>;
let about: Pick<Suites, "description" | "ops" | "differentiable">;
const cases = { conforms: 0, gradients: 0 };

beforeAll(async () => {
  site = await serve("test/browser/suites.page.ts", swiftShader);
  page = await site.open("/");
  suites = await page.evaluateHandle<Suites>(`page.open(${seed})`);
  about = await suites.evaluate(({ description, ops, differentiable }) => ({
    description,
    ops,
    differentiable,
  }));
}, patience);
afterAll(async () => {
  console.log(
    `in Chromium (${about?.description}): ${cases.conforms} cases of ${registry.size} ops, ` +
      `${cases.gradients} of ${differentiable().length} derivatives, seed ${seed}`,
  );
  await site?.close();
});

const run = async (suite: "conforms" | "gradients", op: string, batch: number): Promise<void> => {
  cases[suite] += await suites.evaluate((page, [suite, op, batch]) => page[suite](op, batch), [
    suite,
    op,
    batch,
  ] as const);
};

it("has the ops that Node has, on SwiftShader", () => {
  expect(about.ops.toSorted()).toEqual([...registry.keys()].toSorted());
  expect(about.differentiable).toHaveLength(differentiable().length);
  expect(about.description).toMatch(/swiftshader/i);
});

describe("conformance", () => {
  it.each([...registry.keys()])("%s", (op) => run("conforms", op, 2 * times), patience);
});

describe("derivatives", () => {
  it.each(differentiable().map((op) => op.name))("%s", (op) => run("gradients", op, times), patience);
});

it(
  "trains: losses of captured BYOL steps as on Node's cpu device",
  async () => {
    const preset = presetNamed("tiny");
    const steps = 4;
    const cpu = await openDevice("cpu");
    const want = await losses(cpu, preset, steps);
    await cpu.destroy();
    const got = await suites.evaluate((page, [preset, steps]) => page.losses(preset, steps), [
      preset,
      steps,
    ] as const);
    console.log(`losses in Chromium ${got.map(([loss]) => loss!.toFixed(5)).join(", ")}`);
    expect(got).toHaveLength(steps);
    for (const [k, both] of want.entries())
      for (const [i, loss] of both.entries()) expect(Math.abs(got[k]![i]! - loss)).toBeLessThan(1e-3);
  },
  patience,
);
