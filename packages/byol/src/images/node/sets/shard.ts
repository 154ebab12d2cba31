/** A tar shard of the WebDataset convention as samples: files that share a key, one of them an image. */
import { DataError } from "../../../errors.js";
import { isDataPath } from "../entries.js";
import { imageFileBytes, textBytes } from "../limits.js";
import type { Opening } from "../opening.js";
import { fileHandle } from "../regular-file.js";
import { indexTar, type TarEntry } from "./tar-index.js";

export interface Sample {
  /** shard.tar/key: how the sample is named where it is skipped. */
  readonly name: string;
  /** Undefined where there is none, or −1 is given for it. */
  readonly label?: number;
  /** Why a label that is there is not one. */
  readonly badLabel?: string;
  readonly read: () => Promise<Uint8Array | string>;
}

export interface Shard {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** 12/a.seg.png → ["12/a", "seg.png"]. */
function keyOf(path: string): [string, string] {
  const dot = path.indexOf(".", path.lastIndexOf("/") + 1);
  return dot < 0 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1).toLowerCase()];
}

const isImage = (ending: string): boolean => /^(jpe?g|png|webp)$/.test(ending);
const isLabel = (ending: string): boolean => ending === "cls" || ending === "json";

interface Group {
  readonly key: string;
  readonly files: Map<string, TarEntry>;
}

/**
 * The files of each key. They are a sample wherever they lie; a second file of one ending begins another sample, as where
 * archives with the same keys were joined.
 */
function groupsOf(entries: readonly TarEntry[]): Group[] {
  const groups: Group[] = [];
  const latest = new Map<string, Group>();
  for (const entry of entries) {
    const [key, ending] = keyOf(entry.path);
    let group = latest.get(key);
    if (!group || group.files.has(ending)) {
      group = { key, files: new Map() };
      groups.push(group);
      latest.set(key, group);
    }
    group.files.set(ending, entry);
  }
  return groups;
}

/** What the first bytes of a compressed file are, and what undoes it. */
const compressed = [
  { name: "gzip", magic: [0x1f, 0x8b], tool: "gunzip" },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], tool: "unzstd" },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], tool: "bunzip2" },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], tool: "unxz" },
] as const;

/** The samples of a shard. Throws DataError for a compressed one: samples are read in any order, by their places. */
export async function readShard(file: string, shard: string, opening: Opening): Promise<Shard> {
  const handle = await fileHandle(file);
  opening.onClose(() => handle.close());
  const { buffer: start } = await handle.read(Buffer.alloc(8), 0, 8, 0);
  const packed = compressed.find(({ magic }) => magic.every((byte, i) => start[i] === byte));
  if (packed)
    throw new DataError(
      `shards: ${file} is compressed with ${packed.name}; unpack it to a plain .tar first (${packed.tool})`,
    );
  const { entries, broken } = await indexTar(handle);
  if (broken) opening.skips.add(shard, `${broken}; the ${entries.length} files before it are used`);
  const read = async ({ offset, size, cut }: TarEntry, most: number): Promise<Uint8Array | string> => {
    if (cut) return "the archive ends before the file does";
    if (size > most) return `its ${size} bytes are more than the ${most} that are read`;
    const bytes = new Uint8Array(size);
    const { bytesRead } = await handle.read(bytes, 0, size, offset);
    return bytesRead === size ? bytes : "the archive ends before the file does";
  };
  const samples: Sample[] = [];
  for (const { key, files } of groupsOf(entries.filter(({ path }) => isDataPath(path)))) {
    const name = `${shard}/${key}`;
    const image = [...files].find(([ending]) => isImage(ending))?.[1];
    if (!image) {
      // One file by itself, a README, say, was not meant for a sample.
      if (files.size > 1 || [...files.keys()].some(isLabel))
        opening.skips.add(
          name,
          `it has no image (.jpg, .png, .webp), only .${[...files.keys()].join(", .")}`,
        );
      continue;
    }
    const ending = [...files.keys()].filter(isLabel).sort()[0];
    const label = ending === undefined ? {} : labelOf(ending, await read(files.get(ending)!, textBytes));
    samples.push({ name, ...label, read: () => read(image, imageFileBytes) });
  }
  return { name: shard, samples };
}

/** Labels are held as int32. */
const greatestLabel = 2 ** 31 - 1;

/** The label of a .cls or .json, none where it is not given or −1, or what is wrong with it. */
function labelOf(ending: string, bytes: Uint8Array | string): Pick<Sample, "label" | "badLabel"> {
  const bad = (what: string) => ({ badLabel: `its .${ending} ${what}` });
  if (typeof bytes === "string") return bad(`cannot be read: ${bytes}`);
  const text = Buffer.from(bytes).toString();
  let value: unknown = text.trim();
  if (ending === "json")
    try {
      const parsed = JSON.parse(text) as { cls?: unknown; label?: unknown } | null;
      value = parsed?.cls ?? parsed?.label;
    } catch {
      return bad(`is not JSON: ${JSON.stringify(text.slice(0, 40))}`);
    }
  // What describes an image without giving its class, as a caption's, and an unknown class are no label.
  if (value === undefined || value === -1 || value === "-1") return {};
  // Decimal digits only: Number would take "", "0x10" and "1e9" as well.
  const label = typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof label === "number" && Number.isInteger(label) && label >= 0 && label <= greatestLabel)
    return { label };
  return bad(`holds no class number: ${JSON.stringify(value).slice(0, 42)}`);
}
