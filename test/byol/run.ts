/** The command line as a process. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { vi } from "vitest";
import { main } from "@dawnstrap/byol/testing";

const repository = fileURLToPath(new URL("../..", import.meta.url));
/** Of the build, brought up to date: it starts in a third of the time that the sources take. */
const program = join(repository, "packages/byol/bin/byol.js");

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export const startByol = (...words: string[]): Running => startNode([program, ...words]);

/** The command line with its standard output in a file that is open already. */
export const startByolInto = (stdout: number, ...words: string[]): Running =>
  startNode([program, ...words], stdout);

/** A program of one's own, given as its text, beside the sources. */
export const startModule = (text: string): Running => startNode(["--input-type=module", "--eval", text]);

function startNode(words: readonly string[], stdout: number | "pipe" = "pipe"): Running {
  const { DEBUG: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--conditions=@dawnstrap/source", "--import", "tsx", ...words], {
    ...{ cwd: repository, env },
    stdio: ["pipe", stdout, "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout?.on("data", (text) => (out += text));
  child.stderr?.on("data", (text) => (err += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, ended };
}

/** The command line in this process, which is quicker than to start another; not two at a time. */
export async function callByol(...words: string[]): Promise<Ended> {
  const said = { out: "", err: "" };
  const listen = (name: "stdout" | "stderr", as: "out" | "err") =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[as] += text;
      return true;
    });
  const spies = [listen("stdout", "out"), listen("stderr", "err")];
  try {
    const code = await main(words);
    return { code, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Lines of a run's metrics.jsonl so far, the half one that is being written left out. */
export async function linesOf(run: string): Promise<string[]> {
  const text = await readFile(join(run, "metrics.jsonl"), "utf8").catch(() => "");
  return text.split("\n").slice(0, -1);
}

/** Sends a signal once the run has done so many steps; returns what was left. */
export async function stopAt({ child, ended }: Running, run: string, steps: number, signal: NodeJS.Signals) {
  while ((await linesOf(run)).length < steps) {
    if (child.exitCode !== null) throw new Error(`the run ended before step ${steps}: ${(await ended).err}`);
    await sleep(5);
  }
  child.kill(signal);
  return ended;
}

/** Sends a signal once the process has said something; returns what was left. */
export async function stopWhen(running: Running, said: string, signal: NodeJS.Signals): Promise<Ended> {
  await heard(running, said);
  running.child.kill(signal);
  return running.ended;
}

/** Waits until the process has said something on either stream. */
export async function heard({ child, ended }: Running, said: string): Promise<void> {
  let text = "";
  await new Promise<void>((done, failed) => {
    const listen = (part: unknown): void => {
      text += part;
      if (text.includes(said)) done();
    };
    child.stdout!.on("data", listen);
    child.stderr!.on("data", listen);
    ended.then(({ err }) => failed(new Error(`it ended before it said "${said}": ${err}`)), failed);
  });
}

/** 48 images of 24×24 pixels in a folder, of two classes. */
export async function writeImages(folder: string): Promise<void> {
  for (const label of ["one", "other"]) await mkdir(join(folder, label), { recursive: true });
  for (let i = 0; i < 48; i++) {
    const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, (_, k) => (k * (i + 3) * 40503) >>> 7);
    const file = join(folder, i % 2 ? "one" : "other", `${i}.png`);
    await sharp(pixels, { raw: { width: 24, height: 24, channels: 3 } })
      .png()
      .toFile(file);
  }
}
