import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSource } from "../../source.js";
import { aircraft } from "./aircraft.js";
import { birdsnap } from "./birdsnap.js";
import { caltech101 } from "./caltech101.js";
import { cars } from "./cars.js";
import { dtd } from "./dtd.js";
import { flowers102 } from "./flowers102.js";
import { food101 } from "./food101.js";
import type { DataSetKind } from "./kind.js";
import { Miniature, plainJpeg, sizesOf, valuesOf } from "./miniature.js";
import { pets } from "./pets.js";
import { places365 } from "./places365.js";
import { sun397 } from "./sun397.js";
import { kinds } from "./table.js";
import { voc2007 } from "./voc2007.js";

let mini: Miniature;
beforeAll(async () => {
  mini = await Miniature.make();
});
afterAll(() => mini.remove());

/** Images of grey value 0, 10, 20 … at the given paths. */
const images = (folder: string, paths: readonly string[]) =>
  Promise.all(paths.map(async (path, i) => mini.put(`${folder}/${path}`, await plainJpeg(10 * i))));
const matlab = async (to: string, name: string) =>
  mini.put(to, await readFile(new URL(`./matlab-files/${name}.mat`, import.meta.url)));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Labels and first values of the parts that are given, in order. */
const labelled = async (source: DataSource, part: "train" | "val" | "test") => {
  const set = source.splits![part];
  const values = await valuesOf(set);
  return values.map((value, i) => [set.labels![i], value]);
};
/** What stays of trainval is train, and every image of val carries the label it has there. */
const expectParts = async (source: DataSource, sizes: readonly number[]) => {
  expect(sizesOf(source)).toEqual(sizes);
  const { train, val, trainval } = source.splits!;
  const both = [...(await valuesOf(train)), ...(await valuesOf(val))].sort((a, b) => a! - b!);
  expect(both).toEqual([...(await valuesOf(trainval))].sort((a, b) => a! - b!));
  expect(source.skipped()).toEqual([]);
};

describe("sets that give train, val and test", () => {
  it("FGVC Aircraft: variants with blanks in their names", async () => {
    await mini.put("air/data/variants.txt", ["707-320", "Model B200"]);
    await images("air/data/images", ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]);
    await mini.put("air/data/images_variant_train.txt", ["2 707-320", "1 Model B200"]);
    await mini.put("air/data/images_variant_val.txt", ["3 Model B200"]);
    await mini.put("air/data/images_variant_test.txt", ["4 707-320"]);
    const source = await mini.open(aircraft, "air");
    expect(source.classes).toEqual(["707-320", "Model B200"]);
    await expectParts(source, [2, 1, 3, 1]);
    expect(await labelled(source, "train")).toEqual([
      [0, 10],
      [1, 0],
    ]);
    expect(await labelled(source, "test")).toEqual([[0, 30]]);
    await mini.put("air/data/images_variant_test.txt", ["4 707-321"]);
    await expect(mini.open(aircraft, "air")).rejects.toThrow(
      /images_variant_test.txt: there is no class "707-321" among the 2/,
    );
  });

  it("DTD: the first split", async () => {
    await images("textures/dtd/images", ["banded/b_1.jpg", "dotted/d_1.jpg", "banded/b_2.jpg"]);
    await mini.put("textures/dtd/labels/train1.txt", ["dotted/d_1.jpg"]);
    await mini.put("textures/dtd/labels/val1.txt", ["banded/b_1.jpg"]);
    await mini.put("textures/dtd/labels/test1.txt", ["banded/b_2.jpg"]);
    const source = await mini.open(dtd, "textures");
    await expectParts(source, [1, 1, 2, 1]);
    expect(await labelled(source, "train")).toEqual([[1, 10]]);
    expect(await labelled(source, "val")).toEqual([[0, 0]]);
  });

  it("Flowers-102: MATLAB's lists", async () => {
    await images(
      "flowers/jpg",
      range(1, 7).map((id) => `image_0000${id}.jpg`),
    );
    await matlab("flowers/imagelabels.mat", "imagelabels");
    await matlab("flowers/setid.mat", "setid");
    const source = await mini.open(flowers102, "flowers");
    await expectParts(source, [2, 2, 4, 2]);
    // Images 4 and 1 carry labels 102 and 77, from one.
    expect(await labelled(source, "train")).toEqual([
      [101, 30],
      [76, 0],
    ]);
    await mini.put("flowers/setid.mat", "not MATLAB");
    await expect(mini.open(flowers102, "flowers")).rejects.toThrow(/setid.mat is no MATLAB file/);
    await matlab("flowers/setid.mat", "imagelabels");
    await expect(mini.open(flowers102, "flowers")).rejects.toThrow(/lacks the variable trnid, valid, tstid/);
  });

  it("refuses a list that names files outside the set's folder", async () => {
    await images("outside/images/a", ["1.jpg", "2.jpg"]);
    for (const part of ["train", "val"]) await mini.put(`outside/labels/${part}1.txt`, ["a/1.jpg"]);
    await mini.put("outside/labels/test1.txt", ["a/../../../2.jpg"]);
    await expect(mini.open(dtd, "outside")).rejects.toThrow(/names images\/a\/.*2\.jpg, which lies outside/);
  });

  it("VOC2007: the classes of an image, three-valued", async () => {
    const lists = { train: ["000012", "000017"], val: ["000020"], test: ["000001"] };
    const classes = voc2007.needs.flatMap((need) => /Main\/(\w+)_train/.exec(need)?.[1] ?? []);
    expect(classes).toHaveLength(20);
    await images(
      "voc/VOCdevkit/VOC2007/JPEGImages",
      Object.values(lists)
        .flat()
        .map((id) => `${id}.jpg`),
    );
    for (const [side, ids] of Object.entries(lists)) {
      const folder = "voc/VOCdevkit/VOC2007/ImageSets/Main";
      await mini.put(`${folder}/${side}.txt`, ids);
      for (const name of classes) {
        const value = (id: string) =>
          name === "car" && id === "000012" ? " 1" : name === "person" && id === "000012" ? " 0" : "-1";
        await mini.put(
          `${folder}/${name}_${side}.txt`,
          ids.map((id) => `${id} ${value(id)}`),
        );
      }
    }
    const source = await mini.open(voc2007, "voc");
    expect(source.classes).toEqual(classes);
    await expectParts(source, [2, 1, 3, 1]);
    expect(source.train.labels).toBeUndefined();
    const { train, trainval } = source.splits!;
    const row = [...train.presence!.subarray(0, 20)];
    expect(row.map((value, k) => [classes[k], value]).filter(([, value]) => value !== -1)).toEqual([
      ["car", 1],
      ["person", 0],
    ]);
    expect([...trainval.presence!.subarray(20)].every((value) => value === -1)).toBe(true);
    await mini.put("voc/VOCdevkit/VOC2007/ImageSets/Main/dog_val.txt", ["000020 2"]);
    await expect(mini.open(voc2007, "voc")).rejects.toThrow(/dog_val.txt: "000020 2" is not an image of/);
    await mini.put("voc/VOCdevkit/VOC2007/ImageSets/Main/dog_val.txt", "");
    await expect(mini.open(voc2007, "voc")).rejects.toThrow(/dog_val.txt has 0 lines for the 1 images/);
  });
});

describe("sets whose val is held out of train", () => {
  it("Food-101: a tenth of every class", async () => {
    const paths = range(0, 10).flatMap((i) => [`pie/${i}`, `soup/${i}`]);
    await images("food/food-101/images", [...paths.map((path) => `${path}.jpg`), "pie/99.jpg"]);
    await mini.put("food/food-101/meta/classes.txt", ["pie", "soup"]);
    await mini.put("food/food-101/meta/train.txt", paths);
    await mini.put("food/food-101/meta/test.txt", ["pie/99"]);
    const source = await mini.open(food101, "food");
    await expectParts(source, [18, 2, 20, 1]);
    expect([...source.splits!.val.labels!].sort()).toEqual([0, 1]);
    expect(await labelled(source, "test")).toEqual([[0, 200]]);
  });

  it("Birdsnap: tables with named columns", async () => {
    await mini.put("birds/species.txt", [
      "id\tcommon\tscientific\tdir",
      "1\tBlue Jay\tC. c.\tjay",
      "2\tWren\tT. t.\twren",
    ]);
    const paths = ["jay/1.jpg", "wren/2.jpg", "wren/3.jpg"];
    await mini.put("birds/images.txt", [
      "url\tmd5\tpath\tspecies_id\tbb_x1",
      ...paths.map((path) => `u\tm\t${path}\t${path[0] === "j" ? 1 : 2}\t0`),
    ]);
    await mini.put("birds/test_images.txt", ["path", "wren/2.jpg"]);
    await images("birds/images", paths);
    const source = await mini.open(birdsnap, "birds");
    expect(source.classes).toEqual(["Blue Jay", "Wren"]);
    await expectParts(source, [2, 0, 2, 1]);
    expect(await labelled(source, "train")).toEqual([
      [0, 0],
      [1, 20],
    ]);
    await mini.put("birds/images.txt", ["url\tpath\tspecies_id", "u\tjay/1.jpg\t3"]);
    await expect(mini.open(birdsnap, "birds")).rejects.toThrow(
      /jay\/1.jpg: label 3 is out of the range 1 to 2/,
    );
    await mini.put("birds/images.txt", ["url\tpath\tspecies"]);
    await expect(mini.open(birdsnap, "birds")).rejects.toThrow(/images.txt lacks the column species_id/);
  });

  it("SUN397: classes of several folders, a fifth validates", async () => {
    const paths = range(0, 5).flatMap((i) => [`/a/abbey/${i}.jpg`, `/b/bar/indoor/${i}.jpg`]);
    await images("sun/SUN397", [...paths, "a/abbey/9.jpg"]);
    await mini.put("sun/SUN397/ClassName.txt", ["/a/abbey", "/b/bar/indoor"]);
    await mini.put("sun/SUN397/Partitions/Training_01.txt", paths);
    await mini.put("sun/SUN397/Partitions/Testing_01.txt", ["/a/abbey/9.jpg"]);
    const source = await mini.open(sun397, "sun");
    expect(source.classes).toEqual(["a/abbey", "b/bar/indoor"]);
    await expectParts(source, [8, 2, 10, 1]);
    expect([...source.splits!.val.labels!].sort()).toEqual([0, 1]);
  });

  it("Stanford Cars: MATLAB's structures", async () => {
    await images(
      "cars/cars_train",
      range(1, 5).map((id) => `0000${id}.jpg`),
    );
    await images("cars/cars_test", ["00001.jpg", "00002.jpg"]);
    await matlab("cars/devkit/cars_meta.mat", "cars_meta");
    await matlab("cars/devkit/cars_train_annos.mat", "cars_train_annos");
    await matlab("cars/cars_test_annos_withlabels.mat", "cars_test_annos_withlabels");
    const source = await mini.open(cars, "cars");
    expect(source.classes).toEqual(["AM General Hummer SUV 2000", "Audi TT RS Coupe 2012"]);
    await expectParts(source, [3, 1, 4, 2]);
    expect([...source.splits!.trainval.labels!]).toEqual([0, 1, 1, 0]);
    expect(await labelled(source, "test")).toEqual([
      [1, 0],
      [0, 10],
    ]);
    await matlab("cars/cars_test_annos_withlabels.mat", "cars_bad_annos");
    await expect(mini.open(cars, "cars")).rejects.toThrow(/00002.jpg: label 3 is out of the range 1 to 2/);
  });

  it("Oxford-IIIT Pets: breeds by the names of the files", async () => {
    const names = ["Abyssinian_1", "Abyssinian_2", "american_bulldog_10", "american_bulldog_11"];
    const line = (name: string) => `${name} ${name.startsWith("A") ? 1 : 2} 1 1`;
    await images(
      "pets/images",
      [...names, "Abyssinian_3"].map((name) => `${name}.jpg`),
    );
    await mini.put("pets/annotations/trainval.txt", names.map(line));
    await mini.put("pets/annotations/test.txt", ["#Image CLASS-ID SPECIES BREED ID", line("Abyssinian_3")]);
    const source = await mini.open(pets, "pets");
    expect(source.classes).toEqual(["Abyssinian", "american_bulldog"]);
    await expectParts(source, [2, 2, 4, 1]);
    await mini.put("pets/annotations/test.txt", ["Abyssinian_3 38 1 1"]);
    await expect(mini.open(pets, "pets")).rejects.toThrow(/label 38 is out of the range 1 to 37/);
  });

  it("Caltech-101: 25 of a class train, 5 validate, the rest tests", async () => {
    const jpeg = await plainJpeg(5);
    for (const [name, count] of [
      ["BACKGROUND_Google", 33],
      ["accordion", 31],
    ] as const)
      for (const i of range(0, count))
        await mini.put(`caltech/101_ObjectCategories/${name}/image_${i}.jpg`, jpeg);
    const source = await mini.open(caltech101, "caltech");
    expect(sizesOf(source)).toEqual([50, 10, 60, 4]);
    expect([...source.heldOut.labels!]).toEqual([0, 0, 0, 1]);
    await mini.put("caltech/101_ObjectCategories/wrench/readme.txt", "");
    await expect(mini.open(caltech101, "caltech")).rejects.toThrow(/wrench holds no JPEG images/);
  });

  it("Places365: the published val is the test", async () => {
    await mini.put("places/categories_places365.txt", ["/a/airfield 0", "/b/bar/indoor 1"]);
    await images("places/data_256_standard", ["a/airfield/1.jpg", "b/bar/indoor/1.jpg"]);
    await images("places/val_256", ["Places365_val_00000001.jpg"]);
    await mini.put("places/places365_train_standard.txt", ["/a/airfield/1.jpg 0", "/b/bar/indoor/1.jpg 1"]);
    await mini.put("places/places365_val.txt", ["Places365_val_00000001.jpg 1"]);
    const source = await mini.open(places365, "places");
    expect(source.classes).toEqual(["airfield", "bar/indoor"]);
    await expectParts(source, [2, 0, 2, 1]);
    expect(await labelled(source, "test")).toEqual([[1, 0]]);
    await mini.put("places/places365_val.txt", ["Places365_val_00000001.jpg 2"]);
    await expect(mini.open(places365, "places")).rejects.toThrow(/label 2 is out of the range 0 to 1/);
  });
});

describe("every kind", () => {
  it.each(kinds.map((kind) => [kind.name, kind] as const))(
    "%s says what its layout lacks",
    async (_, kind) => {
      await mini.put("bare/readme.txt", "");
      const first = kind.needs[0]!.replaceAll("|", " or ");
      await expect(mini.open(kind, "bare")).rejects.toThrow(
        `is not laid out as ${kind.title}: it lacks ${first}`,
      );
    },
  );

  it("counts as the paper does (App. D.1)", () => {
    const wanted: Record<string, readonly number[]> = {
      food101: [68_175, 7_575, 25_250],
      cifar10: [45_000, 5_000, 10_000],
      cifar100: [44_933, 5_067, 10_000],
      birdsnap: [42_405, 4_981, 2_443],
      sun397: [15_880, 3_970, 19_850],
      cars: [6_494, 1_650, 8_041],
      aircraft: [3_334, 3_333, 3_333],
      voc2007: [2_501, 2_510, 4_952],
      dtd: [1_880, 1_880, 1_880],
      pets: [2_940, 740, 3_669],
      caltech101: [2_550, 510, 6_084],
      flowers102: [1_020, 1_020, 6_149],
    };
    const sizes = ({ official: { train, val, test } }: DataSetKind) => [train, val, test];
    for (const [name, counts] of Object.entries(wanted))
      expect([name, sizes(kinds.find((kind) => kind.name === name)!)]).toEqual([name, counts]);
  });

  it("names an image that its list has and its folder has not", async () => {
    await mini.put("gone/images/x.txt", "");
    await mini.put("gone/meta/classes.txt", ["pie"]);
    await mini.put("gone/meta/train.txt", ["pie/1"]);
    await mini.put("gone/meta/test.txt", ["pie/2"]);
    const source = await mini.open(food101, "gone");
    expect(await source.train.read(0)).toBeUndefined();
    expect(source.skipped()[0]!.file).toBe("images/pie/1.jpg");
    await mini.put("gone/meta/test.txt", ["cake/2"]);
    await expect(mini.open(food101, "gone")).rejects.toThrow(/meta\/test.txt: there is no class "cake"/);
  });
});
