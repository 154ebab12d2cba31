/** The cases of TensorFlow.js that need networks and optimisers. Norms keep no running averages here, which is less work. */
import type * as TF from "@tensorflow/tfjs";
import type { TrainedNet, Work } from "../cases.js";
import { features, mlp, type NetOps } from "../forward.js";
import type { Parameter } from "../networks.js";
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

type Tf = typeof TF;
type Values = (name: string, shape: readonly number[]) => Float32Array;

class Variables {
  readonly byName = new Map<string, TF.Variable>();

  constructor(
    tf: Tf,
    private readonly parameters: readonly Parameter[],
    private readonly values: Values,
  ) {
    for (const { name, shape } of parameters)
      this.byName.set(name, tf.variable(tf.tensor(values(name, shape), [...shape])));
  }

  readonly get = (name: string): TF.Variable => this.byName.get(name)!;

  list(): TF.Variable[] {
    return [...this.byName.values()];
  }

  async changes(names: readonly string[], stream = ""): Promise<Output[]> {
    const outputs: Output[] = [];
    for (const name of names) {
      const { shape } = this.parameters.find((p) => p.name === name)!;
      outputs.push(change(`${stream}${name}`, shape, await this.get(name).data(), this.values(name, shape)));
    }
    return outputs;
  }
}

const from =
  (stream: string): Values =>
  (name, shape) =>
    input(`${stream}/${name}`, shape);

/** One LARS step of each parameter, and the moving average of the target. */
class Lars {
  private readonly momenta: TF.Variable[];

  constructor(
    private readonly tf: Tf,
    private readonly online: Variables,
    private readonly target: Variables,
  ) {
    this.momenta = online.list().map((w) => tf.variable(tf.zerosLike(w)));
  }

  update(gradients: readonly TF.Tensor[]): void {
    const { tf } = this;
    const { momentum, weightDecay, eta, lr, tau } = larsNumbers;
    const targets = this.target.list();
    this.online.list().forEach((w, i) => {
      const m = this.momenta[i]!;
      let u = gradients[i]!;
      if (w.rank > 1) {
        u = u.add(w.mul(weightDecay));
        const [wn, un] = [tf.norm(w), tf.norm(u)];
        const usable = tf.logicalAnd(wn.greater(0), un.greater(0));
        u = u.mul(tf.where(usable, wn.mul(eta).div(un), tf.onesLike(wn)));
      }
      m.assign(m.mul(momentum).add(u));
      w.assign(w.sub(m.mul(lr)));
      const target = targets[i]!;
      target.assign(target.add(w.sub(target).mul(1 - tau)));
    });
  }
}

export function larsEma(tf: Tf, parameters: readonly Parameter[]): Stepper<TF.Tensor> {
  const [online, target] = [
    new Variables(tf, parameters, from("w")),
    new Variables(tf, parameters, from("target")),
  ];
  const gradients = parameters.map(({ name, shape }) => tf.tensor(input(`g/${name}`, shape), [...shape]));
  const lars = new Lars(tf, online, target);
  return {
    names: [],
    step: () => {
      lars.update(gradients);
      // Something to wait for; the last thing that the step computes.
      return [target.list().at(-1)!.clone()];
    },
    state: async () => [
      ...(await online.changes(looked, "w/")),
      ...(await target.changes(looked, "target/")),
    ],
  };
}

function netOps(tf: Tf, padding: TrainedNet["padding"]): NetOps<TF.Tensor> {
  return {
    conv: (x, w, { kernel, stride }) =>
      tf.conv2d(x as TF.Tensor4D, w as TF.Tensor4D, stride, padding === "same" ? "same" : (kernel - 1) / 2),
    norm: (x, scale, offset) => {
      const { mean, variance } = tf.moments(x, x.rank === 4 ? [0, 1, 2] : [0]);
      const [m, v, s, o] = [mean, variance, scale, offset] as TF.Tensor1D[];
      return tf.batchNorm(x, m!, v!, o, s, 1e-5);
    },
    relu: (x) => tf.relu(x),
    add: (a, b) => tf.add(a, b),
    pool: (x) => tf.mean(x, [1, 2]),
    linear: (x, w, b) => (b ? tf.matMul(x, w).add(b) : tf.matMul(x, w)),
    keep: (x) => x,
  };
}

export function supervised(tf: Tf, work: Work & { kind: "supervised" }): Stepper<TF.Tensor> {
  const variables = new Variables(tf, work.parameters, initial);
  const x = tf.tensor(input("images", work.shape), [...work.shape]);
  const labels = tf.oneHot(tf.tensor1d(inputLabels(work.shape[0]!, work.classes), "int32"), work.classes);
  const ops = netOps(tf, work.padding);
  const optimizer = tf.train.momentum(work.lr, sgdMomentum);
  const loss = (): TF.Scalar => {
    const pooled = features(ops, work.net, variables.get, x);
    const logits = ops.linear(pooled, variables.get("fc.weight"), variables.get("fc.bias"));
    return tf.losses.softmaxCrossEntropy(labels, logits);
  };
  return {
    names: ["loss"],
    step: () => [optimizer.minimize(loss, true, variables.list())!],
    state: () => variables.changes(work.looked),
  };
}

export function byol(tf: Tf, work: Work & { kind: "byol" }): Stepper<TF.Tensor> {
  const [online, target] = [
    new Variables(tf, work.parameters, initial),
    new Variables(tf, work.parameters, targetInitial),
  ];
  const views = ["view1", "view2"].map((name) => tf.tensor(input(name, work.shape), [...work.shape]));
  const labels = tf.oneHot(tf.tensor1d(inputLabels(work.shape[0]!, work.classes), "int32"), work.classes);
  const ops = netOps(tf, work.padding);
  const lars = new Lars(tf, online, target);
  const named =
    (of: Variables, prefix: string) =>
    (name: string): TF.Tensor =>
      of.get(prefix + name);
  const encode = (of: Variables, x: TF.Tensor): TF.Tensor =>
    features(ops, work.net, named(of, "encoder."), x);
  const project = (of: Variables, y: TF.Tensor): TF.Tensor => mlp(ops, of.get, "projector", y);
  const unit = (x: TF.Tensor): TF.Tensor => x.div(x.square().sum(-1, true).maximum(1e-12).sqrt());
  const regression = (a: TF.Tensor, b: TF.Tensor): TF.Tensor =>
    tf.squaredDifference(unit(a), unit(b)).sum(-1).mean();

  const step = (): TF.Tensor[] => {
    const projections = views.map((view) => project(target, encode(target, view)));
    let bootstrap: TF.Tensor | undefined;
    const { grads } = tf.variableGrads(() => {
      const embeddings = views.map((view) => encode(online, view));
      const predictions = embeddings.map((y) => mlp(ops, online.get, "predictor", project(online, y)));
      bootstrap = tf.keep(
        regression(predictions[0]!, projections[1]!).add(regression(predictions[1]!, projections[0]!)),
      );
      // There is no stop-gradient op: a custom gradient of zeros is the documented way.
      const stopped = tf.customGrad((y) => ({
        value: (y as TF.Tensor).clone(),
        gradFunc: (dy) => tf.zerosLike(dy as TF.Tensor),
      }))(embeddings[0]!);
      const logits = ops.linear(stopped, online.get("probe.weight"), online.get("probe.bias"));
      return bootstrap.add(tf.losses.softmaxCrossEntropy(labels, logits)) as TF.Scalar;
    }, online.list());
    lars.update(online.list().map((w) => grads[w.name]!));
    const loss = bootstrap!.reshape([1]);
    bootstrap!.dispose();
    return [loss];
  };
  return {
    names: ["loss"],
    step,
    state: async () => [
      ...(await online.changes(work.looked)),
      ...(await target.changes(work.looked, "target/")),
    ],
  };
}
