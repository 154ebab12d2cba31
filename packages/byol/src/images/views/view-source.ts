/** Where the views of an image are cut, behind one interface. */
import type { Tensor } from "@dawnstrap/tensor";
import type { Readable } from "../loader.js";
import type { DataSource, ImageShape } from "../source.js";

/** Which batch views are drawn for: equal seeds, steps and images give equal views. */
export interface Draw {
  readonly seed: number;
  readonly step: number;
  /** Place of each image in its set. */
  readonly images: ArrayLike<number>;
}

export interface ViewSource {
  /** Of what is read for an image. */
  readonly shape: ImageShape;
  /** Numbers in a row of each view's parameters. */
  readonly columns: readonly number[];
  /** The images to train on, as a loader reads them. */
  readable(data: Pick<DataSource, "name" | "train">, seed: number): Readable;
  /** Parameters of a view of each image, float32 [images, columns[view]]. */
  rowsFor(view: number, draw: Draw): Float32Array;
  /** What a view is made from by `makeViews`, of a batch as it was read. */
  part(images: Tensor, view: number): Tensor;
}
