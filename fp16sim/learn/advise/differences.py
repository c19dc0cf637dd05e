"""Where two computations of the same model part: the first operation whose results differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array
from ...neighbours import ulp
from ...wording import count, quoted
from ..model.autograd import consumers_first
from ..model.tensor import Tensor


@dataclass(frozen=True)
class Difference:
    """The first operation with different results.

    Attributes
    ----------
    layer, operation : str
    formats : tuple of str
        Of the two results.
    count, total : int
        How many results differ, and how many there are.
    ulps : float
        The largest difference, in units in the last place of the first result; NaN if only one of two is a number.
    settings : tuple of str
        How each of the two was computed, such as its accumulator; equal for two equal operations with different
        operands, which then are data or parameters.
    """

    layer: str
    operation: str
    formats: tuple[str, str]
    count: int
    total: int
    ulps: float
    settings: tuple[str, str]

    def __str__(self) -> str:
        where = f"{self.operation} in {self.layer}" if self.layer else self.operation
        text = (
            f"{where} is the first operation whose results differ: {self.count:,} of {count(self.total, 'result')}, by "
            f"up to {self.ulps:.3g} ulp"
        )
        for what, (one, other) in (("formats", self.formats), ("sums", self.settings)):
            text += f"; {what} {one} and {other}" if one != other else ""
        return text + "."


def first_difference(a: Tensor, b: Tensor) -> Difference | None:
    """The first operation of two graphs whose results are not the same numbers; None if all are.

    Exact: two results are the same if all numbers are equal, zeros of different signs are not, and NaN is as NaN.

    Parameters
    ----------
    a, b : Tensor
        Two results of the same operations on operands of the same shapes: computed with two accumulators, in two
        formats or modes, or from two copies of the weights.

    Raises
    ------
    TypeError
        If one of them is not a Tensor.
    ValueError
        If the two are not made of the same operations.

    Examples
    --------
    >>> import fp16sim as fs
    >>> from fp16sim.learn import Tensor, first_difference
    >>> x, w = (Tensor(fs.array(given, "binary16")) for given in ([[1.0, 2.0**-11, 2.0**-11]], [[1.0], [1.0], [1.0]]))
    >>> print(str(first_difference(x.matmul(w), x.matmul(w, fs.accumulators.Exact()))).partition(";")[0])
    matmul is the first operation whose results differ: 1 of 1 result, by up to 1 ulp
    """
    for name, given in (("a", a), ("b", b)):
        if not isinstance(given, Tensor):
            raise TypeError(
                f"{name}={quoted(given)} is not a Tensor, which remembers how it was computed; give a Tensor"
            )
    ours, theirs = (consumers_first(x)[::-1] for x in (a, b))
    for one, other in zip_longest(ours, theirs):
        places = [f"{x.operation or 'data'} of shape {x.shape}" if x is not None else "nothing" for x in (one, other)]
        if places[0] != places[1]:
            raise ValueError(
                f"a and b are not made of the same operations: where one has {places[0]}, the other has {places[1]}; "
                "give two results of one function"
            )
    pairs = ((x, y) for x, y in zip(ours, theirs, strict=True) if x.operation)
    return next((_difference(x, y, where) for x, y in pairs if (where := _differ(x.value, y.value)).any()), None)


def _differ(x: FloatArray, y: FloatArray) -> Array:
    """Where two arrays are not the same numbers."""
    a, b = x.values, y.values
    where: Array = ~((a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b)))
    return where


def _difference(x: Tensor, y: Tensor, where: Array) -> Difference:
    a, b = (np.asarray(t.value.values, np.float64)[where] for t in (x, y))
    with np.errstate(all="ignore"):
        ulps = float((np.abs(a - b) / np.asarray(ulp(a, x.value.fmt))).max())
    return Difference(
        x.layer,
        x.operation,
        (x.value.fmt.name, y.value.fmt.name),
        int(np.count_nonzero(where)),
        where.size,
        ulps,
        (_text(x.settings), _text(y.settings)),
    )


def _text(settings: Mapping[str, Any]) -> str:
    """The accumulator of an operation: its class, its format, and what else it was given.

    >>> from fp16sim.accumulators import Blocked
    >>> _text({"accumulator": Blocked("binary32", block=16)})
    'Blocked(binary32, block=16)'
    """
    chosen = settings.get("accumulator")
    if chosen is None:
        return "default"
    apart = ("fmt", "mode", "rng")
    given = [f"{f.name}={getattr(chosen, f.name)}" for f in fields(chosen) if f.name not in apart]
    return f"{type(chosen).__name__}({', '.join([chosen.fmt.name, *given])})"
