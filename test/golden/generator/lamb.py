"""LAMB, Algorithm 2 of You et al. 2020 (arXiv 1904.00962) with φ the identity, written out in float64."""
import torch

from . import formula
from .digest import number

OPTIONS = {"lr": 0.05, "weight_decay": 0.1, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4}
# Name, shape, whether it is decayed and adapted. A zero weight has no norm to adapt to.
PARAMETERS = [("weight", (3, 4), True), ("bias", (4,), False), ("scale", (4,), False), ("zero", (2, 2), True)]
STEPS = 4


def loss_of(p, x):
    y = torch.tanh(x @ p["weight"] + p["bias"]) * p["scale"]
    return (y**2).mean() + ((p["zero"] - x[:2, :2]) ** 2).sum()


def golden() -> dict:
    o = OPTIONS
    p = {n: formula.tensor(f"lamb/{n}", s, 0.0 if n == "zero" else 1.0).requires_grad_() for n, s, _ in PARAMETERS}
    m = {n: torch.zeros_like(v) for n, v in p.items()}
    v = {n: torch.zeros_like(w) for n, w in p.items()}
    steps = []
    for t in range(1, STEPS + 1):
        loss = loss_of(p, formula.tensor(f"lamb/x{t}", (5, 3)))
        grads = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            for (name, _, adapted), g in zip(PARAMETERS, grads):
                w = p[name]
                m[name] = o["beta1"] * m[name] + (1 - o["beta1"]) * g
                v[name] = o["beta2"] * v[name] + (1 - o["beta2"]) * g**2
                m_hat = m[name] / (1 - o["beta1"] ** t)
                v_hat = v[name] / (1 - o["beta2"] ** t)
                u = m_hat / (v_hat.sqrt() + o["epsilon"]) + (o["weight_decay"] * w if adapted else 0)
                norms = float(w.norm()), float(u.norm())
                ratio = norms[0] / norms[1] if adapted and min(norms) > 0 else 1.0
                w -= o["lr"] * ratio * u
        after = {n: [number(e) for e in w.detach().flatten().tolist()] for n, w in p.items()}
        steps.append({"loss": number(loss.item()), "after": after})
    return {
        "about": "four steps of LAMB on formula-made parameters and inputs, float64",
        "options": OPTIONS,
        "shapes": {n: list(s) for n, s, _ in PARAMETERS},
        "steps": steps,
    }
