/** How views are made, as validated data. The defaults are those of the paper (byol: T and T'). */
import { z } from "zod";

const probability = z.number().min(0).max(1);
const ascending = (what: string) =>
  [([lo, hi]: [number, number]) => lo <= hi, { message: `${what} must be [least, greatest]` }] as const;

export const viewSchema = z.strictObject({
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
    /** Greatest shift of every value, of [0, 1]. */
    brightness: z.number().min(0).max(1),
    /** Factor 1 ± contrast, about each channel's mean. */
    contrast: z.number().min(0).max(1),
    /** Factor 1 ± saturation, in HSV. */
    saturation: z.number().min(0).max(1),
    /** Greatest turn of the hue, in turns. */
    hue: z.number().min(0).max(0.5),
  }),
  grey: probability,
  blur: z.strictObject({
    probability,
    /** Standard deviation in pixels of the view. */
    sigma: z.tuple([z.number().positive(), z.number().positive()]).refine(...ascending("sigma")),
  }),
  solarize: probability,
});

/** How one of the two views of an image is made. */
export type ViewAugmentation = z.infer<typeof viewSchema>;

const paper: ViewAugmentation = {
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
