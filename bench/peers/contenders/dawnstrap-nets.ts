/** The cases that need networks and optimisers. */
import { valueAndGrad } from "@dawnstrap/autograd";
import { byolStep, type Head, Network, type Preset, presetNamed } from "@dawnstrap/byol";
import { crossEntropy, Lars, type ParamArena, ResNet, resnet, Sgd, torchvisionForm } from "@dawnstrap/nn";
import { type Device, slice, type Tensor } from "@dawnstrap/tensor";
import type { Work } from "../cases.js";
import { type Parameter, resnet50 } from "../networks.js";
import {
  change,
  initial,
  input,
  inputLabels,
  type Output,
  type Stepper,
  targetInitial,
} from "./contender.js";
import { larsNumbers, looked, sgdMomentum } from "./optimizer-numbers.js";

type Values = (name: string, shape: readonly number[]) => Float32Array;

/** Gives every parameter its value; the reference list has the same names and shapes, or this throws. */
function fill(arena: ParamArena, parameters: readonly Parameter[], values: Values): void {
  const shapes = new Map(parameters.map((p) => [p.name, p.shape]));
  const of = (name: string) => {
    const shape = shapes.get(name);
    if (!shape) throw new Error(`the reference net has no parameter ${name}`);
    return { dtype: "float32" as const, shape, data: values(name, shape) };
  };
  arena.flat.assign(arena.device.tensor(arena.flatten(of)));
}

async function changes(
  arena: ParamArena,
  names: readonly string[],
  stream: string,
  values: Values,
): Promise<Output[]> {
  const now = await arena.readAs(arena.flat);
  return names.map((name) => {
    const { shape, data } = now.get(name)!;
    return change(`${stream}${name}`, shape, data as Float32Array, values(name, shape));
  });
}

const from =
  (stream: string): Values =>
  (name, shape) =>
    input(`${stream}/${name}`, shape);

export function larsEma(device: Device, parameters: readonly Parameter[]): Stepper<Tensor> {
  const net = (): ReturnType<typeof resnet> =>
    resnet(50, { ...torchvisionForm, classes: resnet50.classes }).init(device);
  const arenas = { w: net().arena, target: net().arena };
  for (const [stream, arena] of Object.entries(arenas)) fill(arena, parameters, from(stream));
  const grads = arenas.w.segments.map(({ name, shape }) => device.tensor(input(`g/${name}`, shape), shape));
  const { momentum, weightDecay, eta, lr, tau } = larsNumbers;
  const optimizer = new Lars(arenas.w, { momentum, weightDecay, trust: eta, target: arenas.target });
  const scalars = optimizer.numbers({ lr, tau });
  return {
    names: [],
    step: () => {
      optimizer.update(grads, scalars);
      return [];
    },
    state: async () =>
      (
        await Promise.all(
          Object.entries(arenas).map(([stream, arena]) => changes(arena, looked, `${stream}/`, from(stream))),
        )
      ).flat(),
  };
}

export function supervised(device: Device, work: Work & { kind: "supervised" }): Stepper<Tensor> {
  const { block, blocks, width, stem, inputChannels, classes } = work.form;
  const options = { block, blocks, baseWidth: width, stem, inputChannels, classes };
  const net = new ResNet({ ...torchvisionForm, ...options }).init(device);
  fill(net.arena, work.parameters, initial);
  const optimizer = new Sgd(net.arena, { momentum: sgdMomentum });
  const scalars = optimizer.numbers({ lr: work.lr });
  const x = device.tensor(input("images", work.shape), work.shape);
  const labels = device.tensor(inputLabels(work.shape[0]!, work.classes));
  return {
    names: ["loss"],
    step: () => {
      const { value, grads } = valueAndGrad(() => crossEntropy(net.forward(x, { train: true }), labels))(
        ...net.arena.values(),
      );
      optimizer.update(grads, scalars);
      return [value];
    },
    state: () => changes(net.arena, work.looked, "", initial),
  };
}

export function byol(device: Device, work: Work & { kind: "byol" }): Stepper<Tensor> {
  const { block, blocks, width, stem, inputChannels } = work.form;
  const digits = presetNamed("digits");
  const preset: Preset = {
    ...digits,
    network: { block, blocks: [...blocks], width, stem, zeroInit: false },
    image: { ...digits.image, channels: inputChannels === 1 ? 1 : 3 },
  };
  const head: Head = {
    hidden: [work.hidden],
    output: work.projection,
    norm: true,
    bias: false,
    outputNorm: false,
  };
  const make = () => new Network(preset, { projector: head, predictor: head }, work.classes).init(device);
  const [online, target] = [make(), make()];
  fill(online.arena, work.parameters, initial);
  fill(target.arena, work.parameters, targetInitial);
  const { momentum, weightDecay, eta, lr, tau } = larsNumbers;
  const optimizer = new Lars(online.arena, { momentum, weightDecay, trust: eta, target: target.arena });
  const scalars = optimizer.numbers({ lr, tau });
  const views = ["view1", "view2"].map((name) => device.tensor(input(name, work.shape), work.shape));
  const labels = device.tensor(inputLabels(work.shape[0]!, work.classes));
  return {
    names: ["loss"],
    step: () => {
      const numbers: Tensor = byolStep(
        { online, target, optimizer },
        views as [Tensor, Tensor],
        labels,
        scalars,
      );
      return [slice(numbers, [0], [1])];
    },
    state: async () => [
      ...(await changes(online.arena, work.looked, "", initial)),
      ...(await changes(target.arena, work.looked, "target/", targetInitial)),
    ],
  };
}
