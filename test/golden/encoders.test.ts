/** Encoders saved by PyTorch: a safetensors file with torchvision's names gives torchvision's features (generator/encoders.py). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEncoder } from "@dawnstrap/byol/node";
import { buildEncoder } from "@dawnstrap/byol/tasks";
import { encodeStateDict, type HostTensor } from "@dawnstrap/nn";
import { openDevice } from "@dawnstrap/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { images, parameter, tensor } from "./formula.js";
import { golden } from "./load.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "encoders-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Golden {
  readonly size: number;
  readonly names: Record<string, number[]>;
  readonly features: number[][];
}

function formulaOf(name: string, shape: readonly number[]): HostTensor {
  if (name.endsWith("num_batches_tracked")) return { dtype: "int64", shape, data: new BigInt64Array(1) };
  const data = name.endsWith("running_mean")
    ? tensor(name, shape, 0.1)
    : name.endsWith("running_var")
      ? tensor(name, shape, 0.25, 1)
      : parameter(name, shape);
  return { dtype: "float32", shape, data };
}

it.each([
  ["encoder18", "resnet18", { block: "basic", blocks: [2, 2, 2, 2], baseWidth: 64, stem: "imagenet" }],
  ["encoder50", "resnet50", { block: "bottleneck", blocks: [3, 4, 6, 3], baseWidth: 64, stem: "imagenet" }],
] as const)("%s", async (name, arch, architecture) => {
  const { size, names, features } = golden<Golden>(name);
  const dict = new Map(Object.entries(names).map(([n, shape]) => [n, formulaOf(n, shape)]));
  const path = join(folder, `${name}.safetensors`);
  await writeFile(path, encodeStateDict(dict));
  const file = await readEncoder(path);
  expect(file).toMatchObject({ layout: "pytorch", architecture: { ...architecture, padding: "torch" } });
  const device = await openDevice("cpu");
  const network = buildEncoder(device, file);
  const x = device.tensor(images(`${arch}.images`, [features.length, 3, size, size]), [
    features.length,
    size,
    size,
    3,
  ]);
  const got = await network.forward(x, { train: false }).data();
  const scale = Math.max(...features.flat().map(Math.abs));
  features.flat().forEach((want, i) => expect(Math.abs(got[i]! - want) / scale).toBeLessThan(1e-4));
  await device.destroy();
});
