"""DeepMind's views (T and T' of the paper) in float64 NumPy, from the rows of parameters that the trainer draws."""
import numpy as np

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


def cubic(d):
    """Keys' kernel, a = -1/2."""
    a = np.abs(d)
    near = (1.5 * a - 2.5) * a * a + 1
    far = ((-0.5 * a + 2.5) * a - 4) * a + 2
    return np.where(a < 1, near, np.where(a < 2, far, 0.0))


def axis_weights(extent: int, out: int):
    """[out, extent]: bicubic at half-pixel centres without antialiasing, normalised inside the box, as TensorFlow 2."""
    centre = (np.arange(out) + 0.5) * extent / out
    weights = cubic(np.arange(extent)[None, :] + 0.5 - centre[:, None])
    return weights / weights.sum(1, keepdims=True)


def crop_and_resize(image, box, size: int):
    top, left, height, width = (int(v) for v in box)
    part = image[top : top + height, left : left + width].astype(np.float64)
    rows = np.einsum("oi,ijc->ojc", axis_weights(height, size), part)
    return np.clip(np.einsum("pj,ojc->opc", axis_weights(width, size), rows) / 255, 0, 1)


def to_hsv(x):
    r, g, b = np.moveaxis(x, -1, 0)
    v = x.max(-1)
    chroma = v - x.min(-1)
    c = np.where(chroma > 0, chroma, 1)
    sixths = np.where(v == r, (g - b) / c, np.where(v == g, (b - r) / c + 2, (r - g) / c + 4))
    return sixths / 6 % 1, chroma / np.where(v > 0, v, 1), v


def to_rgb(h, s, v):
    def channel(n):
        k = (n + 6 * h) % 6
        return v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1)

    return np.stack([channel(n) for n in (5, 3, 1)], -1)


def jitter(x, order, strength):
    for op in order:
        if op == BRIGHTNESS:
            x = x + strength[BRIGHTNESS]
        elif op == CONTRAST:
            mean = x.mean((0, 1))
            x = strength[CONTRAST] * (x - mean) + mean
        elif op in (SATURATION, HUE):
            h, s, v = to_hsv(x)
            if op == SATURATION:
                s = np.clip(s * strength[SATURATION], 0, 1)
            else:
                h = (h + strength[HUE]) % 1
            x = to_rgb(h, s, v)
        x = np.clip(x, 0, 1)
    return x


def blur(x, taps):
    """Separable, zeros beyond the border; `taps` is half of the kernel, the centre first."""
    radius = len(taps) - 1
    for axis in (0, 1):
        n = x.shape[axis]
        padded = np.pad(x, [(radius, radius) if a == axis else (0, 0) for a in range(3)])
        shifted = lambda t: np.take(padded, np.arange(radius + t, radius + t + n), axis)
        x = taps[0] * shifted(0) + sum(taps[t] * (shifted(t) + shifted(-t)) for t in range(1, radius + 1))
    return x


def view(image, row, size: int):
    """uint8 [h, w, 3] and its row → normalised float64 [size, size, 3]."""
    taps = size // 10 // 2 + 1
    box, flip, order, strength = row[:4], row[4], row[5:9], row[9:13]
    grey, kernel, solarize = row[13], row[14 : 14 + taps], row[14 + taps]
    x = crop_and_resize(image, box, size)
    if flip > 0.5:
        x = x[:, ::-1]
    x = jitter(x, order, strength)
    if grey > 0.5:
        x = np.repeat((x @ np.array([0.2989, 0.587, 0.114]))[..., None], 3, -1)
    x = blur(x, kernel)
    if solarize > 0.5:
        x = np.where(x < 0.5, x, 1 - x)
    return (np.clip(x, 0, 1) - MEAN) / DEVIATION
