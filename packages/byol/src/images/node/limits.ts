/** How much the files of others may make this process hold. What is larger is refused by its name, before memory is taken. */
const mebi = 2 ** 20;

/** Bytes of one image file, as it lies on disk or in an archive. */
export const imageFileBytes = 256 * mebi;

/** Bytes of a text that holds labels or names: a sample's .cls or .json, an archive's long names. */
export const textBytes = mebi;

/** Classes that labels alone may call for, where no list names them: this many, or the number of samples if greater. */
export const unnamedClasses = 10_000;
