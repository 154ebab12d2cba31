/** From a BYOL preset to its counterpart for another method, or to one of BYOL's ablations. */
import { UsageError } from "../errors.js";
import type { Preset } from "../presets/preset.js";
import { head, plainHead, type Target } from "../learner/settings.js";
import { otherMethods, recipeFor } from "./recipes.js";
import type { Method } from "./settings.js";

type ByolMethod = Method & { name: "byol" };

/** BYOL with projector and predictor of one hidden layer each, as in DeepMind's code; τ rises along a cosine. */
export const byol = (hidden: number, output: number, target: Omit<Target, "rise">): ByolMethod => ({
  name: "byol",
  projector: head([hidden], output),
  predictor: head([hidden], output),
  target: { ...target, rise: "cosine" },
});

/**
 * BYOL with something taken away. Without the predictor it collapses, whatever the target. With it τ = 0 is SimSiam's loss:
 * the paper's ImageNet run collapses (0.3 % top-1 in Table 5a, 5.5 % in Table 19), 250 steps of the digits preset do not,
 * with AdamW or with LARS.
 */
const ablations = {
  "byol-no-predictor": { method: (of: ByolMethod) => ({ ...of, predictor: null }) },
  "byol-tau-0": { method: (of: ByolMethod) => withTau(of, 0) },
  "byol-tau-1": { method: (of: ByolMethod) => withTau(of, 1) },
  "byol-collapse": { method: (of: ByolMethod) => ({ ...withTau(of, 0), predictor: null }) },
  "byol-no-norm": { method: (of: ByolMethod) => withoutNorm(of) },
  "byol-shared-views": { sharedViews: true, method: (of: ByolMethod) => of },
} as const;

const withTau = (of: ByolMethod, tau: number): ByolMethod => ({
  ...of,
  target: { ...of.target, tau, rise: "none" },
});
const withoutNorm = ({ projector, predictor, ...rest }: ByolMethod): ByolMethod => ({
  ...rest,
  projector: { ...projector, ...plainHead, outputNorm: false },
  predictor: predictor && { ...predictor, ...plainHead },
});

type Ablation = keyof typeof ablations;

/** Every name that `withMethod` takes. */
export const variantNames: readonly string[] = ["byol", ...otherMethods, ...Object.keys(ablations)];

/**
 * A BYOL preset's counterpart for another method, or for an ablation of BYOL: data, network, batch and epochs stay,
 * heads, optimiser and target are the method's own.
 */
export function withMethod(preset: Preset, name: string): Preset {
  if (!variantNames.includes(name))
    throw new UsageError(`method: there is no "${name}"; there are ${variantNames.join(", ")}`);
  const { method } = preset;
  if (name === method.name) return preset;
  const recipe = recipeFor(preset.network, name);
  if (recipe) return { ...preset, ...recipe, expected: "not measured yet" };
  if (method.name !== "byol")
    throw new UsageError(`method: "${name}" is made from a preset for byol, this one is for ${method.name}`);
  const { method: change, ...rest } = { sharedViews: undefined, ...ablations[name as Ablation] };
  return { ...preset, ...rest, method: change(method), expected: "an ablation" };
}
