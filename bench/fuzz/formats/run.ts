/** Runs' folders, reported and resumed, and their encoders. */
import { baseRun, imageFiles } from "../base-run.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";
import { brokenJson, changeJson } from "../json.js";
import { signed, tensorChanges, type TensorsFile, tensorsFile, tensorsOf } from "../safetensors-file.js";
import type { Attempt, Tree } from "../trial.js";

type Part =
  | { json: unknown[]; lines: boolean; broken?: boolean }
  | { tensors: TensorsFile; resigned: boolean };

interface Run {
  parts: Map<string, Part>;
  others: Tree;
}

async function sample(): Promise<Run> {
  const run: Run = { parts: new Map(), others: new Map() };
  for (const [path, entry] of await baseRun()) {
    if (!("bytes" in entry)) continue;
    const text = () => Buffer.from(entry.bytes).toString();
    if (path.endsWith(".safetensors"))
      run.parts.set(path, { tensors: tensorsOf(entry.bytes), resigned: path.includes("/checkpoints/") });
    else if (path.endsWith(".jsonl"))
      run.parts.set(path, {
        json: text()
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line)),
        lines: true,
      });
    else if (path.endsWith(".json")) run.parts.set(path, { json: [JSON.parse(text())], lines: false });
    else run.others.set(path, entry);
  }
  return run;
}

const jsonPart = ({ parts }: Run, draws: Draws) => {
  const part = draws.pick([...parts.values()].filter((one) => "json" in one));
  return part && "json" in part ? part : undefined;
};
const tensorPart = ({ parts }: Run, draws: Draws, among = /./) => {
  const found = [...parts].filter(([path, one]) => "tensors" in one && among.test(path));
  const part = draws.pick(found)?.[1];
  return part && "tensors" in part ? part : undefined;
};

const encoded = (part: Part, draws: Draws): Uint8Array => {
  if ("tensors" in part) return tensorsFile(part.resigned ? signed(part.tensors) : part.tensors);
  const text = part.lines
    ? part.json.map((value) => `${JSON.stringify(value)}\n`).join("")
    : JSON.stringify(part.json[0] ?? null, null, 2);
  return Buffer.from(part.broken ? brokenJson(text, draws) : text);
};

const report: Attempt = {
  read: "command",
  words: ["report", "{}/run", "--out", "{}/page.html"],
  writes: ["page.html"],
};
const resume: Attempt = {
  read: "command",
  words: ["resume", "{}/run", "--data", "{}/images", "--device", "cpu"],
  writes: ["run"],
};
const onImages = ["--encoder", "{}/run", "--data", "{}/images", "--device", "cpu"];
const attempts: Record<string, readonly Attempt[]> = {
  run: [
    report,
    report,
    { ...resume, words: resume.words.with(1, "{}/run/checkpoints/step-00000002.safetensors") },
  ],
  checkpoint: [resume],
  encoder: [
    { read: "command", words: ["embed", ...onImages, "--out", "{}/out.npy"], writes: ["out.npy"] },
    { read: "command", words: ["evaluate", "knn", "--k", "1", ...onImages], writes: ["run/evaluations"] },
  ],
};

const changeTensors =
  (among: RegExp) =>
  (run: Run, draws: Draws): void => {
    const part = tensorPart(run, draws, among);
    if (part) draws.pick(tensorChanges)(part.tensors, draws);
  };

/** The record in a checkpoint, with a checksum that fits again. */
function changeRecord(run: Run, draws: Draws): void {
  const part = tensorPart(run, draws, /checkpoints/);
  if (!part) return;
  const { metadata } = part.tensors;
  if (draws.once(10)) metadata.record = brokenJson(metadata.record ?? "", draws);
  else
    try {
      const record = JSON.parse(metadata.record ?? "");
      changeJson(record, draws);
      metadata.record = JSON.stringify(record);
    } catch {
      // An earlier change broke it.
    }
}

const changes: readonly ((run: Run, draws: Draws) => void)[] = [
  (run, draws) => changeJson(jsonPart(run, draws)?.json, draws),
  (run, draws) => changeJson(jsonPart(run, draws)?.json, draws),
  (run, draws) => {
    const part = jsonPart(run, draws);
    if (part) part.broken = true;
  },
  (run, draws) => {
    run.parts.delete(draws.pick([...run.parts.keys()]));
  },
  // A file of another kind, or of another step, under this name.
  (run, draws) => {
    const names = [...run.parts.keys()];
    const part = run.parts.get(draws.pick(names));
    if (part) run.parts.set(draws.pick([...names, "run/checkpoints/step-99999999.safetensors"]), part);
  },
];

const format = (name: string, more: typeof changes) =>
  defineFormat<Run>({
    name,
    sample,
    changes: more,
    encode: ({ parts, others }, draws) =>
      new Map([
        ...imageFiles,
        ...others,
        ...[...parts].map(([path, part]) => [path, { bytes: encoded(part, draws) }] as const),
      ]),
    attempts: () => attempts[name]!,
  });

export const run = format("run", [...changes, changeTensors(/embeddings/), changeRecord]);
export const checkpoint = format("checkpoint", [
  ...[changeRecord, changeRecord, changeRecord, changeTensors(/checkpoints/)],
  changes.at(-1)!,
  // Left unsigned, as a change by accident is.
  (of, draws) => {
    const part = tensorPart(of, draws, /checkpoints/);
    if (part) part.resigned = false;
  },
]);
export const encoder = format("encoder", [changeTensors(/encoder/), changeTensors(/encoder/), changes[0]!]);
