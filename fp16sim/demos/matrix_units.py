"""The window of a matrix unit: which bits of the products of one step are kept, and which are cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..accumulators import AccumulatorLike
from ..exact import exponent_of
from ..explain import AlignedGroup, dot
from ..formats import FormatLike, get_format
from ..wording import count

FACTORS = (1.75, 0.8125, 0.40625, 0.171875, 0.109375, 0.0546875, 0.0234375, 2.0**-7, 3 * 2.0**-9)
"""Numbers of e4m3fn of many sizes; each is multiplied by itself."""


@dataclass(frozen=True)
class Window:
    """One step of a matrix unit.

    Attributes
    ----------
    machine : str
    group : AlignedGroup
    """

    machine: str
    group: AlignedGroup

    def bits(self, value: Fraction) -> tuple[int, int]:
        """The exponents of a number's first bit and of its last one."""
        n, d = abs(value).numerator, value.denominator
        return exponent_of(abs(value)), (n & -n).bit_length() - d.bit_length()

    @property
    def last(self) -> int:
        """The exponent of the last bit that is kept; where whole terms are added, of their last one."""
        if self.group.bits is not None:
            return self.group.highest - self.group.bits
        return min((self.bits(term.value)[1] for term in self.group.terms if term.value), default=self.group.highest)

    @property
    def lesson(self) -> str:
        """What it shows."""
        if self.group.bits is None:
            return f"{self.machine} adds whole terms here: nothing is cut"
        cut = sum(bool(term.lost) for term in self.group.terms)
        return f"{self.machine} keeps {self.group.bits} bits below the largest term: {count(cut, 'term')} cut"


def window(
    a: Sequence[float] = FACTORS,
    b: Sequence[float] | None = None,
    fmt: FormatLike = "e4m3fn",
    *,
    accumulator: AccumulatorLike = "hopper",
    step: int = 0,
) -> Window:
    """One step of a dot product on a matrix unit; exact, as `explain.dot` finds it.

    Parameters
    ----------
    a, b : sequence of float
        The factors; b is a by default.
    fmt, accumulator
        As for `explain.dot`: a machine that aligns its terms.
    step : int
        Which sum, from 0 on: of a group of products, or of half of one.

    Raises
    ------
    ValueError
        For a step that the product does not have.

    Examples
    --------
    >>> window([1, 2.0**-12], [1, 2.0**-12], "binary16", accumulator="volta").lesson
    'volta keeps 23 bits below the largest term: 1 term cut'
    """
    why = dot(a, a if b is None else b, get_format(fmt), accumulator=accumulator)
    groups = why.alignment.groups if why.alignment else ()
    if not 0 <= step < len(groups):
        raise ValueError(f"step={step}: this product has {count(len(groups), 'step')} of a matrix unit; use 0 or more")
    assert why.alignment is not None
    return Window(why.alignment.machine, groups[step])
