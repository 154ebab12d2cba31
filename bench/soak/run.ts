/**
 * `npm run soak`: a long run that is killed (SIGKILL) at random moments and resumed, at the same time as the same run
 * unbroken. Both have to end with the same bits: the whole state, the exported encoder, and every step's numbers.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checksum, findCheckpoint, hasCheckpoints } from "@dawnstrap/byol/node";
import { openDevice } from "@dawnstrap/tensor";
import { philox4x32 } from "@dawnstrap/tensor/extend";
import { describeDevice, describeRun, machineText } from "../shared/machine.js";
import { flags, type Options } from "./options.js";
import { type Half, linesOf, type Running, startByol } from "./process.js";
import { script } from "../shared/script.js";
import { appendSection, sectionOf, table } from "../shared/section.js";

const options = flags.parse().opts<Options>();

const cadence = ["--checkpoint-minutes", options.checkpointMinutes];
const begin = (half: Half, folder: string): Running =>
  startByol(half, [
    ...["pretrain", "--preset", options.preset, "--device", options.device, "--out", folder],
    ...["--seed", String(options.seed), "--steps", String(options.steps), ...cadence],
  ]);
const goOn = (half: Half, folder: string): Running => startByol(half, ["resume", folder, ...cadence]);

async function finish(run: Running): Promise<void> {
  const { code, signal, err } = await run.ended;
  if (code !== 0) throw new Error(`a run ended with ${signal ?? `exit code ${code}`}:\n${err}`);
}

interface Kill {
  /** Steps that were done when it came. */
  readonly at: number;
  /** The step that the run went on with. */
  readonly from: number;
}

/** A step of the run, and up to two seconds more, so that a kill may come at any point of a step or of a write. */
function moments(): { step: number; wait: number }[] {
  const draws = Array.from({ length: options.kills }, (_, i) => {
    const [step, wait] = philox4x32([i, 0, 0, 0], [options.seed, 0]);
    return { step: 1 + (step! % (options.steps - 1)), wait: wait! % 2000 };
  });
  return draws.sort((a, b) => a.step - b.step);
}

async function killed(half: Half, folder: string): Promise<Kill[]> {
  const kills: Kill[] = [];
  let run = begin(half, folder);
  for (const { step, wait } of moments()) {
    while (linesOf(folder).length < step && run.child.exitCode === null) await sleep(500);
    await sleep(wait);
    run.child.kill("SIGKILL");
    const { code, signal, err } = await run.ended;
    if (signal !== "SIGKILL")
      throw new Error(`the run ended with ${signal ?? code} before its kill:\n${err}`);
    // Where no checkpoint has been written yet there is nothing to go on with, and the folder is begun anew.
    const [at, resumable] = [linesOf(folder).length, await hasCheckpoints(folder)];
    const from = resumable ? (await findCheckpoint(folder)).record.step : 0;
    kills.push({ at, from });
    console.log(`killed after ${at} steps, going on from step ${from}`);
    if (!resumable) rmSync(folder, { recursive: true });
    run = resumable ? goOn(half, folder) : begin(half, folder);
  }
  await finish(run);
  return kills;
}

/** Checksums of everything that has to be the same. */
async function outcome(folder: string): Promise<Record<"state" | "encoder" | "metrics", string>> {
  const { state } = await findCheckpoint(folder);
  const metrics = linesOf(folder).map((line) => {
    const { images_per_second: _, ...numbers } = JSON.parse(line);
    return JSON.stringify(numbers);
  });
  if (metrics.length !== options.steps)
    throw new Error(`${folder} has the numbers of ${metrics.length} steps, not of ${options.steps}`);
  const sha256 = (of: string | Uint8Array) => createHash("sha256").update(of).digest("hex");
  return {
    state: checksum(state),
    encoder: sha256(readFileSync(join(folder, "encoder.safetensors"))),
    metrics: sha256(metrics.join("\n")),
  };
}

async function main(): Promise<void> {
  const device = await openDevice(options.device);
  const about = describeRun();
  const where = describeDevice(device);
  await device.destroy();
  const root = options.out ?? mkdtempSync(join(tmpdir(), "soak-"));
  const [broken, unbroken] = [join(root, "killed"), join(root, "unbroken")];
  const started = performance.now();
  const minutes = () => ((performance.now() - started) / 60_000).toFixed(0);
  const [{ kills, took }, length] = await Promise.all([
    killed(1, broken).then((kills) => ({ kills, took: minutes() })),
    finish(begin(0, unbroken)).then(minutes),
  ]);
  const [one, other] = [await outcome(unbroken), await outcome(broken)];
  const same = JSON.stringify(one) === JSON.stringify(other);
  const short = ({ state, encoder, metrics }: typeof one) =>
    [state, encoder, metrics].map((sum) => sum.slice(0, 16));
  const rows = [
    ["unbroken", length, ...short(one)],
    ["killed", took, ...short(other)],
  ];
  const text =
    `Preset ${options.preset}, ${options.steps} steps, seed ${options.seed}, ${where.kind} (${where.description}), ` +
    `${machineText(about)}; both runs at once, each on half of the cores. ` +
    `Killed after ${kills.map(({ at, from }) => `${at} steps (resumed from ${from})`).join(", ")}. ` +
    `**${same ? "The same bits" : "NOT THE SAME"}**; first 16 digits of each SHA-256:`;
  const columns = ["run", "minutes", "state", "encoder", "every step's numbers"];
  const section = sectionOf("Soak", about, [text, table(columns, rows)]);
  appendSection(options.results, section);
  console.log(`\n${section}`);
  if (!same) throw new Error(`the runs below ${root} ended differently`);
}

script("soak", main);
