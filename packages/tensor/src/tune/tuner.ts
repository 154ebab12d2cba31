/**
 * Chooses how kernels are written: from results that were kept, or by trying. A result is kept for a class of calls
 * (`classOf`) on an adapter.
 */
import { DeviceError } from "../errors.js";
import type { KernelSpec } from "../program.js";
import { productOf, type Variant } from "../kernels/wgsl/index.js";
import type { Choice, Choices } from "./choices.js";
import { classOf } from "./key.js";
import { type Outcome, trial, type Tunable, type TuneTarget } from "./trial.js";

/**
 * - `"off"`: every kernel as its generator thinks best; results that were kept are not read.
 * - `"cached"`: as kept results say, where there are any.
 * - `"full"`: also tries what has no result yet, before a program runs first, and keeps what it finds.
 */
export type TuneMode = "off" | "cached" | "full";
export const tuneModes: readonly TuneMode[] = ["off", "cached", "full"];

export interface TuneReport extends Outcome {
  /** The class of calls that the outcome is kept for. */
  readonly name: string;
}

export interface TuneProgress {
  readonly done: number;
  readonly total: number;
  readonly report: TuneReport;
}

export interface TuneRequest {
  /** The most time to spend; classes that it does not reach stay as they are. */
  readonly seconds: number;
  /** Also tries what has a result. */
  readonly again?: boolean;
  readonly onProgress?: ((progress: TuneProgress) => void) | undefined;
}

export class Tuner {
  /** What was looked up, by the calls' keys. */
  private readonly known = new Map<string, Variant | undefined>();

  constructor(
    private readonly target: TuneTarget,
    private readonly choices: Choices,
  ) {}

  /** The variant for a kernel, if it was tuned and another one than the default is better. */
  chosen({ key, spec }: Tunable): Variant | undefined {
    if (this.choices.size === 0) return undefined;
    const name = `${spec.family} ${key}`;
    if (!this.known.has(name)) this.known.set(name, this.lookUp(spec));
    return this.known.get(name);
  }

  /** The result that is kept for the class of a kernel. */
  kept(spec: KernelSpec): Choice | undefined {
    const name = classOf(spec);
    return name === undefined ? undefined : this.choices.get(name);
  }

  private lookUp(spec: KernelSpec): Variant | undefined {
    const choice = this.kept(spec);
    if (!choice) return undefined;
    const variants = this.target.variantsOf(spec);
    // Only what a generator offers for this very call: another shape of the class may not allow it, or the file lies.
    const found = variants.findIndex((v) => same(v, choice.variant));
    return found > 0 ? variants[found] : undefined;
  }

  /** Tries every class of the calls that has no result yet, and keeps what it finds. */
  async tune(
    calls: readonly Tunable[],
    { seconds, again = false, onProgress }: TuneRequest,
  ): Promise<TuneReport[]> {
    const pending = new Map<string, Tunable>();
    for (const call of calls) {
      const name = classOf(call.spec);
      if (name !== undefined && (again || !this.choices.get(name)) && !pending.has(name))
        pending.set(name, call);
    }
    const end = performance.now() + seconds * 1000;
    const reports: TuneReport[] = [];
    for (const [name, call] of pending) {
      const left = end - performance.now();
      if (left <= 0) break;
      // Each kernel may use its share of what is left.
      const deadline = performance.now() + left / (pending.size - reports.length);
      const { depth } = productOf(call.spec)!;
      const outcome = await trial(this.target, call, depth, deadline).catch((cause: Error) => {
        throw new DeviceError(`tuning ${name}: ${cause.message}`, { cause });
      });
      const report = { name, ...outcome };
      this.choices.set(name, { variant: report.variant, defaultMs: report.defaultMs, ms: report.ms });
      reports.push(report);
      onProgress?.({ done: reports.length, total: pending.size, report });
    }
    if (reports.length > 0) {
      this.known.clear();
      await this.choices.save();
    }
    return reports;
  }
}

const same = (a: Variant, b: Variant): boolean =>
  Object.entries(a).every(([key, value]) => (b as Readonly<Record<string, unknown>>)[key] === value);
