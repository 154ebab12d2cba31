/** The cases that need networks and optimisers. */
import { Lars, resnet, torchvisionForm } from "@dawnstrap/nn";
import type { Device, Tensor } from "@dawnstrap/tensor";
import type { Parameter } from "../networks.js";
import { input } from "./contender.js";
import type { Recorder } from "./dawnstrap-cases.js";
import { larsNumbers, looked } from "./optimizer-numbers.js";

export async function larsEma(device: Device, parameters: readonly Parameter[]): Promise<Recorder> {
  const net = (): ReturnType<typeof resnet> => resnet(50, { ...torchvisionForm, classes: 1000 }).init(device);
  const [online, target] = [net(), net()];
  const shapes = new Map(parameters.map((p) => [p.name, p.shape]));
  const arenas = { w: online.arena, target: target.arena };
  const of = (stream: string) => (name: string) => {
    const shape = shapes.get(name);
    if (!shape) throw new Error(`the reference net has no parameter ${name}`);
    return { dtype: "float32" as const, shape, data: input(`${stream}/${name}`, shape) };
  };
  for (const [stream, arena] of Object.entries(arenas))
    arena.flat.assign(device.tensor(arena.flatten(of(stream))));
  const grads = online.arena.segments.map(({ name, shape }) =>
    device.tensor(input(`g/${name}`, shape), shape),
  );
  const { momentum, weightDecay, eta, lr, tau } = larsNumbers;
  const optimizer = new Lars(online.arena, { momentum, weightDecay, eta, target: target.arena });
  const scalars = device.tensor(optimizer.scalars({ lr, tau }));
  return {
    names: [],
    record: () => {
      optimizer.update(grads, scalars);
      return [];
    },
    state: () =>
      Object.entries(arenas).flatMap(([stream, arena]) =>
        looked.map((name): readonly [string, Tensor] => {
          const index = arena.segments.findIndex((s) => s.name === name);
          return [`${stream}/${name}`, arena.value(index)];
        }),
      ),
  };
}
