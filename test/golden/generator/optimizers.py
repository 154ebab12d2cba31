"""Three steps each of torch's SGD (momentum, Nesterov) and AdamW on a small convolutional net."""
import torch
import torch.nn.functional as F
from torch import nn

from . import formula
from .digest import digests, number

BATCH, SIZE, CLASSES, STEPS = 8, 8, 5, 3


def small_net() -> nn.Module:
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * (SIZE // 2) ** 2, CLASSES),
    ).double()
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(formula.parameter(name, p.shape))
    return net.train()


OPTIONS = {
    "sgd": {"lr": 0.02, "momentum": 0.0, "weight_decay": 0.0},
    "momentum": {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.01},
    "nesterov": {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    "adamw": {"lr": 0.01, "betas": [0.9, 0.99], "eps": 1e-8, "weight_decay": 0.1},
}


def steps(kind: str) -> dict:
    options = OPTIONS[kind]
    net = small_net()
    make = torch.optim.AdamW if kind == "adamw" else torch.optim.SGD
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    optimizer = make(net.parameters(), **given)
    out = {"options": options}
    for step in range(STEPS):
        x = formula.tensor(f"optimizer/images/{step}", (BATCH, 3, SIZE, SIZE))
        y = formula.labels(f"optimizer/labels/{step}", BATCH, CLASSES)
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        out[f"step{step}"] = {"loss": number(loss.item()), "parameters": digests(net.named_parameters())}
    return out


def golden() -> dict:
    about = f"Conv2d(3, 8, 3) BatchNorm ReLU MaxPool(2) Flatten Linear(128, {CLASSES}), {STEPS} steps"
    return {
        "about": about,
        "batch": BATCH,
        "size": SIZE,
        "classes": CLASSES,
        "steps": STEPS,
        **{kind: steps(kind) for kind in OPTIONS},
    }
