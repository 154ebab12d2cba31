/** ResNets as data: what a convolution or an optimiser meets in them. Layouts are NHWC and [kh, kw, in, out]. */

export interface ConvLayer {
  readonly batch: number;
  /** Height and width of the input. */
  readonly size: number;
  readonly inC: number;
  readonly outC: number;
  readonly kernel: number;
  readonly stride: number;
  /** Zeros on every side. */
  readonly pad: number;
}

export interface NetworkForm {
  readonly block: "basic" | "bottleneck";
  readonly blocks: readonly number[];
  /** Channels of the stem. */
  readonly width: number;
  readonly stem: "imagenet" | "small";
  readonly inputChannels: number;
  /** Outputs of the classifier; 0 for a net that ends in pooled features. */
  readonly classes: number;
  /** A 1×1 projection in the first group although shapes agree (DeepMind's basic blocks). */
  readonly projectFirst?: boolean;
}

export const resnet18: NetworkForm = {
  block: "basic",
  blocks: [2, 2, 2, 2],
  width: 64,
  stem: "small",
  inputChannels: 3,
  classes: 10,
};
/** The encoder of the preset `digits`. */
export const digitsNet: NetworkForm = {
  block: "basic",
  blocks: [1, 1, 1, 1],
  width: 16,
  stem: "small",
  inputChannels: 1,
  classes: 0,
  projectFirst: true,
};
export const resnet50: NetworkForm = {
  block: "bottleneck",
  blocks: [3, 4, 6, 3],
  width: 64,
  stem: "imagenet",
  inputChannels: 3,
  classes: 1000,
};

/** A convolution and the norm behind it, with torchvision's names. */
export interface ConvNorm {
  readonly conv: string;
  readonly norm: string;
  readonly inC: number;
  readonly outC: number;
  readonly kernel: number;
  readonly stride: number;
}

export interface Block {
  readonly branch: readonly ConvNorm[];
  readonly shortcut?: ConvNorm;
}

/** A net as a list of blocks: y = relu(branch(x) + shortcut(x)), ReLU between the parts of a branch. */
export interface Net {
  readonly stem: ConvNorm;
  readonly blocks: readonly Block[];
  /** Channels of the pooled output. */
  readonly features: number;
}

export function blocksOf(form: NetworkForm): Net {
  const small = form.stem === "small";
  const stem: ConvNorm = {
    conv: "conv1",
    norm: "bn1",
    inC: form.inputChannels,
    outC: form.width,
    kernel: small ? 3 : 7,
    stride: small ? 1 : 2,
  };
  const blocks: Block[] = [];
  let from = form.width;
  form.blocks.forEach((count, group) => {
    const inner = form.width * 2 ** group;
    const to = form.block === "basic" ? inner : inner * 4;
    for (let i = 0; i < count; i++) {
      const name = `layer${group + 1}.${i}`;
      const stride = i === 0 && group > 0 ? 2 : 1;
      const part = (k: number, inC: number, outC: number, kernel: number, s = 1): ConvNorm => ({
        conv: `${name}.conv${k}`,
        norm: `${name}.bn${k}`,
        inC,
        outC,
        kernel,
        stride: s,
      });
      const branch =
        form.block === "basic"
          ? [part(1, from, to, 3, stride), part(2, to, to, 3)]
          : [part(1, from, inner, 1), part(2, inner, inner, 3, stride), part(3, inner, to, 1)];
      const project = i === 0 && (stride > 1 || from !== to || form.projectFirst === true);
      const shortcut: ConvNorm = {
        conv: `${name}.downsample.0`,
        norm: `${name}.downsample.1`,
        inC: from,
        outC: to,
        kernel: 1,
        stride,
      };
      blocks.push({ branch, ...(project && { shortcut }) });
      from = to;
    }
  });
  return { stem, blocks, features: from };
}

/** Every different convolution that the net runs on images of this size. */
export function convLayers(form: NetworkForm, image: number, batch: number): ConvLayer[] {
  const layers = new Map<string, ConvLayer>();
  const visit = (c: ConvNorm, size: number): number => {
    const { inC, outC, kernel, stride } = c;
    const layer: ConvLayer = { batch, size, inC, outC, kernel, stride, pad: (kernel - 1) / 2 };
    layers.set(JSON.stringify(layer), layer);
    return Math.ceil(size / stride);
  };
  const { stem, blocks } = blocksOf(form);
  let size = visit(stem, image);
  if (form.stem === "imagenet") size = Math.ceil(size / 2);
  for (const { branch, shortcut } of blocks) {
    if (shortcut) visit(shortcut, size);
    for (const part of branch) size = visit(part, size);
  }
  return [...layers.values()];
}

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

const sizeOf = ({ shape }: Parameter): number => shape.reduce((a, b) => a * b, 1);
export const totalSize = (parameters: readonly Parameter[]): number =>
  parameters.reduce((n, p) => n + sizeOf(p), 0);

const linear = (name: string, from: number, to: number, bias = true): Parameter[] => [
  { name: `${name}.weight`, shape: [from, to] },
  ...(bias ? [{ name: `${name}.bias`, shape: [to] }] : []),
];

/** Names and shapes of all parameters; convolutions as [kh, kw, in, out], linear layers as [in, out]. */
export function parametersOf(form: NetworkForm): Parameter[] {
  const { stem, blocks, features } = blocksOf(form);
  const parts = [stem, ...blocks.flatMap((b) => [...b.branch, ...(b.shortcut ? [b.shortcut] : [])])];
  return [
    ...parts.flatMap(({ conv, norm, inC, outC, kernel }) => [
      { name: `${conv}.weight`, shape: [kernel, kernel, inC, outC] },
      { name: `${norm}.weight`, shape: [outC] },
      { name: `${norm}.bias`, shape: [outC] },
    ]),
    ...(form.classes ? linear("fc", features, form.classes) : []),
  ];
}

/** A BYOL network: encoder, projector and predictor of one hidden layer with norm, linear probe. */
export function byolParametersOf(
  form: NetworkForm,
  hidden: number,
  projection: number,
  classes: number,
): Parameter[] {
  const { features } = blocksOf(form);
  const mlp = (name: string, from: number): Parameter[] => [
    ...linear(`${name}.0`, from, hidden),
    { name: `${name}.1.weight`, shape: [hidden] },
    { name: `${name}.1.bias`, shape: [hidden] },
    ...linear(`${name}.3`, hidden, projection, false),
  ];
  return [
    ...parametersOf(form).map(({ name, shape }) => ({ name: `encoder.${name}`, shape })),
    ...mlp("projector", features),
    ...mlp("predictor", projection),
    ...linear("probe", features, classes),
  ];
}
