"""Numbers that Python and TypeScript both make exactly: a 32-bit hash of a name and an index.

uniform(name, i) = (mix(fnv1a(name) + i * 0x9e3779b9) >> 8) / 2^23 - 1, in [-1, 1): a multiple of 2^-23, so it is
the same in float32, in float64 and in JavaScript. `formula.ts` is the other half.
"""
import numpy as np
import torch

GOLDEN = 0x9E3779B9


def fnv1a(name: str) -> int:
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of MurmurHash3."""
    x = x.astype(np.uint64)
    for multiplier, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(multiplier)) & np.uint64(0xFFFFFFFF)
    return (x ^ (x >> np.uint64(16))).astype(np.uint32)


def bits(name: str, n: int) -> np.ndarray:
    """n 32-bit words of the stream `name`."""
    i = np.arange(n, dtype=np.uint64)
    return mix((np.uint64(fnv1a(name)) + i * np.uint64(GOLDEN)) & np.uint64(0xFFFFFFFF))


def uniform(name: str, n: int) -> np.ndarray:
    """n float64 values in [-1, 1) of the stream `name`."""
    return (bits(name, n) >> np.uint32(8)).astype(np.float64) / 2.0**23 - 1.0


def tensor(name: str, shape, scale: float = 1.0, offset: float = 0.0) -> torch.Tensor:
    """float64 tensor of offset + scale·uniform, rounded to float32, so that both precisions start alike."""
    n = int(np.prod(shape)) if len(shape) else 1
    values = (offset + scale * uniform(name, n)).astype(np.float32).astype(np.float64)
    return torch.from_numpy(values.reshape(shape))


def parameter(name: str, shape) -> torch.Tensor:
    """The weights every golden net starts from, by what the name and the rank say a parameter is."""
    if name.endswith("bias"):
        return tensor(name, shape, 0.1)
    if len(shape) == 1:  # a norm's scale
        return tensor(name, shape, 0.25, 1.0)
    fan_in = int(np.prod(shape[1:]))
    return tensor(name, shape, float(np.sqrt(6.0 / fan_in)))


def labels(name: str, n: int, classes: int) -> torch.Tensor:
    return torch.from_numpy((bits(name, n) % np.uint32(classes)).astype(np.int64))
