"""What all accumulators have in common: a format and a mode for every step, `.sum`, `.dot`, and how they are called."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..arithmetic import operate
from ..conversion import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift
from ..formats import BINARY32, Format, FormatLike, Rounding, get_format, get_rounding
from ..rounding import round_array, round_to

Start: TypeAlias = Array | None
"""What a sum starts from; None for its first term."""

TERMS_AT_A_TIME = 1 << 21


class Steps(NamedTuple):
    """The rounded operations that a loop is written with."""

    fmt: Format
    mode: Rounding
    rng: Generator
    carrier: Any
    label: str

    def _do(self, name: str, *operands: Array) -> Array:
        return operate(name, list(operands), self.fmt, self.mode, self.rng, self.carrier, self.label)

    def add(self, a: Array, b: Array) -> Array:
        """a + b, rounded."""
        return self._do("add", a, b)

    def subtract(self, a: Array, b: Array) -> Array:
        """a - b, rounded."""
        return self._do("subtract", a, b)

    def multiply(self, a: Array, b: Array) -> Array:
        """a * b, rounded."""
        return self._do("multiply", a, b)

    def fma(self, a: Array, b: Array, c: Array) -> Array:
        """a * b + c, rounded once."""
        return self._do("fma", a, b, c)

    def held(self, x: Any) -> Array:
        """`x` rounded to the format, where that does not hold it."""
        return np.asarray(round_to(x, self.fmt, self.mode, rng=self.rng), self.carrier)


@dataclass(frozen=True)
class Accumulator:
    """A way to add up terms. Subclasses say how in `reduce`; one with fields of its own is a dataclass again.

    Parameters
    ----------
    fmt : Format, str or dtype
        The format that every product and every partial sum is rounded to. It must hold the terms.
    mode : Rounding or str
    rng : int or numpy.random.Generator, optional
        For "stochastic".
    """

    fmt: Any = field(default=BINARY32)
    mode: Any = field(default=Rounding.TIES_TO_EVEN)
    rng: Seed = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "fmt", get_format(self.fmt))
        object.__setattr__(self, "mode", get_rounding(self.mode))

    # --- what users call --------------------------------------------------------------------------------------------

    def sum(self, x: Any, axis: int | None = None) -> Any:
        """The sum over an axis (all elements in C order by default), in this accumulator's format; +0 for no terms.

        Terms that the format does not hold are rounded to it first.
        """
        (terms,), steps = self.prepare("sum", x)
        return self.reduce_held(along(terms, axis), steps)[()]

    def dot(self, a: Any, b: Any, c: Any = None) -> Any:
        """The sum of the products along the last axis, starting from `c` if given; in this accumulator's format.

        Parameters
        ----------
        a, b : array_like
            Vectors of one length, or arrays of them that broadcast.
        c : array_like, optional
            What the sum starts from, broadcast with the results: not the same as an added 0 where signs of zero matter.

        Raises
        ------
        ValueError
            For shapes that do not fit.
        TypeError
            For an array of a format that the accumulator does not hold.
        """
        (left, right), steps = self.prepare("dot", a, b)
        if not left.ndim or not right.ndim or left.shape[-1] != right.shape[-1]:
            raise ValueError(
                f"a.shape={left.shape} and b.shape={right.shape} are not vectors of one length; "
                "make their last axes equally long"
            )
        start = None if c is None else self.start(c, steps)
        shape = _shape_of_dots(left, right, start)
        a, b = (np.moveaxis(np.broadcast_to(x, (*shape, x.shape[-1])), -1, 0) for x in (left, right))
        return self.reduce_products(a, b, None if start is None else np.broadcast_to(start, shape), steps)[()]

    # --- what subclasses provide, and build on ----------------------------------------------------------------------

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The sum over the first axis of at least one term."""
        raise NotImplementedError

    def reduce_held(self, terms: Array, steps: Steps) -> Array:
        """The sum over the first axis of values that the format holds; +0 where there are no terms."""
        if not len(terms):
            return np.zeros(terms.shape[1:], steps.carrier)
        return np.array(self.reduce(terms, steps), steps.carrier, copy=True if len(terms) == 1 else None)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """start (of the shape of the results) + sum of left[k] * right[k].

        Rounded products, then `reduce`, a tile of the results at a time.
        """
        shape = np.broadcast_shapes(left.shape, right.shape)
        if not shape[0]:
            return np.zeros(shape[1:], steps.carrier) if start is None else np.array(start)
        out = np.empty(shape[1:], steps.carrier)
        for tile in tiles(shape, whole=steps.mode is Rounding.STOCHASTIC):
            terms = self._terms(cut(left, tile), cut(right, tile), None if start is None else start[tile], steps)
            out[tile] = self.reduce(terms, steps)
        return out

    def matrix_product(self, left: Array, right: Array, steps: Steps) -> Array:
        """left @ right, of stacks of matrices of one shape: each element a sum of products, from the first one on."""
        return self.reduce_products(
            np.moveaxis(left, -1, 0)[..., None], np.moveaxis(right, -2, 0)[..., None, :], None, steps
        )

    def _terms(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        products = steps.multiply(left, right)
        if start is None:
            return products
        return np.concatenate([start[None], products])

    def start(self, c: Any, steps: Steps) -> Array:
        """`c` as the first partial sum."""
        _check_format("c", c, steps.fmt)
        return steps.held(lift(getattr(c, "values", c)))

    def prefixes(self, terms: Array, steps: Steps) -> Array:
        """All partial sums over the first axis: the k-th is the sum of the first k + 1 terms, by this accumulator."""
        sums = [self.reduce_held(terms[: k + 1], steps) for k in range(len(terms))]
        return np.array(sums).reshape(terms.shape).astype(steps.carrier)

    # --- how the reductions use one ---------------------------------------------------------------------------------

    def bound(self, fmt: Format, mode: Rounding, rng: Generator) -> Accumulator:
        """This accumulator for operands, and a result, of `fmt`; ValueError if it cannot hold them."""
        if not fmt.fits_in(self.fmt):
            raise ValueError(
                f"accumulator {type(self).__name__}({self.fmt.name}) is narrower than fmt={fmt.name} in precision or "
                f"range; use {type(self).__name__}({fmt.name!r}) or a wider one such as binary32"
            )
        return self

    def steps(self, label: str, carrier: Any) -> Steps:
        """The operations of this accumulator."""
        return Steps(self.fmt, self.mode, as_generator(self.mode, self.rng), carrier, label)

    def prepare(self, label: str, *values: Any) -> tuple[list[Array], Steps]:
        """Arrays of values that the format holds, and the operations on them."""
        check_hardware()
        for x in values:
            _check_format("x", x, self.operand_format)
        sources = [lift(getattr(x, "values", x)) for x in values]
        steps = self.steps(label, carrier_for(self.fmt, *sources))
        return [self.operand(source, steps) for source in sources], steps

    @property
    def operand_format(self) -> Format:
        """What terms and factors are rounded to, if it does not hold them."""
        return get_format(self.fmt)

    def operand(self, source: Array, steps: Steps) -> Array:
        """A term or factor, rounded to `operand_format` where that does not hold it."""
        return np.asarray(round_to(source, self.operand_format, steps.mode, rng=steps.rng), steps.carrier)


def _check_format(name: str, x: Any, fmt: Format) -> None:
    """Refuse an array of a format that would have to be rounded: that is asked for by name, with astype."""
    other = getattr(x, "fmt", None)
    if isinstance(other, Format) and not other.fits_in(fmt):
        raise TypeError(
            f"{name} is an array of format {other.name}, which {fmt.name} does not hold; "
            f"convert it first with {name}.astype({fmt.name!r}), or use a wider accumulator"
        )


def _shape_of_dots(left: Array, right: Array, start: Start) -> tuple[int, ...]:
    c_shape = () if start is None else start.shape
    try:
        return np.broadcast_shapes(left.shape[:-1], right.shape[:-1], c_shape)
    except ValueError:
        raise ValueError(
            f"a.shape={left.shape}, b.shape={right.shape} and c.shape={c_shape}: the leading axes of a and b, and the "
            "axes of c, do not broadcast; make them equal or 1"
        ) from None


def along(x: Array, axis: int | None) -> Array:
    """`x` with the axis to sum over in front; all elements in C order for None."""
    if axis is None:
        return x.reshape(-1)
    if not isinstance(axis, (int, np.integer)):
        raise TypeError(f"axis={axis!r} is no integer; sum over one axis at a time, or over all with axis=None")
    if not -x.ndim <= axis < x.ndim:
        way_out = f"use {-x.ndim} to {x.ndim - 1}" if x.ndim else "leave it out"
        raise ValueError(f"axis={axis} does not exist in x of shape {x.shape}; {way_out}")
    return np.moveaxis(x, axis, 0)


def tiles(shape: tuple[int, ...], whole: bool = False) -> Iterator[tuple[slice, ...]]:
    """Slices of the results, a tile of which has TERMS_AT_A_TIME terms at most, or one result; all if `whole`."""
    room = math.prod(shape) if whole else TERMS_AT_A_TIME // max(1, shape[0])
    cuts = []
    for n in reversed(shape[1:]):
        step = max(1, min(n, room))
        room //= step
        cuts.append([slice(first, first + step) for first in range(0, n, step)])
    yield from itertools.product(*reversed(cuts))


def cut(x: Array, tile: tuple[slice, ...]) -> Array:
    """All terms of a tile of the results; axes of length 1 broadcast and are not cut."""
    here = tile[len(tile) - (x.ndim - 1) :] if x.ndim > 1 else ()
    return x[(slice(None), *(part if size > 1 else slice(None) for part, size in zip(here, x.shape[1:], strict=True)))]


def finish(y: Array, fmt: Format, mode: Rounding, rng: Generator, own: Format, carrier: Any, label: str) -> Array:
    """A result of an accumulator of format `own`, rounded to `fmt`."""
    if own == fmt:
        return np.asarray(y, carrier)
    y = np.asarray(y)
    fresh = y.dtype == carrier and y.flags.owndata and y.flags.c_contiguous  # no view of an operand: nobody else's
    out = y if fresh else np.empty(y.shape, carrier)
    return round_array(y, fmt, mode, rng, out=out, operation=label)


def resolve(accumulator: Any, fmt: FormatLike) -> None:
    """Refuse what is no accumulator."""
    if not isinstance(accumulator, Accumulator):
        raise TypeError(
            f"accumulator={accumulator!r} is no accumulator; use one of fp16sim.accumulators, such as Pairwise({fmt!r})"
        )
