/** The matrix products and convolutions of benchmark nets. */
import {
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  type Device,
  matmul,
  type Tensor,
} from "@dawnstrap/tensor";
import { type ConvLayer, convLayers, digitsNet, resnet18, resnet50 } from "../peers/networks.js";

export interface Case {
  readonly name: string;
  record(device: Device): Tensor;
}

const product = (m: number, n: number, k: number, transB = false): Case => ({
  name: `matmul ${m}×${n}×${k}${transB ? " Bᵀ" : ""}`,
  record: (device) =>
    matmul(device.zeros([m, k]), device.zeros(transB ? [n, k] : [k, n]), { transposeB: transB }),
});

function convolutions(net: string, layers: readonly ConvLayer[]): Case[] {
  return layers.flatMap(({ batch, size, inC, outC, kernel, stride, pad }) => {
    const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
    const options = { stride, padding: pad };
    const x = [batch, size, size, inC];
    const w = [kernel, kernel, inC, outC];
    const dy = [batch, out, out, outC];
    const layer = `${kernel}×${kernel} ${inC}→${outC} ${size}×${size}/${stride} b${batch}`;
    return [
      { name: `${net} forward ${layer}`, record: (d: Device) => conv2d(d.zeros(x), d.zeros(w), options) },
      {
        name: `${net} input grad ${layer}`,
        record: (d: Device) => conv2dInputGrad(d.zeros(dy), d.zeros(w), [size, size], options),
      },
      {
        name: `${net} weight grad ${layer}`,
        record: (d: Device) => conv2dWeightGrad(d.zeros(x), d.zeros(dy), [kernel, kernel], options),
      },
    ];
  });
}

export const presets: Readonly<Record<string, readonly Case[]>> = {
  matmul: [
    ...[256, 512, 1024, 2048].map((n) => product(n, n, n)),
    product(512, 512, 512, true),
    product(128, 512, 512),
    product(4096, 256, 512),
  ],
  resnet18: convolutions("resnet18", convLayers(resnet18, 32, 32)),
  resnet50: convolutions("resnet50", convLayers(resnet50, 224, 4)),
  digits: convolutions("digits", convLayers(digitsNet, 28, 128)),
};

/**
 * Those of one net, or of all, whose names match.
 *
 * @throws Error where there are none
 */
export function casesMatching(preset: string | undefined, pattern: RegExp | undefined): readonly Case[] {
  const chosen = (preset ? presets[preset]! : Object.values(presets).flat()).filter(
    ({ name }) => !pattern || pattern.test(name),
  );
  if (chosen.length === 0)
    throw new Error(`--cases ${pattern} matches none of the ${preset ?? ""} cases; --list shows them`);
  return chosen;
}
