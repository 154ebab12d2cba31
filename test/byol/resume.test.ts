/** A run that was stopped and resumed is the run that never was, to the bit. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { presetNamed } from "@dawnstrap/byol";
import { checksum, findCheckpoint, pretrain, resume } from "@dawnstrap/byol/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linesOf, startByol, stopAt, writeImages } from "./run.js";

let root: string;
let images: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "resume-test-"));
  images = join(root, "images");
  // Few, so that forty steps are many epochs and little is measured.
  await writeImages(images);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** The state after the last step, and every step's numbers but for the speed. */
async function outcome(run: string) {
  const { state, record } = await findCheckpoint(run);
  const metrics = (await linesOf(run)).map((line) => {
    const { images_per_second: _, ...rest } = JSON.parse(line);
    return rest;
  });
  return { sum: checksum(state), names: [...state.keys()], step: record.step, metrics };
}
const straightRun = (device: "cpu" | "webgpu", out: string) =>
  pretrain({ preset: presetNamed("tiny"), data: relative(process.cwd(), images), device, steps: 40, out });
const start = (device: string, run: string, ...words: string[]) =>
  startByol(
    ...["pretrain", "--preset", "tiny", "--data", images, "--device", device, "--steps", "40", "--out", run],
    ...words,
  );

describe.each(["cpu", "webgpu"] as const)("40 steps on %s", (device) => {
  it("are 20, kill -9, and what a resumed run makes of the rest", async () => {
    const [straight, killed] = [join(root, `${device}-straight`), join(root, `${device}-killed`)];
    // Beyond the checkpoint, so that steps are lost and done again.
    const { code } = await stopAt(start(device, killed, "--checkpoint-steps", "20"), killed, 23, "SIGKILL");
    expect(code).toBeNull();
    const found = await findCheckpoint(killed);
    expect(found.record.step).toBe(20);

    const [whole, resumed] = [await straightRun(device, straight), await resume({ from: killed })];
    const [one, other] = [await outcome(straight), await outcome(killed)];
    // A relative name means the same wherever the run is gone on with.
    expect((await findCheckpoint(straight)).record.data).toBe(images);
    expect(other.metrics.map(({ step }) => step)).toEqual([...Array(40).keys()]);
    expect(other).toEqual(one);
    expect(one.sum).not.toBe(checksum(found.state));
    const wanted = ["online.parameters", "target.parameters", "optimizer.mean", "optimizer.square"];
    expect(one.names).toEqual(expect.arrayContaining(wanted));
    expect(one.names.filter((name) => name.endsWith("runningMean")).length).toBeGreaterThan(4);

    const timeless = ({ summary: { seconds: _, images_per_second: __, ...rest } }: typeof whole) => rest;
    expect(timeless(resumed)).toEqual(timeless(whole));
    // Not measured again on trained weights.
    expect(resumed.summary.random_init).toEqual(found.record.random_init);
    const encoders = [straight, killed].map((run) => readFile(join(run, "encoder.safetensors")));
    expect((await encoders[1])!.equals(await encoders[0]!)).toBe(true);
  }, 300_000);
});

describe("a run on cpu", () => {
  it("stops at SIGTERM and SIGINT with a checkpoint, the shell's exit codes and a line that says how to go on", async () => {
    const run = join(root, "signals");
    const terminated = await stopAt(start("cpu", run, "--tensorboard"), run, 5, "SIGTERM");
    expect(terminated.code).toBe(143);
    const [, step] = /^stopped after step (\d+) of 40; go on with: byol resume \S*signals$/m.exec(
      terminated.err,
    )!;
    const { record } = await findCheckpoint(run);
    expect(String(record.step)).toBe(step);
    expect(await linesOf(run)).toHaveLength(record.step);

    const interrupted = await stopAt(startByol("pretrain", "--resume", run), run, record.step + 2, "SIGINT");
    expect(interrupted.code).toBe(130);

    // A checkpoint that was cut is named, and the one before it goes on to the same end.
    const folder = join(run, "checkpoints");
    const names = (await readdir(folder)).filter((name) => name.startsWith("step-")).sort();
    expect(names).toHaveLength(2);
    const newest = join(folder, names[1]!);
    await writeFile(newest, (await readFile(newest)).subarray(0, 10_000));
    const offered = join(folder, names[0]!);
    await expect(resume({ from: run })).rejects.toThrow(
      new RegExp(`${names[1]} cannot be used: .*truncated.*go on with: byol resume ${offered}$`),
    );
    await resume({ from: offered });
    // Each session that trained wrote a file for TensorBoard.
    const events = (await readdir(run)).filter((name) => name.startsWith("events.out.tfevents."));
    expect(events).toHaveLength(3);
    for (const name of events) expect((await readFile(join(run, name))).includes("train/loss")).toBe(true);
    expect((await readdir(join(root, "cpu-straight"))).join()).not.toContain("tfevents");
    expect(await outcome(run)).toEqual(await outcome(join(root, "cpu-straight")));

    await expect(straightRun("cpu", run)).rejects.toThrow(
      /holds checkpoints of an earlier run .*byol resume/,
    );
    await expect(resume({ from: run, data: "digits" })).rejects.toThrow(
      /8004 images of 10 classes are not the \d+ of 2 that the run began with \(name them with --data\)/,
    );
  }, 300_000);

  it("keeps its configuration", async () => {
    const { code, err } = await startByol("pretrain", "--resume", root, "--batch", "8", "--seed", "3").ended;
    expect(code).toBe(2);
    expect(err).toMatch(/^error: resume: a run keeps its configuration; leave out --batch, --seed$/m);
  });
});
