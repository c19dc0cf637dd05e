"""Gradient accumulation: a batch in several parts, whose gradients are added up before the one step.

The loss of each part is divided before its backward pass, so that the sum of the gradients is that of the batch's mean
loss: by the number of parts, or, where parts have different sizes, by how many times the batch is as large as the part.
So users of PyTorch write `(loss / parts).backward()`. What frameworks call a micro-batch is a part here, and the batch
is what a step takes. Each addition is rounded to a format of its own, and small gradients can be absorbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array, Generator
from ..model.layers import Params
from ..model.tensor import Tensor
from ..observe.postmortem import BackwardPass
from ..precision import Precision
from ..scaling import all_finite
from ..shares import Share


@dataclass(frozen=True)
class Gathered:
    """What the parts of a batch gave.

    Attributes
    ----------
    loss, backward
        Of the last part, or of the first one whose loss or gradients are not finite.
    mean_loss : float
        The mean over the whole batch, added up in binary64.
    scaled : Params
        The gradients, multiplied by the loss scale.
    absorbed : Share
        Of the nonzero gradients after the first part, those that left the sum so far unchanged.
    parts : int
        How many parts there were.
    """

    loss: Tensor
    backward: BackwardPass
    mean_loss: float
    scaled: Params
    absorbed: Share = field(default_factory=Share)
    parts: int = 1


def gathered(
    chosen: Array,
    parts: int,
    precision: Precision,
    graph: Callable[[Array, float], tuple[Tensor, BackwardPass]],
    backward: Callable[[BackwardPass], Params],
    rng: Generator,
) -> Gathered:
    """The gradients of a batch, from those of its parts, added up in a precision.

    Parameters
    ----------
    chosen : array of int
        The images of the batch.
    parts : int
        In how many parts it is taken; less if it has not so many images.
    precision : Precision
        That of the sums.
    graph : callable
        From the images of a part, and what its loss is divided by, to the loss before that, and the backward pass.
    backward : callable
        Computes the backward pass.
    """
    total: Params = {}
    mean_loss, absorbed, failed = 0.0, Share(), None
    pieces = list(_split(chosen, parts))
    for own in pieces:
        loss, back = graph(own, len(chosen) / len(own))
        grads = {name: precision.array(g, rng) for name, g in backward(back).items()}
        mean_loss += float(loss.value) * len(own) / len(chosen)
        if failed is None and not (np.isfinite(loss.value.values) and all_finite(grads)):
            failed = loss, back
        if total:
            total, same = _added(total, grads)
            absorbed += same
        else:
            total = grads
    loss, back = failed or (loss, back)
    return Gathered(loss, back, mean_loss, total, absorbed, len(pieces))


def _split(chosen: Array, parts: int) -> Iterator[Array]:
    """Parts of sizes that differ by at most 1, in order."""
    yield from np.array_split(chosen, min(parts, len(chosen)))


def _added(total: Params, grads: Params) -> tuple[Params, Share]:
    """The rounded sums, and how many of the nonzero gradients they absorbed."""
    sums = {name: total[name] + g for name, g in grads.items()}
    absorbed = Share()
    for name, g in grads.items():
        absorbed += _absorbed(total[name], g, sums[name])
    return sums, absorbed


def _absorbed(before: FloatArray, g: FloatArray, after: FloatArray) -> Share:
    moving = g.values != 0
    return Share(int(np.count_nonzero(moving & (after.values == before.values))), int(np.count_nonzero(moving)))
