/** VICReg's loss, and its gradients, against PyTorch in float64. */
import { grad } from "@dawnstrap/autograd";
import { vicregLoss, type VicregWeights } from "@dawnstrap/byol";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "./formula.js";
import { golden } from "./load.js";

interface Case {
  readonly weights: VicregWeights;
  readonly loss: number;
  readonly gradients: Readonly<Record<"a" | "b", readonly number[]>>;
}
const { options, cases } = golden<{
  options: { batch: number; features: number; scales: readonly number[] };
  cases: readonly Case[];
}>("vicreg");
const { batch, features, scales } = options;

/** float32 values lose up to 2⁻²⁴ each; the losses are sums of tens of them. */
const tolerance = { reference: 1e-7, cpu: 3e-6 };

describe.each(["reference", "cpu"] as const)("VICReg on %s", (kind) => {
  let device: Device;
  let xs: readonly [Tensor, Tensor];
  beforeAll(async () => {
    device = await openDevice(kind);
    const made = (of: string) =>
      device.tensor(
        tensor(`vicreg/${of}`, [batch, features]).map((value, i) => value * scales[i % features]!),
        [batch, features],
      );
    xs = [made("a"), made("b")];
  });
  afterAll(() => device.destroy());

  it.each(cases)("with weights $weights", async ({ weights, loss, gradients }) => {
    const near = (got: number, wanted: number) =>
      expect(Math.abs(got - wanted), `${got} for ${wanted}`).toBeLessThan(
        tolerance[kind] * Math.max(1, Math.abs(wanted)),
      );
    const of = (a: Tensor, b: Tensor) => vicregLoss(a, b, weights);
    near(await of(...xs).item(), loss);
    const grads = await Promise.all(grad(of)(...xs).map((g) => g!.data()));
    for (const [i, name] of (["a", "b"] as const).entries())
      for (const [k, wanted] of gradients[name].entries()) near(grads[i]![k]!, wanted);
  });
});

it("features that vary enough get no gradient from the variance, all others do", () => {
  const alone = cases.find(({ weights }) => weights.variance === 1)!;
  const moved = (of: readonly number[]) => scales.map((_, j) => of[j] !== 0);
  expect(moved(alone.gradients.a).filter(Boolean).length).toBeGreaterThan(0);
  expect(moved(alone.gradients.a).filter((moves) => !moves).length).toBeGreaterThan(0);
});
