"""torchvision's ResNet-18 and ResNet-50 from formula-made weights: a training-mode forward and backward pass."""
import torch
import torch.nn.functional as F
import torchvision

from . import formula
from .digest import digest, digests, number, relative_error

SIZE = 64
BATCH = 4
CLASSES = 10
LAST_NORM = {"resnet18": ".bn2.weight", "resnet50": ".bn3.weight"}


def build(arch: str, dtype) -> torch.nn.Module:
    net = getattr(torchvision.models, arch)(weights=None, num_classes=CLASSES).to(dtype)
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(formula.parameter(name, p.shape))
            if LAST_NORM[arch] in name:  # a small scale keeps the depth from amplifying rounding errors
                p.copy_(formula.tensor(name, p.shape, 0.05, 0.2))
    return net.train()


def features_of(net, x):
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    x = net.layer4(net.layer3(net.layer2(net.layer1(x))))
    return torch.flatten(net.avgpool(x), 1)


def run(arch: str, dtype):
    net = build(arch, dtype)
    x = formula.tensor("images", (BATCH, 3, SIZE, SIZE)).to(dtype)
    y = formula.labels("labels", BATCH, CLASSES)
    features = features_of(net, x)
    logits = net.fc(features)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    grads = {name: p.grad for name, p in net.named_parameters()}
    running = {name: b.clone() for name, b in net.named_buffers() if "running" in name}
    with torch.no_grad():
        evaluated = net.eval()(x)
    return features, logits, loss, grads, running, evaluated


def golden(arch: str) -> dict:
    features, logits, loss, grads, running, evaluated = run(arch, torch.float64)
    f32 = run(arch, torch.float32)
    # How far PyTorch's own float32 lands from float64: the yardstick of the tests' tolerances.
    worst = max(relative_error(f32[3][k], g) for k, g in grads.items())
    return {
        "about": f"torchvision {arch}, {CLASSES} classes, images [{BATCH}, 3, {SIZE}, {SIZE}], training, float64",
        "arch": arch,
        "size": SIZE,
        "batch": BATCH,
        "classes": CLASSES,
        "torchFloat32Error": {
            "logits": number(relative_error(f32[1], logits)),
            "loss": number(abs(f32[2].item() - loss.item()) / loss.item()),
            "worstGradient": number(worst),
            "running": number(max(relative_error(f32[4][k], r) for k, r in running.items())),
            "evalLogits": number(relative_error(f32[5], evaluated)),
        },
        "loss": number(loss.item()),
        "forward": {
            "features": digest("features", features),
            "logits": digest("logits", logits),
            "evalLogits": digest("evalLogits", evaluated),
        },
        "gradients": {
            name: {**digest(name, g), "float32Error": number(relative_error(f32[3][name], g))}
            for name, g in grads.items()
        },
        "running": digests(running.items()),
    }
