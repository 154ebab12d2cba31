/** Runs a part of the kernel families on whichever adapter the environment names; exits with 1 at the first difference. */
import { families, openWebGpu } from "@dawnstrap/tensor/testing";
import { check } from "../kernels/families.js";

async function main(): Promise<void> {
  const backend = await openWebGpu();
  console.log(backend.description);
  const cases = [...families.values()].flatMap((family) =>
    family.samples.awkward.map((params) => ({ family, params })),
  );
  const some = cases.filter((_, i) => i % 6 === 0);
  for (const { family, params } of some) await check([backend], family, params, { tolerance: 2e-6 });
  console.log(`${some.length} cases agree`);
  await backend.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
