"""PyTorch on the CPU: the far mark. Speaks the protocol of ../protocol.ts over stdin and stdout.

The file is not called torch.py because Python would then import it in place of PyTorch.
"""
import json
import math
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "test" / "golden"))
from generator import formula  # noqa: E402
from generator.digest import digest  # noqa: E402

MARK = "@bench "


class Cannot(Exception):
    pass


def leaf(name, shape, scale=1.0, offset=0.0, order=None):
    """The inputs of contender.ts: float32, canonical layout, then permuted."""
    x = formula.tensor(name, shape, scale, offset).float()
    return x.permute(*order).contiguous() if order else x


NCHW, NHWC, OIHW, HWIO = (0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 0, 1), (2, 3, 1, 0)


class Stepper:
    """`step` returns tensors; `outputs` lists (name, order) for them, or is a function that reads state."""

    def __init__(self, step, outputs):
        self.step, self.outputs = step, outputs

    def named(self, results):
        if callable(self.outputs):
            return self.outputs()
        return [(n, r.permute(*order).contiguous() if order else r) for (n, order), r in zip(self.outputs, results)]


def matmul(work):
    a, b = leaf("a", (work["m"], work["k"])), leaf("b", (work["k"], work["n"]))
    return Stepper(lambda: [a @ b], [("c", None)])


def conv(work):
    layer = work["layer"]
    batch, size, i, o, k = (layer[n] for n in ("batch", "size", "inC", "outC", "kernel"))
    stride, pad = layer["stride"], layer["pad"]
    pad = int(pad)
    out = (size + 2 * pad - k) // stride + 1
    x = leaf("x", (batch, size, size, i), order=NCHW)
    w = leaf("w", (k, k, i, o), math.sqrt(3 / (k * k * i)), order=OIHW)
    dy = leaf("dy", (batch, out, out, o), order=NCHW)

    def backward(mask):
        s, p = [stride] * 2, [pad] * 2
        return torch.ops.aten.convolution_backward(dy, x, w, None, s, p, [1, 1], False, [0, 0], 1, mask)

    y, dx, dw = ("y", NHWC), ("dx", NHWC), ("dw", HWIO)
    steps = {
        "forward": (lambda: [F.conv2d(x, w, None, stride, pad)], [y]),
        "input grad": (lambda: [backward([True, False, False])[0]], [dx]),
        "weight grad": (lambda: [backward([False, True, False])[1]], [dw]),
        "forward + both grads": (
            lambda: [F.conv2d(x, w, None, stride, pad), *backward([True, True, False])[:2]],
            [y, dx, dw],
        ),
    }
    return Stepper(*steps[work["pass"]])


def batch_norm_relu(work):
    shape, channels = work["shape"], (work["shape"][-1],)
    x, dy = leaf("x", shape, order=NCHW), leaf("dy", shape, order=NCHW)
    scale, offset = leaf("scale", channels, 0.25, 1.0), leaf("offset", channels, 0.1)
    inputs = (x, scale, offset)

    def forward():
        return F.relu(F.batch_norm(x, None, None, scale, offset, training=True, eps=1e-5))

    if work["pass"] == "forward":
        return Stepper(lambda: [forward()], [("y", NHWC)])
    for t in inputs:
        t.requires_grad_()

    def both():
        with torch.enable_grad():
            y = forward()
        return [y.detach(), *torch.autograd.grad(y, inputs, dy)]

    return Stepper(both, [("y", NHWC), ("dx", NHWC), ("dscale", None), ("doffset", None)])


def cross_entropy(work):
    logits = leaf("logits", (work["rows"], work["classes"]), 4.0).requires_grad_()
    labels = formula.labels("labels", work["rows"], work["classes"])

    def step():
        with torch.enable_grad():
            loss = F.cross_entropy(logits, labels)
        return [loss.detach(), *torch.autograd.grad(loss, [logits])]

    return Stepper(step, [("loss", None), ("dlogits", None)])


def pointwise(work):
    x, z = leaf("x", (work["elements"],), 3.0), leaf("z", (work["elements"],), 3.0)
    return Stepper(lambda: [F.relu(x * 0.7 + z) * torch.sigmoid(z) - torch.tanh(x) * 0.1], [("y", None)])


def sums(work):
    x = leaf("x", (work["rows"], work["columns"]), 1.0, 0.5)
    axes = {"rows": (1,), "columns": (0,), "all": (0, 1)}[work["over"]]
    return Stepper(lambda: [x.sum(axes)], [("y", None)])


# The numbers of optimizer-numbers.ts.
MOMENTUM, DECAY, ETA, LR, TAU = 0.9, 1.5e-6, 1e-3, 0.2, 0.99
LOOKED = ("conv1.weight", "bn1.bias", "layer4.2.conv2.weight", "fc.weight")


def lars_ema(work):
    entries = {}
    for p in work["parameters"]:
        name, shape = p["name"], tuple(p["shape"])
        g, w, target = (leaf(f"{stream}/{name}", shape) for stream in ("g", "w", "target"))
        entries[name] = {"adapt": len(shape) > 1, "g": g, "w": w, "m": torch.zeros(shape), "target": target}

    def step():
        for e in entries.values():
            u, w, m = e["g"], e["w"], e["m"]
            if e["adapt"]:
                u = u.add(w, alpha=DECAY)
                wn, un = w.norm(), u.norm()
                u = u * torch.where((wn > 0) & (un > 0), ETA * wn / un, torch.ones(()))
            m.mul_(MOMENTUM).add_(u)
            w.sub_(m, alpha=LR)
            e["target"].lerp_(w, 1 - TAU)
        return []

    return Stepper(step, lambda: [(f"{s}/{n}", entries[n][s]) for s in ("w", "target") for n in LOOKED])


KINDS = {
    "matmul": matmul,
    "conv": conv,
    "batchNormRelu": batch_norm_relu,
    "crossEntropy": cross_entropy,
    "pointwise": pointwise,
    "sum": sums,
    "larsEma": lars_ema,
}


class Child:
    stepper = None

    def open(self, request):
        if request["device"] != "cpu":
            raise Cannot("PyTorch takes part on the CPU only")
        torch.set_num_threads(request["threads"])
        torch.set_grad_enabled(False)
        description = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
        versions = {"torch": torch.__version__}
        return {"versions": versions, "description": description, "threads": torch.get_num_threads()}

    def prepare(self, request):
        work = request["case"]["work"]
        if work["kind"] not in KINDS:
            raise Cannot("not written for PyTorch")
        self.stepper = KINDS[work["kind"]](work)
        start = time.perf_counter()
        results = self.stepper.step()
        ms = (time.perf_counter() - start) * 1e3
        return {"firstMs": ms, "digests": {n: digest(n, t) for n, t in self.stepper.named(results)}}

    def run(self, request):
        start = time.perf_counter()
        for _ in range(request["iterations"]):
            self.stepper.step()
        return {"ms": (time.perf_counter() - start) * 1e3}

    def counts(self, request):
        return None

    def release(self, request):
        self.stepper = None


def main():
    child = Child()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"ok": True, "value": getattr(child, request["do"])(request)}
        except Exception as error:
            reply = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        print(MARK + json.dumps(reply), flush=True)


main()
