"""Breakdown: an algorithm that cannot go on says at which step, what it met, and which cure is known."""

from __future__ import annotations

import numpy as np

SCALE = (
    "scale the matrix first, with equilibrate(a, fmt) or, in solve and refine, scaling='rows_columns'; "
    "or use a format with a wider range"
)
CURES = {
    "beyond the format": SCALE,
    "overflow": SCALE,
    "zero pivot": "use a format with more precision, or lstsq or svd for a matrix that is singular",
    "indefinite": "use shifted_cholesky(a, fmt), which makes the diagonal larger, a format with more precision, or lu",
    "dependent columns": "use a format with more precision, method='householder', or svd, which needs no full rank",
}
"""What an algorithm can meet, and what is known to help."""


class Breakdown(np.linalg.LinAlgError):
    """An algorithm cannot go on. A ValueError, and one of NumPy's LinAlgErrors.

    Attributes
    ----------
    cause : str
        "beyond the format" (a given number), "overflow", "zero pivot", "indefinite" or "dependent columns".
    step : int
        The step of the algorithm, from 0: mostly the column of the matrix.
    """

    def __init__(self, cause: str, step: int, found: str) -> None:
        super().__init__(f"{found}; {CURES[cause]}")
        self.cause = cause
        self.step = step
        self.found = found

    def __reduce__(self) -> tuple[type[Breakdown], tuple[str, int, str]]:
        return type(self), (self.cause, self.step, self.found)
