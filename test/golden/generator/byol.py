"""Three whole BYOL steps: four separate passes, summed symmetric loss, online probe on stopped features,
LARS, EMA from the new weights. The views are formula-made images, without augmentation."""
import math

import torch
import torch.nn.functional as F

from . import formula
from .byol_net import Net, shapes
from .digest import digests, number, relative_error

OPTIONS = {
    "batch": 8,
    "size": 16,
    "width": 8,
    "hidden": 32,
    "projection": 16,
    "classes": 10,
    "steps": 3,
    "peakLr": 0.5,
    "warmupSteps": 2,
    "totalSteps": 10,
    "tauBase": 0.9,
    "weightDecay": 0.01,
    "eta": 0.02,
    "momentum": 0.9,
}


def schedule(o: dict, t: int):
    total, warm = o["totalSteps"], o["warmupSteps"]
    if t < warm:
        lr = o["peakLr"] * t / warm
    else:
        lr = o["peakLr"] * 0.5 * (1 + math.cos(math.pi * min(t - warm, total - warm) / (total - warm)))
    tau = 1 - (1 - o["tauBase"]) * 0.5 * (1 + math.cos(math.pi * min(t, total) / total))
    return lr, tau


def regression(x, y):
    def unit(v):
        return v * torch.rsqrt(torch.clamp((v * v).sum(1, keepdim=True), min=1e-12))

    return ((unit(x) - unit(y)) ** 2).sum(1)


def loss_of(online: Net, target: Net, view1, view2, labels):
    features1 = online.encode(view1)
    prediction1 = online.mlp(online.mlp(features1, "projector"), "predictor")
    prediction2 = online.mlp(online.mlp(online.encode(view2), "projector"), "predictor")
    with torch.no_grad():
        target1 = target.mlp(target.encode(view1), "projector")
        target2 = target.mlp(target.encode(view2), "projector")
    representation = (regression(prediction1, target2) + regression(prediction2, target1)).mean()
    probe = F.cross_entropy(online.classify(features1.detach()), labels)
    return representation, probe


def lars(o: dict, params: dict, grads: dict, momentum: dict, lr: float) -> None:
    for name, w in params.items():
        u, ratio = grads[name], 1.0
        if w.dim() > 1:  # biases and norms are neither decayed nor adapted
            u = u + o["weightDecay"] * w
            wn, un = w.norm().item(), u.norm().item()
            ratio = o["eta"] * wn / un if wn > 0 and un > 0 else 1.0
        momentum[name] = o["momentum"] * momentum[name] + ratio * u
        w.sub_(lr * momentum[name])


def run(dtype) -> list:
    o = OPTIONS
    of = shapes(o["width"], o["hidden"], o["projection"], o["classes"])
    online, target = Net("online", of), Net("target", of)
    for net in (online, target):
        net.params = {k: p.detach().to(dtype).requires_grad_() for k, p in net.params.items()}
    momentum = {k: torch.zeros_like(p) for k, p in online.params.items()}
    image = (o["batch"], 3, o["size"], o["size"])
    out = []
    for step in range(o["steps"]):
        lr, tau = schedule(o, step)
        views = [formula.tensor(f"byol/view{v}/{step}", image).to(dtype) for v in (1, 2)]
        labels = formula.labels(f"byol/labels/{step}", o["batch"], o["classes"])
        representation, probe = loss_of(online, target, *views, labels)
        names = list(online.params)
        # The predictor's and the probe's copies in the target take part in the EMA only.
        grads = dict(zip(names, torch.autograd.grad(representation + probe, online.params.values())))
        with torch.no_grad():
            lars(o, online.params, grads, momentum, lr)
            for k, x in target.params.items():
                x.add_((1 - tau) * (online.params[k] - x))
        out.append(
            {
                "lr": lr,
                "tau": tau,
                "representationLoss": representation.item(),
                "probeLoss": probe.item(),
                "momentum": {k: m.clone() for k, m in momentum.items()},
                "online": {k: p.detach().clone() for k, p in online.params.items()},
                "target": {k: p.detach().clone() for k, p in target.params.items()},
                "onlineRunning": online.averages(),
                "targetRunning": target.averages(),
            }
        )
    return out


def golden() -> dict:
    double, single = run(torch.float64), run(torch.float32)
    out = {"about": "three BYOL steps of a width-8 basic-block ResNet, float64", "options": OPTIONS}
    for k, (d, s) in enumerate(zip(double, single)):
        tensors = ("momentum", "online", "target", "onlineRunning", "targetRunning")
        out[f"step{k}"] = {
            **{n: number(d[n]) for n in ("lr", "tau", "representationLoss", "probeLoss")},
            "torchFloat32Error": {
                "loss": number(abs(s["representationLoss"] / d["representationLoss"] - 1)),
                **{
                    t: number(max(relative_error(s[t][n], v) for n, v in d[t].items()))
                    for t in tensors
                },
            },
            **{t: digests(d[t].items()) for t in tensors},
        }
    return out
