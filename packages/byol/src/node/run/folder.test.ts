import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOCK } from "./files.js";
import { RunFolder } from "./folder.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "run-folder-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const metrics = { epoch: 0, loss: 4, lr: 0.1, tau: 0.99, std: 0.1, images_per_second: 100 };

describe("the folder of a run", () => {
  it("gets a line a step", async () => {
    const folder = new RunFolder(join(root, "deep", "run"));
    folder.begin(undefined);
    folder.append({ step: 0, ...metrics });
    folder.append({ step: 1, ...metrics });
    folder.close();
    const lines = (await readFile(folder.file("metrics.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([0, 1].map((step) => ({ step, ...metrics })));
  });

  it("is gone on with from a step: later lines and a half one go, every step is there once", async () => {
    const path = join(root, "resumed");
    const first = new RunFolder(path);
    first.begin(undefined);
    for (let step = 0; step < 6; step++) first.append({ step, ...metrics });
    first.close();
    const file = first.file("metrics.jsonl");
    await appendFile(file, '{"step":6,"epo');
    const before = await readFile(file, "utf8");
    const again = new RunFolder(path, true);
    expect(again.past({ step: 4 }).map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(await readFile(file, "utf8")).toBe(before);
    again.begin({ step: 4 });
    again.append({ step: 4, ...metrics });
    again.sync();
    again.close();
    const steps = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).step);
    expect(steps).toEqual([0, 1, 2, 3, 4]);

    const broken = new RunFolder(path, true);
    expect(() => broken.past({ step: 9 })).toThrow(/steps are missing in .*4 is the last before 9/);
    const torn = [0, 2].map((step) => `${JSON.stringify({ step, ...metrics })}\n`).join("");
    await writeFile(file, torn);
    expect(() => broken.begin({ step: 3 })).toThrow(/2 follows 0/);
    expect(await readFile(file, "utf8")).toBe(torn);
    await rm(file);
    broken.begin({ step: 3 });
    broken.append({ step: 3, ...metrics });
    expect(broken.past({ step: 4 }).map(({ step }) => step)).toEqual([3]);
    broken.close();
  });

  it.each([
    ["torn", (text: string) => text.slice(0, -20)],
    ["without its end", (text: string) => text.slice(0, -1)],
    ["missing", (text: string) => text.replace(/.*\n$/, "")],
    ["torn, after a later step", (text: string) => `${text}{"step":`],
  ])("is gone on with where the last line is %s", async (_, tear) => {
    const path = await mkdtemp(join(root, "torn-"));
    const lines = [0, 1, 2, 3].map((step) => ({ step, ...metrics }));
    const text = (some: object[]) => some.map((line) => `${JSON.stringify(line)}\n`).join("");
    await writeFile(join(path, "metrics.jsonl"), tear(text(lines.slice(0, 3))));
    const folder = new RunFolder(path, true);
    const from = { step: 3, metrics_last: lines[2]! };
    expect(folder.past(from).map(({ step }) => step)).toEqual([0, 1, 2]);
    folder.begin(from);
    folder.append(lines[3]!);
    folder.close();
    expect(await readFile(join(path, "metrics.jsonl"), "utf8")).toBe(text(lines));
  });

  it("loses what a kill left of files half written, and nothing else", async () => {
    const path = await mkdtemp(join(root, "partial-"));
    const [left, kept] = ["summary.json.0a1b2c3d.partial", "report.html.0a1b2c3d.partial"];
    for (const name of [left, kept]) await writeFile(join(path, name), "half");
    const folder = new RunFolder(path, true);
    folder.begin({ step: 0 });
    folder.close();
    expect((await readdir(path)).sort()).toEqual(["metrics.jsonl", kept]);
  });

  it.each(["config.json", "summary.json", "encoder.safetensors", "embeddings.safetensors"])(
    "is refused before any work where a folder or a pipe stands in the place of %s",
    async (name) => {
      const folder = new RunFolder(await mkdtemp(join(root, "no-file-")), true);
      await mkdir(folder.file(name));
      expect(() => folder.begin({ step: 0 })).toThrow(`${name} is no regular file`);
      await rm(folder.file(name), { recursive: true });
      execFileSync("mkfifo", [folder.file(name)]);
      expect(() => folder.begin({ step: 0 })).toThrow(`${name} is no regular file`);
      expect(await readdir(folder.path)).not.toContain("metrics.jsonl");
      folder.close();
    },
  );

  it("that cannot be made is refused at once and with the remedy", async () => {
    await writeFile(join(root, "file"), "");
    expect(() => new RunFolder(join(root, "file"))).toThrow(/a file stands in its way.*--out/);
    expect(() => new RunFolder(join(root, "file", "below"))).toThrow(/cannot write/);
    expect(() => new RunFolder("/proc/nothing/here")).toThrow(/cannot write/);
  });

  it("is one run's at a time, begun or resumed", () => {
    const path = join(root, "busy");
    const one = new RunFolder(path);
    for (const resumed of [false, true])
      expect(() => new RunFolder(path, resumed)).toThrow(/process \d+ on .* is running in/);
    one.close();
    new RunFolder(path).close();
  });

  it.each([
    ...["config.json", "metrics.jsonl", "summary.json", "encoder.safetensors", "embeddings.safetensors"],
    ...["events.out.tfevents.1769854500.host.1.0", "checkpoints", "evaluations"],
  ])("is refused for another where it holds %s, and stays as it is", async (name) => {
    const path = join(root, `holds-${name}`);
    await mkdir(path);
    await writeFile(join(path, name), "old");
    expect(() => new RunFolder(path)).toThrow(
      new RegExp(`holds ${name} of an earlier run and no checkpoint to go on from \\(choose another folder`),
    );
    expect(await readdir(path)).toEqual([name]);
    expect(await readFile(join(path, name), "utf8")).toBe("old");
  });

  it("is left without a trace by a start that comes to nothing", async () => {
    const deep = new RunFolder(join(root, "none", "of", "these"));
    await deep.writeJson("config.json", { data: "digits", seed: 0, steps: 1, preset: { name: "tiny" } });
    deep.begin(undefined);
    expect((await readdir(deep.path)).sort()).toEqual(["config.json", "metrics.jsonl", LOCK]);
    deep.close();
    expect(await readdir(root)).not.toContain("none");

    const own = join(root, "own");
    await mkdir(own);
    await writeFile(join(own, "notes.txt"), "of the user");
    const shared = new RunFolder(own);
    shared.begin(undefined);
    shared.close();
    expect(await readdir(own)).toEqual(["notes.txt"]);

    const run = new RunFolder(join(root, "a-step"));
    run.begin(undefined);
    run.append({ step: 0, ...metrics });
    run.close();
    expect(await readdir(run.path)).toEqual(["metrics.jsonl"]);
  });
});
