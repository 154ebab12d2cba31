/** How images are stored, seen and brought to a network, as validated data. */
import { z } from "zod";

const whole = z.number().int().positive();
const channelValues = z.union([z.tuple([z.number()]), z.tuple([z.number(), z.number(), z.number()])]);

export const imageSchema = z.strictObject({
  /** Side that images are stored at. */
  stored: whole,
  /** Side of the views and of the evaluated images. */
  size: whole.min(4),
  /** Share of a stored image's side that evaluation sees, about its centre. Default: all of it. */
  centre: z.number().positive().max(1).optional(),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Shows through transparent pixels, 0 to 255 each. */
  background: z.tuple([z.number(), z.number(), z.number()]),
  /** Of values in [0, 1], a number per channel. */
  mean: channelValues,
  deviation: channelValues,
  /**
   * Where views are cropped: "stored", on the device, from images kept at the stored side (the default); "decode", from
   * the whole image while it is decoded, every time anew.
   */
  crop: z.enum(["stored", "decode"]).optional(),
  /** Kernel of every resizing. */
  resize: z.enum(["bilinear", "bicubic"]),
});

export type ImageSettings = z.infer<typeof imageSchema>;

/** How a source is asked to hand out its images: the image settings themselves, or what of them decoding needs. */
export interface ImageFormat {
  /** Side of the square that images are stored at, before augmentation. Sets of one small size (digits 28, CIFAR 32, STL-10 96) keep it. */
  readonly stored: number;
  readonly channels: 1 | 3;
  /** What shows through transparent pixels, 0 to 255 each. */
  readonly background: readonly [number, number, number];
}
