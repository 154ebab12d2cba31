/** What several families of presets have in common. */
import { firstView, secondView } from "../images/augment/settings.js";
import { type ByolSettings, byolSettings } from "../methods/byol.js";
import type { Preset } from "./preset.js";

/** Colours of photographs, as every method trained on ImageNet takes them. */
export const imagenetColours = {
  channels: 3,
  background: [255, 255, 255],
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
  resize: "bicubic",
} satisfies Partial<Preset["image"]>;

/** T and T' of the paper. */
export const paperViews: Preset["views"] = [firstView, secondView];

/** BYOL as in the released code: hidden 4096, projections of 256, and a target with first weights of its own. */
export const paperMethod = (tau: number): ByolSettings => byolSettings(4096, 256, { start: "separate", tau });

/**
 * BYOL for short runs of a narrow network. A target that starts elsewhere, or follows slowly, would teach its own random
 * features in so few steps. Projections standardised over the batch, as SimSiam's, keep more directions: after four epochs
 * of digits their effective rank is 4.3 instead of 2.3, and ten labels a class tell 70 % instead of 62 %.
 */
export function shortMethod(): ByolSettings {
  const method = byolSettings(256, 64, { start: "copy", tau: 0.9 });
  return { ...method, projector: { ...method.projector, outputNorm: true } };
}

/** A ResNet-18 as the paper's code builds it: a projection on the first group too. */
export const resnet18 = {
  block: "basic",
  blocks: [2, 2, 2, 2],
  width: 64,
  zeroInit: false,
} satisfies Partial<Preset["network"]>;
