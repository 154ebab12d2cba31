import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cifar10, cifar100 } from "./cifar.js";
import { Miniature, sizesOf, valuesOf } from "./miniature.js";
import { mnist } from "./mnist.js";
import { pixelsOf } from "./records.js";
import { stl10 } from "./stl10.js";

let mini: Miniature;
beforeAll(async () => {
  mini = await Miniature.make();
});
afterAll(() => mini.remove());

/** `count` records: the given label bytes, then planes of `value`, `value` + 1, `value` + 2. */
const records = (
  count: number,
  side: number,
  labels: (i: number) => number[],
  value: (i: number) => number,
) =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      Buffer.concat([
        Buffer.from(labels(i)),
        ...[0, 1, 2].map((plane) => Buffer.alloc(side * side, value(i) + plane)),
      ]),
    ),
  );

describe("pixelsOf", () => {
  it("turns planes of rows or columns into pixels", () => {
    const record = Uint8Array.from({ length: 18 }, (_, i) => i);
    const size = { height: 2, width: 3, planes: 3 } as const;
    expect([...pixelsOf(record, size, 3)].slice(0, 6)).toEqual([0, 6, 12, 1, 7, 13]);
    expect([...pixelsOf(record, { ...size, byColumns: true }, 3)].slice(0, 6)).toEqual([0, 6, 12, 2, 8, 14]);
  });

  it("makes grey of colours and colours of grey", () => {
    const one = { height: 1, width: 1 };
    expect([...pixelsOf(Uint8Array.of(100, 200, 50), { ...one, planes: 3 }, 1)]).toEqual([153]);
    expect([...pixelsOf(Uint8Array.of(7), { ...one, planes: 1 }, 3)]).toEqual([7, 7, 7]);
  });
});

describe("CIFAR", () => {
  const names = Array.from({ length: 10 }, (_, k) => `class ${k}`);
  const put = async (folder: string, change: (bytes: Buffer) => Buffer = (bytes) => bytes) => {
    for (let k = 1; k <= 5; k++) {
      const bytes = records(
        20,
        32,
        (i) => [i % 10],
        (i) => 20 * k + i,
      );
      await mini.put(`${folder}/data_batch_${k}.bin`, k === 3 ? change(bytes) : bytes);
    }
    await mini.put(
      `${folder}/test_batch.bin`,
      records(
        10,
        32,
        (i) => [9 - i],
        (i) => i,
      ),
    );
    await mini.put(`${folder}/batches.meta.txt`, [...names, ""]);
  };

  it("reads records, labels and class names, and validates on a tenth of every class", async () => {
    await put("ten/cifar-10-batches-bin");
    const source = await mini.open(cifar10, "ten");
    expect(source.classes).toEqual(names);
    expect(source.image).toEqual({ height: 32, width: 32, channels: 3 });
    expect(sizesOf(source)).toEqual([90, 10, 100, 10]);
    expect([...source.splits!.val.labels!].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...(await source.train.read(45))!.subarray(0, 4)]).toEqual([65, 66, 67, 65]);
    expect(source.train.labels![45]).toBe(5);
    expect([...source.heldOut.labels!].slice(0, 3)).toEqual([9, 8, 7]);
  });

  it("takes the fine labels of CIFAR-100", async () => {
    await mini.put(
      "hundred/train.bin",
      records(
        100,
        32,
        (i) => [i % 20, i],
        (i) => i,
      ),
    );
    await mini.put(
      "hundred/test.bin",
      records(
        5,
        32,
        (i) => [0, 50 + i],
        () => 9,
      ),
    );
    await mini.put(
      "hundred/fine_label_names.txt",
      Array.from({ length: 100 }, (_, k) => `fine ${k}`),
    );
    const source = await mini.open(cifar100, "hundred");
    expect(source.train.labels![77]).toBe(77);
    expect([...source.heldOut.labels!]).toEqual([50, 51, 52, 53, 54]);
    expect(sizesOf(source).slice(0, 2)).toEqual([90, 10]);
  });

  it("skips and names a label out of range and a record that is cut off", async () => {
    await put("bad", (bytes) => {
      bytes[4 * 3073] = 10;
      return bytes.subarray(0, bytes.length - 100);
    });
    const source = await mini.open(cifar10, "bad");
    const values = await valuesOf(source.train);
    expect(values.flatMap((value, i) => (value === undefined ? [i] : []))).toEqual([44, 59]);
    expect(source.skipped()).toEqual([
      { file: "data_batch_3.bin, record 4", reason: "label 10 is out of the range 0 to 9" },
      { file: "data_batch_3.bin, record 19", reason: "the file ends before the record does" },
    ]);
    const strict = await mini.open(cifar10, "bad", { anySize: true, strict: true });
    await expect(strict.train.read(44)).rejects.toThrow(
      /data_batch_3.bin, record 4 cannot be read: label 10/,
    );
  });

  it("refuses a list of fewer classes than the labels may be of", async () => {
    await put("nameless");
    await mini.put("nameless/batches.meta.txt", names.slice(0, 9));
    await expect(mini.open(cifar10, "nameless")).rejects.toThrow(
      /nameless\/batches\.meta\.txt names 9 of the 10 classes/,
    );
  });

  it("says what is missing, and what is not of the published size", async () => {
    await mini.put("few/data_batch_1.bin", "");
    await expect(mini.open(cifar10, "few")).rejects.toThrow(
      /not laid out as CIFAR-10 .*it lacks data_batch_2.bin, .*batches.meta.txt \(unpack the published archives there\)$/,
    );
    await expect(mini.open(cifar10, "nowhere")).rejects.toThrow(/nowhere does not exist/);
    await put("small");
    await expect(mini.open(cifar10, "small", {})).rejects.toThrow(
      /not the whole of CIFAR-10.*train 90 instead of 45000, val 10 instead of 5000.*--any-size/,
    );
  });
});

describe("STL-10", () => {
  const put = async (folder: string, labels: number[] = [1, 2, 10, 3]) => {
    await mini.put(
      `${folder}/train_X.bin`,
      records(
        4,
        96,
        () => [],
        (i) => 10 * i,
      ),
    );
    await mini.put(`${folder}/train_y.bin`, Uint8Array.from(labels));
    await mini.put(
      `${folder}/test_X.bin`,
      records(
        2,
        96,
        () => [],
        (i) => 100 + i,
      ),
    );
    await mini.put(`${folder}/test_y.bin`, Uint8Array.of(5, 6));
    await mini.put(
      `${folder}/unlabeled_X.bin`,
      records(
        3,
        96,
        () => [],
        (i) => 200 + i,
      ).subarray(0, -5),
    );
    await mini.put(
      `${folder}/class_names.txt`,
      Array.from({ length: 10 }, (_, k) => `class ${k}`),
    );
  };

  it("pretrains on the unlabelled images and splits the labelled ones", async () => {
    await put("stl/stl10_binary");
    const source = await mini.open(stl10, "stl");
    expect(source.train.labels).toBeUndefined();
    expect(await valuesOf(source.train)).toEqual([200, 201, undefined]);
    expect(source.skipped()[0]!.file).toBe("unlabeled_X.bin, record 2");
    expect([...source.splits!.trainval.labels!]).toEqual([0, 1, 9, 2]);
    expect(await valuesOf(source.splits!.trainval)).toEqual([0, 10, 20, 30]);
    expect(await valuesOf(source.heldOut)).toEqual([100, 101]);
  });

  it("skips a label out of range, and refuses labels that do not belong to the images", async () => {
    await put("stl-bad", [1, 0, 11, 3]);
    const source = await mini.open(stl10, "stl-bad");
    expect(await valuesOf(source.splits!.trainval)).toEqual([0, undefined, undefined, 30]);
    expect(source.skipped().map(({ reason }) => reason)).toEqual([
      "label 0 is out of the range 1 to 10",
      "label 11 is out of the range 1 to 10",
    ]);
    await put("stl-few", [1, 2]);
    await expect(mini.open(stl10, "stl-few")).rejects.toThrow(/train_y.bin holds 2 labels for the 4 images/);
    await mini.put("stl-few/class_names.txt", "");
    await expect(mini.open(stl10, "stl-few")).rejects.toThrow(/class_names.txt names no classes/);
  });
});

describe("MNIST", () => {
  const idx = (shape: number[], values: number[], magic = 0x800 + shape.length) => {
    const header = Buffer.alloc(4 + 4 * shape.length);
    header.writeUInt32BE(magic);
    for (const [d, n] of shape.entries()) header.writeUInt32BE(n, 4 + 4 * d);
    return Buffer.concat([header, Buffer.from(values)]);
  };
  const images = (count: number) =>
    idx(
      [count, 28, 28],
      Array.from({ length: count * 784 }, (_, i) => Math.floor(i / 784)),
    );
  const put = async (folder: string, change: Record<string, Uint8Array> = {}) => {
    const files: Record<string, Uint8Array> = {
      "train-images-idx3-ubyte": images(20),
      "train-labels-idx1-ubyte": idx(
        [20],
        Array.from({ length: 20 }, (_, i) => i % 10),
      ),
      "t10k-images-idx3-ubyte.gz": gzipSync(images(3)),
      "t10k-labels-idx1-ubyte.gz": gzipSync(idx([3], [7, 8, 9])),
      ...change,
    };
    for (const [name, bytes] of Object.entries(files)) await mini.put(`${folder}/${name}`, bytes);
    return folder;
  };

  it("reads IDX files, packed or not", async () => {
    const source = await mini.open(mnist, await put("mnist"));
    expect(await valuesOf(source.train)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect([...source.heldOut.labels!]).toEqual([7, 8, 9]);
    expect(sizesOf(source)).toEqual([18, 2, 20, 3]);
  });

  it("skips a truncated image and a label out of range", async () => {
    const labels = idx(
      [20],
      Array.from({ length: 20 }, (_, i) => (i === 6 ? 12 : 1)),
    );
    const cut = images(20).subarray(0, -1);
    const folder = await put("mnist-cut", {
      "train-images-idx3-ubyte": cut,
      "train-labels-idx1-ubyte": labels,
    });
    const source = await mini.open(mnist, folder);
    const values = await valuesOf(source.train);
    expect([values[6], values[18], values[19]]).toEqual([undefined, 18, undefined]);
    expect(source.skipped()).toHaveLength(2);
  });

  it("refuses another file, by its magic number, counts and packing", async () => {
    const refused = async (name: string, bytes: Uint8Array, message: RegExp) =>
      expect(mini.open(mnist, await put(`no-${message.source.length}`, { [name]: bytes }))).rejects.toThrow(
        message,
      );
    await refused(
      "train-images-idx3-ubyte",
      idx([20], []),
      /begins with 0x00000801, not with the magic number 0x00000803 of an IDX file of bytes in 3 dimensions/,
    );
    await refused("train-labels-idx1-ubyte", idx([19], []), /holds 19 labels for the 20 images/);
    await refused("train-labels-idx1-ubyte", idx([20], [1, 2]), /ends after 2 of its 20 labels/);
    await refused("train-images-idx3-ubyte", Buffer.from([0, 0]), /ends within its header/);
    await refused("train-images-idx3-ubyte", idx([20, 14, 14], []), /images of 14×14, not of 28×28/);
    await refused("t10k-images-idx3-ubyte.gz", gzipSync(images(3)).subarray(0, 40), /cannot be unpacked/);
  });
});
