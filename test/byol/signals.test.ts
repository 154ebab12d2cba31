/** What signals do to processes: a run is saved first, a second signal waits for nothing. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presetNamed } from "@dawnstrap/byol";
import {
  CheckpointStore,
  findCheckpoint,
  pretrain,
  resume,
  type RunRecord,
  silent,
} from "@dawnstrap/byol/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heard, startByol, startModule, stopWhen, writeImages } from "./run.js";

let root: string;
let images: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "signals-test-"));
  images = join(root, "images");
  await writeImages(images);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("a signal during the measurements", () => {
  it("is obeyed before they end, and the run goes on to the end of one that was never stopped", async () => {
    const [run, straight] = [join(root, "run"), join(root, "straight")];
    const quick = { ...presetNamed("tiny"), evaluate: { ...presetNamed("tiny").evaluate, subsets: 1 } };
    // So many draws that no measurement is over before the signal is there.
    const long = { ...quick, evaluate: { ...quick.evaluate, subsets: 100_000 } };
    const config = join(root, "long.json");
    await writeFile(config, JSON.stringify(long));
    const store = new CheckpointStore(run, 3);
    const change = async (other: Partial<RunRecord>): Promise<void> => {
      const { record, state } = await findCheckpoint(run);
      await store.save({ record: { ...record, ...other }, state });
    };

    const words = ["--data", images, "--device", "cpu", "--steps", "2", "--out", run];
    const first = await stopWhen(
      startByol("pretrain", "--config", config, ...words),
      "measuring the network at random initialisation",
      "SIGHUP",
    );
    expect(first).toMatchObject({ code: 129, out: "" });
    expect(first.err).toMatch(/^stopped after step 0 of 2; go on with: byol resume \S*run$/m);
    const { record } = await findCheckpoint(run);
    expect(record.step).toBe(0);
    expect(record.random_init).toBeUndefined();

    await change({ preset: quick, kernels: "an abacus" });
    const whole = await pretrain({ preset: quick, data: images, device: "cpu", steps: 2, out: straight });
    const { random_init, pretrained, loss_first, loss_last } = whole.summary;
    const wanted = { random_init, pretrained, loss_first, loss_last };
    const said: string[] = [];
    const progress = { ...silent, note: (text: string) => void said.push(text) };
    const { summary } = await resume({ from: run, progress });
    expect(summary).toMatchObject(wanted);

    // What the results hang on beside the preset stands before the user and in the file.
    const few = expect.stringMatching(/^knn: \d neighbours, a fifth of the \d+ images in the bank, not 20$/);
    const other = expect.stringMatching(
      /^warning: the run was computed by an abacus, and goes on by WebAssembly SIMD, .*: not bit for bit/,
    );
    expect(whole.summary.notes).toEqual([few]);
    expect(summary.notes).toEqual([other, few]);
    expect(said).toEqual(expect.arrayContaining([other, few]));
    expect(JSON.parse(await readFile(join(run, "summary.json"), "utf8")).notes).toEqual(summary.notes);

    await change({ preset: long });
    await rm(join(run, "summary.json"));
    const last = await stopWhen(startByol("resume", run), "measuring the pretrained network", "SIGTERM");
    expect(last).toMatchObject({ code: 143, out: "" });
    expect(last.err).toMatch(/^stopped after step 2 of 2; go on with: byol resume \S*run$/m);
    expect(await readdir(run)).not.toContain("summary.json");
    const done = (await findCheckpoint(run)).record;
    expect(done).toMatchObject({ step: 2, random_init });
    expect(done.kernels).toMatch(/^WebAssembly SIMD, (fused multiply-add|products and sums rounded apart)$/);
  }, 300_000);
});

it("a second signal of any name ends a process whose threads are busy", async () => {
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const ends = names.map(async (name) => {
    // An exit would wait for the threads of Node's pool, where images are decoded: here, for minutes.
    const running = startModule(`
      import { pbkdf2 } from "node:crypto";
      import { interruptible } from "./packages/byol/src/node/cli/interrupt.ts";
      await interruptible((signal) => new Promise(() => {
        for (let i = 0; i < 4; i++) pbkdf2("", "", 2 ** 30, 64, "sha512", () => {});
        signal.addEventListener("abort", () => console.log("asked"));
        console.log("waiting");
      }));
    `);
    await heard(running, "waiting");
    running.child.kill("SIGINT");
    await heard(running, "asked");
    running.child.kill(name);
    const { code, signal } = await running.ended;
    return [code, signal];
  });
  expect(await Promise.all(ends)).toEqual(names.map((name) => [null, name]));
}, 60_000);
