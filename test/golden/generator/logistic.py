"""Logistic regression at its minimum, by SciPy's L-BFGS-B in float64: what our L-BFGS is held against.

The objective is sum_i loss_i + lam/2·|W|² with an unpenalised bias, as scikit-learn's LogisticRegression has it (C = 1/lam).
"""
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from . import formula

ROWS, WIDTH, CLASSES = 240, 12, 5


def minimum(x, objective, lam):
    def f(flat):
        w = flat.reshape(WIDTH + 1, CLASSES)
        value, slope = objective(x @ w[:-1] + w[-1])
        gradient = np.vstack([x.T @ slope + lam * w[:-1], slope.sum(0)])
        return value + 0.5 * lam * (w[:-1] ** 2).sum(), gradient.ravel()

    options = {"maxiter": 100_000, "maxfun": 1_000_000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-9}
    return minimize(f, np.zeros((WIDTH + 1) * CLASSES), jac=True, method="L-BFGS-B", options=options)


def golden():
    x = formula.tensor("logistic.x", (ROWS, WIDTH)).numpy()
    # Classes that the features tell of, but not surely.
    lean = x @ formula.tensor("logistic.lean", (WIDTH, CLASSES)).numpy()
    noise = formula.tensor("logistic.noise", (ROWS, CLASSES), 2.0).numpy()
    labels = (lean + noise).argmax(1)
    memberships = (lean + noise > 0.5).astype(np.float64)
    one_hot = np.eye(CLASSES)[labels]

    def softmax(z):
        total = logsumexp(z, axis=1, keepdims=True)
        return (total[:, 0] - (z * one_hot).sum(1)).sum(), np.exp(z - total) - one_hot

    def one_vs_rest(z):
        return (np.logaddexp(0, z) - memberships * z).sum(), expit(z) - memberships

    cases = []
    for kind, objective in (("labels", softmax), ("memberships", one_vs_rest)):
        for lam in (1e-2, 1.0, 100.0):
            found = minimum(x, objective, lam)
            cases.append({"kind": kind, "lambda": lam, "objective": float(found.fun), "w": found.x[:8].tolist()})
    return {
        **{"rows": ROWS, "width": WIDTH, "classes": CLASSES, "labels": labels.tolist()},
        **{"memberships": memberships.astype(int).ravel().tolist(), "cases": cases},
    }
