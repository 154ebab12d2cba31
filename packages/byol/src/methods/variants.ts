/** BYOL's ablations. */
import { plainHead } from "../learner/settings.js";
import type { ByolSettings } from "./byol.js";
import { methods } from "./index.js";

/** What an ablation changes in a preset for BYOL. */
interface Ablation {
  readonly sharedViews?: true;
  method(of: ByolSettings): ByolSettings;
}

const withTau = (of: ByolSettings, tau: number): ByolSettings => ({
  ...of,
  target: { ...of.target, tau, rise: "none" },
});
const withoutNorm = ({ projector, predictor, ...rest }: ByolSettings): ByolSettings => ({
  ...rest,
  projector: { ...projector, ...plainHead, outputNorm: false },
  predictor: predictor && { ...predictor, ...plainHead },
});

/**
 * BYOL with something taken away. Without the predictor it collapses, whatever the target. With it τ = 0 is SimSiam's loss:
 * the paper's ImageNet run collapses (0.3 % top-1 in Table 5a, 5.5 % in Table 19), 250 steps of the digits preset do not,
 * with AdamW or with LARS.
 */
export const ablations: Readonly<Record<string, Ablation>> = {
  "byol-no-predictor": { method: (of) => ({ ...of, predictor: null }) },
  "byol-tau-0": { method: (of) => withTau(of, 0) },
  "byol-tau-1": { method: (of) => withTau(of, 1) },
  "byol-collapse": { method: (of) => ({ ...withTau(of, 0), predictor: null }) },
  "byol-no-norm": { method: withoutNorm },
  "byol-shared-views": { sharedViews: true, method: (of) => of },
};

/** Every name that `--method` takes: the methods of the package, and the ablations. */
export const variantNames: readonly string[] = [
  ...methods.map(({ name }) => name),
  ...Object.keys(ablations),
];
