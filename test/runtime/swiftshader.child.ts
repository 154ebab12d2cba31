/** Runs a part of the kernel families on whichever adapter the environment names; exits with 1 at the first difference. */
import { openWebGpu } from "@dawnstrap/tensor/testing";
import {
  convCases,
  difference,
  gemmCases,
  scatterCases,
} from "../../packages/tensor/src/kernels/wgsl/products/cases.js";
import { runKernel } from "../../packages/tensor/src/kernels/wgsl/testing.js";

async function main(): Promise<void> {
  const backend = await openWebGpu();
  console.log(backend.description);
  const cases = [...gemmCases(), ...convCases(), ...scatterCases()].filter((_, i) => i % 3 === 0);
  for (const { name, spec, bindings, expected } of cases) {
    const results = await runKernel(backend, spec, bindings);
    const d = difference(results.at(-1)!, expected);
    if (!(d < 2e-6)) throw new Error(`${name}: differs by ${d}`);
  }
  console.log(`${cases.length} cases agree`);
  await backend.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
