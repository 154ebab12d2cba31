/** The process that reads inputs, one after the other. It may crash, hang or grow: its parent watches it. */
import { writeFileSync } from "node:fs";
import { openData } from "@dawnstrap/byol/node";
import type { ImageSet } from "@dawnstrap/byol/images";
import { main } from "@dawnstrap/byol/testing";
import { DawnstrapError } from "@dawnstrap/tensor";
import { captured } from "./captured.js";
import type { Attempt } from "./trial.js";
import { judged, judgedCommand, type Verdict } from "./verdict.js";

const format = { stored: 16, channels: 3, background: [0, 0, 0] } as const;
/** Images of a set that are decoded. */
const most = 24;

async function checkSet(name: string, set: ImageSet, classes: number): Promise<string | undefined> {
  for (const label of set.labels ?? [])
    if (!(label >= 0 && label < classes)) return `${name} has the label ${label} of ${classes} classes`;
  if (set.labels && set.labels.length !== set.length)
    return `${name}: ${set.labels.length} labels for ${set.length}`;
  for (let i = 0; i < Math.min(set.length, most); i++) {
    const called = set.name?.(i) ?? "";
    if (/(^|\/)\.\.(\/|$)/.test(called)) return `${name}: ${called} lies outside the folder`;
    await set.read(i);
  }
  return undefined;
}

async function readData({ name, strict, boxes }: Attempt & { read: "data" }): Promise<Verdict> {
  const source = await openData(name, format, { threads: 1, anySize: true, ...(strict && { strict }) });
  try {
    const { train, heldOut, splits, classes, image } = source;
    for (const [part, set] of Object.entries({ train, heldOut, ...splits })) {
      const wrong = await checkSet(part, set, classes.length);
      if (wrong !== undefined) return { kind: "fault", what: wrong };
    }
    if (boxes)
      for (let i = 0; i < Math.min(train.length, 4); i++)
        await train.readBoxes?.(i, (height, width) => [[0, 0, Math.ceil(height / 2), width]], {
          ...{ size: 8, kernel: "cubic" },
        });
    const pixels = await train.read(0);
    if (train.length > 0 && pixels && pixels.length !== image.height * image.width * image.channels)
      return { kind: "fault", what: `an image of ${pixels.length} values` };
    // Reasons are shown at the end of a run.
    for (const { file, reason } of source.skipped()) {
      const shown = judged(reason);
      if (shown.kind === "fault") return { ...shown, what: `${file}: ${shown.what}` };
    }
    return { kind: "ok", what: "" };
  } finally {
    await source.close();
  }
}

async function runCommand(words: readonly string[]): Promise<Verdict> {
  const said = await captured(() => main(words));
  return judgedCommand(said.result, said.out, said.err);
}

async function tried(attempt: Attempt): Promise<Verdict> {
  try {
    return attempt.read === "data" ? await readData(attempt) : await runCommand(attempt.words);
  } catch (error) {
    if (error instanceof DawnstrapError) return judged(error.message);
    return { kind: "fault", what: `an internal error: ${(error as Error)?.stack ?? error}` };
  }
}

// Only now: the loader of TypeScript keeps what it has compiled among the system's temporary files.
process.env.TMPDIR = process.argv[2];

process.on("message", async (attempt: Attempt) => {
  globalThis.gc?.();
  // The peak of the resident memory is counted anew.
  if (process.platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
  const verdict = await tried(attempt);
  // What was left to reject in the background does so before the answer.
  await new Promise((resolve) => setImmediate(resolve));
  process.send!(verdict);
});
process.send!("ready");
