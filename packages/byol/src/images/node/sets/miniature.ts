/** For tests: a temporary folder, written in the layouts of the published data sets, a few images each. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { create } from "tar";
import type { DataOptions, DataSource, ImageSet } from "../../source.js";
import { type DataSetKind, openKind } from "./kind.js";

export class Miniature {
  private readonly opened: DataSource[] = [];
  private constructor(readonly root: string) {}

  static async make(): Promise<Miniature> {
    return new Miniature(await mkdtemp(join(tmpdir(), "miniature-")));
  }

  path = (file: string): string => join(this.root, file);

  async put(file: string, content: Uint8Array | string | readonly string[]): Promise<void> {
    await mkdir(dirname(this.path(file)), { recursive: true });
    const lines = Array.isArray(content) ? `${content.join("\n")}\n` : (content as Uint8Array | string);
    await writeFile(this.path(file), lines);
  }

  /** A JPEG of one grey value. */
  async jpeg(file: string, value: number): Promise<void> {
    await this.put(file, await plainJpeg(value));
  }

  /** Opens a folder of the miniature as a kind; sizes are not those published. */
  async open(
    kind: DataSetKind,
    folder: string,
    options: DataOptions = { anySize: true },
  ): Promise<DataSource> {
    const format = { stored: 8, channels: 3, background: [0, 0, 0] } as const;
    const source = await openKind(kind, this.path(folder), format, { threads: 1, ...options });
    this.opened.push(source);
    return source;
  }

  /** Packs files, in this order, into a tar; a number is a picture of that grey. */
  async tar(shard: string, files: Record<string, Uint8Array | string | number>): Promise<void> {
    const folder = `${shard}.files`;
    for (const [name, content] of Object.entries(files))
      await this.put(`${folder}/${name}`, typeof content === "number" ? await plainJpeg(content) : content);
    await create({ file: this.path(shard), cwd: this.path(folder) }, Object.keys(files));
  }

  async remove(): Promise<void> {
    await Promise.all(this.opened.map((source) => source.close()));
    await rm(this.root, { recursive: true, force: true });
  }
}

export function plainJpeg(value: number, side = 12): Promise<Buffer> {
  const background = { r: value, g: value, b: value };
  return sharp({ create: { width: side, height: side, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

/** First value of every image, and its label; undefined for one that cannot be read. */
export const valuesOf = async (set: ImageSet): Promise<(number | undefined)[]> =>
  Promise.all(Array.from({ length: set.length }, async (_, i) => (await set.read(i))?.[0]));

/** Sizes of the four parts: train, val, trainval, test. */
export const sizesOf = ({ splits }: DataSource): number[] => {
  const { train, val, trainval, test } = splits!;
  return [train, val, trainval, test].map((set) => set.length);
};
