"""The losses of SimCLR, MoCo, SimSiam and Barlow Twins with their gradients, written from the papers' formulas."""
import torch
import torch.nn.functional as F

from . import formula
from .digest import number

BATCH, FEATURES, QUEUE = 5, 4, 7


def nt_xent(a, b, temperature):
    """Mean over all 2B views of -log softmax at the other view of the image, view by view."""
    z = F.normalize(torch.cat([a, b]), dim=1)
    total = 0.0
    for i in range(2 * BATCH):
        others = [j for j in range(2 * BATCH) if j != i]
        similarity = torch.stack([(z[i] * z[j]).sum() / temperature for j in others])
        partner = others.index((i + BATCH) % (2 * BATCH))
        total = total + torch.logsumexp(similarity, 0) - similarity[partner]
    return total / (2 * BATCH)


def info_nce(q, k, queue, temperature):
    q = F.normalize(q, dim=1)
    positive = (q * k).sum(1, keepdim=True)
    logits = torch.cat([positive, q @ queue.T], 1) / temperature
    return F.cross_entropy(logits, torch.zeros(BATCH, dtype=torch.long))


def barlow(a, b, lam):
    def standard(z):
        return F.batch_norm(z, None, None, training=True, eps=1e-5)

    c = standard(a).T @ standard(b) / BATCH
    on = (torch.diagonal(c) - 1).pow(2).sum()
    off = (c * (1 - torch.eye(FEATURES, dtype=c.dtype))).pow(2).sum()
    return on + lam * off


def case(loss, names) -> dict:
    xs = [formula.tensor(f"methods/{n}", (BATCH, FEATURES)).requires_grad_() for n in names]
    value = loss(*xs)
    grads = torch.autograd.grad(value, xs, allow_unused=True)
    flat = {n: [number(v) for v in g.flatten().tolist()] for n, g in zip(names, grads) if g is not None}
    return {"loss": number(value.item()), "gradients": flat}


def golden() -> dict:
    key = F.normalize(formula.tensor("methods/key", (BATCH, FEATURES)), dim=1)
    queue = F.normalize(formula.tensor("methods/queue", (QUEUE, FEATURES)), dim=1)
    return {
        "about": "losses of two formula-made batches of projections, float64",
        "options": {"batch": BATCH, "features": FEATURES, "queue": QUEUE, "temperature": 0.2, "lambda": 0.0051},
        "ntXent": case(lambda a, b: nt_xent(a, b, 0.2), ["a", "b"]),
        "infoNce": case(lambda q: info_nce(q, key, queue, 0.2), ["a"]),
        "negativeCosine": case(lambda p, z: -F.cosine_similarity(p, z.detach(), dim=1).mean(), ["a", "b"]),
        "barlowTwins": case(lambda a, b: barlow(a, b, 0.0051), ["a", "b"]),
    }
