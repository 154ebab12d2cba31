"""Three steps of the preset imagenet-r50 on four images at 224 pixels: DeepMind's ResNet-50 and heads, its views, LARS,
schedules. What the trainer drew (the order of images, the views' parameters) and its numbers stand in
byol-r50-views.json, which `byol-r50-views.ts` writes."""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import formula
from .byol import lars, loss_of
from .byol_net import Net, head_shapes
from .digest import number
from .views import view

BLOCKS = (3, 4, 6, 3)


class ResNet50(Net):
    def block(self, x, name: str, stride: int):
        y = F.relu(self.norm(self.conv(x, f"{name}.conv1.weight", 1), f"{name}.bn1"))
        y = F.relu(self.norm(self.conv(y, f"{name}.conv2.weight", stride), f"{name}.bn2"))
        y = self.norm(self.conv(y, f"{name}.conv3.weight", 1), f"{name}.bn3")
        if f"{name}.downsample.0.weight" in self.params:
            x = self.norm(self.conv(x, f"{name}.downsample.0.weight", stride), f"{name}.downsample.1")
        return F.relu(y + x)

    def encode(self, x):
        x = F.relu(self.norm(self.conv(x, "encoder.conv1.weight", 2), "encoder.bn1"))
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)  # SAME; nothing is below 0 here
        for group, count in enumerate(BLOCKS):
            for i in range(count):
                x = self.block(x, f"encoder.layer{group + 1}.{i}", 2 if group and not i else 1)
        return x.mean((2, 3))


def shapes(classes: int) -> dict:
    out = {}

    def conv(name, o, i, k):
        out[f"{name}.weight"] = (o, i, k, k)

    def norm(name, c):
        out[f"{name}.weight"] = out[f"{name}.bias"] = (c,)

    conv("encoder.conv1", 64, 3, 7)
    norm("encoder.bn1", 64)
    c = 64
    for group, count in enumerate(BLOCKS):
        inner = 64 * 2**group
        for i in range(count):
            base = f"encoder.layer{group + 1}.{i}"
            for k, (o, n, side) in enumerate(((inner, c, 1), (inner, inner, 3), (4 * inner, inner, 1))):
                conv(f"{base}.conv{k + 1}", o, n, side)
                norm(f"{base}.bn{k + 1}", o)
            if i == 0:
                conv(f"{base}.downsample.0", 4 * inner, c, 1)
                norm(f"{base}.downsample.1", 4 * inner)
            c = 4 * inner
    return {**out, **head_shapes(c, 4096, 256, classes)}


def image(index: int, side: int):
    """uint8 [side, side, 3]: a mosaic of 16 × 16 coloured squares, so that there are edges and flat parts."""
    squares = (formula.bits(f"byol-r50/image/{index}", 16 * 16 * 3) >> np.uint32(24)).astype(np.uint8)
    return np.kron(squares.reshape(16, 16, 3), np.ones((side // 16, side // 16, 1), np.uint8))


def value(name: str, shape):
    if name.endswith(".bn3.weight"):  # a small scale keeps the depth from amplifying rounding errors
        return formula.tensor(name, shape, 0.05, 0.2)
    return formula.parameter(name, shape)


def run(drawn: dict, dtype) -> list:
    of = shapes(drawn["classes"])
    nets = []
    for prefix in ("online", "target"):
        net = ResNet50(prefix, {})
        net.params = {n: value(f"{prefix}/{n}", s).to(dtype).requires_grad_() for n, s in of.items()}
        nets.append(net)
    online, target = nets
    momentum = {k: torch.zeros_like(p) for k, p in online.params.items()}
    out = []
    for step, at in enumerate(drawn["steps"]):
        views = [
            np.stack([view(image(i, drawn["stored"]), np.array(row), drawn["size"]) for i, row in zip(at["images"], rows)])
            for rows in at["views"]
        ]
        x1, x2 = (torch.from_numpy(v).permute(0, 3, 1, 2).contiguous().to(dtype) for v in views)
        labels = torch.tensor([i * drawn["classes"] // len(at["images"]) for i in at["images"]])
        last = step == len(drawn["steps"]) - 1
        with torch.set_grad_enabled(not last):
            representation, probe = loss_of(online, target, x1, x2, labels)
        out.append({"representationLoss": representation.item(), "probeLoss": probe.item()})
        print(step, out[-1], flush=True)
        if last:
            break
        grads = dict(zip(of, torch.autograd.grad(representation + probe, online.params.values())))
        with torch.no_grad():
            lars(drawn, online.params, grads, momentum, at["lr"])
            for k, x in target.params.items():
                x.add_((1 - at["tau"]) * (online.params[k] - x))
    return out


def golden() -> dict:
    drawn = json.loads((Path(__file__).parent.parent / "byol-r50-views.json").read_text())
    double, single = run(drawn, torch.float64), run(drawn, torch.float32)
    return {
        "about": "imagenet-r50 on four images at 224 pixels, three steps, float64",
        **{
            f"step{k}": {
                **{n: number(d[n]) for n in d},
                "torchFloat32Error": {n: number(abs(s[n] / d[n] - 1)) for n in d},
            }
            for k, (d, s) in enumerate(zip(double, single))
        },
    }
