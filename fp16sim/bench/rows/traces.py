"""Rows about the trace: a program under it, against the same program emulated alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ... import trace
from ...arrays import array
from ..inputs import size
from ..measure import Comparison, Pair


def _attention(q: Any, k: Any, v: Any) -> Any:
    """Attention of one head: two matrix products and a softmax."""
    scores = q @ k.T
    weights = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return (weights / np.sum(weights, axis=1, keepdims=True)) @ v


def _normalised(x: Any, y: Any, z: Any) -> Any:
    """LayerNorm of rows, and a residual."""
    centred = x - np.mean(x, axis=1, keepdims=True)
    return y + centred / np.sqrt(np.mean(centred * centred, axis=1, keepdims=True) + 1e-3) * z


def _elementwise(x: Any, y: Any, z: Any) -> Any:
    """Sums, products and functions, element by element."""
    return np.tanh(x * y + z) / (1 + np.exp(-x)) + np.sqrt(np.abs(z)) * y


def _make(program: Callable[..., Any], scale: float) -> Pair:
    n = int(size(scale, 128 * 128) ** 0.5)
    given = np.random.default_rng(0).normal(size=(3, n, n))
    rounded = [array(x, "binary16") for x in given]
    traced = trace.wrap(program, "binary16")
    return Pair.in_one_thread(lambda: traced(*given), lambda: program(*rounded))


ROWS = tuple(
    Comparison(
        "trace",
        name,
        f"{what}, 16,384 binary16 numbers, traced",
        "emulated alone",
        20.0,
        f"{meaning} under fs.trace, with shadows, measures and the ranking of lines, against the same program with "
        "FloatArrays.",
        partial(_make, program),
    )
    for name, what, meaning, program in (
        ("trace-attention", "attention", "Attention of one head with 128 rows of 128 numbers", _attention),
        ("trace-layernorm", "LayerNorm", "LayerNorm of 128 rows of 128 numbers, and a residual", _normalised),
        ("trace-elementwise", "sums and functions", "Ten operations, element by element", _elementwise),
    )
)
