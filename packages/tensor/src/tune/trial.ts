/** One kernel call with its variants, on scratch memory: made, checked against float64 and the default, and raced. */
import type { Backend, PreparedProgram } from "../program.js";
import type { BoundCall, FamilyKernel, KernelSpec, Memory } from "../program.js";
import { familyOf } from "../families/family.js";
import { inputsOf, oracleOf } from "../families/oracle.js";
import type { Variant } from "../kernels/wgsl/index.js";

/** What a device lends to a tuner. */
export interface TuneTarget extends Pick<Backend, "allocate" | "free" | "write" | "read"> {
  /** The variants of a kernel here, the default first. */
  variantsOf(spec: KernelSpec): readonly Variant[];
  /** A program of a call, repeated, in one variant. */
  prepareAs(call: BoundCall, variant: Variant, repeats: number): Promise<PreparedProgram>;
  /** Milliseconds that a run takes on the device. */
  time(program: PreparedProgram): Promise<number>;
}

/** A kernel call, wherever its memory is. */
export interface Tunable {
  readonly key: string;
  readonly spec: KernelSpec;
  readonly bindings: readonly Pick<BoundCall["bindings"][number], "bytes" | "dtype" | "access">[];
}

export interface Rejected {
  readonly variant: Variant;
  readonly why: string;
}

export interface Outcome {
  readonly variant: Variant;
  readonly ms: number;
  readonly defaultMs: number;
  /** Variants that were timed, the default among them. */
  readonly timed: number;
  readonly rejected: readonly Rejected[];
}

/** A sample lasts this long, so that the clock's steps and the submits do not count. */
const SAMPLE_MS = 4;
const MAX_REPEATS = 64;
const ROUNDS = 5;
/** A variant that is this much slower than the best so far is dropped. */
const HOPELESS = 1.5;
/** Less than this is noise, and the default stays. */
const WORTHWHILE = 0.97;
const SAMPLED_ELEMENTS = 48;

interface Runner {
  readonly variant: Variant;
  readonly program: PreparedProgram;
  readonly times: number[];
}

/** Finds the fastest of the variants whose results are right. Stops early, with what is known, at the deadline. */
export async function trial(
  target: TuneTarget,
  call: Tunable,
  depth: number,
  deadline: number,
): Promise<Outcome> {
  const scratch = new Scratch(target, call, depth);
  const runners: Runner[] = [];
  const rejected: Rejected[] = [];
  try {
    const [first, ...others] = target.variantsOf(call.spec);
    const standard = await scratch.check(first!);
    const repeats = await scratch.repeatsFor(first!);
    const enter = async (variant: Variant): Promise<Runner> => {
      const runner = { variant, program: await target.prepareAs(scratch.call, variant, repeats), times: [] };
      runners.push(runner);
      await lap(target, runner);
      return runner;
    };
    const incumbent = await enter(first!);
    for (const variant of others) {
      if (performance.now() > deadline) break;
      try {
        await scratch.check(variant, standard);
      } catch (error) {
        rejected.push({ variant, why: (error as Error).message });
        continue;
      }
      await enter(variant);
    }
    const alive = await race(target, runners, deadline);
    const best = alive.reduce((x, y) => (middle(y.times) < middle(x.times) ? y : x));
    const winner = middle(best.times) < WORTHWHILE * middle(incumbent.times) ? best : incumbent;
    return {
      variant: winner.variant,
      ms: middle(winner.times) / repeats,
      defaultMs: middle(incumbent.times) / repeats,
      timed: runners.length,
      rejected,
    };
  } finally {
    for (const { program } of runners) program.release();
    scratch.free();
  }
}

/** Lets the runners take turns, so that whatever else the machine does hits all of them; returns who stayed to the end. */
async function race(target: TuneTarget, all: readonly Runner[], deadline: number): Promise<Runner[]> {
  let alive = [...all];
  for (let round = 1; ; round++) {
    const best = Math.min(...alive.map((r) => middle(r.times)));
    // The default stays in: the winner is compared with it.
    alive = alive.filter((r) => r === all[0] || middle(r.times) <= HOPELESS * best);
    if (alive.length === 1 || round === ROUNDS || performance.now() > deadline) return alive;
    for (const runner of alive) await lap(target, runner);
  }
}

const lap = async (target: TuneTarget, { program, times }: Runner): Promise<void> => {
  times.push(await target.time(program));
};

const middle = (times: readonly number[]): number => {
  const sorted = [...times].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};

/** Inputs of noise, and a place for the result: the call's own memory may be in use. */
class Scratch {
  readonly call: BoundCall;
  private readonly memories: Memory[] = [];
  private readonly out: Memory;
  private readonly blank: Float32Array;
  /** Elements after which the next share of the result begins. */
  private readonly period: number;
  private readonly samples: readonly { readonly at: number; readonly value: number }[];
  private readonly tolerance: number;

  constructor(
    private readonly target: TuneTarget,
    call: Tunable,
    depth: number,
  ) {
    try {
      for (const { bytes } of call.bindings) this.memories.push(target.allocate(bytes));
    } catch (error) {
      this.free();
      throw error;
    }
    this.call = {
      ...call,
      bindings: call.bindings.map((b, i) => ({ ...b, memory: this.memories[i]!, byteOffset: 0 })),
    };
    this.out = this.memories.at(-1)!;
    this.blank = new Float32Array(call.bindings.at(-1)!.bytes / 4).fill(Number.NaN);
    const { params } = call.spec as FamilyKernel;
    const family = familyOf(call.spec)!;
    const inputs = inputsOf(family, params);
    inputs.forEach((data, i) => {
      target.write(this.memories[i]!, 0, data);
    });
    const oracle = oracleOf(family, params, inputs);
    const total = oracle.length;
    this.period = total;
    const places = new Set([0, total - 1]);
    for (let i = 1; i < SAMPLED_ELEMENTS; i++) places.add(Math.floor((total * i * 0.61803398875) % total));
    this.samples = [...places].map((at) => ({ at, value: oracle.at(at) }));
    // Of the largest value: rounding errors of a sum grow like the root of its length, and so does the sum of noise.
    this.tolerance = 1e-6 + 1e-7 * Math.sqrt(depth);
  }

  /** Runs a variant once. Throws, saying why, when it does not compile, or differs from float64 or from the default's result. */
  async check(variant: Variant, standard?: Float32Array): Promise<Float32Array> {
    const { target, call, out, blank, period } = this;
    target.write(out, 0, blank);
    const program = await target.prepareAs(call, variant, 1);
    program.run();
    const got = new Float32Array(await target.read(out, 0, blank.byteLength));
    program.release();
    const size = got.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const allowed = this.tolerance * size;
    for (const { at, value } of this.samples) {
      let sum = 0;
      for (let i = at; i < got.length; i += period) sum += got[i]!;
      if (!(Math.abs(sum - value) <= this.tolerance * Math.max(size, Math.abs(value))))
        throw new Error(`element ${at} is ${sum} instead of ${value}`);
    }
    standard?.forEach((value, at) => {
      if (!(Math.abs(got[at]! - value) <= allowed))
        throw new Error(`element ${at} is ${got[at]}, the default's ${value}`);
    });
    return got;
  }

  /** How often a call must run to last as long as a sample. */
  async repeatsFor(variant: Variant): Promise<number> {
    const program = await this.target.prepareAs(this.call, variant, 1);
    const ms = await this.target.time(program);
    program.release();
    return Math.max(1, Math.min(MAX_REPEATS, Math.ceil(SAMPLE_MS / Math.max(ms, 1e-3))));
  }

  free(): void {
    for (const memory of this.memories) this.target.free(memory);
  }
}
