/**
 * `Optimizer`: what all optimisers share. A step is recorded with `update`, inside a captured function or outside. What
 * tells them apart is a `Core`, made by `defineOptimizer`.
 */
import {
  concat,
  type Device,
  div,
  greater,
  lessEqual,
  mul,
  reshape,
  ShapeError,
  slice,
  sqrt,
  StateError,
  sum,
  type Tensor,
  type Variable,
  where,
} from "@dawnstrap/tensor";
import type { OpDef } from "@dawnstrap/tensor/extend";
import type { HostTensor } from "../host-tensor.js";
import { checkSameLayout, type ParamArena } from "../arena.js";
import { ArenaTables } from "./norms.js";
import type { Adaptation } from "./adaptation.js";
import { excludeBiasAndNorm, type Rule, type Treatment, treatmentOf, treatmentTable } from "./rules.js";
import { applyUpdate, SCALARS, scalarAt, type UpdateInputs } from "./updates.js";

export interface OptimizerOptions {
  /** Default 0. */
  readonly weightDecay?: number;
  /**
   * Which parameters are left out of decay and adaptation, and which learn at a rate of their own; later rules override.
   * Default: biases and norms are left out.
   */
  readonly rules?: readonly Rule[];
  /** Arena of the same layout that follows the weights: ξ ← ξ + (1 − τ)(w_new − ξ), in the same pass. */
  readonly target?: ParamArena;
  /** What happens to gradients that are too long. Default: nothing. */
  readonly guard?: GradientGuard;
}

/** A bound on the gradient's norm, taken over all parameters together. */
export interface GradientGuard {
  readonly maxNorm: number;
  /**
   * "clip": g ← g·maxNorm/‖g‖ (Pascanu et al. 2013). "skip": the step changes neither weights, state nor target; a
   * norm that is not a number counts as too long.
   */
  readonly action: "clip" | "skip";
}

/** The numbers of one step. */
export interface StepNumbers {
  readonly lr: number;
  /** The schedule's peak. Required where a rule is `steady`. */
  readonly peak?: number;
  /** Momentum of the target. Required where there is a target. */
  readonly tau?: number;
  /** Steps done before this one (AdamW's bias correction counts from it). Default 0. */
  readonly step?: number;
}

/** What tells one optimiser from another, its settings filled in. */
export interface Core {
  readonly states: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: the constants are those of the op
  readonly op: OpDef<any>;
  readonly constants: Readonly<Record<string, unknown>>;
  /** Two numbers of a step, counted from 0. */
  scalars(step: number): readonly [number, number];
  readonly adaptation?: {
    readonly tables: Readonly<Record<string, (of: Treatment) => number>>;
    ratio(of: Omit<Adaptation<never>, "settings">): Tensor;
  };
}

export class Optimizer {
  readonly target?: ParamArena;
  readonly rules: readonly Rule[];
  private readonly device: Device;
  private readonly tables: ArenaTables;
  /** Weight decay of each segment, float32 [segments]. */
  private readonly decay: Tensor;
  /** Multiple of the learning rate, for each segment. */
  private readonly rate: Tensor;
  /** 1 where a segment keeps the peak rate, else 0; left out where none does. */
  private readonly steady?: Tensor;
  /** What the rule keeps beside the weights, by name, laid out as the arena is. */
  readonly states: ReadonlyMap<string, Variable>;
  private readonly guard?: GradientGuard;
  /** The adaptation's constants of each segment. */
  private readonly adapted: Readonly<Record<string, Tensor>>;

  constructor(
    readonly arena: ParamArena,
    private readonly core: Core,
    { weightDecay = 0, rules = excludeBiasAndNorm, target, guard }: OptimizerOptions,
  ) {
    if (guard && !(guard.maxNorm > 0))
      throw new StateError(
        `optimizer: a guard of maxNorm ${guard.maxNorm} lets nothing pass (use more than 0)`,
      );
    const wrong = rules.find(({ rate = 1 }) => !(rate >= 0 && Number.isFinite(rate)));
    if (wrong)
      throw new StateError(`optimizer: rule ${wrong.label} has a rate of ${wrong.rate} (use 0 or more)`);
    this.guard = guard;
    if (target) checkSameLayout("optimizer: target", arena, target);
    this.target = target;
    this.rules = rules;
    this.device = arena.device;
    this.tables = new ArenaTables(arena.device, arena.segments);
    this.decay = this.perSegment(({ decay }) => (decay ? weightDecay : 0));
    this.rate = this.perSegment(({ rate }) => rate);
    if (arena.segments.some((segment) => treatmentOf(segment, rules).steady))
      this.steady = this.perSegment(({ steady }) => (steady ? 1 : 0));
    this.states = new Map(
      core.states.map((n) => [n, this.device.variable(this.device.zeros([arena.length]), n)]),
    );
    this.adapted = Object.fromEntries(
      Object.entries(core.adaptation?.tables ?? {}).map(([name, of]) => [name, this.perSegment(of)]),
    );
  }

  /** Trust ratio of each segment; ones unless the optimiser adapts. */
  private ratio(g: Tensor, rates: Tensor, scalars: Tensor): Tensor {
    const { adaptation } = this.core;
    if (!adaptation) return this.device.ones([this.arena.segments.length]);
    const w = this.arena.flat.value;
    const at = (place: number): Tensor => slice(scalars, [place], [place + 1]);
    return adaptation.ratio({
      ...{ w, g, rates, decay: this.decay, tables: this.adapted },
      states: [...this.states.values()].map((state) => state.value),
      get corrections() {
        return [at(scalarAt.correction1), at(scalarAt.correction2)] as const;
      },
      squares: (x, decayed) => this.tables.squares(w, x, this.decay, decayed),
    });
  }

  /**
   * Records one step: weights, optimiser state and the target (if any) get their new values.
   *
   * @param grads one gradient per parameter in the arena's order, or all packed by `arena.pack`
   * @param scalars float32 [6] made from `scalars(…)`: an argument of a captured step, so that it may change
   * @returns ‖g‖ over all parameters, before the guard: float32 []; not computed where nobody asks for it
   */
  update(grads: readonly Tensor[] | Tensor, scalars: Tensor): Tensor {
    if (scalars.shape.join() !== String(SCALARS))
      throw new ShapeError(
        "update",
        `scalars have shape [${scalars.shape}], [${SCALARS}] is wanted`,
        "make them with optimizer.numbers",
      );
    const packed = Array.isArray(grads) ? this.arena.pack(grads) : (grads as Tensor);
    const norm = this.norm(packed);
    const { g, numbers } = this.guarded(packed, norm, scalars);
    const variables = [this.arena.flat, ...this.states.values(), ...(this.target ? [this.target.flat] : [])];
    const rates = this.rates(numbers);
    const inputs: UpdateInputs = {
      g,
      rates,
      scalars: numbers,
      segmentOfBlock: this.tables.segmentOfBlock,
      decay: this.decay,
      ratio: this.ratio(g, rates, numbers),
    };
    const { op, constants } = this.core;
    const updated = applyUpdate(
      op,
      variables.map((v) => v.value),
      inputs,
      { ...constants, target: this.target !== undefined, skips: this.guard?.action === "skip" },
    );
    updated.forEach((value, k) => variables[k]!.assign(value));
    return norm;
  }

  /** Learning rate of each segment, float32 [segments]. */
  private rates(scalars: Tensor): Tensor {
    const [lr, peak] = ([scalarAt.lr, scalarAt.peak] as const).map((at) => slice(scalars, [at], [at + 1]));
    return mul(this.rate, this.steady ? where(this.steady, peak!, lr!) : lr!);
  }

  private norm(g: Tensor): Tensor {
    const [, squares] = this.tables.squares(this.arena.flat.value, g, this.decay, false);
    return sqrt(sum(squares));
  }

  /** The gradient and the scalars as the guard lets them pass. */
  private guarded(g: Tensor, norm: Tensor, scalars: Tensor): { g: Tensor; numbers: Tensor } {
    if (!this.guard) return { g, numbers: scalars };
    const { maxNorm, action } = this.guard;
    if (action === "clip")
      return { g: mul(g, where(greater(norm, maxNorm), div(maxNorm, norm), 1)), numbers: scalars };
    const skip = where(lessEqual(norm, maxNorm), 0, this.device.ones([1]));
    return { g, numbers: concat([slice(scalars, [0], [scalarAt.skip]), reshape(skip, [1])]) };
  }

  /** The numbers of a step as `update` wants them; make a tensor of them. */
  scalars({ lr, peak, tau, step = 0 }: StepNumbers): Float32Array {
    if (this.target && tau === undefined)
      throw new StateError("scalars: this optimiser moves a target; give tau");
    if (this.steady && peak === undefined)
      throw new StateError("scalars: some parameters keep the peak of the learning rate; give peak");
    const numbers = new Float32Array(SCALARS);
    numbers[scalarAt.lr] = lr;
    numbers[scalarAt.peak] = peak ?? 0;
    // 1 − τ is taken here, in float64: close to the end of training float32 could not tell τ from 1.
    numbers[scalarAt.targetRate] = 1 - (tau ?? 1);
    const [c1, c2] = this.core.scalars(step);
    numbers[scalarAt.correction1] = c1;
    numbers[scalarAt.correction2] = c2;
    return numbers;
  }

  /** As `scalars`, on the device: what `update` takes. */
  numbers(of: StepNumbers): Tensor {
    return this.device.tensor(this.scalars(of));
  }

  /** A table of what is done to each parameter, with the rule that says so. */
  describe(): string {
    return treatmentTable(this.arena.segments, this.rules, this.core.adaptation !== undefined);
  }

  /** Optimiser state by name, such as `momentum.layer1.0.conv1.weight`, in the parameters' shapes. */
  async stateDict(): Promise<Map<string, HostTensor>> {
    const dict = new Map<string, HostTensor>();
    for (const [state, variable] of this.states)
      for (const [name, value] of await this.arena.readAs(variable)) dict.set(`${state}.${name}`, value);
    return dict;
  }

  /** Takes over state saved by `stateDict`. Throws StateError when names or shapes differ. */
  loadStateDict(dict: ReadonlyMap<string, HostTensor>): void {
    for (const [state, variable] of this.states) {
      const of = (name: string): HostTensor => {
        const value = dict.get(`${state}.${name}`);
        if (!value) throw new StateError(`optimizer: the state dict has no ${state}.${name}`);
        return value;
      };
      variable.assign(this.device.tensor(this.arena.flatten(of)));
    }
  }

  private perSegment(of: (treatment: Treatment) => number): Tensor {
    return this.device.tensor(Float32Array.from(this.arena.segments, (s) => of(treatmentOf(s, this.rules))));
  }
}
