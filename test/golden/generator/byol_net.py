"""The networks of the BYOL golden run, written out: basic-block ResNet with TensorFlow's SAME padding, Haiku's
batch norm, and the three heads."""
import torch
import torch.nn.functional as F

from . import formula

EPS, DECAY = 1e-5, 0.9


class Net:
    """Parameters and running averages by name; every pass is in training mode."""

    def __init__(self, prefix: str, shapes: dict):
        # `prefix` tells online from target: the two start from different numbers.
        self.params = {n: formula.parameter(f"{prefix}/{n}", s).requires_grad_() for n, s in shapes.items()}
        self.running = {}
        self.count = {}

    def conv(self, x, name: str, stride: int):
        w = self.params[name]
        k = w.shape[2]
        pads = []
        for n in (x.shape[3], x.shape[2]):  # F.pad wants the last axis first
            total = max((-(-n // stride) - 1) * stride + k - n, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), w, stride=stride)

    def norm(self, x, name: str):
        axes = (0, 2, 3) if x.dim() == 4 else (0,)
        mean = x.mean(axes)
        var = (x * x).mean(axes) - mean * mean  # biased, for normalising and for the running average
        self.count[name] = self.count.get(name, 0) + 1
        for key, value in (("running_mean", mean), ("running_var", var)):
            hidden = self.running.get(f"{name}.{key}", torch.zeros_like(value))
            self.running[f"{name}.{key}"] = DECAY * hidden + (1 - DECAY) * value.detach()
        shape = (1, -1, 1, 1) if x.dim() == 4 else (1, -1)
        y = (x - mean.view(shape)) * torch.rsqrt(var + EPS).view(shape)
        return y * self.params[f"{name}.weight"].view(shape) + self.params[f"{name}.bias"].view(shape)

    def averages(self) -> dict:
        """Zero-debiased, as Haiku reports them."""
        return {k: v / (1 - DECAY ** self.count[k.rsplit(".", 1)[0]]) for k, v in self.running.items()}

    def block(self, x, name: str, stride: int):
        y = F.relu(self.norm(self.conv(x, f"{name}.conv1.weight", stride), f"{name}.bn1"))
        y = self.norm(self.conv(y, f"{name}.conv2.weight", 1), f"{name}.bn2")
        shortcut = self.norm(self.conv(x, f"{name}.downsample.0.weight", stride), f"{name}.downsample.1")
        return F.relu(y + shortcut)

    def encode(self, x):
        x = F.relu(self.norm(self.conv(x, "encoder.conv1.weight", 1), "encoder.bn1"))
        for stage in range(4):
            x = self.block(x, f"encoder.layer{stage + 1}.0", 1 if stage == 0 else 2)
        return x.mean((2, 3))

    def mlp(self, x, name: str):
        x = F.linear(x, self.params[f"{name}.0.weight"], self.params[f"{name}.0.bias"])
        return F.linear(F.relu(self.norm(x, f"{name}.1")), self.params[f"{name}.3.weight"])

    def classify(self, x):
        return F.linear(x, self.params["probe.weight"], self.params["probe.bias"])


def shapes(width: int, hidden: int, projection: int, classes: int) -> dict:
    out = {}

    def conv(name, o, i, k):
        out[f"{name}.weight"] = (o, i, k, k)

    def norm(name, c):
        out[f"{name}.weight"] = out[f"{name}.bias"] = (c,)

    conv("encoder.conv1", width, 3, 3)
    norm("encoder.bn1", width)
    c = width
    for stage in range(4):
        o = width * 2**stage
        base = f"encoder.layer{stage + 1}.0"
        conv(f"{base}.conv1", o, c, 3)
        norm(f"{base}.bn1", o)
        conv(f"{base}.conv2", o, o, 3)
        norm(f"{base}.bn2", o)
        conv(f"{base}.downsample.0", o, c, 1)  # the first group too: DeepMind's nets project in every group
        norm(f"{base}.downsample.1", o)
        c = o
    return {**out, **head_shapes(c, hidden, projection, classes)}


def head_shapes(features: int, hidden: int, projection: int, classes: int) -> dict:
    out = {}
    for name, i in (("projector", features), ("predictor", projection)):
        out[f"{name}.0.weight"] = (hidden, i)
        for vector in ("0.bias", "1.weight", "1.bias"):
            out[f"{name}.{vector}"] = (hidden,)
        out[f"{name}.3.weight"] = (projection, hidden)
    out["probe.weight"] = (classes, features)
    out["probe.bias"] = (classes,)
    return out
