"""The usual mixed product: narrow factors, sums in binary32, in whatever order BLAS adds."""

from __future__ import annotations

import numpy as np

from ..conversion import Array, Seed
from ..formats import BINARY32, FormatLike, Rounding
from .base import Accumulator, Start, Steps


class Blas(Accumulator):
    """Sums of products in binary32 by NumPy's BLAS: fast, close, and not reproducible.

    BLAS promises neither the order of the additions, nor whether a product is rounded before it is added or fused, nor
    the same result on another processor, for another shape, or with another number of threads. The error is bounded as
    for any order of binary32 additions: `n u sum |a b|`, with u = 2^-24. Factors of up to 12 bits (binary16, bfloat16,
    TF32, fp8) have exact products in binary32. The steps record no exceptions. For a sum that is defined bit by bit,
    use Sequential("binary32") or Exact().

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.matmul([[1.0, 2.0]], [[3.0], [4.0]], "binary16", accumulator=Blas())
    array([[11.]])
    """

    def __init__(self, fmt: FormatLike = BINARY32, mode: Rounding | str = "ties_to_even", rng: Seed = None) -> None:
        super().__init__(fmt, mode, rng)
        if self.fmt != BINARY32 or self.mode is not Rounding.TIES_TO_EVEN:
            raise ValueError(
                f"fmt={self.fmt.name}, mode={self.mode}: BLAS always adds in binary32, ties to even; use Blas(), or "
                "another accumulator such as Sequential"
            )

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """NumPy's float32 sum, parts of which are pairwise."""
        with np.errstate(all="ignore"):
            return np.asarray(np.sum(terms, axis=0, dtype=np.float32))

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """NumPy's cumulative sums in float32, one term after the other."""
        with np.errstate(all="ignore"):
            return np.add.accumulate(terms, axis=0, dtype=np.float32).astype(steps.carrier)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """An einsum, because the operands need not be matrices."""
        with np.errstate(all="ignore"):
            y = np.einsum("k...,k...->...", left.astype(np.float32), right.astype(np.float32))
            return np.asarray(y if start is None else y + start.astype(np.float32), steps.carrier)

    def matrix_product(self, left: Array, right: Array, steps: Steps) -> Array:
        """BLAS's matrix product."""
        with np.errstate(all="ignore"):
            y = np.matmul(left.astype(np.float32, copy=False), right.astype(np.float32, copy=False))
        return np.asarray(y, steps.carrier)
