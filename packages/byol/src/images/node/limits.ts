/** How much the files of others may make this process hold. What is larger is refused by its name, before memory is taken. */
const mebi = 2 ** 20;

/** Bytes of one image file, as it lies on disk or in an archive. */
export const imageFileBytes = 256 * mebi;

/** Bytes of a text that holds labels or names: a sample's .cls or .json, an archive's long names. */
export const textBytes = mebi;

/** Bytes of a list of images, one a line: Places365 has a hundred million. */
export const listBytes = 256 * mebi;

/** Bytes of a file of records that is held whole, unpacked: CIFAR-100's has 147 MiB. */
export const recordFileBytes = 256 * mebi;

/** Records of a file that are read one by one: STL-10's has 100,000. */
export const mostRecords = 2 ** 24;

/** Bytes of a MATLAB file, and of all that is packed in it; the largest list that is read has 3 MB. */
export const matlabBytes = 16 * mebi;

/** Shards that the ranges of a pattern stand for. */
export const namedShards = 10_000;

/** Classes that labels alone may call for, where no list names them: this many, or the number of samples if greater. */
export const unnamedClasses = 10_000;

/** Pixels of one image. */
export const imagePixels = 100e6;

/** Bytes that all images which are being decoded take together, by what their formats and sizes let expect. */
export const decodingBytes = 512 * mebi;

/** An image that takes no more than this is decoded without asking for its part of `decodingBytes`. */
export const smallImageBytes = 32 * mebi;

/** Seconds for reading and decoding one image. */
export const imageSeconds = 60;
