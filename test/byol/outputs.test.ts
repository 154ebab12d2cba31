/** A closed pipe or a full disk behind a command's outputs: it ends quietly, and loses nothing. */
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCheckpoint } from "@dawnstrap/byol/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heard, startByol, startByolInto } from "./run.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "outputs-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Every write to it fails: there is no space left. */
const full = "/dev/full";

async function intoFull(...words: string[]) {
  const device = openSync(full, "w");
  try {
    return await startByolInto(device, ...words).ended;
  } finally {
    closeSync(device);
  }
}

it("a command into a closed pipe ends without a word", async () => {
  const { child, ended } = startByol("presets");
  child.stdout!.destroy();
  expect(await ended).toMatchObject({ code: 141, err: "" });
}, 60_000);

describe("a run", () => {
  const words = ["pretrain", "--preset", "tiny", "--data", "digits", "--device", "cpu"];

  it("whose messages nobody reads stops at a checkpoint", async () => {
    const out = join(root, "unread");
    const running = startByol(...words, "--steps", "1000000", "--out", out);
    await heard(running, "device: cpu");
    running.child.stderr!.destroy();
    expect((await running.ended).code).toBe(141);
    expect((await findCheckpoint(out)).record.step).toBeLessThan(1000);
  }, 120_000);

  it.runIf(existsSync(full))(
    "whose result cannot be shown has filed it, and says that it was not shown",
    async () => {
      const out = join(root, "full");
      const { code, err } = await intoFull(...words, "--steps", "1", "--out", out);
      expect(code).toBe(1);
      const [line, ...others] = err.slice(err.indexOf("error: ")).split("\n");
      expect(line).toMatch(/^error: standard output: ENOSPC: .* \(make room, or send it elsewhere\)$/);
      expect(others).toEqual([""]);
      expect(existsSync(join(out, "summary.json"))).toBe(true);
    },
    120_000,
  );
});
