/**
 * One method, one place: what its settings are, which networks it has, its loss and its recipes are one object.
 * `defineMethod` registers it; presets, the command line and the benches read the registry.
 */
import type { Module, Rule } from "@dawnstrap/nn";
import type { Device, Tensor } from "@dawnstrap/tensor";
import { z } from "zod";
import { UsageError } from "../errors.js";
import type { Objective, Views } from "../learner/learner.js";
import type { Heads, Network } from "../learner/network.js";
import type { Target } from "../learner/settings.js";
import type { Recipe, Scale } from "./recipes.js";

/** What a preset says of its method: the name, and the method's own fields. */
export interface MethodSettings {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** What a loss works with: a target where the method has one, and so a memory. */
export type Parts<Follows extends Target | undefined, Memory extends Module | undefined> = {
  /** θ: trained by gradient. */
  readonly online: Network;
} & (Follows extends undefined
  ? unknown
  : { /** ξ: follows θ, and never sees a gradient. */ readonly target: Network }) &
  (Memory extends undefined ? unknown : { readonly memory: Memory });

/** A method's schema, with its name before its own fields. */
type SchemaOf<Name extends string, Fields extends z.ZodRawShape> = z.ZodObject<
  { name: z.ZodLiteral<Name> } & Fields,
  z.core.$strict
>;

export interface MethodDefinition<
  Name extends string,
  Fields extends z.ZodRawShape,
  Follows extends Target | undefined,
  Memory extends Module | undefined,
  Settings = z.infer<z.ZodObject<Fields, z.core.$strict>>,
> {
  /** What `--method` and a preset's `method.name` call it. */
  readonly name: Name;
  /** The settings beside the name, a zod schema for each. */
  readonly settings: Fields;
  /** Heads of the online network and of the target. */
  heads(settings: Settings): Heads;
  /** How the target network starts and follows; left out, there is none. */
  target?(settings: Settings): Follows;
  /** Makes what the method carries from step to step beside its networks, such as a queue of keys. */
  memory?(settings: Settings, device: Device, seed: number): Memory;
  /** Parameters that decay, adapt or learn in a way of their own; later rules win. */
  rules?(settings: Settings): readonly Rule[];
  /** What of the settings does not fit the preset: the field, and the reason. */
  check?(
    settings: Settings,
    preset: { readonly batch: number },
  ): { readonly field: string; readonly message: string } | undefined;
  /** It cannot be trained without labels. */
  readonly needsLabels?: true;
  /** Its settings, optimiser and views at three scales; BYOL has none, since the presets themselves are its recipes. */
  readonly recipes?: Readonly<Partial<Record<Scale, Recipe<Settings>>>>;
  /**
   * Records the loss of two views, and pushes into the memory.
   *
   * @param labels int32 [batch], for the online probe, or for a loss that is supervised
   */
  loss(
    parts: Parts<Follows, Memory>,
    views: Views,
    labels: Tensor | undefined,
    settings: Settings,
  ): Objective;
}

export interface Method<
  Name extends string = string,
  // biome-ignore lint/suspicious/noExplicitAny: the registry holds methods of every kind of settings
  Fields extends z.ZodRawShape = any,
  // biome-ignore lint/suspicious/noExplicitAny: with a target and without
  Follows extends Target | undefined = any,
  // biome-ignore lint/suspicious/noExplicitAny: with a memory and without
  Memory extends Module | undefined = any,
> extends MethodDefinition<Name, Fields, Follows, Memory> {
  /** Checks a preset's `method`; fields that it does not know are refused. */
  readonly schema: SchemaOf<Name, Fields>;
}

const registry = new Map<string, Method>();

/** Every method that is defined, by name. */
export const defined: ReadonlyMap<string, Method> = registry;

/**
 * Registers a method. A preset whose `method.name` is its name is trained by it, checkpoints and resuming included.
 *
 * @throws UsageError where a method of that name is there already
 * @example
 * ```ts
 * import { defineMethod, head, headSchema, makeLearner, prepareTraining } from "@dawnstrap/byol";
 * import { negativeCosine, presetNamed, withMethod, withProbe } from "@dawnstrap/byol";
 * import { openDigits } from "@dawnstrap/byol/node";
 * import { openDevice } from "@dawnstrap/tensor";
 *
 * // One network, whose predictor tells the second view's projection from the first view.
 * const oneWay = defineMethod({
 *   name: "one-way",
 *   settings: { projector: headSchema, predictor: headSchema },
 *   heads: ({ projector, predictor }) => ({ projector, predictor }),
 *   recipes: {
 *     small: { method: { projector: head([64], 32), predictor: head([16], 32) } },
 *   },
 *   loss({ online }, [x1, x2], labels) {
 *     const [told, seen] = [online.predict(x1), online.project(x2)];
 *     return withProbe(online, told, negativeCosine(told.prediction, seen.projection), labels);
 *   },
 * });
 * const device = await openDevice("cpu");
 * const data = await openDigits({ stored: 28, channels: 1, background: [0, 0, 0] });
 * const preset = withMethod(presetNamed("digits"), oneWay);
 * const learner = makeLearner(device, preset, data.classes.length, 0);
 * await prepareTraining(learner, { device, preset, data, seed: 0, steps: 3 }).run();
 * await device.destroy();
 * ```
 */
export function defineMethod<
  const Name extends string,
  Fields extends z.ZodRawShape,
  Follows extends Target | undefined = undefined,
  Memory extends Module | undefined = undefined,
>(definition: MethodDefinition<Name, Fields, Follows, Memory>): Method<Name, Fields, Follows, Memory> {
  if (registry.has(definition.name)) throw new UsageError(`method: "${definition.name}" is defined already`);
  const schema = z.strictObject({ name: z.literal(definition.name), ...definition.settings });
  const method = { ...definition, schema };
  registry.set(method.name, method);
  return method;
}

export const needsLabels = (method: string): UsageError =>
  new UsageError(`method: ${method} needs labels (put the images in one sub-folder per class)`);
