/** How views are made, as validated data. The defaults are those of the paper (byol: T and T'). */
import { z } from "zod";
import type { ImageSettings } from "../settings.js";

const probability = z.number().min(0).max(1);
const ascending = (what: string) =>
  [([lo, hi]: [number, number]) => lo <= hi, { message: `${what} must be [least, greatest]` }] as const;

export const viewSchema = z.strictObject({
  /**
   * Whose operations. "deepmind": the paper's code. "torchvision": those of its transforms on float tensors; brightness
   * multiplies, contrast is about the mean of the grey image, saturation blends with grey, the blur reflects at the border,
   * a crop that does not fit is drawn again, and resizing is antialiased.
   */
  form: z.enum(["deepmind", "torchvision"]),
  crop: z.strictObject({
    /** Share of the image's area. */
    area: z.tuple([z.number().positive().max(1), z.number().positive().max(1)]).refine(...ascending("area")),
    /** Width over height. */
    aspect: z.tuple([z.number().positive(), z.number().positive()]).refine(...ascending("aspect")),
  }),
  /** Probability of mirroring left and right. */
  flip: probability,
  jitter: z.strictObject({
    probability,
    /** Greatest shift of every value, of [0, 1]; in torchvision's form, factor 1 ± brightness. */
    brightness: z.number().min(0).max(1),
    /** Factor 1 ± contrast, about each channel's mean, or the grey image's. */
    contrast: z.number().min(0).max(1),
    /** Factor 1 ± saturation, in HSV, or of the difference to grey. */
    saturation: z.number().min(0).max(1),
    /** Greatest turn of the hue, in turns. */
    hue: z.number().min(0).max(0.5),
  }),
  grey: probability,
  blur: z.strictObject({
    probability,
    /** Standard deviation in pixels of the view. */
    sigma: z.tuple([z.number().positive(), z.number().positive()]).refine(...ascending("sigma")),
    /** Taps of the kernel, an odd number, where it is not to be a tenth of the view's side as in the paper's code. */
    kernel: z
      .number()
      .int()
      .positive()
      .refine((taps) => taps % 2 === 1, { message: "kernel must be odd" })
      .optional(),
  }),
  solarize: probability,
});

/** How one of the two views of an image is made. */
export type ViewAugmentation = z.infer<typeof viewSchema>;

/** What the views of an image are made by. */
export interface ViewsSettings {
  readonly image: ImageSettings;
  readonly views: readonly ViewAugmentation[];
  /** All are made alike, by the first one's draws. */
  readonly sharedViews?: true | undefined;
}

const paper: ViewAugmentation = {
  form: "deepmind",
  crop: { area: [0.08, 1], aspect: [3 / 4, 4 / 3] },
  flip: 0.5,
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 },
  grey: 0.2,
  blur: { probability: 1, sigma: [0.1, 2] },
  solarize: 0,
};

/** T of the paper (Table 6), which makes the first view. */
export const firstView: ViewAugmentation = paper;

/** T' of the paper, which makes the second view: seldom blurred, sometimes solarised. */
export const secondView: ViewAugmentation = {
  ...paper,
  blur: { ...paper.blur, probability: 0.1 },
  solarize: 0.2,
};

/** Crop and mirror of a view, and nothing else: how the paper's protocols and supervised training augment. */
export const cropAndFlip = (view: ViewAugmentation): ViewAugmentation => ({
  ...view,
  jitter: { ...view.jitter, probability: 0 },
  grey: 0,
  blur: { ...view.blur, probability: 0 },
  solarize: 0,
});
