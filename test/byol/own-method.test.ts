/** A method that the package does not know: defined by its user, trained and checked like any other. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopGradient } from "@dawnstrap/autograd";
import {
  defineMethod,
  head,
  headSchema,
  override,
  parsePreset,
  presetNamed,
  regression,
  targetSchema,
  withMethod,
  withProbe,
} from "@dawnstrap/byol";
import { findCheckpoint, pretrain } from "@dawnstrap/byol/node";
import { Buffer, byName, Module } from "@dawnstrap/nn";
import { add, mean, mul, sub, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { linesOf } from "./run.js";

/** The running mean of the target's projections. */
class Centre extends Module {
  readonly mean: Buffer;
  constructor(features: number) {
    super();
    this.mean = new Buffer([features], 0);
  }
  move(projections: Tensor): void {
    this.mean.assign(add(mul(this.mean.value, 0.9), mul(mean(projections, 0), 0.1)));
  }
}

/** The second view's projection by the target, less what all of them have in common, is told from the first view. */
const centred = defineMethod({
  name: "centred",
  settings: { projector: headSchema, weight: z.number().positive(), target: targetSchema },
  heads: ({ projector }) => ({ projector, predictor: head([8], projector.output) }),
  target: ({ target }) => target,
  memory: ({ projector }, device) => new Centre(projector.output).init(device),
  rules: () => [byName(/^predictor\./, { rate: 2 })],
  check: ({ weight }, { batch }) =>
    weight > batch ? { field: "weight", message: `is above the batch of ${batch}` } : undefined,
  recipes: {
    small: {
      method: {
        projector: head([16], 8),
        ...{ weight: 0.5, target: { start: "copy", tau: 0.9, rise: "none" } },
      },
    },
  },
  loss({ online, target, memory }, [x1, x2], labels, { weight }) {
    const told = online.predict(x1);
    const seen = stopGradient(target.project(x2).projection);
    const loss = mul(regression(told.prediction, sub(seen, memory.mean.value)), weight);
    memory.move(seen);
    return withProbe(online, told, loss, labels);
  },
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "own-method-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const tiny = presetNamed("tiny");
const preset = withMethod(tiny, centred);

describe("a method of one's own", () => {
  it("runs ten steps, moves all that it carries, and leaves a checkpoint to resume from", async () => {
    const out = join(root, "run");
    const shared = { preset, data: "digits", device: "cpu", steps: 10, out } as const;
    const short = { ...preset, evaluate: { ...preset.evaluate, bank: 100, queries: 50, subsets: 1 } };
    await pretrain({ ...shared, preset: short });
    const losses = (await linesOf(out)).map((line) => JSON.parse(line).loss as number);
    expect(losses).toHaveLength(10);
    for (const loss of losses) expect(loss > 0 && loss < 2).toBe(true);
    expect(JSON.parse(await readFile(join(out, "config.json"), "utf8")).preset).toEqual(short);
    const { state, record } = await findCheckpoint(out);
    expect([...state.keys()]).toEqual(expect.arrayContaining(["target.parameters", "memory.mean"]));
    expect(parsePreset(record.preset)).toEqual(short);
  });
  it("has fields that can be set, and that are checked", () => {
    expect(override(preset, [["method.weight", 2]]).method).toMatchObject({ name: "centred", weight: 2 });
    expect(() => override(preset, [["method.weight", -1]])).toThrow(/method\.weight/);
    expect(() => override(preset, [["method.weight", 17]])).toThrow(
      /method\.weight: is above the batch of 16/,
    );
    expect(() => parsePreset({ ...tiny, method: { ...preset.method, height: 1 } })).toThrow(/height/);
  });
  it("is known by its name, at the scales that it has recipes for", () => {
    expect(withMethod(tiny, "centred")).toEqual(preset);
    expect(preset.optimizer).toEqual(tiny.optimizer);
    expect(() => withMethod(presetNamed("imagenet-r50"), centred)).toThrow(
      /"centred" has no recipe .*\(paper\), only for small/,
    );
    expect(() => withMethod(tiny, "centered")).toThrow(/"centered".*supervised, centred, byol-no-predictor/);
  });
  it("is defined once", () => {
    expect(() => defineMethod(centred)).toThrow(/"centred" is defined already/);
  });
});
