"""What is counted of a tensor: facts that no format changes, and what each format makes of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from ...conversion import Array
from ...formats import Format, FormatLike, get_format
from ...rounding import round_to
from ..observe.binades import chunks
from ..observe.exponents import Fate, Survey, survey


@dataclass(frozen=True)
class Errors:
    """Relative errors |rounded - x| / |x| of the numbers that are not lost: those that stay nonzero and in range.

    Attributes
    ----------
    kept : int
        How many numbers are not lost.
    exact : int
        How many of them have the error 0.
    mean, largest : float
        Of the errors, in binary64. An error is at most the unit roundoff if the result is normal, and can reach 1 if
        it is subnormal.
    largest_change : float
        The largest |rounded - x|.
    """

    kept: int = 0
    exact: int = 0
    mean: float = 0.0
    largest: float = 0.0
    largest_change: float = 0.0

    def __add__(self, other: Errors) -> Errors:
        kept = self.kept + other.kept
        mean = (self.mean * self.kept + other.mean * other.kept) / kept if kept else 0.0
        largest = max(self.largest, other.largest), max(self.largest_change, other.largest_change)
        return Errors(kept, self.exact + other.exact, mean, *largest)


@dataclass(frozen=True)
class InFormat:
    """What one format makes of a tensor's numbers; `distinct` is how many distinct values are left, None if unknown."""

    survey: Survey
    errors: Errors = field(default_factory=Errors)
    distinct: int | None = None

    def __add__(self, other: InFormat) -> InFormat:
        return InFormat(self.survey + other.survey, self.errors + other.errors)

    @property
    def fmt(self) -> Format:
        """The format."""
        return self.survey.fmt

    @property
    def fate(self) -> Fate:
        """What the numbers become without a loss scale."""
        return self.survey.fate()

    @property
    def changed(self) -> int:
        """How many numbers are another number after rounding; those that are lost included."""
        return self.survey.finite - self.errors.exact

    @property
    def mean_error(self) -> float:
        """The mean relative error of the finite nonzero numbers; one that is lost counts as an error of 1."""
        return (self.fate.lost + self.errors.mean * self.errors.kept) / (self.survey.finite or 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        errors = asdict(self.errors)
        change = errors.pop("largest_change")
        return {
            "format": self.fmt.to_plain(),
            **self.fate._asdict(),
            "changed": self.changed,
            "largest_change": change,
            "mean_error": self.mean_error,
            "relative_error": errors,
            "distinct": self.distinct,
        }


@dataclass(frozen=True)
class Inspected:
    """What was counted of one tensor, or of all together.

    `tensor["bfloat16"]` is what bfloat16 makes of it, if it was inspected in bfloat16.

    Attributes
    ----------
    name, shape, dtype
    smallest, largest : float or None
        Of the finite numbers; None if there are none.
    distinct : int or None
        How many distinct finite values there are; None for more than `MOST`, and for all tensors together.
    integers : bool
        Whether the distinct values are known and all are integers.
    formats : tuple of InFormat
        In the order in which they were given.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    smallest: float | None
    largest: float | None
    distinct: int | None
    integers: bool
    formats: tuple[InFormat, ...]

    def __getitem__(self, fmt: FormatLike) -> InFormat:
        wanted = get_format(fmt)
        for found in self.formats:
            if found.fmt == wanted:
                return found
        raise KeyError(f"fmt={wanted} was not inspected; give it to inspect, such as inspect(x, [{wanted.name!r}])")

    @property
    def survey(self) -> Survey:
        """The counts that are the same in every format: total, zeros, nans, infinities, finite, exponents."""
        return self.formats[0].survey

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        seen = self.survey
        facts = {name: getattr(self, name) for name in ("name", "dtype", "smallest", "largest", "distinct", "integers")}
        counts = {name: getattr(seen, name) for name in ("total", "zeros", "nans", "infinities")}
        return {
            **facts,
            "shape": list(self.shape),
            **counts,
            "exponents": {str(e): n for e, n in seen.exponents.items()},
            "formats": [one.to_dict() for one in self.formats],
        }


# --- counting -------------------------------------------------------------------------------------------------------

MOST = 1 << 20
"""Up to this many distinct values are counted."""


def examine(name: str, x: Array, dtype: str, formats: Sequence[Format]) -> Inspected:
    """Count everything that is reported of a tensor."""
    values = _distinct(x)
    found = tuple(_in_format(x, values, fmt) for fmt in formats)
    if values is None:
        return Inspected(name, x.shape, dtype, *_range(x), None, False, found)
    integers = bool((values == np.rint(values)).all())
    return Inspected(name, x.shape, dtype, *_range(x), values.size, integers, found)


def _in_format(x: Array, values: Array | None, fmt: Format) -> InFormat:
    with np.errstate(all="ignore"):
        distinct = None if values is None else np.unique(round_to(values, fmt)).size
    return InFormat(survey(x, fmt), sum((_errors(chunk, fmt) for chunk in chunks(x)), Errors()), distinct)


def _errors(x: Array, fmt: Format) -> Errors:
    with np.errstate(all="ignore"):
        x = x[np.isfinite(x)]
        y = round_to(x, fmt).astype(np.float64)
        x = x.astype(np.float64)
        kept = (y != 0) & np.isfinite(y) & ~_beyond(np.abs(x), fmt)
        x, y = x[kept], y[kept]
        change = np.abs(y - x)
        relative = change / np.abs(x)
    if not x.size:
        return Errors()
    exact = int(np.count_nonzero(relative == 0))
    return Errors(x.size, exact, float(relative.mean()), float(relative.max()), float(change.max()))


def _beyond(magnitude: Array, fmt: Format) -> Array:
    """Whether numbers overflow, even if the format saturates: from max_finite + ulp/2 on, which itself ties to even."""
    top = float(fmt.max_finite) + 2.0 ** (fmt.emax - fmt.precision)
    return magnitude >= top if fmt.max_significand % 2 else magnitude > top


def _range(x: Array) -> tuple[float | None, float | None]:
    ends = [(chunk.min(), chunk.max()) for chunk in map(_finite, chunks(x)) if chunk.size]
    return (float(min(a for a, _ in ends)), float(max(b for _, b in ends))) if ends else (None, None)


def _finite(x: Array) -> Array:
    return x[np.isfinite(x)]


def _distinct(x: Array) -> Array | None:
    """The distinct finite values, as float64 in increasing order; None if there are more than `MOST`."""
    found = np.empty(0)
    for chunk in chunks(x):
        values = np.unique(_finite(chunk)).astype(np.float64)
        places = np.searchsorted(found, values)
        new = values[found[np.minimum(places, found.size - 1)] != values] if found.size else values
        if new.size:
            found = np.sort(np.concatenate([found, new]))
        if found.size > MOST:
            return None
    return found


def together(tensors: Sequence[Inspected]) -> Inspected:
    """All tensors as if they were one. A single tensor is returned itself."""
    if len(tensors) == 1:
        return tensors[0]
    formats = tuple(reduce(add, same) for same in zip(*(one.formats for one in tensors), strict=True))
    smallest = min((one.smallest for one in tensors if one.smallest is not None), default=None)
    largest = max((one.largest for one in tensors if one.largest is not None), default=None)
    dtypes = ", ".join(dict.fromkeys(one.dtype for one in tensors))
    return Inspected("all together", (formats[0].survey.total,), dtypes, smallest, largest, None, False, formats)
