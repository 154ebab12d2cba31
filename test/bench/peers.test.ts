/**
 * The benchmark against the peers, on toy sizes: every case is the same computation in every library, a wrong result is
 * found out, and nothing that a contender does stops a run.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { compare, digestOf } from "../../bench/peers/agree.js";
import {
  byol,
  type Case,
  cases,
  type ConvPass,
  define,
  supervised,
  type Work,
} from "../../bench/peers/cases.js";
import { type ContenderSpec, contendersOn } from "../../bench/peers/contenders/list.js";
import { type Effort, measure } from "../../bench/peers/measure.js";
import {
  convLayers,
  type NetworkForm,
  resnet18,
  resnet50,
  totalSize,
  parametersOf,
} from "../../bench/peers/networks.js";
import { Child, endWithRunner } from "../../bench/peers/process.js";
import { peersSection } from "../../bench/peers/report.js";
import { rowOf } from "../../bench/peers/rows.js";
import { Team } from "../../bench/peers/team.js";
import { describeRun } from "../../bench/shared/machine.js";

const tiny = (work: Work): Case => {
  const like = cases.find((c) => c.work.kind === work.kind)!;
  const part = "pass" in work ? ` ${work.pass}` : "over" in work ? ` ${work.over}` : "";
  return define(`tiny ${work.kind}${part}`, work, like.unit, 1, { group: "tiny", tolerance: like.tolerance });
};

const net = (classes: number): NetworkForm => ({
  block: "basic",
  blocks: [1, 1],
  width: 4,
  stem: "small",
  inputChannels: 1,
  classes,
  projectFirst: classes === 0,
});
const layer = { batch: 2, size: 7, inC: 3, outC: 5, kernel: 3, stride: 2, pad: 1 };
const passes: ConvPass[] = ["forward", "input grad", "weight grad", "forward + both grads"];
const tinyCases: Case[] = [
  tiny({ kind: "matmul", m: 5, k: 7, n: 9 }),
  ...passes.map((pass) => tiny({ kind: "conv", pass, layer })),
  tiny({ kind: "batchNormRelu", pass: "forward", shape: [2, 3, 3, 5] }),
  tiny({ kind: "batchNormRelu", pass: "forward + backward", shape: [2, 3, 3, 5] }),
  tiny({ kind: "crossEntropy", rows: 6, classes: 5 }),
  tiny({ kind: "pointwise", elements: 100 }),
  ...(["rows", "columns", "all"] as const).map((over) => tiny({ kind: "sum", over, rows: 9, columns: 11 })),
  tiny(supervised(net(3), [4, 8, 8, 1], ["conv1.weight", "layer2.0.downsample.1.bias"])),
  tiny(byol(net(0), [8, 8, 8, 1], 16, 8)),
];

const about = { ...describeRun(), threads: 1, contenders: {} };
const effort: Effort = { limitMs: 60_000, rounds: 1, roundMs: 1, budgetMs: 100 };
const specs = contendersOn("cpu").filter((s) => !s.name.endsWith("-mt"));
endWithRunner();

describe("peers on the CPU", () => {
  const team = new Team(specs, 1);
  afterAll(() => team.stop());

  it.each(tinyCases)("$name", async (c) => {
    const { timings, reasons, counts } = await measure(c, team, effort);
    // tfjs has no weight gradient on this backend; there is no other excuse.
    const needsWeightGradient = /weight grad|both grads|supervised|byol/.test(c.name);
    const excused = new Map(
      needsWeightGradient
        ? [["tfjs-wasm", "Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'"]]
        : [],
    );
    // Builds of PyTorch abort on processors that they do not expect: its death, and nothing else, excuses it.
    const death = reasons.get("pytorch");
    if (death !== undefined && /ended \(SIG/.test(death)) excused.set("pytorch", death);
    expect(Object.fromEntries(reasons)).toEqual(Object.fromEntries(excused));
    expect([...timings.keys()]).toEqual(specs.map((s) => s.name).filter((name) => !excused.has(name)));
    for (const { ms } of timings.values()) expect(ms).toBeGreaterThan(0);
    expect(counts).toMatchObject({ buffersCreated: 0, bindGroupsCreated: 0, kernelsCreated: 0 });
    expect(counts!.dispatches).toBeGreaterThan(0);
    expect(counts!.bytesBound).toBeGreaterThan(0);
    const row = rowOf(c, "cpu", specs, { timings, reasons, counts });
    expect(row.ratio_to_best_peer).toBe(row.ours! / row.peers[row.best_peer!]!);
    expect(peersSection({ ...about, rows: [row] })).toContain(c.name);
  });
});

describe("a contender that misbehaves", () => {
  const spec = (name: string, role: ContenderSpec["role"], script: string): ContenderSpec => ({
    name,
    role,
    device: "cpu",
    command: [process.execPath, "-e", script],
    env: {},
  });
  /** Answers the protocol; `prepare` and `run` are expressions. */
  const fake = (prepare: string, run = "{ ok: true, value: { ms: 1 } }"): string => `
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const request = JSON.parse(line);
      const reply = request.do === "prepare" ? ${prepare} : request.do === "run" ? ${run} : { ok: true, value: null };
      console.log("noise");
      console.log("@bench " + JSON.stringify(reply));
    });`;
  const answer = (value: number): string =>
    `{ ok: true, value: { firstMs: 1, digests: { y: { shape: [1], values: [${value}] } } } }`;
  const teams: Team[] = [];
  afterAll(() => teams.forEach((team) => team.stop()));

  it("is left out with its reason, and the others are timed", async () => {
    const team = new Team(
      [
        spec("ours", "ours", fake(answer(1))),
        spec("agrees", "peer", fake(answer(1.00001))),
        spec("wrong", "peer", fake(answer(2))),
        spec("refuses", "peer", fake('{ ok: false, error: "no such kernel" }')),
        spec("dies", "peer", fake("process.exit(3)")),
        spec("hangs", "peer", fake("(() => { for (;;); })()")),
        spec("hangs later", "peer", fake(answer(1), "(() => { for (;;); })()")),
        spec("dies later", "native", fake(answer(1), "process.abort()")),
        spec("dies between", "peer", fake(`(setTimeout(() => process.abort()), ${answer(1)})`)),
        spec("absent", "peer", "process.exit(7)"),
        spec("dies at once", "native", "process.abort()"),
      ],
      1,
    );
    teams.push(team);
    const measured = await measure(tinyCases[0]!, team, { ...effort, limitMs: 1500 });
    const { timings, reasons } = measured;
    expect([...timings.keys()]).toEqual(["ours", "agrees"]);
    expect(reasons.get("wrong")).toMatch(/differs from ours's by 1\.0e\+0/);
    expect(reasons.get("refuses")).toBe("no such kernel");
    expect(reasons.get("dies")).toMatch(/code 3/);
    expect(reasons.get("hangs")).toMatch(/takes more than/);
    expect(reasons.get("hangs later")).toMatch(/takes more than/);
    expect(reasons.get("dies later")).toMatch(/ended \(SIGABRT\)/);
    expect(reasons.get("dies between")).toMatch(/ended \(SIGABRT\)/);
    expect(reasons.get("absent")).toMatch(/does not open.*code 7/);
    expect(reasons.get("dies at once")).toMatch(/does not open: ended \(SIGABRT\)/);
    const specs = team.members.map((member) => member.spec);
    const section = peersSection({ ...about, rows: [rowOf(tinyCases[0]!, "cpu", specs, measured)] });
    for (const reason of reasons.values()) expect(section).toContain(reason);
  });
});

describe("a contender that is not asked anything", () => {
  /** Starts a process that never stops writing, says so, and answers whatever it is asked. */
  const busy = (file: string): string => `
    const write = "for (;;) require('node:fs').appendFileSync(process.argv[1], '.')";
    require("child_process").spawn(process.execPath, ["-e", write, ${JSON.stringify(file)}]);
    require("readline").createInterface({ input: process.stdin }).on("line", () => {
      const answer = () => console.log('@bench { "ok": true, "value": { "ms": 1 } }');
      const size = () => require("fs").statSync(${JSON.stringify(file)}, { throwIfNoEntry: false })?.size ?? 0;
      const before = size();
      const timer = setInterval(() => size() > before && (clearInterval(timer), answer()), 5);
    });`;
  const folder = mkdtempSync(join(tmpdir(), "bench-peers-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (file: string): number => statSync(file).size;
  /** Whether a file stays as it is, once a signal that is under way has arrived. */
  const rests = async (file: string): Promise<boolean> => {
    await sleep(100);
    const before = written(file);
    await sleep(200);
    return written(file) === before;
  };

  it("is stopped, and all processes of its group, until the next question; its end is theirs", async () => {
    const file = join(folder, "asked");
    const child = new Child([process.execPath, "-e", busy(file)], {});
    await child.ask({ do: "run", iterations: 1 }, 60_000);
    expect(await rests(file)).toBe(true);
    const before = written(file);
    // It answers when its group has written more.
    await child.ask({ do: "run", iterations: 1 }, 60_000);
    expect(written(file)).toBeGreaterThan(before);
    expect(await rests(file)).toBe(true);
    child.kill();
    expect(child.alive).toBe(false);
    expect(await rests(file)).toBe(true);
  });

  it.each(["SIGTERM", "an error"])("ends with a runner that %s ends", async (how) => {
    const file = join(folder, how);
    const module = new URL("../../bench/peers/process.ts", import.meta.url);
    const then =
      how === "SIGTERM" ? "process.kill(process.pid, 'SIGTERM')" : "setTimeout(() => { throw new Error() })";
    const script = `
      import { Child, endWithRunner } from ${JSON.stringify(module)};
      endWithRunner();
      const child = new Child([process.execPath, "-e", ${JSON.stringify(busy(file))}], {});
      await child.ask({ do: "run", iterations: 1 }, 60_000);
      console.log(child.pid);
      ${then};
      setInterval(() => {}, 1000);`;
    const { stdout, status, signal, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", script],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect([status, signal], stderr).toEqual([how === "SIGTERM" ? 130 : 1, null]);
    // Whoever were left, and only stopped, would go on now.
    try {
      process.kill(-Number(stdout), "SIGCONT");
    } catch {}
    expect(await rests(file)).toBe(true);
  });
});

it("the one that differs is outvoted, whoever it is", () => {
  const output = (scale: number) => ({
    y: digestOf({
      name: "y",
      shape: [100],
      data: Float32Array.from({ length: 100 }, (_, i) => scale * Math.sin(i)),
    }),
  });
  const results = new Map([
    ["dawnstrap", output(1.1)],
    ["a", output(1)],
    ["b", output(1)],
  ]);
  const { reference, deviations } = compare(results, 1e-4);
  expect(reference).toBe("a");
  expect(deviations.get("b")).toBe(0);
  expect(deviations.get("dawnstrap")).toBeGreaterThan(0.09);
  const data = [1, Number.NaN, 3];
  expect(() => digestOf({ name: "y", shape: [3], data })).toThrow("its y is not finite");
});

it("knows the layers and parameters of the ResNets", () => {
  expect(convLayers(resnet18, 32, 32)).toHaveLength(11);
  expect(convLayers(resnet50, 224, 4)).toHaveLength(23);
  expect(totalSize(parametersOf(resnet50))).toBe(25_557_032);
  expect(new Set(cases.map((c) => c.name)).size).toBe(cases.length);
});
