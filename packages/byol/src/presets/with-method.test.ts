/** A preset's counterparts for the other methods and for the ablations. */
import { describe, expect, it } from "vitest";
import { parsePreset } from "./preset.js";
import { presetNamed, presets } from "./index.js";
import { withMethod } from "./with-method.js";
import { rateWarning } from "../learner/rates.js";
import { makeSchedule } from "../training/setup.js";
import { headsOf } from "../methods/index.js";
import { variantNames } from "../methods/variants.js";

const tiny = presetNamed("tiny");

describe("variants", () => {
  it("are valid presets, for every preset", () => {
    for (const preset of Object.values(presets))
      for (const name of variantNames) {
        const made = withMethod(preset, name);
        expect(parsePreset(made)).toEqual(made);
      }
  });
  it("have the settings of the network's scale: digits, ResNet-18 on small photographs, ResNet-50 on ImageNet", () => {
    const settings = (name: string) => {
      const { method, optimizer, views, source } = withMethod(presetNamed(name), "barlow-twins");
      const own = views === presetNamed(name).views;
      return [optimizer.kind, headsOf(method).projector?.output, own, source.split(",")[0]];
    };
    const resnet18 = ["lars", 2048, true, "solo-learn's for a ResNet-18 on CIFAR"];
    for (const name of ["digits", "emoji", "tiny"])
      expect(settings(name)).toEqual(["adamw", 256, true, "chosen for short runs on digits"]);
    for (const name of ["cifar10-r18", "cifar100-r18", "stl10-r18", "imagenette-r18", "folder"])
      expect(settings(name)).toEqual(resnet18);
    for (const name of ["imagenet-r50", "imagenet-r200x2"])
      expect(settings(name)).toEqual(["lars", 8192, false, "as published for ResNet-50 on ImageNet"]);
  });
  it("have rates that fit their optimisers", () => {
    for (const preset of Object.values(presets))
      for (const name of variantNames) expect(rateWarning(withMethod(preset, name)), name).toBeUndefined();
  });
  it("say which names there are, and that the queue must hold a batch", () => {
    expect(() => withMethod(tiny, "simclrr")).toThrow(/"simclrr".*byol, simclr.*byol-tau-0/);
    expect(() => withMethod(withMethod(tiny, "moco"), "byol-tau-0")).toThrow(/from a preset for byol/);
    expect(() => parsePreset({ ...withMethod(tiny, "moco"), batch: 4096 })).toThrow(/method.queue.*8192/);
  });
  it("have a τ where there is a target, which rises or stays", () => {
    const tau = (name: string) => makeSchedule(withMethod(tiny, name), 10, 100)(50).tau;
    expect(tau("byol")).toBeCloseTo(0.95, 6);
    expect([tau("byol-tau-0"), tau("byol-tau-1"), tau("moco")]).toEqual([0, 1, 0.99]);
    expect(tau("simclr")).toBeUndefined();
  });
});
