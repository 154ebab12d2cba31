"""Views by torchvision's transforms on float tensors, one operation after another, and the boxes of its crops."""
import torch
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode, RandomResizedCrop

from . import formula
from .digest import number

STORED = 8
KERNEL = 5

OPS = {
    "crop": lambda x, o: F.resized_crop(x, *o["box"], [o["size"]] * 2, InterpolationMode(o["method"]), antialias=True),
    "flip": lambda x, o: F.hflip(x),
    "brightness": lambda x, o: F.adjust_brightness(x, o["by"]),
    "contrast": lambda x, o: F.adjust_contrast(x, o["by"]),
    "saturation": lambda x, o: F.adjust_saturation(x, o["by"]),
    "hue": lambda x, o: F.adjust_hue(x, o["by"]),
    "grey": lambda x, o: F.rgb_to_grayscale(x, 3),
    "blur": lambda x, o: F.gaussian_blur(x, [KERNEL, KERNEL], [o["by"], o["by"]]),
    "solarize": lambda x, o: F.solarize(x, 0.5),
}


def by(op: str, value: float) -> dict:
    return {"op": op, "by": value}


def crop(method: str, size: int, *box: int) -> dict:
    return {"op": "crop", "method": method, "size": size, "box": box}


CASES = [
    *([by("brightness", v)] for v in (0.6, 1.3)),
    *([by("contrast", v)] for v in (0.6, 1.4)),
    *([by("saturation", v)] for v in (0.0, 0.8, 1.2)),
    *([by("hue", v)] for v in (-0.5, -0.1, 0.1, 0.37)),
    [{"op": "flip"}],
    [{"op": "grey"}],
    *([by("blur", v)] for v in (0.3, 1.7)),
    [{"op": "solarize"}],
    [by("hue", 0.1), by("contrast", 1.3), by("brightness", 1.4), by("saturation", 0.8)],
    [by("saturation", 1.2), by("brightness", 0.7), by("hue", -0.07), by("contrast", 0.6)],
    [{"op": "flip"}, by("contrast", 1.2), {"op": "grey"}, by("blur", 1.1), {"op": "solarize"}],
    *([crop(m, 5, *box)] for m in ("bilinear", "bicubic") for box in ((0, 0, 8, 8), (1, 2, 7, 6), (4, 5, 3, 2))),
    [crop("bicubic", 5, 1, 0, 7, 8), {"op": "flip"}, by("brightness", 1.1), by("blur", 0.9)],
]


def view(case: list, channels: int) -> list:
    pixels = formula.labels("augment/image", STORED * STORED * channels, 256).double() / 255
    x = pixels.reshape(STORED, STORED, channels).permute(2, 0, 1)
    for op in case:
        x = OPS[op["op"]](x, op)
    # Bicubic resizing overshoots; an 8-bit image could not.
    return [number(v) for v in x.clamp(0, 1).permute(1, 2, 0).flatten().tolist()]


def boxes(height: int, width: int, scale: list, draws: int = 40000) -> dict:
    """Mean and deviation of top, left, height and width, and how often the box is the way out when no draw fits."""
    image, ratio = torch.empty(1, height, width), [3 / 4, 4 / 3]
    torch.manual_seed(0)
    drawn = torch.tensor([RandomResizedCrop.get_params(image, scale, ratio) for _ in range(draws)]).double()
    return {
        "height": height,
        "width": width,
        "area": scale,
        "draws": draws,
        "mean": [number(v) for v in drawn.mean(0).tolist()],
        "deviation": [number(v) for v in drawn.std(0).tolist()],
    }


def golden() -> dict:
    return {
        "about": "views by torchvision's transforms, float64",
        "stored": STORED,
        "kernel": KERNEL,
        "colour": [{"ops": case, "values": view(case, 3)} for case in CASES],
        "grey": [{"ops": [by("contrast", v)], "values": view([by("contrast", v)], 1)} for v in (0.6, 1.4)],
        "boxes": [
            boxes(64, 80, [0.08, 1]),
            boxes(30, 100, [0.08, 1]),
            # No draw fits.
            boxes(10, 200, [1, 1], 10),
            boxes(200, 10, [1, 1], 10),
        ],
    }
