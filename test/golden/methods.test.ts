/** The losses of the other methods, and their gradients, against PyTorch in float64. */
import { grad } from "@dawnstrap/autograd";
import { crossCorrelationLoss, infoNce, negativeCosine, ntXent } from "@dawnstrap/byol";
import { concat, l2Normalize, openDevice, type Tensor } from "@dawnstrap/tensor";
import { describe, expect, it } from "vitest";
import { tensor } from "./formula.js";
import { golden } from "./load.js";

interface Case {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}
type Loss = "ntXent" | "infoNce" | "negativeCosine" | "barlowTwins";
const want = golden<
  Record<Loss, Case> & {
    options: Record<"batch" | "features" | "queue" | "temperature" | "lambda", number>;
  }
>("methods");
const { batch, features, queue, temperature, lambda } = want.options;

/** float32 values lose up to 2⁻²⁴ each; the losses are sums of tens of them. */
const tolerance = { reference: 1e-7, cpu: 3e-6 };

describe.each(["reference", "cpu"] as const)("losses on %s", (kind) => {
  it.each(["ntXent", "infoNce", "negativeCosine", "barlowTwins"] as const)("%s", async (name) => {
    const device = await openDevice(kind);
    const made = (of: string, rows: number) =>
      device.tensor(tensor(`methods/${of}`, [rows, features]), [rows, features]);
    const losses: Record<Loss, (a: Tensor, b: Tensor) => Tensor> = {
      ntXent: (a, b) => ntXent(concat([a, b]), temperature),
      infoNce: (a) => {
        const [key, keys] = [l2Normalize(made("key", batch)), l2Normalize(made("queue", queue))];
        return infoNce(l2Normalize(a), key, keys, temperature);
      },
      negativeCosine,
      barlowTwins: (a, b) => crossCorrelationLoss(a, b, lambda),
    };
    const xs = [made("a", batch), made("b", batch)] as const;
    const near = (got: number, wanted: number) =>
      expect(Math.abs(got - wanted), `${got} for ${wanted}`).toBeLessThan(
        tolerance[kind] * Math.max(1, Math.abs(wanted)),
      );
    near(await losses[name](...xs).item(), want[name].loss);
    const grads = grad(losses[name] as (...all: Tensor[]) => Tensor)(...xs);
    for (const [i, of] of ["a", "b"].entries()) {
      // What has no gradient there has zeros here.
      const wanted = want[name].gradients[of] ?? new Array<number>(batch * features).fill(0);
      for (const [k, value] of (await grads[i]!.data()).entries()) near(value, wanted[k]!);
    }
    await device.destroy();
  });
});
