/** The fuzzer itself: the same inputs for the same seed, every kind of fault noticed, and a few seconds of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Bounded } from "../../bench/fuzz/bounded.js";
import { Campaign } from "../../bench/fuzz/campaign.js";
import { Draws } from "../../bench/fuzz/draws.js";
import { formats } from "../../bench/fuzz/formats/index.js";
import { kept, type Trial, trialOf } from "../../bench/fuzz/trial.js";
import { judgedShown } from "../../bench/fuzz/verdict.js";

const seed = Number(process.env.DAWNSTRAP_SEED);
const bounds = { seconds: 60, bytes: 2 ** 30 };

describe.each(formats)("$name", ({ name, make }) => {
  it("makes the same inputs of the same seed, others of another, and keeps them as they are", async () => {
    const inputs = async (from: number) => {
      const made: Trial[] = [];
      for (let index = 0; index < 3; index++) made.push(await make(new Draws(from, name, index)));
      return made;
    };
    const texts = (trials: Trial[]) => trials.map((trial) => JSON.stringify(kept(trial)));
    const first = await inputs(seed);
    expect(texts(await inputs(seed))).toEqual(texts(first));
    expect(texts(await inputs(seed + 1))).not.toEqual(texts(first));
    expect(texts(first.map((trial) => trialOf(JSON.parse(JSON.stringify(kept(trial))))))).toEqual(
      texts(first),
    );
  });
});

describe("a process with bounds", () => {
  const child = new Bounded(bounds);
  afterAll(() => child.close());
  const empty: Trial = { tree: new Map(), attempt: { read: "data", name: "{}" } };
  const line = { step: 0, loss: 4, lr: 0.1, std: 0.1, images_per_second: 9 };
  const config = { data: "digits", seed: 0, steps: 1, preset: { name: "tiny" } };
  const report = (writes: string[]): Trial => ({
    tree: new Map([
      ["run/config.json", { bytes: Buffer.from(JSON.stringify(config)) }],
      ["run/metrics.jsonl", { bytes: Buffer.from(`${JSON.stringify(line)}\n`) }],
    ]),
    attempt: { read: "command", words: ["report", "{}/run", "--out", "{}/a.html"], writes },
  });

  it("refuses with the message, and calls it a fault where the input is sound", async () => {
    expect(await child.try(empty)).toEqual({ kind: "refused", what: expect.stringMatching(/trial/) });
    expect(await child.try({ ...empty, sound: true })).toMatchObject({
      kind: "fault",
      what: expect.stringMatching(/^a sound input is refused/),
    });
  });

  it("lets a command write what it names, and nothing else", async () => {
    expect(await child.try(report(["a.html"]))).toEqual({ kind: "ok", what: "" });
    expect(await child.try(report([]))).toMatchObject({
      kind: "fault",
      what: expect.stringMatching(/trial\/a\.html was written/),
    });
  });

  it.each([
    [{ bytes: 2 ** 20 }, /^memory: \d+ MiB resident, 1 MiB are allowed/],
    [{ seconds: 1e-6 }, /^time: no answer/],
  ])("notices the excess over %o", async (tight, what) => {
    expect(await child.try(empty, { ...bounds, ...tight })).toEqual({
      kind: "fault",
      what: expect.stringMatching(what),
    });
  });
});

it.each([
  ["", "refused without a word"],
  ["error: x is not a function (unexpected; DEBUG=1 shows where)", "an internal error"],
  ["error: no\n    at read (/a/b.ts:1:2)", "a stack is shown"],
  ["error: a\u001b[2Jb is no picture", "control characters are shown"],
])("%j is no clear error", (message, why) => {
  expect(judgedShown(message)).toMatchObject({ kind: "fault", what: expect.stringContaining(why) });
});

it("finds no fault in a few seconds", async () => {
  console.log(`fuzz: npm run fuzz -- --seed ${seed}`);
  const folder = mkdtempSync(join(tmpdir(), "fuzz-test-"));
  const campaign = new Campaign(formats, seed, performance.now() + 4000, folder);
  await campaign.run(1);
  expect(campaign.faults).toEqual([]);
  const tried = [...campaign.counts.values()].flatMap((counts) => Object.values(counts));
  expect(tried.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  rmSync(folder, { recursive: true });
});
