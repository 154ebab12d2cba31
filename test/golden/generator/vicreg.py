"""The loss of VICReg with its gradients, written from Algorithm 1 of the paper and the released code's halves."""
import torch
import torch.nn.functional as F

from . import formula
from .digest import number

BATCH, FEATURES = 6, 5
# Powers of two, so that float32 holds the products too: features that vary too little, and some that vary enough.
SCALES = [0.25, 0.5, 1.0, 2.0, 4.0]
WEIGHTS = {"invariance": 25.0, "variance": 25.0, "covariance": 1.0}


def variance(z):
    return F.relu(1 - torch.sqrt(z.var(dim=0) + 1e-4)).mean()


def covariance(z):
    """Pair by pair."""
    c = torch.cov(z.T)
    return sum(c[i, j] ** 2 for i in range(FEATURES) for j in range(FEATURES) if i != j) / FEATURES


TERMS = {
    "invariance": lambda a, b: F.mse_loss(a, b),
    "variance": lambda a, b: (variance(a) + variance(b)) / 2,
    "covariance": lambda a, b: covariance(a) + covariance(b),
}


def case(weights) -> dict:
    scales = torch.tensor(SCALES, dtype=torch.float64)
    a, b = ((formula.tensor(f"vicreg/{n}", (BATCH, FEATURES)) * scales).requires_grad_() for n in "ab")
    loss = sum(weights[name] * term(a, b) for name, term in TERMS.items() if weights[name])
    grads = torch.autograd.grad(loss, (a, b))
    flat = {n: [number(v) for v in g.flatten().tolist()] for n, g in zip("ab", grads)}
    return {"weights": weights, "loss": number(loss.item()), "gradients": flat}


def golden() -> dict:
    alone = [{name: float(name == one) for name in TERMS} for one in TERMS]
    return {
        "about": "the loss of two formula-made batches of projections, float64: as published, and term by term",
        "options": {"batch": BATCH, "features": FEATURES, "scales": SCALES},
        "cases": [case(weights) for weights in [WEIGHTS, *alone]],
    }
