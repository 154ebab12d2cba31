/** Long work, as it tells of itself to whoever waits for it. */
import type { ImageSet } from "../images/source.js";

export interface LongWork {
  /** Such as "finetune: 56 trainings and a last one". */
  readonly what: string;
  /** Units of like length. */
  readonly total: number;
  /** Of the units, such as "steps". */
  readonly units: string;
  /** What would shorten it, such as "fewer --rates". */
  readonly shorter: string;
}

/** Told that work begins; returns what is told how many units are done. */
export type Meter = (work: LongWork) => (done: number) => void;

/** Of passes of images through an encoder. */
export const imagesWork = (set: ImageSet): LongWork => ({
  ...{ what: "features", total: set.length, units: "images" },
  shorter: "fewer images, or a faster --device",
});
