"""Compact fingerprints of tensors: enough to catch a wrong element, small enough to commit."""
import json
from pathlib import Path

import numpy as np

from . import formula

WHOLE = 64
SAMPLES = 32


def number(x: float):
    """Ten significant digits: ten times finer than float32."""
    return float(f"{float(x):.10g}")


def digest(name: str, t) -> dict:
    """Small tensors whole; of others the norm, the sum, the dot product with the formula vector `name/probe`
    (which moves when any element does, or when two change places) and the elements at formula-chosen positions."""
    a = t.detach().double().numpy()
    flat = a.reshape(-1)
    out = {"shape": list(a.shape)}
    if flat.size <= WHOLE:
        out["values"] = [number(x) for x in flat]
        return out
    at = formula.bits(name + "/samples", SAMPLES) % np.uint32(flat.size)
    out["norm"] = number(np.linalg.norm(flat))
    out["sum"] = number(flat.sum())
    out["probe"] = number(flat @ formula.uniform(name + "/probe", flat.size))
    out["samples"] = [number(flat[i]) for i in at]
    return out


def digests(tensors) -> dict:
    return {name: digest(name, t) for name, t in tensors}


def relative_error(got, want) -> float:
    """‖got − want‖ / ‖want‖; the root mean square of `got` where `want` is zero but for rounding (the gradient of
    a bias that feeds a batch norm)."""
    want = want.detach().double()
    difference = (got.detach().double() - want).norm().item()
    rms = want.norm().item() / want.numel() ** 0.5
    return difference / (want.norm().item() if rms > 1e-12 else want.numel() ** 0.5)


def write(path: Path, content: dict) -> None:
    """JSON with a line per leaf object, so that diffs can be read."""

    def lines(value, depth: int) -> str:
        leaf = not isinstance(value, dict) or not any(isinstance(v, dict) for v in value.values())
        if leaf:
            return json.dumps(value)
        pad = "  " * (depth + 1)
        body = ",\n".join(f"{pad}{json.dumps(k)}: {lines(v, depth + 1)}" for k, v in value.items())
        return "{\n" + body + "\n" + "  " * depth + "}"

    path.write_text(lines(content, 0) + "\n")
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
