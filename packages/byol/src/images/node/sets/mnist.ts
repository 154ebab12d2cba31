/** MNIST and its kin (Fashion-MNIST, KMNIST) in IDX files (LeCun), packed by gzip or not. */
import { DataError } from "../../../errors.js";
import type { Opening } from "../opening.js";
import { splitsWithTenth } from "../split.js";
import type { ImageSet } from "../../source.js";
import { readIdx } from "./idx.js";
import { type DataSetKind, firstOf } from "./kind.js";
import { checkedLabels, recordImages, recordsInMemory, shapeOf } from "./records.js";

const either = (name: string) => `${name}|${name}.gz`;
const layout = { height: 28, width: 28, planes: 1 } as const;

async function side(root: string, part: string, opening: Opening): Promise<ImageSet> {
  const files = [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`];
  const [imageFile, labelFile] = await Promise.all(
    files.map(async (name) => (await firstOf(root, either(name)))!),
  );
  const images = await readIdx(imageFile!, 3);
  const [count, height, width] = images.shape as [number, number, number];
  if (height !== layout.height || width !== layout.width)
    throw new DataError(`mnist: ${imageFile} holds images of ${height}×${width}, not of 28×28`);
  const found = await readIdx(labelFile!, 1);
  if (found.shape[0] !== count)
    throw new DataError(
      `mnist: ${labelFile} holds ${found.shape[0]} labels for the ${count} images of ${imageFile}`,
    );
  if (found.values.length < count)
    throw new DataError(`mnist: ${labelFile} ends after ${found.values.length} of its ${count} labels`);
  const { labels, bad } = checkedLabels(found.values, 0, 9);
  const size = height * width;
  const records = recordsInMemory(imageFile!, images.values, {
    ...{ count, first: 0, stride: size, size, bad },
  });
  return recordImages([records], layout, opening, labels);
}

/** DIR/{train,t10k}-images-idx3-ubyte[.gz], DIR/{train,t10k}-labels-idx1-ubyte[.gz]. Val: a tenth of train. */
export const mnist: DataSetKind = {
  ...{ name: "mnist", title: "MNIST (IDX files)" },
  needs: ["train", "t10k"].flatMap((part) => [
    either(`${part}-images-idx3-ubyte`),
    either(`${part}-labels-idx1-ubyte`),
  ]),
  official: { trainval: 60_000, test: 10_000 },
  async read(root, opening) {
    const trainval = await side(root, "train", opening);
    const test = await side(root, "t10k", opening);
    const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
    return { image: shapeOf(layout, opening), classes, splits: splitsWithTenth(trainval, test) };
  },
};
