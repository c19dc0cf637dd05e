"""One training step of an MLP with every operation rounded, and the same step in plain float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..learn import Config, Dataset, Policy
from ..learn.run.engine import Engine

BATCH, INPUTS, HIDDEN, CLASSES = 128, 784, 128, 10


def training_steps() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Our step (binary16, matrix products by BLAS, Adam) and NumPy's, from the same batch and parameters."""
    rng = np.random.default_rng(0)
    images = np.where(rng.random((BATCH, INPUTS)) < 0.2, rng.random((BATCH, INPUTS)), 0.0).astype(np.float32)
    labels = rng.integers(0, CLASSES, BATCH)
    labels[0] = CLASSES - 1
    data = Dataset("bench", images, labels, images[:1], labels[:1])
    policy = Policy("binary16", accumulator="blas")
    run = Engine(Config(policy, layers=(HIDDEN,), batch=BATCH, lr=1e-3), data)
    start, chosen = run.start(), np.arange(BATCH)

    def ours() -> Any:
        with np.errstate(all="ignore"):
            return run.step(start, chosen)

    params = {name: x.values.astype(np.float32) for name, x in start.params.items()}
    return ours, _numpy_step(params, images, labels)


def _numpy_step(params: dict[str, Any], x: Any, labels: Any) -> Callable[[], Any]:
    zeros = {name: np.zeros_like(w) for name, w in params.items()}
    rows, f = np.arange(len(labels)), np.float32

    def adam(name: str, g: Any) -> Any:
        m = f(0.9) * zeros[name] + f(0.1) * g
        v = f(0.99) * zeros[name] + f(0.01) * (g * g)
        return params[name] - f(1e-3) * (m / f(0.1)) / (np.sqrt(v / f(0.01)) + f(1e-4))

    def step() -> Any:
        hidden = x @ params["layer1.weight"] + params["layer1.bias"]
        active = np.maximum(hidden, 0)
        logits = active @ params["layer2.weight"] + params["layer2.bias"]
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        total = e.sum(axis=1, keepdims=True)
        loss = -np.log(e[rows, labels] / total[:, 0]).mean()
        g = e / total
        g[rows, labels] -= 1
        g *= f(1024 / len(labels))
        g_hidden = (g @ params["layer2.weight"].T) * (hidden > 0)
        grads = {
            "layer1.weight": x.T @ g_hidden,
            "layer1.bias": g_hidden.sum(axis=0),
            "layer2.weight": active.T @ g,
            "layer2.bias": g.sum(axis=0),
        }
        return loss, {name: adam(name, grad) for name, grad in grads.items()}

    return step
