"""One training step of the article's CNN: ours, with every operation rounded, and PyTorch's.

Each is measured in a process of its own. So each draws its own batch and weights: the time does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..learn import Dataset, get_config
from ..learn.run.engine import Engine
from .inputs import need

CLASSES = 10


def _batch(images: int) -> tuple[Any, Any]:
    """Images of 28 x 28 pixels, of which a fifth is not 0, as in MNIST; and their labels."""
    rng = np.random.default_rng(0)
    shape = (images, 28 * 28)
    x = np.where(rng.random(shape) < 0.2, rng.random(shape), 0.0).astype(np.float32)
    return x, np.arange(images) % CLASSES


def ours() -> Callable[[], Any]:
    """The step of the recipe pure-binary16-scaled."""
    config = get_config("pure-binary16-scaled", model="cnn", data="mnist")
    images, labels = _batch(config.batch)
    engine = Engine(config, Dataset("bench", images, labels, images[:1], labels[:1], image_shape=(28, 28)))
    progress, chosen = engine.start(), np.arange(config.batch)

    def step() -> Any:
        with np.errstate(all="ignore"):
            return engine.step(progress, chosen)

    return step


def pytorch() -> Callable[[], Any]:
    """PyTorch's step in float32."""
    return _pytorch_step(())


def pytorch_rounded() -> Callable[[], Any]:
    """PyTorch's step with the output of each layer, its gradient, and the weights rounded to float16."""

    class Rounded(need("torch").nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.half().float()

    return _pytorch_step((Rounded(),))


def _pytorch_step(rounding: tuple[Any, ...]) -> Callable[[], Any]:
    """A step in which `rounding`, a layer or none, follows each layer."""
    torch = need("torch")
    nn = torch.nn
    layers = (
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, CLASSES)),
    )
    model = nn.Sequential(*(part for layer in layers for part in (layer, *rounding)))
    images, labels = _batch(get_config("pure-binary16-scaled").batch)
    x, y = torch.from_numpy(images).reshape(-1, 1, 28, 28), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for weight in model.parameters() if rounding else ():
                weight.copy_(weight.half())
        return loss.item()

    return step
