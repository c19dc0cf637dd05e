"""What the demos share: arrays that cannot change, and relative errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..conversion import Array


def frozen(x: npt.ArrayLike) -> Array:
    """A copy of `x` as an array that cannot be written to: pictures and tests read the same numbers."""
    y: Any = np.array(x)
    y.flags.writeable = False
    return y


def relative(y: npt.ArrayLike, truth: Array | float) -> Array:
    """abs(y - truth) / abs(truth) in binary64: a measurement, not a rounded step."""
    with np.errstate(all="ignore"):
        return np.abs(np.asarray(y, np.float64) - truth) / np.abs(truth)
