/** `byol views`: a contact sheet of images and the views that training makes of them. */
import { basename, resolve } from "node:path";
import { type DeviceChoice, openDevice } from "@dawnstrap/tensor";
import { Command } from "commander";
import { type PresetOptions, resolvePreset } from "../../../config/node/file.js";
import { dataOf } from "../../../config/resolve.js";
import { Decoder } from "../../../images/node/decoder.js";
import { openData } from "../../../images/node/open.js";
import type { ImageShape } from "../../../images/source.js";
import { DataError, UsageError } from "../../../errors.js";
import type { Preset } from "../../../presets/preset.js";
import { contactSheet, type SheetImage } from "../../report/contact-sheet.js";
import { permutation } from "../../../images/streams.js";
import {
  type DataFlags,
  dataOptionsOf,
  deviceOption,
  wholeFrom,
  withDataOptions,
  withPresetOptions,
} from "../options.js";
import { checkOutput, writeOutput } from "../output.js";

interface ViewsFlags extends PresetOptions, DataFlags {
  readonly images: number;
  readonly count: number;
  readonly seed: number;
  readonly device: DeviceChoice;
  readonly out: string;
}

export const viewsCommand = (): Command =>
  withDataOptions(withPresetOptions(new Command("views")))
    .description("Writes a picture of images beside the views that training makes of them")
    .argument("[image...]", "image files; instead of --data")
    .option("--images <n>", "images from the data, a row each", wholeFrom(1, 200), 8)
    .option("--count <n>", "views of each image by T, and as many by T'", wholeFrom(1, 50), 4)
    .option("--seed <n>", "of the choice of images and of the views", wholeFrom(0, 2 ** 32 - 1), 0)
    .addOption(deviceOption())
    .option("--out <file>", "the picture, PNG", "views.png")
    .action(run);

async function run(files: readonly string[], flags: ViewsFlags): Promise<void> {
  if (files.length > 0 && flags.data !== undefined)
    throw new UsageError("views: name image files or --data, not both");
  if (files.length === 0 && flags.data === undefined && !flags.preset && !flags.config)
    throw new UsageError("views: name image files, or data with --data (byol views --data digits)");
  const { seed, count } = flags;
  checkOutput("out", flags.out);
  const named = flags.data ?? files[0];
  const preset = resolvePreset({ ...flags, ...(named !== undefined && { data: named }) });
  const { images, shape } =
    files.length > 0 ? await fromFiles(files, preset) : await fromData(dataOf(preset), preset, flags);
  const device = await openDevice(flags.device);
  try {
    const png = await contactSheet(images, { device, preset, seed, count, shape });
    await writeOutput("out", flags.out, png);
  } finally {
    await device.destroy();
  }
  process.stdout.write(`${images.length} images, ${count} + ${count} views each: ${resolve(flags.out)}\n`);
}

interface Chosen {
  readonly images: SheetImage[];
  readonly shape: ImageShape;
}

async function fromFiles(files: readonly string[], { image }: Preset): Promise<Chosen> {
  const decoder = new Decoder(image);
  try {
    const images = await Promise.all(
      files.map(async (file, place) => {
        const decoded = await decoder.decode(file);
        if ("reason" in decoded) throw new DataError(`views: ${file}: ${decoded.reason}`);
        return { label: basename(file), place, pixels: decoded.pixels };
      }),
    );
    return { images, shape: { height: image.stored, width: image.stored, channels: image.channels } };
  } finally {
    await decoder.close();
  }
}

async function fromData(name: string, { image }: Preset, flags: ViewsFlags): Promise<Chosen> {
  const data = await openData(name, image, dataOptionsOf(flags));
  try {
    const images: SheetImage[] = [];
    for (const place of permutation(flags.seed, "shuffle", 0, data.train.length)) {
      if (images.length === flags.images) break;
      const pixels = await data.train.read(place);
      const label = data.classes[data.train.labels?.[place] ?? -1] ?? `image ${place}`;
      if (pixels) images.push({ label, place, pixels });
    }
    if (images.length === 0) throw new DataError("data: no image could be read");
    return { images, shape: data.image };
  } finally {
    await data.close();
  }
}
