/** Which files are images, by their names: those that are decoded, and other pictures, which are counted and named. */
import { extname } from "node:path";

/** Endings of the formats that are decoded; their first bytes are looked at as well. */
const decoded = new Set(["jpg", "jpeg", "jpe", "jfif", "png", "webp"]);

/** Endings of pictures in other formats. */
const others = new Set([
  ...["gif", "bmp", "dib", "tif", "tiff", "heic", "heif", "avif", "jxl", "jp2", "j2k", "jpf", "jpx", "jxr"],
  ...["apng", "svg", "svgz", "eps", "pdf", "ai", "ico", "icns", "cur", "psd", "xcf", "tga"],
  ...["pbm", "pgm", "ppm", "pnm", "pfm", "pcx", "ras", "sgi", "xbm", "xpm", "exr", "hdr", "dds", "qoi"],
  ...["raw", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "pef", "srw", "dcm"],
]);

/** The last ending of a name, without its dot, in lower case. */
const endingOf = (name: string): string => extname(name).slice(1).toLowerCase();

export const isImage = (name: string): boolean => decoded.has(endingOf(name));

/** Says how many of the files are pictures of which other formats; undefined where none is. */
export function otherPictures(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const ending of names.map(endingOf))
    if (others.has(ending)) counts.set(ending, (counts.get(ending) ?? 0) + 1);
  if (counts.size === 0) return undefined;
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const each = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const kinds = each.map(([ending, count]) => `${count} .${ending}`).join(", ");
  const pictures = all === 1 ? "1 picture of another format is" : `${all} pictures of other formats are`;
  return `${pictures} left out: ${kinds} (convert them to JPEG, PNG or WebP to use them)`;
}
