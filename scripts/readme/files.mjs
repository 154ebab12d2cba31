// What the READMEs' commands name and a clone does not have: images, lists, a configuration, weights by torchvision's names.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const voc =
  `aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant
  sheep sofa train tvmonitor`.split(/\s+/);

export async function putFiles(folder) {
  // Only now: before `npm ci` there is no sharp.
  const { default: sharp } = await import("sharp");
  const put = (name, content) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  const photo = (side, kind) => {
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * (3 + kind)) & 255);
    return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .jpeg()
      .toBuffer();
  };
  for (let i = 0; i < 24; i++) put(`photos/${i % 2 ? "cats" : "dogs"}/${i}.jpg`, await photo(40 + i, i));
  put("photo.jpg", await photo(60, 1));
  put("mine.json", '{"extends": "folder", "image": {"size": 96}, "views": [{"flip": 0}, {"flip": 0}]}');
  await pets(put, photo);
  await voc2007(put, photo);
  put("resnet50.safetensors", await weights());
}

async function pets(put, photo) {
  const lines = ["Abyssinian", "beagle"].flatMap((breed, b) =>
    Array.from({ length: 12 }, (_, i) => ({
      name: `${breed}_${i + 1}`,
      line: `${breed}_${i + 1} ${b + 1} 1 1`,
    })),
  );
  for (const [i, { name }] of lines.entries()) put(`pets/images/${name}.jpg`, await photo(40, i));
  const part = (test) => lines.filter((_, i) => (i % 3 === 0) === test).map(({ line }) => `${line}\n`);
  put("pets/annotations/trainval.txt", part(false).join(""));
  put("pets/annotations/test.txt", part(true).join(""));
}

async function voc2007(put, photo) {
  const sides = { train: ["01", "02", "03"], val: ["04", "05", "06"], test: ["07", "08", "09"] };
  for (const [side, ids] of Object.entries(sides)) {
    for (const id of ids) put(`voc/JPEGImages/${id}.jpg`, await photo(50, Number(id)));
    put(`voc/ImageSets/Main/${side}.txt`, ids.join("\n"));
    for (const [c, name] of voc.entries())
      put(
        `voc/ImageSets/Main/${name}_${side}.txt`,
        ids.map((id, i) => `${id} ${(i + c) % 3 === 0 ? 1 : -1}`).join("\n"),
      );
  }
}

/** A ResNet-18 that has learnt nothing, in the place of the ResNet-50: a fifth of its time. */
async function weights() {
  const { openDevice } = await import("@dawnstrap/tensor");
  const { encodeStateDict, ResNet, stateDict } = await import("@dawnstrap/nn");
  const device = await openDevice("cpu");
  const network = new ResNet({ block: "basic", blocks: [2, 2, 2, 2] }).init(device, { seed: 0 });
  const bytes = encodeStateDict(await stateDict(network, { layout: "pytorch" }), {});
  await device.destroy();
  return bytes;
}
