import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addShares,
  bindingsOf,
  type ConvParams,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  convolution as conv,
  compileWasm,
  type CpuBackend,
  type Family,
  kernelOf,
  noise,
  openCpu,
} from "@dawnstrap/tensor/testing";
import { expectedOf, hostBindings } from "./families.js";
import { runKernel } from "./run-kernel.js";

let direct: CpuBackend;
let winograd: CpuBackend[];
beforeAll(async () => {
  direct = await openCpu({ threads: 2, winograd: false });
  winograd = await Promise.all([
    openCpu({ threads: 1, shared: false, winograd: true }),
    openCpu({ threads: 2, winograd: true }),
    openCpu({ threads: 7, winograd: true }),
  ]);
});
afterAll(() => Promise.all([direct, ...winograd].map((b) => b.destroy())));

interface Pass {
  readonly family: Family<any>;
  readonly splits?: number;
}
const passes: readonly Pass[] = [
  { family: conv2d },
  { family: conv2dInputGrad },
  { family: conv2dWeightGrad, splits: 1 },
  { family: conv2dWeightGrad, splits: 3 },
];
const paramsOf = ({ splits }: Pass, p: ConvParams): object => (splits ? { ...p, splits } : p);

/** Whether Winograd's algorithm is used: when it is asked for, and by default. */
function uses(pass: Pass, p: ConvParams): { asked: boolean; byDefault: boolean } {
  const { family } = pass;
  const params = paramsOf(pass, p);
  const code = (choice: { winograd?: boolean }): string =>
    Buffer.from(
      compileWasm(kernelOf(family, params), bindingsOf(family, params), { shared: false, ...choice }).bytes,
    ).toString("base64");
  const off = code({ winograd: false });
  return { asked: code({ winograd: true }) !== off, byDefault: code({}) !== off };
}

/** Two inputs of noise, the first positive if wanted. */
function inputsOf(pass: Pass, p: ConvParams, seed: number, positive = false): Float32Array[] {
  const [a, b] = pass.family.operands(paramsOf(pass, p)).reads.map(({ shape }, i) =>
    noise(
      shape.reduce((n, d) => n * d, 1),
      seed + i,
    ),
  );
  return [positive ? a!.map(Math.abs) : a!, b!];
}

interface Errors {
  readonly rms: number;
  readonly worst: number;
}

function errorsOf(got: ArrayLike<number>, want: Float64Array): Errors {
  const scale = want.reduce((top, v) => Math.max(top, Math.abs(v)), 1e-3);
  let [squares, worst] = [0, 0];
  want.forEach((v, i) => {
    const error = Math.abs(v - got[i]!) / scale;
    squares += error * error;
    // A value that is not a number compares as no smaller.
    if (!(error <= worst)) worst = error;
  });
  return { rms: Math.sqrt(squares / want.length), worst };
}

/** Errors of both algorithms against float64; Winograd's bits must not depend on threads. */
async function compare(
  pass: Pass,
  p: ConvParams,
  inputs: readonly Float32Array[],
): Promise<{ direct: Errors; winograd: Errors }> {
  const { family } = pass;
  const params = paramsOf(pass, p);
  const want = expectedOf(family, params, inputs);
  const run = async (on: CpuBackend): Promise<Float32Array> => {
    const results = await runKernel(on, kernelOf(family, params), hostBindings(family, params, inputs));
    return results.at(-1) as Float32Array;
  };
  const whole = (out: Float32Array) => addShares(out, want.length);
  const ours: Float32Array[] = [];
  for (const on of winograd) ours.push(await run(on));
  for (const other of ours.slice(1))
    expect(Buffer.from(other.buffer).equals(Buffer.from(ours[0]!.buffer)), "bits on several threads").toBe(
      true,
    );
  return {
    direct: errorsOf(whole(await run(direct)), want),
    winograd: errorsOf(whole(ours[0]!), want),
  };
}

async function agree(p: ConvParams): Promise<void> {
  for (const pass of passes) {
    expect(uses(pass, p).asked, `${pass.family.name} ${JSON.stringify(p)}`).toBe(true);
    const errors = await compare(pass, p, inputsOf(pass, p, 1));
    for (const { worst } of Object.values(errors)) expect(worst).toBeLessThan(2e-5);
  }
}

const same = [1, 1, 1, 1] as const;
const shapes: ConvParams[] = [
  conv(1, [3, 3], [8, 8], [3, 3]),
  conv(1, [1, 1], [8, 16], [3, 3], { padding: same }),
  conv(2, [4, 4], [16, 8], [3, 3], { padding: same }),
  conv(3, [5, 6], [8, 24], [3, 3], { padding: same }),
  conv(2, [7, 9], [24, 8], [3, 3], { padding: same }),
  // Windows that never leave the image, and ones that begin far outside it.
  conv(2, [14, 10], [8, 8], [3, 3]),
  conv(2, [6, 7], [8, 8], [3, 3], { padding: [3, 0, 0, 4] }),
  conv(2, [6, 7], [8, 8], [3, 3], { padding: [0, 5, 2, 0] }),
  // Blocks of an image's rows; several blocks of tiles; weights that stay, and tiles that stay.
  conv(2, [41, 38], [40, 16], [3, 3], { padding: same }),
  conv(40, [8, 8], [32, 32], [3, 3], { padding: same }),
  conv(1, [6, 6], [16, 328], [3, 3], { padding: same }),
  conv(2, [4, 4], [256, 264], [3, 3], { padding: same }),
];

describe("Winograd and direct convolution agree with float64", () => {
  test.each(shapes.map((p) => [Object.values(p).join(" "), p] as const))("%s", (_, p) => agree(p));

  test("random shapes", async () => {
    const pad = fc.integer({ min: 0, max: 3 });
    const extent = fc.integer({ min: 3, max: 14 });
    const channels = fc.constantFrom(8, 16, 24, 40);
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 1, max: 3 }), extent, extent, channels, channels),
        fc.tuple(pad, pad, pad, pad),
        ([batch, h, w, inC, outC], padding) => agree(conv(batch, [h, w], [inC, outC], [3, 3], { padding })),
      ),
      { numRuns: 12 },
    );
  });
});

test("other windows, strides, dilations, groups and channels are convolved directly", () => {
  for (const p of [
    conv(2, [9, 9], [16, 16], [3, 3], { stride: [2, 1], padding: same }),
    conv(2, [9, 9], [16, 16], [3, 3], { dilation: [1, 2], padding: same }),
    conv(2, [9, 9], [16, 16], [3, 3], { groups: 2, padding: same }),
    conv(2, [9, 9], [16, 16], [1, 9]),
    conv(2, [9, 9], [1, 16], [3, 3], { padding: same }),
    conv(2, [9, 9], [16, 12], [3, 3], { padding: same }),
    conv(0, [9, 9], [16, 16], [3, 3], { padding: same }),
  ])
    for (const pass of passes) expect(uses(pass, p).asked, JSON.stringify(p)).toBe(false);
});

test("ResNets' layers use it by default; a few pixels, for which the weights would have to be transformed, do not", () => {
  const of = (batch: number, size: number, channels: number): boolean[] =>
    passes.map(
      (pass) =>
        uses(pass, conv(batch, [size, size], [channels, channels], [3, 3], { padding: same })).byDefault,
    );
  for (const [batch, size, channels] of [
    [32, 32, 64],
    [32, 16, 128],
    [32, 8, 256],
    [32, 4, 512],
    [4, 7, 512],
    [128, 28, 16],
    [128, 14, 32],
  ] as const)
    expect(of(batch, size, channels)).toEqual(passes.map(() => true));
  for (const [batch, size, channels] of [
    [1, 4, 64],
    [32, 2, 64],
    [32, 1, 512],
  ] as const)
    expect(of(batch, size, channels)).toEqual(passes.map(() => false));
});

/** winograd/transforms.ts states what is measured here. Direct sums that are split are the most accurate. */
test("errors stay within 5 times the direct sum's and below 5e-6 of the greatest output, for centred and for positive inputs", async () => {
  for (const channels of [16, 128])
    for (const positive of [false, true]) {
      const p = conv(2, [8, 8], [channels, channels], [3, 3], { padding: same });
      for (const pass of passes) {
        const e = await compare(pass, p, inputsOf(pass, p, 3, positive));
        console.log(
          `${pass.family.name}, ${channels} ${positive ? "positive" : "centred"} channels: rms error ` +
            `${e.winograd.rms.toExponential(1)}, direct ${e.direct.rms.toExponential(1)}, ` +
            `ratio ${(e.winograd.rms / e.direct.rms).toFixed(2)}; worst ${e.winograd.worst.toExponential(1)}, ` +
            `direct ${e.direct.worst.toExponential(1)}`,
        );
        expect(e.winograd.rms).toBeLessThan(5 * e.direct.rms);
        expect(e.winograd.worst).toBeLessThan(5e-6);
      }
    }
});

test("of heavy-tailed inputs the errors stay below 5e-6 of the greatest output; beside a spike they are the spike's", async () => {
  // Tails as of 1/|x|: the largest of these values is thousands of times their median.
  const heavy = (x: number): number => x / (1.0001 - Math.abs(x));
  const p = conv(2, [8, 8], [16, 16], [3, 3], { padding: same });
  for (const pass of passes) {
    const inputs = inputsOf(pass, p, 5).map((values) => values.map(heavy));
    expect((await compare(pass, p, inputs)).winograd.worst).toBeLessThan(5e-6);
  }
  const spiked = inputsOf(passes[0]!, p, 5);
  spiked[0]![0] = 1e6;
  const { direct, winograd } = await compare(passes[0]!, p, spiked);
  expect(winograd.worst).toBeLessThan(5e-6);
  expect(winograd.rms).toBeGreaterThan(direct.rms);
});
