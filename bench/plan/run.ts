/**
 * `npm run bench:memory`: the bytes that a training step takes, by plan. ResNet-50, 224×224 pixels, the paper's heads,
 * with all activations kept and with checkpoints. Nothing is computed: it is all on planning devices.
 */
import { writeFileSync } from "node:fs";
import { gradients, makeLearner, presetNamed } from "@dawnstrap/byol";
import { type Bytes, bytesOf, type Recompute, recomputes, recomputing } from "@dawnstrap/byol/testing";
import { type Device, openDevice } from "@dawnstrap/tensor";
import { planningDevice } from "@dawnstrap/tensor/extend";
import { keptForBackward } from "./kept.js";
import { flags, type Options } from "./options.js";
import { describeRun, machineText } from "../shared/machine.js";
import { appendSection, resultsFile, sectionOf, table } from "../shared/section.js";

const options = flags.parse().opts<Options>();

/** Bytes of one plan. */
interface Plan extends Bytes {
  readonly device: "cpu" | "webgpu";
  readonly checkpoint: Recompute;
  /** Of the online network's weights: part of the step's. */
  readonly gradients: number;
  /** Activations that the backward pass needs, counted from the graph (see kept.ts). */
  readonly kept: number;
}

const paper = presetNamed("imagenet-r50");
const classes = 1000;

async function plan(like: Device, checkpoint: Recompute): Promise<Plan> {
  const preset = { ...recomputing(paper, checkpoint), batch: options.batch, accumulate: 1 };
  // Software adapters bind 128 MiB at once, less than the weights of ResNet-50 and its heads; GPUs bind more.
  const { size, channels } = preset.image;
  const bytes = await bytesOf(like, preset, { height: size, width: size, channels }, classes, "unlimited");
  const device = planningDevice(like, "unlimited");
  const learner = makeLearner(device, preset, classes, 1);
  const view = () => device.zeros([options.batch, size, size, channels]);
  const { numbers } = gradients(learner, [view(), view()], device.zeros([options.batch], "int32"));
  return {
    ...bytes,
    device: like.kind as Plan["device"],
    checkpoint,
    gradients: 4 * learner.online.arena.length,
    kept: keptForBackward(numbers.node),
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
      `**${mib(p.step)}**`,
      ratio(p.step, p.kept),
      ratio(p.step, all.step),
      ratio(p.step - p.gradients, all.step - all.gradients),
      mib(p.peak),
    ];
  });
  return table(head, body);
}

const about = describeRun();
const plans: Plan[] = [];
for (const kind of options.device) {
  const real = await openDevice(kind);
  for (const checkpoint of recomputes) plans.push(await plan(real, checkpoint));
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
