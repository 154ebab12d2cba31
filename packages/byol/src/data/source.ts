/** What the training loop and the evaluation know of images: nothing but this. */

/** Height, width and channels of every image that a source hands out. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** How a source is asked to hand out its images. */
export interface ImageFormat {
  /** Side of the square that images are stored at, before augmentation. Digits are 28 and stay 28. */
  readonly size: number;
  readonly channels: 1 | 3;
  /** What shows through transparent pixels, 0 to 255 each. */
  readonly background: readonly [number, number, number];
}

/** One side of a split. */
export interface ImageSet {
  readonly length: number;
  /** Class of each image; undefined where the images carry no labels. */
  readonly labels?: Int32Array;
  /** Pixels, uint8 [height, width, channels] row-major; undefined for an image that could not be read. */
  read(index: number): Promise<Uint8Array | undefined>;
}

/** An image that was left out, and why. */
export interface SkippedImage {
  readonly file: string;
  readonly reason: string;
}

/** Images to train on, and, where there are labels, images held out to measure with. */
export interface DataSource {
  readonly name: string;
  readonly image: ImageShape;
  /** Names of the classes; empty where there are no labels. */
  readonly classes: readonly string[];
  readonly train: ImageSet;
  /** Never trained on. Empty where there are no labels. */
  readonly heldOut: ImageSet;
  /** The images that could not be read so far. */
  skipped(): readonly SkippedImage[];
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Images that lie in memory one after the other. */
export function memorySet(pixels: Uint8Array, image: ImageShape, labels: Int32Array): ImageSet {
  const bytes = image.height * image.width * image.channels;
  return {
    length: labels.length,
    labels,
    read: async (index) => pixels.subarray(index * bytes, (index + 1) * bytes),
  };
}

/** The images of `set` at the given places. */
export function subset(set: ImageSet, places: readonly number[]): ImageSet {
  const labels = set.labels;
  return {
    length: places.length,
    ...(labels && { labels: Int32Array.from(places, (i) => labels[i]!) }),
    read: (index) => set.read(places[index]!),
  };
}
