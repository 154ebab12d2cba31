"""Features of torchvision's ResNets in evaluation mode, from formula-made weights and running averages, in float64."""
import torch
import torchvision

from . import formula

SIZE, IMAGES = 64, 2


def value(name, shape):
    if name.endswith("running_mean"):
        return formula.tensor(name, shape, 0.1)
    if name.endswith("running_var"):
        return formula.tensor(name, shape, 0.25, 1.0)
    return formula.parameter(name, shape)


def golden(arch: str):
    net = getattr(torchvision.models, arch)(weights=None).double().eval()
    state = {k: v for k, v in net.state_dict().items()}
    for name, old in state.items():
        if old.dtype == torch.float64:
            state[name] = value(name, tuple(old.shape))
    net.load_state_dict(state)
    net.fc = torch.nn.Identity()
    x = formula.tensor(f"{arch}.images", (IMAGES, 3, SIZE, SIZE))
    with torch.no_grad():
        features = net(x)
    return {
        "size": SIZE,
        "names": {k: list(v.shape) for k, v in state.items()},
        "features": [[float(f"{v:.9g}") for v in row] for row in features.tolist()],
    }
