"""Resized images from TensorFlow and Pillow. Needs neither PyTorch nor the other generators:

    pip install tensorflow-cpu pillow && python3 -m generator.resize > resize.json      (in test/golden)
"""
import json
import math
import sys

import numpy as np
import tensorflow as tf
from PIL import Image

SIZES = [((7, 9), (3, 4)), ((7, 9), (12, 5)), ((16, 11), (5, 11)), ((5, 5), (10, 10)), ((13, 6), (2, 9))]


def image(h, w):
    """The image that the test makes: 0.5·sin(1 + 3i + 5j) + (i·w + j) / (h·w)."""
    rows = [[math.sin(1 + 3 * i + 5 * j) * 0.5 + (i * w + j) / (h * w) for j in range(w)] for i in range(h)]
    return np.array(rows, dtype=np.float32)


def case(library, method, antialias, x, size, y):
    values = [round(float(v), 7) for v in np.asarray(y).ravel()]
    return {"library": library, "method": method, "antialias": antialias, "from": x.shape, "to": size, "values": values}


def main():
    cases = []
    for (h, w), (oh, ow) in SIZES:
        x = image(h, w)
        for method in ("nearest", "bilinear", "bicubic"):
            for antialias in (False, True):
                y = tf.image.resize(x[None, :, :, None], (oh, ow), method=method, antialias=antialias)
                cases.append(case("tensorflow", method, antialias, x, (oh, ow), y))
        for method, pillow in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
            y = Image.fromarray(x, mode="F").resize((ow, oh), pillow)
            cases.append(case("pillow", method, True, x, (oh, ow), y))
    versions = {"tensorflow": tf.__version__, "pillow": Image.__version__}
    json.dump({"versions": versions, "cases": cases}, sys.stdout, separators=(",", ":"))


main()
