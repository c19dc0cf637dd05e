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
from .numbers import Numbers, beyond
from .parts import Channels, InBlocks


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
    channels : Channels or None
        What formats make of its channels, if that was asked for and it has the axis.
    blocks : tuple of InBlocks
        What blocks that share a scale make of it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    smallest: float | None
    largest: float | None
    distinct: int | None
    integers: bool
    formats: tuple[InFormat, ...]
    channels: Channels | None = None
    blocks: tuple[InBlocks, ...] = ()

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
            **({"channels": self.channels.to_dict()} if self.channels else {}),
            **({"blocks": [one.to_dict() for one in self.blocks]} if self.blocks else {}),
        }


# --- counting -------------------------------------------------------------------------------------------------------

MOST = 1 << 20
"""Up to this many distinct values are counted."""


def examine(name: str, x: Numbers | Array, dtype: str, formats: Sequence[Format]) -> Inspected:
    """Count everything that is reported of a tensor, piece by piece: it may be larger than memory."""
    numbers = x if isinstance(x, Numbers) else Numbers(x)
    found = [(Survey(fmt), Errors()) for fmt in formats]
    values: Array | None = np.empty(0)
    smallest, largest = np.inf, -np.inf
    for piece in numbers.pieces():
        finite = piece[np.isfinite(piece)]
        if finite.size:
            smallest, largest = min(smallest, float(finite.min())), max(largest, float(finite.max()))
        values = None if values is None else _with_new(values, finite)
        for k, (seen, errors) in enumerate(found):
            new = sum((_errors(chunk, seen.fmt) for chunk in chunks(piece)), Errors())
            found[k] = (seen + survey(piece, seen.fmt), errors + new)
    results = tuple(InFormat(seen, errors, _distinct_in(values, seen.fmt)) for seen, errors in found)
    low, high = (smallest, largest) if smallest <= largest else (None, None)
    known = None if values is None else values.size
    integers = values is not None and bool((values == np.rint(values)).all())
    return Inspected(name, numbers.shape, dtype, low, high, known, integers, results)


def _with_new(known: Array, finite: Array) -> Array | None:
    """The distinct values, as float64 in increasing order, with those of a piece; None for more than `MOST`."""
    for chunk in chunks(finite):
        values = np.unique(chunk).astype(np.float64)
        places = np.searchsorted(known, values)
        new = values[known[np.minimum(places, known.size - 1)] != values] if known.size else values
        if new.size:
            known = np.sort(np.concatenate([known, new]))
        if known.size > MOST:
            return None
    return known


def _distinct_in(values: Array | None, fmt: Format) -> int | None:
    """How many distinct values are left in a format."""
    with np.errstate(all="ignore"):
        return None if values is None else np.unique(round_to(values, fmt)).size


def _errors(x: Array, fmt: Format) -> Errors:
    with np.errstate(all="ignore"):
        x = x[np.isfinite(x)]
        y = round_to(x, fmt).astype(np.float64)
        x = x.astype(np.float64)
        kept = (y != 0) & np.isfinite(y) & ~beyond(np.abs(x), fmt)
        x, y = x[kept], y[kept]
        change = np.abs(y - x)
        relative = change / np.abs(x)
    if not x.size:
        return Errors()
    exact = int(np.count_nonzero(relative == 0))
    return Errors(x.size, exact, float(relative.mean()), float(relative.max()), float(change.max()))


def together(tensors: Sequence[Inspected]) -> Inspected:
    """All tensors as if they were one. A single tensor is returned itself."""
    if len(tensors) == 1:
        return tensors[0]
    formats = tuple(reduce(add, same) for same in zip(*(one.formats for one in tensors), strict=True))
    smallest = min((one.smallest for one in tensors if one.smallest is not None), default=None)
    largest = max((one.largest for one in tensors if one.largest is not None), default=None)
    dtypes = ", ".join(dict.fromkeys(one.dtype for one in tensors))
    blocks = tuple(reduce(add, same) for same in zip(*(one.blocks for one in tensors), strict=True))
    size = (formats[0].survey.total,)
    return Inspected("all together", size, dtypes, smallest, largest, None, False, formats, blocks=blocks)
