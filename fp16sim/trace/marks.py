"""What travels with a traced value: its error, the bits that it has lost, and the operation that lost most of them.

An element has lost log2(error / u) bits, where error is its relative error against the shadow and u the unit roundoff:
0 while it is as good as a rounded number, p when no digit is right. If an operation's result has lost more bits than
the operand that brought most of its error, the operation *gained* the difference. An element remembers the one
operation that gained most on its way, and how much; operations at the same place add up. So a slow sum that drifts, a
single cancellation and an overflow are measured by the same rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..conversion import Array
from ..formats import Format
from .pairs import Pair
from .wide import Wide, as_float

NOWHERE = -1


@dataclass(slots=True)
class Marks:
    """Of each element: its error (computed value minus shadow), the bits lost, where most were gained, how many there.

    Each part is an array of the shape of the values, or one number for all elements.
    """

    error: Any = 0.0
    lost: Any = 0.0
    site: Any = NOWHERE
    bits: Any = 0.0

    @property
    def clean(self) -> bool:
        """Whether no element has lost anything."""
        return type(self.lost) is float and self.lost == 0.0

    def parts(self) -> tuple[Any, ...]:
        """The four parts."""
        return self.error, self.lost, self.site, self.bits

    def moved(self, move: Any) -> Marks:
        """A function that moves elements, applied to each part that is an array."""
        return Marks(*(part if np.isscalar(part) else move(part) for part in self.parts()))

    def solid(self, shape: tuple[int, ...]) -> Marks:
        """The same with arrays that can be written to."""
        return Marks(*(np.array(np.broadcast_to(part, shape)) if np.isscalar(part) or part.shape != shape else part
                       for part in self.parts()))  # fmt: skip

    def at(self, elements: Array, error: Array) -> Marks:
        """Of some elements, by their flat numbers, whose errors are given."""
        if self.clean:
            return Marks(error)
        parts = (part if np.ndim(part) == 0 else part.reshape(-1)[elements] for part in self.parts()[1:])
        return Marks(error, *(np.broadcast_to(part, elements.shape) for part in parts))

    def spread(self, elements: Array, shape: tuple[int, ...]) -> Marks:
        """Marks of some elements as marks of all: the others have lost nothing."""
        full = Marks(np.zeros(shape), np.zeros(shape), np.full(shape, NOWHERE), np.zeros(shape))
        for part, own in zip(full.parts(), self.parts(), strict=True):
            part.reshape(-1)[elements] = own
        return full


CLEAN = Marks()


def chosen(condition: Array, a: Marks, b: Marks) -> Marks:
    """The marks of a where the condition holds, else those of b."""
    return Marks(*(x if x is y else np.where(condition, x, y) for x, y in zip(a.parts(), b.parts(), strict=True)))


def joined(parts: Sequence[Marks]) -> Marks:
    """Marks of elements, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    return Marks(*(np.concatenate(column) for column in zip(*(part.parts() for part in parts), strict=True)))


# --- errors ---------------------------------------------------------------------------------------------------------


def difference(values: Array, shadow: Wide | Pair) -> Array:
    """The values minus the shadow; 0 where both are the same infinity or NaN, infinite where one alone is finite."""
    if isinstance(shadow, Wide):
        return np.asarray(_difference_of_scalars(float(values), shadow))
    d = values - shadow.hi
    if type(shadow.lo) is not float:
        d -= shadow.lo
    finite = np.isfinite(d)
    return d if finite.all() else np.where(finite, d, _of_special(values, shadow.hi))


def _of_special(values: Array, truth: Array) -> Array:
    same = (values == truth) | (np.isnan(values) & np.isnan(truth))
    return np.where(same, 0.0, np.inf)


def _difference_of_scalars(value: float, shadow: Wide) -> float:
    if isinstance(shadow.mid, Fraction) and np.isfinite(value):
        return as_float(Wide(Fraction(value) - shadow.mid))
    return float(_of_special(np.asarray(value), np.asarray(as_float(shadow))))


def magnitude(shadow: Wide | Pair) -> Array:
    """The sizes of the shadow's elements."""
    return np.asarray(abs(as_float(shadow))) if isinstance(shadow, Wide) else np.abs(shadow.hi)


def radius(shadow: Wide | Pair) -> Any:
    """How far the shadow may be off."""
    if isinstance(shadow, Pair):
        return shadow.radius
    return np.inf if shadow.radius is None else as_float(Wide(shadow.radius))


def is_known(radius: Any, error: Array, size: Array, fmt: Format) -> Array:
    """Where a shadow is off by little, beside the error and beside what the format can tell apart at its size."""
    resolved = np.maximum(float(fmt.unit_roundoff) * size, float(fmt.min_subnormal))
    return np.asarray(radius <= np.maximum(resolved, np.abs(error)) / 8)


# --- carrying marks through operations ------------------------------------------------------------------------------


def of_two(name: str, a: Marks, b: Marks, x: Array, y: Array) -> Marks:
    """Of an operation of two operands: element by element the marks of the one that brings more error."""
    if a.clean and b.clean:
        return a if b is CLEAN or np.isscalar(a.error) else b
    product = name in ("multiply", "divide", "true_divide", "matmul")
    first, second = np.abs(a.error), np.abs(b.error)
    if product:
        with np.errstate(all="ignore"):
            first, second = first * np.abs(y), second * np.abs(x)
    usable = np.isfinite(first) & np.isfinite(second)
    more = np.where(usable, first >= second, np.asarray(a.lost) >= np.asarray(b.lost))
    return chosen(more, a, b)


def along(marks: Marks, shape: tuple[int, ...], axis: int | None, keepdims: bool = False) -> Marks:
    """Of a reduction: the marks of the element with the largest error along an axis, or of all."""
    if marks.clean:
        return CLEAN
    full = marks.solid(shape)
    if not full.error.size:
        return CLEAN
    k = np.abs(full.error).argmax(axis)
    if axis is None:
        return Marks(*(part.reshape(-1)[k] for part in full.parts()))
    index = np.expand_dims(k, axis)
    return Marks(*(np.take_along_axis(part, index, axis).squeeze(() if keepdims else axis) for part in full.parts()))


def worst(marks: Marks, shape: tuple[int, ...]) -> Marks:
    """The marks of the element that has lost most, for all elements."""
    if marks.clean:
        return CLEAN
    full = marks.solid(shape)
    if not full.lost.size:
        return CLEAN
    k = int(full.lost.argmax())
    return Marks(*(part.reshape(-1)[k] for part in full.parts()))


def of_product(a: Marks, b: Marks, x: Array, y: Array) -> Marks:
    """Of a matrix product: of the worst element of each row of x and of each column of y, the one that brings more."""
    if a.clean and b.clean:
        return CLEAN
    if x.ndim != 2 or y.ndim != 2:
        return of_two("add", worst(a, x.shape), worst(b, y.shape), np.zeros(()), np.zeros(()))
    rows, columns = a.solid(x.shape), b.solid(y.shape)
    with np.errstate(all="ignore"):
        of_rows = Marks(np.nan_to_num(np.abs(rows.error) * np.abs(y).max(1, initial=0.0)), *rows.parts()[1:])
        of_columns = Marks(
            np.nan_to_num(np.abs(columns.error) * np.abs(x).max(0, initial=0.0)[:, None]), *columns.parts()[1:]
        )
    left = along(of_rows, x.shape, 1).moved(lambda part: part[:, None])
    right = along(of_columns, y.shape, 0).moved(lambda part: part[None, :])
    return of_two("add", left, right, np.zeros(()), np.zeros(()))
