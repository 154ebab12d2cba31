/** `byol embed`: the features of images, to a file. */
import type { Tensor } from "@dawnstrap/tensor";
import { Command } from "commander";
import type { ImageSet } from "../../../images/source.js";
import { type Embeddings, embeddingsFormat } from "../../../tasks/node/embed.js";
import { buildEncoder } from "../../../tasks/encoder.js";
import { extractFeatures, joined } from "../../../tasks/extract.js";
import { imagesWork } from "../../../tasks/meter.js";
import { showMeter } from "../../report/meter.js";
import { checkOutput, writeOutput } from "../output.js";
import { note } from "../outputs.js";
import { type Opened, type SubjectFlags, withEncoder, withSubjectOptions } from "../subject.js";

export const embedCommand = (): Command =>
  withSubjectOptions(new Command("embed"))
    .description("Writes the features of images to .npy or, with their paths and classes, to .parquet")
    .requiredOption("--out <file>", "a .npy or .parquet file")
    .action(async (flags: SubjectFlags & { out: string }) => {
      checkOutput("out", flags.out);
      const encode = embeddingsFormat(flags.out);
      await withEncoder({ ...flags, seed: 0 }, async (opened) => {
        const embeddings = await embeddingsOf(opened);
        await writeOutput("out", flags.out, encode(embeddings));
        process.stdout.write(
          `${embeddings.names.length} images, ${embeddings.width} features each, in ${flags.out}\n`,
        );
      });
    });

/** Where an image of an embedding stands in the data. */
export interface Placed {
  readonly set: ImageSet;
  readonly place: number;
}

/** Features of all images of a source, those to train on first. */
export async function embeddingsOf({
  device,
  encoder,
  data,
}: Opened): Promise<Embeddings & { images: Placed[] }> {
  const network = buildEncoder(device, encoder);
  const { image } = encoder;
  const forward = (x: Tensor) => network.forward(x, { train: false });
  const meter = showMeter(note);
  const names: string[] = [];
  const classes: string[] = [];
  const images: Placed[] = [];
  const parts: Float32Array[] = [];
  for (const [side, set] of [
    ["train", data.train],
    ["held out", data.heldOut],
  ] as const) {
    if (set.length === 0) continue;
    const { features, places, labels } = await extractFeatures(
      { device, image, forward, onImages: meter(imagesWork(set)) },
      set,
      data.image,
    );
    parts.push(features);
    for (const [row, place] of places.entries()) {
      names.push(set.name?.(place) ?? `${side} ${place}`);
      if (data.classes.length) classes.push(data.classes[labels[row]!] ?? "");
      images.push({ set, place });
    }
  }
  return { features: joined(parts), width: network.featureSize, names, classes, images };
}
