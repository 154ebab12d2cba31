/**
 * The cases of jax-js that need networks and optimisers. Parameters are lists in the order of the network; norms keep no
 * running averages here, which is less work.
 */
import type { TrainedNet, Work } from "../cases.js";
import { features, mlp, type NetOps, type Parameters } from "../forward.js";
import type { Parameter } from "../networks.js";
import { change, initial, input, inputLabels, type Output, targetInitial } from "./contender.js";
import {
  batchNorm,
  type J,
  type JaxArray,
  type JaxStepper,
  permuted,
  toHwio,
  toNchw,
  toOihw,
} from "./jax-layout.js";
import { larsNumbers, looked, sgdMomentum } from "./optimizer-numbers.js";

type Values = (name: string, shape: readonly number[]) => Float32Array;

const valuesOf = (jax: J, parameters: readonly Parameter[], values: Values): JaxArray[] =>
  parameters.map(({ name, shape }) =>
    permuted(jax, values(name, shape), shape, shape.length === 4 ? toOihw : undefined),
  );

const zerosOf = (jax: J, like: readonly JaxArray[]): JaxArray[] =>
  like.map((x) => jax.numpy.zeros([...x.shape]));

async function changes(
  parameters: readonly Parameter[],
  now: readonly JaxArray[],
  names: readonly string[],
  stream: string,
  values: Values,
): Promise<Output[]> {
  const outputs: Output[] = [];
  for (const name of names) {
    const i = parameters.findIndex((p) => p.name === name);
    const { shape } = parameters[i]!;
    const kept = now[i]!.ref;
    const data = (await (shape.length === 4 ? kept.transpose(toHwio) : kept).data()) as Float32Array;
    outputs.push(change(`${stream}${name}`, shape, data, values(name, shape)));
  }
  return outputs;
}

const from =
  (stream: string): Values =>
  (name, shape) =>
    input(`${stream}/${name}`, shape);

/** LARS and the moving average, parameter by parameter: consumes all, returns the new [w, m, target]. */
function lars(jax: J, w: JaxArray[], m: JaxArray[], target: JaxArray[], g: JaxArray[]): JaxArray[][] {
  const { numpy: np } = jax;
  const { momentum, weightDecay, eta, lr, tau } = larsNumbers;
  const norm = (x: JaxArray): JaxArray => np.sqrt(np.square(x).sum());
  const all = w.map((w, i) => {
    let u = g[i]!;
    if (w.ndim > 1) {
      u = u.add(w.ref.mul(weightDecay));
      const [wn, un] = [norm(w.ref), norm(u.ref)];
      const usable = np.logicalAnd(wn.ref.greater(0), un.ref.greater(0));
      u = u.mul(np.where(usable, wn.mul(eta).div(un), 1));
    }
    const m1 = m[i]!.mul(momentum).add(u);
    const w1 = w.sub(m1.ref.mul(lr));
    const t = target[i]!;
    return [w1, m1, t.ref.add(w1.ref.sub(t).mul(1 - tau))];
  });
  return [0, 1, 2].map((k) => all.map((entry) => entry[k]!));
}

export function larsEma(jax: J, parameters: readonly Parameter[]): JaxStepper {
  const flat: Values = (name, shape) => input(`g/${name}`, shape);
  const g = valuesOf(jax, parameters, flat);
  const w = valuesOf(jax, parameters, from("w"));
  let state = [w, zerosOf(jax, w), valuesOf(jax, parameters, from("target"))];
  const update = jax.jit((state: JaxArray[][], g: JaxArray[]) =>
    lars(jax, state[0]!, state[1]!, state[2]!, g),
  );
  return {
    step() {
      state = update(
        state,
        g.map((x) => x.ref),
      ) as JaxArray[][];
      // What the caller waits for and disposes of.
      return state[0]!.map((x) => x.ref);
    },
    outputs: async () => [
      ...(await changes(parameters, state[0]!, looked, "w/", from("w"))),
      ...(await changes(parameters, state[2]!, looked, "target/", from("target"))),
    ],
    release() {
      for (const x of [...g, ...state.flat()]) x.dispose();
      update.dispose();
    },
  };
}

function netOps(jax: J, padding: TrainedNet["padding"]): NetOps<JaxArray> {
  return {
    conv: (x, w, { kernel, stride }) => {
      const pad = (kernel - 1) / 2;
      const pads: "SAME" | [number, number][] =
        padding === "same"
          ? "SAME"
          : [
              [pad, pad],
              [pad, pad],
            ];
      return jax.lax.convGeneralDilated(x, w, [stride, stride], pads);
    },
    norm: (x, scale, offset) => batchNorm(jax, x, scale, offset),
    relu: (x) => jax.nn.relu(x),
    add: (a, b) => a.add(b),
    pool: (x) => x.mean([2, 3]),
    linear: (x, w, b) => (b ? jax.numpy.matmul(x, w).add(b) : jax.numpy.matmul(x, w)),
    keep: (x) => x.ref,
  };
}

/** Values by name; each call is a reference of its own, and `done` gives up the ones that the list holds. */
function named(
  parameters: readonly Parameter[],
  list: readonly JaxArray[],
  prefix = "",
): Parameters<JaxArray> {
  const index = new Map(parameters.map((p, i) => [p.name, i]));
  return (name) => list[index.get(prefix + name)!]!.ref;
}
const done = (list: readonly JaxArray[]): void => list.forEach((x) => x.dispose());

function crossEntropy(jax: J, logits: JaxArray, labels: JaxArray, classes: number): JaxArray {
  return jax.nn.oneHot(labels, classes).mul(jax.nn.logSoftmax(logits, -1)).sum(-1).mean().neg();
}

export function supervised(jax: J, work: Work & { kind: "supervised" }): JaxStepper {
  const { parameters, net, classes } = work;
  const ops = netOps(jax, work.padding);
  const x = permuted(jax, input("images", work.shape), work.shape, toNchw);
  const labels = jax.numpy.array(inputLabels(work.shape[0]!, classes), { shape: [work.shape[0]!] });
  const w = valuesOf(jax, parameters, initial);
  let state = [w, zerosOf(jax, w)];

  const loss = (w: JaxArray[], x: JaxArray, labels: JaxArray): JaxArray => {
    const p = named(parameters, w);
    const logits = ops.linear(features(ops, net, p, x), p("fc.weight"), p("fc.bias"));
    done(w);
    return crossEntropy(jax, logits, labels, classes);
  };
  const step = jax.jit((w: JaxArray[], m: JaxArray[], x: JaxArray, labels: JaxArray) => {
    const [value, grads] = jax.valueAndGrad(loss)(
      w.map((v) => v.ref),
      x,
      labels,
    ) as [JaxArray, JaxArray[]];
    const m1 = m.map((v, i) => v.mul(sgdMomentum).add(grads[i]!));
    return [[value], w.map((v, i) => v.sub(m1[i]!.ref.mul(work.lr))), m1];
  });
  return {
    step() {
      const [value, w1, m1] = step(state[0]!, state[1]!, x.ref, labels.ref) as JaxArray[][];
      state = [w1!, m1!];
      return [...value!, ...w1!.map((v) => v.ref)];
    },
    outputs: async (results) => [
      { name: "loss", shape: [], data: (await results[0]!.ref.data()) as Float32Array },
      ...(await changes(parameters, state[0]!, work.looked, "", initial)),
    ],
    release() {
      done([x, labels, ...state.flat()]);
      step.dispose();
    },
  };
}

export function byol(jax: J, work: Work & { kind: "byol" }): JaxStepper {
  const { numpy: np, lax } = jax;
  const { parameters, net, classes } = work;
  const ops = netOps(jax, work.padding);
  const views = ["view1", "view2"].map((name) => permuted(jax, input(name, work.shape), work.shape, toNchw));
  const labels = np.array(inputLabels(work.shape[0]!, classes), { shape: [work.shape[0]!] });
  const w = valuesOf(jax, parameters, initial);
  let state = [w, zerosOf(jax, w), valuesOf(jax, parameters, targetInitial)];

  const unit = (x: JaxArray): JaxArray =>
    x.ref.div(np.sqrt(np.maximum(np.square(x).sum(-1, { keepdims: true }), 1e-12)));
  const regression = (a: JaxArray, b: JaxArray): JaxArray =>
    np
      .square(unit(a).sub(unit(b)))
      .sum(-1)
      .mean();
  const encode = (w: readonly JaxArray[], x: JaxArray): JaxArray =>
    features(ops, net, named(parameters, w, "encoder."), x);
  const project = (w: readonly JaxArray[], y: JaxArray): JaxArray =>
    mlp(ops, named(parameters, w), "projector", y);

  const loss = (
    w: JaxArray[],
    views: JaxArray[],
    projections: JaxArray[],
    labels: JaxArray,
  ): [JaxArray, JaxArray] => {
    const p = named(parameters, w);
    const embeddings = views.map((view) => encode(w, view));
    const watched = lax.stopGradient(embeddings[0]!.ref);
    const predictions = embeddings.map((y) => mlp(ops, p, "predictor", project(w, y)));
    const bootstrap = regression(predictions[0]!, projections[1]!).add(
      regression(predictions[1]!, projections[0]!),
    );
    const probe = crossEntropy(jax, ops.linear(watched, p("probe.weight"), p("probe.bias")), labels, classes);
    done(w);
    return [bootstrap.ref.add(probe), bootstrap];
  };
  const step = jax.jit(
    (w: JaxArray[], m: JaxArray[], target: JaxArray[], views: JaxArray[], labels: JaxArray) => {
      const projections = views.map((view) => project(target, encode(target, view.ref)));
      const [[total, bootstrap], grads] = jax.valueAndGrad(loss, { hasAux: true })(
        w.map((v) => v.ref),
        views,
        projections,
        labels,
      ) as unknown as [[JaxArray, JaxArray], JaxArray[]];
      total.dispose();
      return [[bootstrap], ...lars(jax, w, m, target, grads)];
    },
  );
  return {
    step() {
      const [value, ...next] = step(
        state[0]!,
        state[1]!,
        state[2]!,
        views.map((v) => v.ref),
        labels.ref,
      ) as JaxArray[][];
      state = next;
      return [...value!, ...state[2]!.map((v) => v.ref)];
    },
    outputs: async (results) => [
      { name: "loss", shape: [1], data: (await results[0]!.ref.data()) as Float32Array },
      ...(await changes(parameters, state[0]!, work.looked, "", initial)),
      ...(await changes(parameters, state[2]!, work.looked, "target/", targetInitial)),
    ],
    release() {
      done([...views, labels, ...state.flat()]);
      step.dispose();
    },
  };
}
