"""A moving average of the weights, with every operation rounded: what is evaluated beside the weights themselves."""

from __future__ import annotations

import numpy as np

from ..shares import Share
from .constants import constant, times
from .layers import Params


def moved_average(average: Params, weights: Params, decay: float, constants: str = "rounded") -> tuple[Params, Share]:
    """The average after one more step, and the part of its updates that were absorbed.

    average + (1 - decay) * (weight - average), as PyTorch's `swa_utils` computes it: the difference, the product with
    1 - decay and the sum are each rounded. Absorbed is an update that is needed, because weight and
    average differ, and leaves the average as it was.

    Parameters
    ----------
    average, weights : Params
        Of the same formats.
    decay : float
    constants : {"rounded", "binary64"}
        How 1 - decay meets arrays; see `constants`.

    Examples
    --------
    A weight that is a tenth away from its average, which bfloat16 cannot move by a thousandth of that:

    >>> import fp16sim as fs
    >>> average, weights = ({"w": fs.array([x], "bfloat16")} for x in (1.0, 1.1))
    >>> moved_average(average, weights, 0.999)
    ({'w': FloatArray([1], bfloat16)}, Share(count=1, total=1))
    """
    moved, absorbed = {}, Share()
    for name, x in average.items():
        difference = weights[name] - x
        moved[name] = x + times(difference, constant(1 - decay, {name: x}, constants))
        wanted = difference.values != 0
        still = wanted & (moved[name].values == x.values)
        absorbed += Share(int(np.count_nonzero(still)), int(np.count_nonzero(wanted)))
    return moved, absorbed
