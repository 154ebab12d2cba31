/**
 * Tar shards of the WebDataset convention: the files of a sample share a key, the path up to the first dot of its last
 * part. 000.jpg (jpeg, png, webp) is the image, 000.cls its class as a number, 000.json the same in "cls" or "label".
 */
import { stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { glob } from "glob";
import { DataError } from "../../../errors.js";
import { lazyImages } from "../../lazy.js";
import type { ImageFormat } from "../../settings.js";
import { type DataOptions, type DataSource, type ImageSet, labelledPart } from "../../source.js";
import { byCodeUnits, entriesIn, isData } from "../entries.js";
import { namedShards, unnamedClasses } from "../limits.js";
import { Opening } from "../opening.js";
import { type Side, sidesOfShards } from "../sides.js";
import { pickPerClass, proportional, splitsOf } from "../split.js";
import { readShard, type Sample, type Shard } from "./shard.js";
import { linesOf } from "./text.js";

/** Compressed ones are found too, to be refused by name. */
const tarName = /\.(tar(\.(gz|zst|bz2|xz))?|tgz|tzst|tbz2?|txz)$/i;

/** Whether a pattern found data: what it does not name itself is neither hidden nor a system's. */
function found(pattern: string, path: string): boolean {
  const named = new Set(["", ".", "..", ...pattern.split("/")]);
  return path.split(sep).every((part) => named.has(part) || isData(part));
}

/** Throws DataError for a pattern whose ranges, {000..146}, stand for more files than are looked for one by one. */
function checkRanges(pattern: string): void {
  const ranges = [...pattern.matchAll(/\{(-?\d+)\.\.(-?\d+)[^}]*\}/g)];
  const count = ranges.reduce((all, [, a, b]) => all * (Math.abs(Number(b) - Number(a)) + 1), 1);
  if (count > namedShards)
    throw new DataError(
      `shards: ${pattern} stands for ${count} files, more than ${namedShards}: write ${pattern.replace(/\{[^}]*\}/g, "*")} for those that are there`,
    );
}

/** A folder's *.tar, or what a pattern finds: train-{000..146}.tar. Sorted by name. */
async function shardFiles(pattern: string): Promise<{ files: string[]; folder: boolean }> {
  checkRanges(pattern);
  const folder = await stat(pattern).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  const files = folder
    ? (await entriesIn(pattern)).files.map(({ path }) => path).filter((path) => tarName.test(path))
    : (await glob(pattern, { nodir: true })).filter((path) => found(pattern, path));
  if (files.length === 0)
    throw new DataError(
      `shards: ${folder ? `${pattern} holds no .tar files (of those in folders: shards:${join(pattern, "*/*.tar")})` : `nothing is found by ${pattern} (a folder of .tar files or a pattern like train-{000..146}.tar)`}`,
    );
  return { files: files.sort(byCodeUnits), folder };
}

/**
 * Names of the classes: classes.txt beside the shards, else their numbers. Throws DataError that names the sample whose label
 * is beyond the list, or calls for far more classes than there are samples.
 */
async function classNames(first: string, samples: readonly Sample[]): Promise<string[]> {
  const list = join(first, "..", "classes.txt");
  const highest = samples.reduce((a, b) => ((b.label ?? 0) > (a.label ?? 0) ? b : a));
  const count = (highest.label ?? 0) + 1;
  const names = await linesOf(list).catch(() => undefined);
  if (names && names.length < count)
    throw new DataError(
      `shards: ${list} names ${names.length} classes, and labels go to ${count - 1} (${highest.name})`,
    );
  if (!names && count > Math.max(unnamedClasses, samples.length))
    throw new DataError(
      `shards: ${highest.name} has label ${count - 1}, and there are ${samples.length} samples: correct its label, or name all ${count} classes in ${list}`,
    );
  return names ?? Array.from({ length: count }, (_, label) => String(label));
}

/** Paths from the folder on that all the shards lie in, with "/": train/000.tar beside val/000.tar, or 000.tar. */
function namesOf(files: readonly string[]): string[] {
  const parts = files.map((file) => resolve(file).split(sep));
  const [first = []] = parts;
  const differs = first.findIndex((part, i) => parts.some((path) => path[i] !== part));
  const common = differs < 0 ? first.length - 1 : Math.min(differs, ...parts.map(({ length }) => length - 1));
  return parts.map((path) => path.slice(common).join("/"));
}

type Sides = Readonly<Record<Side, readonly Sample[]>>;

const hasLabel = ({ label }: Sample): boolean => label !== undefined;

/** The samples of each side that the shards' names give; of a pattern that finds none to train on, all. */
function sidesOf(pattern: string, shards: readonly Shard[], folder: boolean): Sides {
  const named = sidesOfShards(shards.map(({ name }) => name));
  const of = (side: Side) =>
    shards.flatMap(({ samples }, i) => ((named[i] ?? "train") === side ? samples : []));
  const sides = { train: of("train"), val: of("val"), test: of("test") };
  const held = [...sides.val, ...sides.test];
  if (sides.train.length > 0) return sides;
  if (held.length === 0) throw new DataError(`shards: ${pattern} holds no images (.jpg, .png, .webp)`);
  const asked = named.every((side) => side !== undefined && side === named[0]);
  if (folder || !asked)
    throw new DataError(
      `shards: ${pattern} holds shards of val or test, such as ${shards[0]!.name}, and no images to train on` +
        ` (to take one side as it is, name it by a pattern such as shards:${join(pattern, "val*.tar")})`,
    );
  return { train: held, val: [], test: [] };
}

/** Says whose labels are none; when strict, DataError. */
function badLabels(samples: readonly Sample[], strict = false): string[] {
  const bad = samples.filter(({ badLabel }) => badLabel !== undefined);
  if (bad.length === 0) return [];
  const first = `${bad[0]!.name}: ${bad[0]!.badLabel}`;
  if (strict) throw new DataError(`shards: ${first} (--strict stops at the first)`);
  return [`${bad.length} of ${samples.length} samples are used without their labels, such as ${first}`];
}

/** A fifth of every class, by its keys. */
function ownSplit({ train }: Sides): Sides {
  const known = train.filter(hasLabel);
  const test = shareOf(known, 0.2).map((place) => known[place]!);
  const held = new Set(test);
  return { train: train.filter((sample) => !held.has(sample)), val: [], test };
}

/** The sides with the held-out samples that can be measured on, and what is said of the others. */
function measurable(given: Sides): { sides: Sides; notes: string[] } {
  const notes: string[] = [];
  const { val, test } = given;
  if (val.length + test.length > 0 && ![...val, ...test].some(hasLabel))
    throw new DataError(
      `shards: the samples to train on have labels, and those held out have none, such as ${[...test, ...val][0]!.name}` +
        " (label them, or name the shards to train on by a pattern, which holds out a fifth of each class)",
    );
  const labelled = (name: string, samples: readonly Sample[]): readonly Sample[] => {
    const known = samples.filter(hasLabel);
    const lost = samples.length - known.length;
    if (lost > 0) notes.push(`left out ${lost} of ${samples.length} samples of ${name}, which have no label`);
    return known;
  };
  return { sides: { ...given, val: labelled("val", val), test: labelled("test", test) }, notes };
}

/**
 * Shards from disk, read by offset. Shards named train… beside val… or test… are those sides; otherwise a fifth of every
 * class is held out by its keys. A sample without a label is trained on without it. Throws DataError for no shards, no
 * images, a compressed shard, or held-out samples without labels where those to train on have some.
 */
export async function openShards(
  pattern: string,
  format: ImageFormat,
  options: DataOptions = {},
): Promise<DataSource> {
  const opening = new Opening(format, options);
  try {
    const { files, folder } = await shardFiles(pattern);
    const names = namesOf(files);
    const shards = await Promise.all(files.map((file, i) => readShard(file, names[i]!, opening)));
    const all = shards.flatMap(({ samples }) => samples);
    const given = sidesOf(pattern, shards, folder);
    const notes = badLabels(all, options.strict);
    const known = { name: `shards:${pattern}`, image: opening.image };
    const set = (samples: readonly Sample[]) => sampleSet(samples, opening);
    const bare = given.train.filter((sample) => !hasLabel(sample)).length;
    if (bare === given.train.length) {
      const plain = (samples: readonly Sample[]) => set(samples.map(({ name, read }) => ({ name, read })));
      const heldOut = plain(given.test.length > 0 ? given.test : given.val);
      return opening.source({ ...known, classes: [], notes, train: plain(given.train), heldOut });
    }
    if (bare > 0) notes.push(`${bare} of ${given.train.length} samples to train on have no label`);
    const classes = await classNames(files[0]!, all);
    const { sides, notes: left } = measurable(given);
    const { train, val, test } = sides.val.length + sides.test.length > 0 ? sides : ownSplit(sides);
    const trainSet = set(train);
    const heldOut = set(test.length > 0 ? test : val);
    const labelled = train.filter(hasLabel);
    const splits =
      test.length > 0 && val.length > 0
        ? splitsOf(
            set([...labelled, ...val]),
            Array.from(val, (_, i) => labelled.length + i),
            heldOut,
          )
        : splitsOf(labelledPart(trainSet), shareOf(labelled, 0.1), heldOut);
    return opening.source({
      ...known,
      classes,
      notes: [...notes, ...left],
      train: trainSet,
      heldOut,
      splits,
    });
  } catch (error) {
    await opening.close();
    throw error;
  }
}

/** Places of a share of every class among labelled samples, by their keys. */
function shareOf(samples: readonly Sample[], share: number): number[] {
  const labels = samples.map(({ label }) => label!);
  return pickPerClass(
    samples.map(({ name }) => name),
    labels,
    proportional(labels, share),
  );
}

function sampleSet(samples: readonly Sample[], opening: Opening): ImageSet {
  const read = async <T>(
    index: number,
    use: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T | { readonly reason: string }> => {
    const bytes = await samples[index]!.read();
    return typeof bytes === "string" ? { reason: bytes } : use(bytes);
  };
  const { decoder } = opening;
  return lazyImages({
    ...{ count: samples.length, skips: opening.skips, budget: opening.budget },
    ...(samples.some(hasLabel) && { labels: Int32Array.from(samples, ({ label }) => label ?? -1) }),
    fetch: (index) => read(index, (bytes) => decoder.decode(bytes)),
    boxes: {
      measure: (index) => read(index, (bytes) => decoder.measure(bytes)),
      fetch: (index, ...boxes) => read(index, (bytes) => decoder.decodeBoxes(bytes, ...boxes)),
    },
    nameOf: (index) => samples[index]!.name,
  });
}
