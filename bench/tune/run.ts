/** `npm run tune`: tunes the matrix products and convolutions of benchmark nets on the WebGPU adapter, and keeps what it finds. */
import {
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  type Device,
  matmul,
  openDevice,
  type Tensor,
} from "@dawnstrap/tensor";
import { Command, Option } from "commander";
import type { WebGpuBackend } from "@dawnstrap/tensor/testing";
import { buildProgram } from "@dawnstrap/tensor/testing";
import type { Variant } from "@dawnstrap/tensor/testing";
import type { Choice } from "@dawnstrap/tensor/testing";
import type { Tunable } from "@dawnstrap/tensor/testing";
import { type ConvLayer, convLayers, digitsNet, resnet18, resnet50 } from "../peers/networks.js";
import { pattern, positive } from "../shared/options.js";

interface Case {
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

const presets: Readonly<Record<string, readonly Case[]>> = {
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

interface Options {
  readonly preset?: string;
  readonly cases?: RegExp;
  readonly seconds: number;
  readonly list?: true;
  readonly again?: true;
}

const { preset, cases, seconds, list, again } = new Command("npm run tune --")
  .description(
    "Times the variants of matrix products and convolutions on the WebGPU adapter, after checking them, and keeps the fastest for later runs ($DAWNSTRAP_TUNE_CACHE, else dawnstrap/tune.json in the cache folder).",
  )
  .addOption(new Option("--preset <net>", "only the kernels of one net").choices(Object.keys(presets)))
  .option("--cases <pattern>", "only cases whose name matches, ignoring case", pattern)
  .option("--seconds <n>", "time for all of them", positive, 600)
  .option("--list", "show the cases and what is kept for them; tune nothing")
  .option("--again", "also tune what has a result already")
  .showHelpAfterError()
  .parse()
  .opts<Options>();

const chosen = (preset ? presets[preset]! : Object.values(presets).flat()).filter(
  ({ name }) => !cases || cases.test(name),
);
if (chosen.length === 0) {
  console.error(`tune: --cases ${cases} matches none of the ${preset ?? ""} cases; --list shows them`);
  process.exit(1);
}

const device = await openDevice("webgpu").catch((error: Error) => {
  console.error(`tune: ${error.message}`);
  process.exit(1);
});
const backend = device.backend as WebGpuBackend;

/** The tunable call of a case; nothing of it is computed. */
function callOf(one: Case): Tunable {
  const { node, output } = one.record(device);
  const program = buildProgram({
    kind: "webgpu",
    limits: backend.limits,
    results: [{ node, output }],
    assigned: [],
  });
  const call = program.calls.find(({ spec }) => backend.variantsOf(spec).length > 0)!;
  const bindings = call.bindings.map(({ buf, access }) => ({
    bytes: 4 * buf.numel,
    dtype: buf.dtype,
    access,
  }));
  return { ...call, bindings };
}

const shown = (variant: Variant): string => {
  const { style, ...rest } = variant;
  return `${style} ${Object.entries(rest)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ")}`;
};
const row = (name: string, choice: Choice | undefined, note = ""): string => {
  if (!choice) return `${name.padEnd(52)} ${"–".padStart(10)}`;
  const { defaultMs, ms, variant } = choice;
  const numbers = [
    defaultMs.toFixed(3).padStart(10),
    ms.toFixed(3).padStart(10),
    (defaultMs / ms).toFixed(2).padStart(6),
  ];
  return `${name.padEnd(52)} ${numbers.join(" ")}  ${shown(variant)}${note}`;
};

console.log(`${device.description}\n`);
console.log(
  `${"case".padEnd(52)} ${"default ms".padStart(10)} ${"best ms".padStart(10)} ${"ratio".padStart(6)}  variant`,
);
const end = performance.now() + seconds * 1000;
let failures = 0;
for (const [i, one] of chosen.entries()) {
  const call = callOf(one);
  const left = (end - performance.now()) / 1000;
  let note = "";
  if (!list && left > 0) {
    try {
      // A case may use its share of what is left.
      const [report] = await backend.tuner.tune([call], {
        seconds: left / (chosen.length - i),
        again: again ?? false,
      });
      const refused = report?.rejected ?? [];
      if (!report) note = "  (kept)";
      else if (refused.length > 0) note = `  (${refused.length} refused: ${refused[0]!.why.split("\n")[0]})`;
    } catch (error) {
      failures++;
      console.log(`${one.name}\n    failed: ${(error as Error).message}`);
      continue;
    }
  }
  console.log(row(one.name, backend.tuner.kept(call.spec), note));
}
await device.destroy();
if (failures > 0) {
  console.error(`\ntune: ${failures} of ${chosen.length} cases failed`);
  process.exitCode = 1;
}
