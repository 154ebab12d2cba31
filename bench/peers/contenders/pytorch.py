"""PyTorch on the CPU: the far mark. Speaks the protocol of ../protocol.ts over stdin and stdout.

The file is not called torch.py because Python would then import it in place of PyTorch.
"""
import json
import math
import re
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
            return self.outputs(results)
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
MOMENTUM, DECAY, ETA, LR, TAU = 0.9, 1.5e-6, 1e-3, 20, 0.99
LOOKED = ("conv1.weight", "bn1.bias", "layer4.2.conv2.weight", "fc.weight")


def initial(name, shape):
    """First values of contender.ts."""
    stream = f"initial/{name}"
    if len(shape) > 1:
        return leaf(stream, shape, math.sqrt(6 / math.prod(shape[:-1])))
    if re.search(r"layer.*bn2\.weight$", name):
        return leaf(stream, shape, 0.05, 0.2)
    return leaf(stream, shape, 0.1) if name.endswith("bias") else leaf(stream, shape, 0.25, 1.0)


class Values(dict):
    """Parameters by name in PyTorch's layouts, with running statistics of the norms."""

    def __init__(self, parameters, values):
        super().__init__()
        self.values_of, self.shapes = values, {p["name"]: p["shape"] for p in parameters}
        for name, shape in self.shapes.items():
            x = values(name, shape)
            order = {4: OIHW, 2: (1, 0)}.get(len(shape))
            self[name] = x.permute(*order).contiguous() if order else x
        norms = {n.rsplit(".", 1)[0]: w for n, w in self.items() if w.dim() == 1}
        self.running = {n: (torch.zeros_like(w), torch.ones_like(w)) for n, w in norms.items()}

    def changes(self, names, stream=""):
        out = []
        for name in names:
            order = {4: HWIO, 2: (1, 0)}.get(len(self.shapes[name]))
            now = self[name].detach()
            now = now.permute(*order) if order else now
            out.append((f"change of {stream}{name}", now - self.values_of(name, self.shapes[name])))
        return out


def lars(online, momenta, target, grads):
    with torch.no_grad():
        for name, w in online.items():
            u, m = grads[name], momenta[name]
            if w.dim() > 1:
                u = u.add(w, alpha=DECAY)
                wn, un = w.norm(), u.norm()
                u = u * torch.where((wn > 0) & (un > 0), ETA * wn / un, torch.ones(()))
            m.mul_(MOMENTUM).add_(u)
            w.sub_(m, alpha=LR)
            target[name].lerp_(w, 1 - TAU)


def zeros_of(values):
    return {name: torch.zeros_like(w) for name, w in values.items()}


def lars_ema(work):
    def of(stream):
        return Values(work["parameters"], lambda name, shape: leaf(f"{stream}/{name}", shape))

    online, target, grads = of("w"), of("target"), of("g")
    momenta = zeros_of(online)

    def step():
        lars(online, momenta, target, grads)
        return []

    return Stepper(step, lambda _: online.changes(LOOKED, "w/") + target.changes(LOOKED, "target/"))


def features(net, values, x, padding, prefix=""):
    def conv_norm(x, c):
        pad, stride = (c["kernel"] - 1) // 2, c["stride"]
        # TensorFlow's SAME is lopsided where an even side is halved.
        if padding == "same" and stride > 1 and pad and x.shape[2] % 2 == 0:
            x, pad = F.pad(x, (0, 1, 0, 1)), 0
        y = F.conv2d(x, values[f"{prefix}{c['conv']}.weight"], None, stride, pad)
        return norm(values, y, prefix + c["norm"])

    y = F.relu(conv_norm(x, net["stem"]))
    for block in net["blocks"]:
        shortcut = conv_norm(y, block["shortcut"]) if "shortcut" in block else y
        for i, part in enumerate(block["branch"]):
            y = conv_norm(F.relu(y) if i else y, part)
        y = F.relu(y + shortcut)
    return y.mean((2, 3))


def norm(values, x, name):
    weight, bias = values[f"{name}.weight"], values[f"{name}.bias"]
    return F.batch_norm(x, *values.running[name], weight, bias, training=True, momentum=0.1, eps=1e-5)


def images(name, shape):
    return leaf(name, shape, order=NCHW)


def supervised(work):
    values = Values(work["parameters"], initial)
    x, labels = images("images", work["shape"]), formula.labels("labels", work["shape"][0], work["classes"])
    weights = [w.requires_grad_() for w in values.values()]
    optimizer = torch.optim.SGD(weights, lr=work["lr"], momentum=MOMENTUM)

    def step():
        with torch.enable_grad():
            pooled = features(work["net"], values, x, work["padding"])
            loss = F.cross_entropy(F.linear(pooled, values["fc.weight"], values["fc.bias"]), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
        optimizer.step()
        return [loss.detach()]

    return Stepper(step, lambda results: [("loss", results[0]), *values.changes(work["looked"])])


def byol(work):
    net, padding = work["net"], work["padding"]
    online = Values(work["parameters"], initial)
    target = Values(work["parameters"], lambda name, shape: initial(f"target/{name}", shape))
    momenta = zeros_of(online)
    views = [images(name, work["shape"]) for name in ("view1", "view2")]
    labels = formula.labels("labels", work["shape"][0], work["classes"])
    for w in online.values():
        w.requires_grad_()

    def mlp(values, x, name):
        x = F.linear(x, values[f"{name}.0.weight"], values[f"{name}.0.bias"])
        return F.linear(F.relu(norm(values, x, f"{name}.1")), values[f"{name}.3.weight"])

    def encode(values, x):
        return features(net, values, x, padding, "encoder.")

    def regression(a, b):
        return (F.normalize(a, dim=1) - F.normalize(b, dim=1)).square().sum(1).mean()

    def step():
        projections = [mlp(target, encode(target, view), "projector") for view in views]
        with torch.enable_grad():
            embeddings = [encode(online, view) for view in views]
            q1, q2 = (mlp(online, mlp(online, y, "projector"), "predictor") for y in embeddings)
            bootstrap = regression(q1, projections[1]) + regression(q2, projections[0])
            logits = F.linear(embeddings[0].detach(), online["probe.weight"], online["probe.bias"])
            loss = bootstrap + F.cross_entropy(logits, labels)
        grads = torch.autograd.grad(loss, list(online.values()))
        lars(online, momenta, target, dict(zip(online, grads)))
        return [bootstrap.detach().reshape(1)]

    def outputs(results):
        return [
            ("loss", results[0]),
            *online.changes(work["looked"]),
            *target.changes(work["looked"], "target/"),
        ]

    return Stepper(step, outputs)


KINDS = {
    "matmul": matmul,
    "conv": conv,
    "batchNormRelu": batch_norm_relu,
    "crossEntropy": cross_entropy,
    "pointwise": pointwise,
    "sum": sums,
    "larsEma": lars_ema,
    "supervised": supervised,
    "byol": byol,
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
        try:
            text = json.dumps(reply, allow_nan=False)
        except ValueError:
            text = json.dumps({"ok": False, "error": "a result is not finite"})
        print(MARK + text, flush=True)


main()
