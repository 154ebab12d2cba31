/** What the training loop and the evaluation know of images: nothing but this. */

/** Height, width and channels of every image that a source hands out. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** How a source is to be opened. */
export interface DataOptions {
  /** Stop at the first record that cannot be read, with its name, instead of skipping it. Default: false. */
  readonly strict?: boolean;
  /** Decoded images are kept in memory up to so many bytes; the others are decoded anew each time. Default: 2 GiB. */
  readonly cacheBytes?: number;
  /** Threads that decode. Default: the number of cores, 8 at most. */
  readonly threads?: number;
  /** Take a known data set whose parts are not of the published sizes. Default: false, a DataError. */
  readonly anySize?: boolean;
}

/** One side of a split. */
export interface ImageSet {
  readonly length: number;
  /**
   * Class of each image; undefined where the images carry no labels, or several each. −1 where an image's class is not
   * known; only in what is pretrained on, never in what is evaluated.
   */
  readonly labels?: Int32Array;
  /**
   * Where an image may show several classes, int8 [length, classes]: 1 shown, −1 not shown, 0 shown but too hard to be
   * judged, which the measure leaves out (VOC's own three values).
   */
  readonly presence?: Int8Array;
  /** What the image is called, such as its path below the folder; absent where images have no names. */
  name?(index: number): string;
  /** Pixels, uint8 [height, width, channels] row-major; undefined for an image that could not be read. */
  read(index: number): Promise<Uint8Array | undefined>;
  /**
   * Boxes of the whole image before it was stored at a fixed size, each resized to [size, size, channels], one above the
   * other; undefined where it could not be read. Only sets of image files have it.
   */
  readonly readBoxes?: ReadBoxes;
}

/** A part of an image in pixels: top, left, height, width. */
export type Box = readonly number[];

/** How boxes are resized. */
export interface BoxFormat {
  readonly size: number;
  readonly kernel: "linear" | "cubic";
}

/** @param draw the boxes, in an image of the given size */
export type ReadBoxes = (
  index: number,
  draw: (height: number, width: number) => readonly Box[],
  format: BoxFormat,
) => Promise<Uint8Array | undefined>;

/** An image that was left out, and why. */
export interface SkippedImage {
  readonly file: string;
  readonly reason: string;
}

/** The parts of a labelled source as the protocols of evaluation know them; trainval is train and val together. */
export interface Splits {
  readonly train: ImageSet;
  readonly val: ImageSet;
  readonly trainval: ImageSet;
  readonly test: ImageSet;
}

/** Images to train on, and, where there are labels, images held out to measure with. */
export interface DataSource {
  readonly name: string;
  readonly image: ImageShape;
  /** Names of the classes; empty where there are no labels. */
  readonly classes: readonly string[];
  /** What a user may not expect of how the data was read, a sentence each. */
  readonly notes?: readonly string[];
  /** What is pretrained on: trainval, or the unlabelled part where there is one. */
  readonly train: ImageSet;
  /** Never trained on. Empty where there are no labels, unless the data itself holds images out. */
  readonly heldOut: ImageSet;
  /** Undefined where there are no labels. */
  readonly splits?: Splits;
  /** The images that could not be read so far. */
  skipped(): readonly SkippedImage[];
  /** Ends the workers and closes files. */
  close(): Promise<void>;
}

/** The images whose class is known. */
export function labelledPart(set: ImageSet): ImageSet {
  const { labels } = set;
  if (!labels?.includes(-1)) return set;
  return subset(
    set,
    [...labels.keys()].filter((place) => labels[place] !== -1),
  );
}

/** Classes that the online probe learns: none where the images to train on carry no single label each. */
export const probeClasses = ({ train, classes }: DataSource): number => (train.labels ? classes.length : 0);

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
export function subset(set: ImageSet, places: ArrayLike<number>): ImageSet {
  const { labels, presence, readBoxes } = set;
  const classes = presence ? presence.length / set.length : 0;
  const pick = Array.from(places);
  return {
    length: pick.length,
    ...(labels && { labels: Int32Array.from(pick, (i) => labels[i]!) }),
    ...(presence && {
      presence: Int8Array.from(pick.flatMap((i) => [...presence.subarray(i * classes, (i + 1) * classes)])),
    }),
    ...(set.name && { name: (index: number) => set.name!(pick[index]!) }),
    read: (index) => set.read(pick[index]!),
    ...(readBoxes && { readBoxes: (index, ...asked) => readBoxes(pick[index]!, ...asked) }),
  };
}
