/**
 * `npm run bench:memory`: the bytes that a training step takes, by plan. ResNet-50, 224×224 pixels, the paper's heads,
 * with all activations kept and with checkpoints. Nothing is computed: it is all on planning devices.
 */
import { writeFileSync } from "node:fs";
import { byolStep, makeByol, type Preset, presetNamed } from "@dawnstrap/byol";
import { type Device, openDevice, type Tensor } from "@dawnstrap/tensor";
import { planningDevice } from "@dawnstrap/tensor/extend";
import { keptForBackward } from "./kept.js";
import { flags, type Options } from "./options.js";
import { describeRun, machineText } from "../shared/machine.js";
import { appendSection, resultsFile, sectionOf, table } from "../shared/section.js";

const options = flags.parse().opts<Options>();

/** Bytes of one plan. */
interface Plan {
  readonly device: "cpu" | "webgpu";
  readonly checkpoint: "none" | "block" | "stage";
  readonly kernels: number;
  /** Weights of both networks, and the optimiser's state. */
  readonly weights: number;
  readonly optimizer: number;
  /** Of the online network's weights: part of the arenas. */
  readonly gradients: number;
  /** Activations that the backward pass needs, counted from the graph (see kept.ts). */
  readonly kept: number;
  /** All temporaries of the step, gradients among them. */
  readonly arenas: number;
  /** The most that the device ever held, set-up and step. */
  readonly peak: number;
}

const elementBytes = 4;
const paper = presetNamed("imagenet-r50");

function presetWith(checkpoint: Plan["checkpoint"]): Preset {
  if (checkpoint === "none") return paper;
  return { ...paper, network: { ...paper.network, checkpoint } };
}

async function plan(like: Device, checkpoint: Plan["checkpoint"], batch: number): Promise<Plan> {
  // Software adapters bind 128 MiB at once, less than the weights of ResNet-50 and its heads; GPUs bind more.
  const device = planningDevice(like, "unlimited");
  const preset = presetWith(checkpoint);
  const { size, channels } = preset.image;
  const byol = makeByol(device, preset, 1000, 1);
  let kept = 0;
  const step = device.capture((x1: Tensor, x2: Tensor, labels: Tensor, scalars: Tensor) => {
    const numbers = byolStep(byol, [x1, x2], labels, scalars);
    kept = keptForBackward(numbers.node);
    return numbers;
  });
  const view = () =>
    device.tensor(new Float32Array(batch * size * size * channels), [batch, size, size, channels]);
  const numbers = byol.optimizer.numbers({ lr: 0.1, tau: 0.99 });
  const args = [view(), view(), device.tensor(new Int32Array(batch)), numbers] as const;
  // The weights' first values are kernels too, and no part of a step.
  await device.flush();
  const { counters } = device.backend!;
  const before = counters.dispatches;
  await step(...args);
  const flat = elementBytes * byol.online.arena.length;
  const memory = device.memory();
  return {
    device: like.kind as Plan["device"],
    checkpoint,
    kernels: counters.dispatches - before,
    weights: 2 * flat,
    optimizer: flat,
    gradients: flat,
    kept,
    arenas: memory.arena,
    peak: memory.peak,
  };
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)}×`;

function tableOf(plans: readonly Plan[]): string {
  const head = [
    "MiB",
    "checkpoints",
    "kernels",
    "weights",
    "optimiser",
    "gradients",
    "needed by backward",
    "step's temporaries",
    "÷ needed",
    "÷ without checkpoints",
    "less gradients, ÷ without",
    "peak in all",
  ];
  const body = plans.map((p) => {
    const all = plans.find((q) => q.device === p.device && q.checkpoint === "none")!;
    return [
      p.device,
      p.checkpoint,
      `${p.kernels}`,
      mib(p.weights),
      mib(p.optimizer),
      mib(p.gradients),
      mib(p.kept),
      `**${mib(p.arenas)}**`,
      ratio(p.arenas, p.kept),
      ratio(p.arenas, all.arenas),
      ratio(p.arenas - p.gradients, all.arenas - all.gradients),
      mib(p.peak),
    ];
  });
  return table(head, body);
}

const about = describeRun();
const plans: Plan[] = [];
for (const kind of options.device) {
  const real = await openDevice(kind);
  for (const checkpoint of ["none", "block", "stage"] as const)
    plans.push(await plan(real, checkpoint, options.batch));
  await real.destroy();
}
const text = tableOf(plans);
console.log(text);
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ ...about, batch: options.batch, plans }, null, 2)}\n`);
if (options.report)
  appendSection(
    resultsFile,
    sectionOf("Memory of a step", about, [
      `BYOL, ResNet-50, 224×224 pixels, batch ${options.batch}, heads of 4096 and 256, LARS, as planned (\`npm run bench:memory\`), for ` +
        `the limits of the devices of ${machineText(about)}. "Needed by backward" adds up, from the recorded graph, what ` +
        "convolutions, linear layers and batch norms read and what ReLUs give in the online network's two passes, each array " +
        'once. The step\'s temporaries hold the gradients too. "Peak in all" adds weights, state and inputs. Bindings of ' +
        "any size are assumed.",
      text,
    ]),
  );
