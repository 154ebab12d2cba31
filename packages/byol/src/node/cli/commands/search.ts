/** `byol search`: the images of a folder that an encoder finds most like another. */
import { visible } from "../../report/escape.js";
import type { Tensor } from "@dawnstrap/tensor";
import { Command } from "commander";
import { imageFiles } from "../../../images/node/files.js";
import { Opening } from "../../../images/node/opening.js";
import { DataError } from "../../../errors.js";
import { neighbourSheet } from "../../report/neighbour-sheet.js";
import { buildEncoder } from "../../../tasks/encoder.js";
import { extractFeatures } from "../../../tasks/extract.js";
import { nearestRows } from "../../../tasks/knn.js";
import { wholeFrom } from "../options.js";
import { checkOutput, writeOutput } from "../output.js";
import { type Opened, type SubjectFlags, withEncoder, withSubjectOptions } from "../subject.js";
import { embeddingsOf } from "./embed.js";

interface SearchFlags extends SubjectFlags {
  readonly count: number;
  readonly out: string;
}

export const searchCommand = (): Command =>
  withSubjectOptions(new Command("search"))
    .description("Finds the images most like the given ones, and writes them as a contact sheet")
    .argument("<image...>", "image files to look for")
    .option("--count <n>", "neighbours of each image", wholeFrom(1, 100), 8)
    .option("--out <file>", "the contact sheet, a PNG", "neighbours.png")
    .action((files: string[], flags: SearchFlags) => {
      checkOutput("out", flags.out);
      return withEncoder({ ...flags, seed: 0 }, (opened) => search(opened, files, flags));
    });

async function search(opened: Opened, files: readonly string[], { count, out }: SearchFlags): Promise<void> {
  const { device, encoder, data } = opened;
  const opening = new Opening(encoder.image);
  try {
    const asked = imageFiles(files, opening);
    const pixels = await Promise.all(files.map((_, i) => asked.read(i)));
    const [bad] = opening.skips.list;
    if (bad) throw new DataError(`search: ${bad.file} cannot be read: ${bad.reason}`);
    const bank = await embeddingsOf(opened);
    const network = buildEncoder(device, encoder);
    const forward = (x: Tensor): Tensor => network.forward(x, { train: false });
    const { features } = await extractFeatures(
      { device, forward, image: encoder.image },
      asked,
      opening.image,
    );
    const found = await nearestRows(device, bank.features, features, bank.width, { k: count });
    const rows = await Promise.all(
      found.map(async (neighbours, q) => {
        const near = await Promise.all(
          neighbours.map(({ place }) => bank.images[place]!.set.read(bank.images[place]!.place)),
        );
        return {
          caption: files[q]!,
          images: [pixels[q]!, ...near.filter((image): image is Uint8Array => image !== undefined)],
        };
      }),
    );
    await writeOutput("out", out, await neighbourSheet(rows, data.image));
    for (const [q, neighbours] of found.entries())
      for (const [rank, { place, similarity }] of neighbours.entries())
        process.stdout.write(
          `${visible(`${files[q]}\t${rank + 1}\t${similarity.toFixed(4)}\t${bank.names[place]}`)}\n`,
        );
  } finally {
    await opening.close();
  }
}
