/** One case over all contenders: prepare, check that they agree, warm up, then time them in turns. */
import { compare } from "./agree.js";
import type { Case } from "./cases.js";
import type { Counts } from "./contenders/contender.js";
import { type Child, Failed } from "./process.js";
import type { PreparedReply } from "./protocol.js";
import type { Member, Team } from "./team.js";

export interface Timing {
  /** Milliseconds per call: the median over the rounds. */
  readonly ms: number;
  /** (slowest − fastest) / median of the rounds: how noisy the machine was. */
  readonly spread: number;
  readonly calls: number;
  /** The first call, with compilation. */
  readonly firstMs: number;
  /** From the contender that most agree with, in units of an output's root mean square. */
  readonly deviation: number;
}

export interface Measured {
  readonly timings: ReadonlyMap<string, Timing>;
  /** Why a contender has no timing. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly counts: Counts | null;
}

export interface Effort {
  readonly limitMs: number;
  readonly rounds: number;
  /** Aim for one round of one contender. */
  readonly roundMs: number;
  /** Most that all rounds of one contender should take. */
  readonly budgetMs: number;
}

interface Runner {
  readonly member: Member;
  readonly child: Child;
  readonly prepared: PreparedReply;
  iterations: number;
  rounds: number;
  readonly samples: number[];
}

export async function measure(c: Case, team: Team, patient: Effort): Promise<Measured> {
  const effort: Effort = { ...patient, limitMs: patient.limitMs * c.patience };
  team.enter(c.group);
  const reasons = new Map<string, string>();
  let runners: Runner[] = [];
  let counts: Counts | null = null;

  /** Runs a step of one contender; what goes wrong takes this one out. */
  const attempt = async <T>(member: Member, step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      reasons.set(member.spec.name, error.message);
      runners = runners.filter((r) => r.member !== member);
      if (error.dead) member.stop();
      return undefined;
    }
  };

  for (const member of team.members)
    await attempt(member, async () => {
      const child = await member.ready();
      const prepared = await child.ask({ do: "prepare", case: c }, effort.limitMs);
      runners.push({ member, child, prepared, iterations: 1, rounds: effort.rounds, samples: [] });
    });

  const { reference, deviations } = compare(
    new Map(runners.map((r) => [r.member.spec.name, r.prepared.digests])),
    c.tolerance,
  );
  runners = runners.filter(({ member: { spec } }) => {
    const off = deviations.get(spec.name)!;
    if (off > c.tolerance)
      reasons.set(spec.name, `result differs from ${reference}'s by ${off.toExponential(1)} of its size`);
    return off <= c.tolerance;
  });

  for (const r of [...runners]) await attempt(r.member, () => warmUp(r, effort));
  for (let round = 0; round < effort.rounds; round++)
    for (const r of [...runners])
      if (round < r.rounds)
        await attempt(r.member, async () => {
          const { ms } = await r.child.ask(
            { do: "run", iterations: r.iterations },
            effort.limitMs + 10 * effort.budgetMs,
          );
          r.samples.push(ms / r.iterations);
        });
  for (const r of [...runners]) {
    if (r.member.spec.role === "ours")
      counts = (await attempt(r.member, () => r.child.ask({ do: "counts" }, effort.limitMs))) ?? null;
    await attempt(r.member, () => r.child.ask({ do: "release" }, effort.limitMs));
  }

  const timings = new Map(
    runners.map(({ member, samples, iterations, prepared }) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const ms = sorted[Math.floor(sorted.length / 2)]!;
      const timing: Timing = {
        ms,
        spread: (sorted.at(-1)! - sorted[0]!) / ms,
        calls: samples.length * iterations,
        firstMs: prepared.firstMs,
        deviation: deviations.get(member.spec.name)!,
      };
      return [member.spec.name, timing] as const;
    }),
  );
  return { timings, reasons, counts };
}

/**
 * Runs until the engine's compilers have had their time, and decides how many calls make a round. One call is enough
 * of a slow case: V8 changes to optimised code between calls, not during them.
 */
async function warmUp(r: Runner, { limitMs, roundMs, budgetMs, rounds }: Effort): Promise<void> {
  let [calls, total, ms] = [1, 0, Number.POSITIVE_INFINITY];
  while (total < 2 * roundMs) {
    const took = (await r.child.ask({ do: "run", iterations: calls }, limitMs)).ms;
    total += took;
    ms = Math.min(ms, took / calls);
    calls = Math.max(1, Math.min(calls * 4, Math.floor(roundMs / ms)));
  }
  r.iterations = Math.max(1, Math.round(roundMs / ms));
  r.rounds = Math.min(rounds, Math.floor(budgetMs / (ms * r.iterations)));
  if (r.rounds === 0) r.samples.push(ms);
}
