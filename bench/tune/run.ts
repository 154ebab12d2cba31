/** `npm run tune`: tunes the matrix products and convolutions of benchmark nets on the WebGPU adapter, and keeps what it finds. */
import { type Device, openDevice } from "@dawnstrap/tensor";
import {
  buildProgram,
  type Choice,
  type Tunable,
  type Variant,
  type WebGpuBackend,
} from "@dawnstrap/tensor/testing";
import { script } from "../shared/script.js";
import { type Case, casesMatching } from "./cases.js";
import { flags, type Options } from "./options.js";

const { preset, cases, seconds, list, again } = flags.parse().opts<Options>();

/** The tunable call of a case; nothing of it is computed. */
function callOf(device: Device, one: Case): Tunable {
  const backend = device.backend as WebGpuBackend;
  const { node, output } = one.record(device);
  const program = buildProgram({
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

script("tune", async () => {
  const chosen = casesMatching(preset, cases);
  const device = await openDevice("webgpu");
  const backend = device.backend as WebGpuBackend;
  console.log(`${device.description}\n`);
  console.log(
    `${"case".padEnd(52)} ${"default ms".padStart(10)} ${"best ms".padStart(10)} ${"ratio".padStart(6)}  variant`,
  );
  const end = performance.now() + seconds * 1000;
  let failures = 0;
  for (const [i, one] of chosen.entries()) {
    const call = callOf(device, one);
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
        else if (refused.length > 0)
          note = `  (${refused.length} refused: ${refused[0]!.why.split("\n")[0]})`;
      } catch (error) {
        failures++;
        console.log(`${one.name}\n    failed: ${(error as Error).message}`);
        continue;
      }
    }
    console.log(row(one.name, backend.tuner.kept(call.spec), note));
  }
  await device.destroy();
  if (failures > 0) throw new Error(`${failures} of ${chosen.length} cases failed`);
});
