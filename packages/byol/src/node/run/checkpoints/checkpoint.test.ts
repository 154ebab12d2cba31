import { type FileHandle, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeStateDict, encodeSafetensors, encodeStateDict, type HostTensor } from "@dawnstrap/nn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetNamed } from "../../../presets/index.js";
import { type Checkpoint, checksum, decodeCheckpoint, encodeCheckpoint } from "./format.js";
import { isBetter, Scorer } from "./score.js";
import { CheckpointStore, findCheckpoint, hasCheckpoints, restoreBest } from "./store.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "checkpoint-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const array = (...values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});
const at = (step: number, best: Checkpoint["record"]["best"] = null): Checkpoint => ({
  record: {
    ...{
      version: "0.1.0",
      step,
      steps: 100,
      seed: 3,
      preset: presetNamed("tiny"),
      data: "digits",
      dataOptions: {},
      images: 8000,
    },
    ...{ classes: ["0", "1"], device: "cpu", random_init: { knn: 0.5, linear: null, few_shot: null } },
    ...{ loss_first: 4.1, seconds: { all: 3, training: 2 }, best },
  },
  state: new Map([
    // Values that do not survive a way through decimal text or through float64 and back unless all bits do.
    ["online.parameters", array(0.1 * step, -0, Number.NaN, 1e-45, Number.NEGATIVE_INFINITY)],
    ["memory.place", { dtype: "int32", shape: [], data: Int32Array.of(-7) }],
  ]),
});
const bytes = (checkpoint: Checkpoint): Uint8Array => Buffer.concat(encodeCheckpoint(checkpoint));
const changed = (file: Uint8Array, from: string, to: string): Uint8Array =>
  Buffer.from(Buffer.from(file).toString("latin1").replace(from, to), "latin1");

describe("a checkpoint", () => {
  it("comes back as it was, to the bit, and is a safetensors file", () => {
    const file = bytes(at(20));
    const { record, state } = decodeCheckpoint(file);
    expect(record).toEqual(at(20).record);
    expect(encodeStateDict(state)).toEqual(encodeStateDict(at(20).state));
    expect(checksum(state)).toBe(checksum(at(20).state));
    expect(checksum(state)).not.toBe(checksum(at(21).state));
    expect([...decodeStateDict(file).dict.keys()]).toEqual(["online.parameters", "memory.place"]);
  });

  it("is refused when it was cut, wherever", () => {
    const file = bytes(at(20));
    for (const length of [0, 7, 100, file.length / 2, file.length - 4, file.length - 1])
      expect(() => decodeCheckpoint(file.subarray(0, length)), `${length} bytes`).toThrow(
        /truncated\?|not JSON|header/,
      );
    expect(() => decodeCheckpoint(Buffer.concat([file, Buffer.of(0)]))).toThrow(/belong to no tensor/);
  });

  it("is refused when a single bit of an array was changed, naming the array", () => {
    const file = bytes(at(20));
    for (const [from, name] of [
      [1, "memory.place"],
      [5, "online.parameters"],
    ] as const) {
      const copy = Uint8Array.from(file);
      copy[copy.length - from]! ^= 1;
      expect(() => decodeCheckpoint(copy)).toThrow(`array ${name} does not match its checksum`);
    }
  });

  it("is refused when its record, its format or its list of arrays was changed", () => {
    const file = bytes(at(20));
    expect(() => decodeCheckpoint(changed(file, '\\"seed\\":3', '\\"seed\\":4'))).toThrow(
      /record .*does not match its checksum/,
    );
    expect(() => decodeCheckpoint(changed(file, "checkpoint 1", "checkpoint 9"))).toThrow(
      /of format "dawnstrap checkpoint 9", this version reads "dawnstrap checkpoint 1"/,
    );
    expect(() => decodeCheckpoint(encodeStateDict(at(20).state))).toThrow(/of format "unknown"/);
    expect(() => decodeCheckpoint(changed(file, '"memory.place"', '"memory.plate"'))).toThrow(
      /array memory.place is missing/,
    );
    const { dict, metadata } = decodeStateDict(file);
    dict.set("more", array(1));
    const more = encodeStateDict(dict, metadata);
    expect(() => decodeCheckpoint(more)).toThrow(/array more does not match/);
    expect(() => decodeCheckpoint(encodeSafetensors([], metadata))).toThrow(/is missing/);
  });
});

describe("the record of a checkpoint", () => {
  const { record, state } = at(20);
  const cases: Record<string, [changes: object, message: RegExp]> = {
    "steps in words": [{ steps: "abc" }, /record of the run: steps: .*expected number/],
    "a step beyond the last": [{ step: 101 }, /step: it is beyond the last one/],
    "half a step": [{ step: 1.5 }, /step: .*int/],
    "a seed that is none": [{ seed: -1 }, /seed: /],
    "an option of data that a run does not file": [
      { dataOptions: { threads: 1e9 } },
      /dataOptions: Unrecognized key: "threads"/,
    ],
    "a cache in words": [{ dataOptions: { cacheBytes: "all" } }, /dataOptions: cacheBytes: /],
    "another field": [{ out: "/elsewhere" }, /Unrecognized key: "out"/],
    "no images": [{ images: 0 }, /images: /],
    "classes that are no list": [{ classes: "0,1" }, /classes: /],
    "a device that there is not": [{ device: "tpu" }, /device: /],
    "a preset that lacks fields": [{ preset: { name: "tiny" } }, /preset: /],
    "a best one to come": [{ best: { by: "loss", value: 1, step: 21 } }, /best: step: it is beyond/],
    "another step's line": [
      { metrics_last: { step: 5, epoch: 0, loss: 1, lr: 1, std: 1, images_per_second: 1 } },
      /metrics_last: step: it is not the last one's/,
    ],
  };
  for (const [name, [changes, message]] of Object.entries(cases))
    it(`may not hold ${name}, though its checksum be right`, () => {
      const file = bytes({ record: { ...record, ...changes }, state } as Checkpoint);
      expect(() => decodeCheckpoint(file)).toThrow(message);
    });
});

describe("the store", () => {
  it("keeps the last few and the best, and finds the newest", async () => {
    const run = join(root, "keeps");
    expect(await hasCheckpoints(run)).toBe(false);
    const store = new CheckpointStore(run, 2);
    const best = { by: "loss", value: 1, step: 10 } as const;
    for (const step of [10, 20, 30, 40]) await store.save(at(step, best));
    expect((await readdir(store.folder)).sort()).toEqual([
      "best.safetensors",
      "step-00000030.safetensors",
      "step-00000040.safetensors",
    ]);
    expect(await hasCheckpoints(run)).toBe(true);
    expect((await findCheckpoint(run)).record.step).toBe(40);
    const named = await findCheckpoint(join(store.folder, "best.safetensors"));
    expect([named.record.step, named.run]).toEqual([10, run]);
  });

  it("leaves the later course once an earlier checkpoint was gone on from", async () => {
    const run = join(root, "course");
    const store = new CheckpointStore(run, 3);
    for (const step of [10, 20, 30, 15]) await store.save(at(step));
    expect(await readdir(store.folder)).toEqual(["step-00000010.safetensors", "step-00000015.safetensors"]);
  });

  it("refuses a broken checkpoint by name and offers the one before it that is sound", async () => {
    const run = join(root, "broken");
    const store = new CheckpointStore(run, 9);
    for (const step of [10, 20, 30]) await store.save(at(step));
    const file = (step: number) => join(store.folder, `step-000000${step}.safetensors`);
    await writeFile(file(30), (await readFile(file(30))).subarray(0, 2000));
    const broken = await readFile(file(20));
    broken[broken.length - 1]! ^= 128;
    await writeFile(file(20), broken);
    await expect(findCheckpoint(run)).rejects.toThrow(
      /step-00000030.*truncated.*the one of step 10 is sound, go on with: byol resume .*step-00000010.safetensors/,
    );
    await expect(findCheckpoint(file(20))).rejects.toThrow(/memory.place.*the one of step 10 is sound/);
    expect((await findCheckpoint(file(10))).record.step).toBe(10);
    await writeFile(file(10), "");
    await expect(findCheckpoint(run)).rejects.toThrow(/there is no earlier sound one/);
  });

  it("refuses a checkpoint of another run, seed or step by name, and offers a sound one", async () => {
    const run = join(root, "misplaced");
    const store = new CheckpointStore(run, 9);
    const own = (step: number, changes: object = {}) => {
      const { record, state } = at(step, { by: "loss", value: 1, step: 10 });
      return { record: { ...record, run: "this", ...changes }, state };
    };
    const config = { run: "this", data: "digits", seed: 3, steps: 100, preset: presetNamed("tiny") };
    await store.save(own(10));
    await writeFile(join(run, "config.json"), JSON.stringify(config));
    const file = (step: number) => join(store.folder, `step-000000${step}.safetensors`);
    const cases: [changes: object, message: RegExp][] = [
      [{ run: "other" }, /of another run: its name is not that of config.json/],
      [{ seed: 4 }, /of another run: seed is not that of config.json/],
      [{ steps: 50 }, /of another run: steps is not/],
      [
        { run: undefined, preset: { ...presetNamed("tiny"), epochs: 9 } },
        /of another run: its preset is not/,
      ],
      [{ step: 30 }, /is of step 30, not of 20/],
    ];
    for (const [changes, message] of cases) {
      await writeFile(file(20), bytes(own(20, changes)));
      const refused = expect(findCheckpoint(run)).rejects;
      await refused.toThrow(
        new RegExp(`${file(20)} cannot be used: it .*${message.source}.*step 10 is sound`),
      );
    }
    await writeFile(join(store.folder, "best.safetensors"), bytes(own(20)));
    await expect(findCheckpoint(join(store.folder, "best.safetensors"))).rejects.toThrow(
      /best.safetensors cannot be used: it is of step 20, not of 10/,
    );
    await writeFile(file(20), bytes(own(20)));
    expect((await findCheckpoint(run)).record.step).toBe(20);
    const stray = join(run, "step-00000020.safetensors");
    await writeFile(stray, bytes(own(20)));
    await expect(findCheckpoint(stray)).rejects.toThrow(/is no checkpoint of a run \(name a run's folder/);
  });

  it("copies the best again where a kill came between two renames", async () => {
    const run = join(root, "between");
    const store = new CheckpointStore(run, 9);
    const best = (step: number) => ({ by: "loss", value: 1, step }) as const;
    await store.save(at(10, best(10)));
    const old = await readFile(join(store.folder, "best.safetensors"));
    await store.save(at(20, best(20)));
    const fresh = await readFile(join(store.folder, "best.safetensors"));
    for (const left of [old, old.subarray(0, 100)]) {
      await writeFile(join(store.folder, "best.safetensors"), left);
      await restoreBest(run, 20);
      expect((await readFile(join(store.folder, "best.safetensors"))).equals(fresh)).toBe(true);
    }
    await rm(join(store.folder, "step-00000020.safetensors"));
    await restoreBest(run, 20);
    expect((await findCheckpoint(join(store.folder, "best.safetensors"))).record.step).toBe(20);
  });

  it("says so when there is nothing to resume", async () => {
    await expect(findCheckpoint(join(root, "nowhere"))).rejects.toThrow(/does not exist/);
    await expect(findCheckpoint(root)).rejects.toThrow(/holds no checkpoints/);
  });

  it("on a full disk loses no earlier checkpoint and leaves no half one", async () => {
    const run = join(root, "full");
    let room = Number.POSITIVE_INFINITY;
    /** A disk that takes `room` bytes more, and then, as the system does, part of a write before it says so. */
    const filling = async (path: string, flags: string): Promise<FileHandle> => {
      const file = await open(path, flags);
      const write = file.write.bind(file) as (
        b: Uint8Array,
        at: number,
        n: number,
      ) => Promise<{ bytesWritten: number }>;
      return Object.assign(file, {
        write: (part: Uint8Array, from: number, length: number) => {
          if (room <= 0)
            throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
          const most = Math.min(length, room);
          room -= most;
          return write(part, from, most);
        },
      });
    };
    const store = new CheckpointStore(run, 2, filling);
    await store.save(at(10));
    for (const left of [0, 5, 1500]) {
      room = left;
      await expect(store.save(at(20))).rejects.toThrow(
        /cannot write .*step-00000020.*ENOSPC.*that of step 10 is whole.*byol resume/,
      );
      expect(await readdir(store.folder)).toEqual(["step-00000010.safetensors"]);
    }
    expect((await findCheckpoint(run)).record.step).toBe(10);
    room = Number.POSITIVE_INFINITY;
    await store.save(at(20));
    expect((await findCheckpoint(run)).record.step).toBe(20);
  });

  it("clears away what a killed run left half written", async () => {
    const store = new CheckpointStore(join(root, "partial"), 2);
    await store.save(at(10));
    await writeFile(join(store.folder, "step-00000020.safetensors.partial"), "half");
    expect((await findCheckpoint(store.run)).record.step).toBe(10);
    await store.save(at(30));
    expect(await readdir(store.folder)).toEqual(["step-00000010.safetensors", "step-00000030.safetensors"]);
  });
});

describe("scores", () => {
  const metrics = (loss: number, probe_accuracy?: number) => ({
    ...{ step: 0, epoch: 0, lr: 0, tau: 1, std: 0.1, images_per_second: 1, loss },
    ...(probe_accuracy !== undefined && { probe_accuracy }),
  });
  it("are means since the last checkpoint: of the probe, else of the loss", () => {
    const scorer = new Scorer();
    expect(scorer.take(0)).toBeUndefined();
    for (const accuracy of [0.25, 0.75]) scorer.add(metrics(1, accuracy));
    expect(scorer.take(2)).toEqual({ by: "probe_accuracy", value: 0.5, step: 2 });
    for (const loss of [4, 2]) scorer.add(metrics(loss));
    expect(scorer.take(4)).toEqual({ by: "loss", value: 3, step: 4 });
    expect(scorer.take(4)).toBeUndefined();
    scorer.add(metrics(1, 0.5));
    scorer.add({ ...metrics(1, 0.5), knn_accuracy: 0.75 });
    expect(scorer.take(6)).toEqual({ by: "knn_accuracy", value: 0.75, step: 6 });
  });
  it("compare with their own kind, and a better judge outdoes a worse one", () => {
    const probe = (value: number) => ({ by: "probe_accuracy", value, step: 1 }) as const;
    const loss = (value: number) => ({ by: "loss", value, step: 1 }) as const;
    expect(isBetter(loss(9), null)).toBe(true);
    expect([isBetter(loss(2), loss(3)), isBetter(loss(3), loss(2))]).toEqual([true, false]);
    expect([isBetter(probe(0), loss(0)), isBetter(loss(0), probe(0))]).toEqual([true, false]);
    expect([isBetter(probe(0.2), probe(0.3)), isBetter(probe(0.4), probe(0.3))]).toEqual([false, true]);
  });
});
