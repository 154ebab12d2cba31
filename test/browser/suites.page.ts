/** Runs in a page: the conformance and gradient suites, an op at a time, and a few steps of BYOL. */
// Register the ops of optimisers and running averages, and those of augmentation.
import "@dawnstrap/nn";
import "@dawnstrap/byol/images";
import type { Preset } from "@dawnstrap/byol";
import { openDevice } from "@dawnstrap/tensor";
import { registry } from "@dawnstrap/tensor/extend";
import fc from "fast-check";
import { conforms } from "../conformance/cases.js";
import { differentiable, gradientsAgree } from "../gradients/cases.js";
import { losses } from "./training.js";

async function open(seed: number) {
  fc.configureGlobal({ seed });
  const [device, reference] = [await openDevice("webgpu"), await openDevice("reference")];
  return {
    description: device.description,
    ops: [...registry.keys()],
    differentiable: differentiable().map((op) => op.name),
    conforms: (op: string, batch: number) => conforms(device, registry.get(op)!, batch, 1),
    gradients: (op: string, batch: number) => gradientsAgree(device, reference, registry.get(op)!, batch),
    losses: (preset: Preset, steps: number) => losses(device, preset, steps),
  };
}

export type Suites = Awaited<ReturnType<typeof open>>;
Object.assign(globalThis, { page: { open } });
