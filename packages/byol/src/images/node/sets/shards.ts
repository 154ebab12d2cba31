/**
 * Tar shards of the WebDataset convention: the files of a sample follow each other and share a key, the path up to the
 * first dot of its last part. 000.jpg (jpeg, png, webp) is the image, 000.cls its class as a number, 000.json the same in
 * "cls" or "label".
 */
import { open, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { glob } from "glob";
import { DataError } from "../../../errors.js";
import { imageFileBytes, textBytes, unnamedClasses } from "../limits.js";
import { lazyImages } from "../../lazy.js";
import { byCodeUnits, entriesIn, isData, isDataPath } from "../entries.js";
import { Opening } from "../opening.js";
import type { DataOptions, DataSource, ImageSet } from "../../source.js";
import type { ImageFormat } from "../../settings.js";
import { pickPerClass, proportional, splitsOf } from "../split.js";
import { subset } from "../../source.js";
import { linesOf } from "./text.js";
import { indexTar, type TarEntry } from "./tar-index.js";

interface Sample {
  /** shard.tar/key: how the sample is named where it is skipped. */
  readonly name: string;
  readonly label?: number;
  readonly read: () => Promise<Uint8Array | string>;
}

interface Shard {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** 12/a.seg.png → ["12/a", "seg.png"]. */
function keyOf(path: string): [string, string] {
  const dot = path.indexOf(".", path.lastIndexOf("/") + 1);
  return dot < 0 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1).toLowerCase()];
}

const isImage = (ending: string): boolean => /^(jpe?g|png|webp)$/.test(ending);

function labelIn(ending: string, text: string): number {
  // Decimal digits only: Number would take "", "0x10" and "1e9" as well.
  if (ending === "cls") return /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  const { cls, label } = JSON.parse(text) as { cls?: number; label?: number };
  return cls ?? label ?? Number.NaN;
}

async function readShard(file: string, opening: Opening): Promise<Shard> {
  const handle = await open(file);
  opening.onClose(() => handle.close());
  const shard = basename(file);
  const { entries, broken } = await indexTar(handle);
  if (broken) opening.skips.add(shard, `${broken}; the ${entries.length} files before it are used`);
  const read = async ({ offset, size, cut }: TarEntry, most: number): Promise<Uint8Array | string> => {
    if (cut) return "the archive ends before the file does";
    if (size > most) return `its ${size} bytes are more than the ${most} that are read`;
    const bytes = new Uint8Array(size);
    const { bytesRead } = await handle.read(bytes, 0, size, offset);
    return bytesRead === size ? bytes : "the archive ends before the file does";
  };
  const groups: { key: string; files: Map<string, TarEntry> }[] = [];
  for (const entry of entries.filter(({ path }) => isDataPath(path))) {
    const [key, ending] = keyOf(entry.path);
    if (groups.at(-1)?.key !== key) groups.push({ key, files: new Map() });
    groups.at(-1)!.files.set(ending, entry);
  }
  const samples: Sample[] = [];
  for (const { key, files } of groups) {
    const image = [...files].find(([ending]) => isImage(ending))?.[1];
    // Files without an image are no sample: a README, say.
    if (!image) continue;
    const name = `${shard}/${key}`;
    const ending = ["cls", "json"].find((known) => files.has(known));
    if (!ending) {
      samples.push({ name, read: () => read(image, imageFileBytes) });
      continue;
    }
    const label = await labelOf(ending, await read(files.get(ending)!, textBytes));
    if (typeof label === "number") samples.push({ name, label, read: () => read(image, imageFileBytes) });
    else samples.push({ name, label: 0, read: async () => label });
  }
  return { name: shard, samples };
}

/** Labels are held as int32. */
const greatestLabel = 2 ** 31 - 1;

/** The label, or what is wrong with it. */
async function labelOf(ending: string, bytes: Uint8Array | string): Promise<number | string> {
  if (typeof bytes === "string") return bytes;
  const text = Buffer.from(bytes).toString();
  try {
    const label = labelIn(ending, text);
    if (Number.isInteger(label) && label >= 0 && label <= greatestLabel) return label;
  } catch {
    // Said below.
  }
  return `its .${ending} holds no class number: ${JSON.stringify(text.slice(0, 40))}`;
}

/** A folder's *.tar, or what a pattern finds: train-{000..146}.tar. Sorted by name. */
async function shardFiles(pattern: string): Promise<string[]> {
  const folder = await stat(pattern).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const files = folder
    ? (await entriesIn(pattern)).files.map(({ path }) => path).filter((path) => path.endsWith(".tar"))
    : (await glob(pattern, { nodir: true })).filter((path) => isData(basename(path)));
  if (files.length === 0)
    throw new DataError(
      `shards: ${folder ? `${pattern} holds no .tar files` : `nothing is found by ${pattern} (a folder of .tar files or a pattern like train-{000..146}.tar)`}`,
    );
  return files.sort(byCodeUnits);
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

/**
 * Shards from disk, read by offset. Shards named train… beside val… or test… are those sides; otherwise a fifth of every
 * class is held out by its keys. Throws DataError for no shards, no images, or labels on some of the samples only.
 */
export async function openShards(
  pattern: string,
  format: ImageFormat,
  options: DataOptions = {},
): Promise<DataSource> {
  const opening = new Opening(format, options);
  try {
    const files = await shardFiles(pattern);
    const shards = await Promise.all(files.map((file) => readShard(file, opening)));
    const held = shards.filter(({ name }) => /^(val|valid|validation|test)\b/.test(name));
    const given = held.length > 0 && held.length < shards.length;
    const samplesOf = (chosen: readonly Shard[]) => chosen.flatMap(({ samples }) => samples);
    const trained = samplesOf(given ? shards.filter((shard) => !held.includes(shard)) : shards);
    if (trained.length === 0) throw new DataError(`shards: ${pattern} holds no images (.jpg, .png, .webp)`);
    const train = sampleSet(trained, opening);
    const name = `shards:${pattern}`;
    const known = { name, image: opening.image };
    if (!train.labels)
      return opening.source({ ...known, classes: [], train, heldOut: sampleSet([], opening) });
    const classes = await classNames(files[0]!, samplesOf(shards));
    const names = trained.map((sample) => sample.name);
    const sides = given
      ? { train, heldOut: sampleSet(samplesOf(held), opening), names }
      : ownSplit(train, names);
    const labels = sides.train.labels!;
    const val = pickPerClass(sides.names, labels, proportional(labels, 0.1));
    return opening.source({
      ...{ ...known, classes, train: sides.train, heldOut: sides.heldOut },
      splits: splitsOf(sides.train, val, sides.heldOut),
    });
  } catch (error) {
    await opening.close();
    throw error;
  }
}

function ownSplit(all: ImageSet, names: readonly string[]) {
  const held = new Set(pickPerClass(names, all.labels!, proportional(all.labels!, 0.2)));
  const rest = [...names.keys()].filter((place) => !held.has(place));
  return {
    ...{ train: subset(all, rest), heldOut: subset(all, [...held]) },
    names: rest.map((place) => names[place]!),
  };
}

function sampleSet(samples: readonly Sample[], opening: Opening): ImageSet {
  const labelled = samples.filter(({ label }) => label !== undefined).length;
  if (labelled > 0 && labelled < samples.length) {
    const bare = samples.find(({ label }) => label === undefined)!;
    throw new DataError(
      `shards: ${labelled} of ${samples.length} samples have labels, and ${bare.name} has none (.cls or .json)`,
    );
  }
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
    ...(labelled > 0 && { labels: Int32Array.from(samples, ({ label }) => label!) }),
    fetch: (index) => read(index, (bytes) => decoder.decode(bytes)),
    boxes: {
      measure: (index) => read(index, (bytes) => decoder.measure(bytes)),
      fetch: (index, ...boxes) => read(index, (bytes) => decoder.decodeBoxes(bytes, ...boxes)),
    },
    nameOf: (index) => samples[index]!.name,
  });
}
