"""Writes the golden files beside this script: `python3 generate.py [NAME …]`.

Needs PyTorch, torchvision and SciPy (made with 1.13, 0.14 and 1.10). Everything is computed in float64 from formula-made
numbers, so the files do not depend on the machine beyond their tenth digit.
"""
import sys
from pathlib import Path

import torch

from generator import augment, byol, byol_r50, encoders, lamb, logistic, methods, optimizers, resnets, vicreg
from generator.digest import write

GOLDEN = {
    "resnet18": lambda: resnets.golden("resnet18"),
    "resnet50": lambda: resnets.golden("resnet50"),
    "optimizers": optimizers.golden,
    "byol": byol.golden,
    "byol-r50": byol_r50.golden,
    "augment": augment.golden,
    "methods": methods.golden,
    "encoder18": lambda: encoders.golden("resnet18"),
    "encoder50": lambda: encoders.golden("resnet50"),
    "logistic": logistic.golden,
    "vicreg": vicreg.golden,
    "lamb": lamb.golden,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    unknown = [n for n in sys.argv[1:] if n not in GOLDEN]
    if unknown:
        sys.exit(f"unknown golden {', '.join(unknown)}; there are {', '.join(GOLDEN)}")
    for name in sys.argv[1:] or GOLDEN:
        write(Path(__file__).parent / f"{name}.json", {"torch": torch.__version__, **GOLDEN[name]()})
