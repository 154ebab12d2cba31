/** One optimiser, one place: its settings, its state, its numbers, its formula. */
import { StateError, type Tensor } from "@dawnstrap/tensor";
import type { OpDef, Sampler } from "@dawnstrap/tensor/extend";
import type { ParamArena } from "../arena.js";
import type { Adaptation } from "./adaptation.js";
import { Optimizer, type OptimizerOptions } from "./optimizer.js";
import type { Treatment } from "./rules.js";
import { type Settings, type SettingsOf, withFallbacks } from "./settings.js";
import { type Arithmetic, type Element, updateOp } from "./updates.js";

export interface OptimizerDefinition<S extends Settings, C = SettingsOf<S>> {
  /** As presets call it. */
  readonly name: string;
  readonly settings: S;
  /** Learning rates for a batch of 256: what is usual, and the range beyond which one was meant for another optimiser. */
  readonly rates: { readonly usual: number; readonly least: number; readonly most: number };
  /** Names of the arrays that it keeps beside the weights. */
  readonly states: readonly string[];
  /** Of the kernel; two optimisers of one name share it. Default: the optimiser's name and `Update`. */
  readonly kernel?: string;
  /** What of the settings the kernel is compiled with. Default: all of them. */
  constants?(settings: SettingsOf<S>): C;
  /** Two numbers that change from step to step, such as bias corrections. `step` counts from 0. Default: 1 and 1. */
  scalars?(step: number, settings: SettingsOf<S>): readonly [number, number];
  /** New [w, …states] of one element: a formula over numbers (the reference) or over expressions (the kernel). */
  step<V>(m: Arithmetic<V>, w: V, states: readonly V[], x: Element<V>, constants: C): V[];
  /** Layer-wise adaptation, where it has any. */
  readonly adaptation?: {
    /** Constants of each parameter that the ratio needs. */
    tables?(
      settings: SettingsOf<S>,
      weightDecay: number,
    ): Readonly<Record<string, (of: Treatment) => number>>;
    /** Trust ratio of each parameter. */
    ratio(of: Adaptation<SettingsOf<S>>): Tensor;
  };
}

/** Options of an optimiser: those that all have, and its own settings. */
export type OptionsOf<S extends Settings> = OptimizerOptions & Partial<SettingsOf<S>>;

/** An optimiser, ready to be made with `new`. */
export interface OptimizerClass<S extends Settings = Settings> {
  new (arena: ParamArena, options?: OptionsOf<S>): Optimizer;
  // biome-ignore lint/suspicious/noExplicitAny: a table holds optimisers with kernels of every kind of constants
  readonly definition: OptimizerDefinition<S, any>;
}

/** An optimiser of which nothing but its definition is known. */
export interface AnyOptimizer {
  new (arena: ParamArena, options?: OptimizerOptions & Readonly<Record<string, unknown>>): Optimizer;
  // biome-ignore lint/suspicious/noExplicitAny: see OptimizerClass
  readonly definition: OptimizerDefinition<Settings, any>;
}

/** Kernels by name: SGD and LARS are one. */
// biome-ignore lint/suspicious/noExplicitAny: the constants differ from kernel to kernel
const kernels = new Map<string, { readonly op: OpDef<any>; readonly step: unknown }>();

/** Options that every optimiser has. */
const shared = new Set(["weightDecay", "rules", "target", "guard"]);

/** The optimiser's settings among the options, the rest at their fallbacks. */
function settingsOf<S extends Settings>(
  name: string,
  rows: S,
  options: Readonly<Record<string, unknown>>,
): SettingsOf<S> {
  const unknown = Object.keys(options).find((key) => !(key in rows) && !shared.has(key));
  if (unknown !== undefined)
    throw new StateError(
      `optimizer ${name}: there is no option ${unknown} (there are ${[...Object.keys(rows), ...shared].join(", ")})`,
    );
  return withFallbacks(rows, options);
}

/** Draws settings for the kernel's tests. */
const drawn = <S extends Settings>(settings: S, s: Sampler): SettingsOf<S> =>
  withFallbacks(
    settings,
    Object.fromEntries(
      Object.entries(settings).map(([name, row]) => [
        name,
        row.kind === "number"
          ? s.pick(row.tried ?? [row.fallback])
          : row.kind === "boolean"
            ? s.bool()
            : s.pick(row.choices),
      ]),
    ),
  );

/**
 * Makes an optimiser of one's own. Throws StateError where another one has its kernel's name and another formula. It has all that the others have: one pass over the flat arena, the target's EMA in the
 * same pass, rules, guards, state dicts.
 *
 * @example
 * ```ts
 * import { constant, defineOptimizer, Linear } from "@dawnstrap/nn";
 * import { openDevice } from "@dawnstrap/tensor";
 *
 * const SignSgd = defineOptimizer({
 *   name: "sign-sgd",
 *   settings: { sharpness: { kind: "number", fallback: 1e6, above: 0, about: "of the sign" } },
 *   rates: { usual: 1e-3, least: 1e-5, most: 0.1 },
 *   states: [],
 *   // g·s / √(1 + (g·s)²), which is ±1 but for tiny gradients.
 *   step(m, w, _, { g, lr }, { sharpness }) {
 *     const x = m.mul(g, m.of(sharpness));
 *     return [m.sub(w, m.mul(lr, m.div(x, m.sqrt(m.add(m.of(1), m.mul(x, x))))))];
 *   },
 * });
 * const device = await openDevice("cpu");
 * const layer = new Linear(2, 1, { weightInit: constant(1) }).init(device);
 * const optimizer = new SignSgd(layer.arena, { sharpness: 1e9 });
 * optimizer.update([device.tensor([[4], [-0.5]]), device.tensor([1])], optimizer.numbers({ lr: 0.25 }));
 * console.log(await layer.weight.value.data()); // 0.75, 1.25
 * await device.destroy();
 * ```
 */
export function defineOptimizer<const S extends Settings, C = SettingsOf<S>>(
  definition: OptimizerDefinition<S, C>,
): OptimizerClass<S> {
  const { settings: rows, states, step, adaptation } = definition;
  const constantsOf = (settings: SettingsOf<S>): C =>
    definition.constants ? definition.constants(settings) : (settings as unknown as C);
  const kernel = definition.kernel ?? `${definition.name}Update`;
  const known = kernels.get(kernel);
  if (known && known.step !== step)
    throw new StateError(
      `optimizer ${definition.name}: there is another kernel named ${kernel} (give the optimiser another name)`,
    );
  const op =
    known?.op ??
    updateOp<C>({
      name: kernel,
      states: states.length,
      sample: (s) => constantsOf(drawn(rows, s)),
      step,
    });
  kernels.set(kernel, { op, step });
  return class extends Optimizer {
    static readonly definition = definition;

    constructor(arena: ParamArena, options: OptionsOf<S> = {}) {
      const settings = settingsOf(definition.name, rows, options as Readonly<Record<string, unknown>>);
      super(
        arena,
        {
          ...{ states, op },
          constants: constantsOf(settings) as Readonly<Record<string, unknown>>,
          scalars: (k) => definition.scalars?.(k, settings) ?? [1, 1],
          ...(adaptation && {
            adaptation: {
              tables: adaptation.tables?.(settings, options.weightDecay ?? 0) ?? {},
              ratio: (of) => adaptation.ratio({ ...of, settings }),
            },
          }),
        },
        options,
      );
    }
  };
}
