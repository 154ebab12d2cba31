/**
 * Emoji as Google and Twitter draw them, 64×64 (npm `emoji-datasource-google` and `-twitter`), with the nine
 * categories of Unicode as classes.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataError } from "../../errors.js";
import { imageFiles } from "./files.js";
import { Opening } from "./opening.js";
import type { DataOptions, DataSource } from "../source.js";
import type { ImageFormat } from "../settings.js";
import { hashFraction, splitsOf } from "./split.js";

interface Drawing {
  readonly image: string;
  readonly has_img_google: boolean;
  readonly has_img_twitter: boolean;
}
interface Glyph extends Drawing {
  readonly unified: string;
  readonly category: string;
  readonly skin_variations?: Readonly<Record<string, Drawing>>;
}

const vendors = ["google", "twitter"] as const;

/**
 * Code points that name a glyph's family: without sex, direction and skin tone. The woman, man and person running,
 * to the left and to the right, in six skins by two vendors, are near copies; a split must not part them.
 */
export function familyOf(unified: string): string {
  return unified
    .split("-")
    .filter((point) => !/^(1F3F[B-F]|2640|2642|27A1|FE0F|200D)$/.test(point))
    .map((point) => (point === "1F468" || point === "1F469" ? "1F9D1" : point))
    .join("-");
}

export interface EmojiOptions extends DataOptions {
  /** Adds the drawings in the five skin tones, 3,750 more, nearly all of people. Default: without. */
  readonly skinTones?: boolean;
}

/**
 * The emoji; families whose name hashes into the last fifth are held out, so both drawings of a glyph stay together. The
 * tenth before it is `val`.
 */
export async function openEmoji(format: ImageFormat, options: EmojiOptions = {}): Promise<DataSource> {
  const folders = vendors.map((vendor) => ({ vendor, folder: packageFolder(vendor) }));
  const glyphs = JSON.parse(await readFile(join(folders[0]!.folder, "emoji.json"), "utf8")) as Glyph[];
  // "Component" holds the five swatches of skin, which belong to no category.
  const used = glyphs.filter((glyph) => glyph.category !== "Component");
  const classes = [...new Set(used.map((glyph) => glyph.category))].sort();
  const side = () => ({ files: [] as string[], labels: [] as number[], val: [] as number[] });
  const sides = { train: side(), heldOut: side() };
  for (const glyph of used) {
    const place = hashFraction(familyOf(glyph.unified));
    const { files, labels, val } = place < 0.8 ? sides.train : sides.heldOut;
    const drawings = options.skinTones ? [glyph, ...Object.values(glyph.skin_variations ?? {})] : [glyph];
    for (const drawing of drawings) {
      for (const { vendor, folder } of folders) {
        if (!drawing[`has_img_${vendor}`]) continue;
        if (place >= 0.72) val.push(files.length);
        files.push(join(folder, "img", vendor, "64", drawing.image));
        labels.push(classes.indexOf(glyph.category));
      }
    }
  }
  const opening = new Opening(format, options);
  const make = ({ files, labels }: { files: string[]; labels: number[] }) =>
    imageFiles(files, opening, { labels: Int32Array.from(labels) });
  const train = make(sides.train);
  const heldOut = make(sides.heldOut);
  const splits = splitsOf(train, sides.train.val, heldOut);
  return opening.source({ name: "emoji", image: opening.image, classes, train, heldOut, splits });
}

function packageFolder(vendor: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`emoji-datasource-${vendor}/package.json`));
  } catch {
    throw new DataError(
      `emoji: the npm package emoji-datasource-${vendor} is not installed (npm install emoji-datasource-${vendor})`,
    );
  }
}
