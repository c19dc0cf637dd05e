"""What all accumulators share: a format and a mode for every step, `.sum` and `.dot`, and how a reduction uses one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..arithmetic import operate
from ..conversion import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift
from ..flags import Indices, StepTally, current_listeners
from ..formats import BINARY32, Format, FormatLike, Rounding, get_format, get_rounding, quoted
from ..rounding import round_to

Start: TypeAlias = Array | None
"""What a sum starts from; None: its first term."""

TERMS_AT_A_TIME = 1 << 21


class Steps(NamedTuple):
    """The rounded operations of one format and mode, with which loops are written."""

    fmt: Format
    mode: Rounding
    rng: Generator
    carrier: Any
    """The dtype of the results: one that holds every value of the format."""
    label: str = ""
    """The name under which exceptions are recorded; empty: the name of the operation."""
    tally: StepTally | None = None
    """The exceptions of a reduction, reported at its end; None: each operation reports its own."""

    def operate(self, name: str, *operands: Array) -> Array:
        """An operation of `arithmetic`, rounded once."""
        return operate(name, list(operands), self.fmt, self.mode, self.rng, self.carrier, self.label, self.tally)

    def add(self, a: Array, b: Array) -> Array:
        """a + b, rounded."""
        return self.operate("add", a, b)

    def subtract(self, a: Array, b: Array) -> Array:
        """a - b, rounded."""
        return self.operate("subtract", a, b)

    def multiply(self, a: Array, b: Array) -> Array:
        """a * b, rounded."""
        return self.operate("multiply", a, b)

    def fma(self, a: Array, b: Array, c: Array) -> Array:
        """a * b + c, rounded once."""
        return self.operate("fma", a, b, c)

    def round(self, x: Any) -> Array:
        """`x` rounded to the format."""
        return np.asarray(round_to(x, self.fmt, self.mode, rng=self.rng), self.carrier)

    # --- for which elements of the result ---------------------------------------------------------------------------

    def placed(self, place: Callable[[Indices], Indices]) -> Steps:
        """The same steps on other arrays: `place` maps flat indices of their elements to those of these steps."""
        return self if self.tally is None else self._replace(tally=self.tally.part(place))

    def on_rows(self, results: int) -> Steps:
        """The same for steps on several rows at once, each of which has one element for each of the results."""
        return self.placed(lambda indices: indices % results)

    def from_row(self, k: int, results: int) -> Steps:
        """The same for steps on the k-th of the partial sums of all results, and on those after it."""
        return self.placed(lambda indices: indices + k * results)

    def unplaced(self) -> Steps:
        """The same where nobody records for which elements exceptions are raised."""
        return self.placed(np.zeros_like)

    @property
    def may_share(self) -> bool:
        """Whether a step that belongs to several partial sums may be taken once for all of them.

        Each sum draws its own random numbers, and a recorder counts the steps of each sum.
        """
        recorded = self.tally is not None and bool(self.tally.listeners.counted)
        return not self.mode.random and not recorded

    def done(self, y: Array) -> Array:
        """The result of the reduction, whose exceptions are now reported."""
        if self.tally is not None:
            self.tally.finish(self.label, y.shape)
        return y


@dataclass(frozen=True)
class Accumulator:
    """A way to add up terms. A subclass defines it in `reduce`; one with fields of its own is a dataclass again.

    Parameters
    ----------
    fmt : Format, str or dtype
        The format that every product and every partial sum is rounded to. The terms must be values of it.
    mode : Rounding or str
    rng : int or numpy.random.Generator, optional
        For "stochastic".
    """

    fmt: Format
    mode: Rounding
    rng: Seed

    def __init__(self, fmt: FormatLike = BINARY32, mode: Rounding | str = "ties_to_even", rng: Seed = None) -> None:
        self._set(fmt=get_format(fmt), mode=get_rounding(mode), rng=rng)

    def _set(self, **fields: Any) -> None:
        """Give the fields their values, once: afterwards they are frozen."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    # --- what users call --------------------------------------------------------------------------------------------

    def sum(self, x: Any, axis: int | None = None) -> Any:
        """The sum over an axis (by default of all elements in C order), in this accumulator's format; +0 for no terms.

        Terms that are not values of the format are rounded to it first.
        """
        (terms,), steps = self.prepare("sum", x)
        return steps.done(self.sum_terms(axis_first(terms, axis), steps))[()]

    def dot(self, a: Any, b: Any, c: Any = None) -> Any:
        """The sum of the products along the last axis, starting from `c` if given; in this accumulator's format.

        Parameters
        ----------
        a, b : array_like
            Vectors of one length, or arrays of them that broadcast.
        c : array_like, optional
            What the sum starts from; it broadcasts with the results. Starting from 0 can give another sign of zero than
            starting from the first product.

        Raises
        ------
        ValueError
            For shapes that do not match.
        TypeError
            For an array of a format that does not fit in the accumulator's.
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
        start = None if start is None else np.broadcast_to(start, shape)
        return steps.done(self.reduce_products(a, b, start, steps))[()]

    # --- what subclasses define, and use ----------------------------------------------------------------------------

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The sum over the first axis of at least one term."""
        raise NotImplementedError

    def sum_terms(self, terms: Array, steps: Steps) -> Array:
        """The sum over the first axis of values of the format; +0 if there are no terms."""
        if not len(terms):
            return np.zeros(terms.shape[1:], steps.carrier)
        return np.array(self.reduce(terms, steps), steps.carrier, copy=True if len(terms) == 1 else None)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """start (of the shape of the results) + sum of left[k] * right[k].

        Here the products are rounded, then reduced, one tile of the results after the other.
        """
        shape = np.broadcast_shapes(left.shape, right.shape)
        if not shape[0]:
            return np.zeros(shape[1:], steps.carrier) if start is None else np.array(start)
        out = np.empty(shape[1:], steps.carrier)
        for tile in tiles(shape, math.prod(shape) if steps.mode.random else None):
            first, part = None if start is None else start[tile], steps.placed(tile_place(tile, shape[1:]))
            a, b = terms_of(tile, left), terms_of(tile, right)
            out[tile] = self.reduce_from(first, part.on_rows(out[tile].size).multiply(a, b), part)
        return out

    def reduce_from(self, start: Start, products: Array, steps: Steps) -> Array:
        """start + the sum of the products; here the start is the first term."""
        return self.reduce(products if start is None else np.concatenate([start[None], products]), steps)

    def matrix_product(self, left: Array, right: Array, steps: Steps) -> Array:
        """left @ right for stacks of matrices of one shape: each element is a sum of products."""
        return self.reduce_products(to_front(left, -1)[..., None], to_front(right, -2)[..., None, :], None, steps)

    def start(self, c: Any, steps: Steps) -> Array:
        """`c` as the first partial sum."""
        _check_format("c", c, steps.fmt)
        return steps.round(lift(getattr(c, "values", c)))

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """All partial sums over the first axis: the k-th is the sum of the first k + 1 terms, by this accumulator."""
        results = math.prod(terms.shape[1:])
        sums = [self.sum_terms(terms[: k + 1], steps.from_row(k, results)) for k in range(len(terms))]
        return np.array(sums).reshape(terms.shape).astype(steps.carrier)

    # --- how the reductions use one ---------------------------------------------------------------------------------

    def accepts(self, fmt: Format) -> bool:
        """Whether terms and factors may be values of `fmt`.

        >>> from fp16sim import BFLOAT16
        >>> Accumulator("binary32").accepts(BFLOAT16), Accumulator("binary16").accepts(BFLOAT16)
        (True, False)
        """
        return fmt.fits_in(self.fmt)

    def for_format(self, fmt: Format, mode: Rounding, rng: Generator) -> Accumulator:
        """This accumulator for operands and results of `fmt`; ValueError if it does not accept them."""
        if not self.accepts(fmt):
            raise ValueError(
                f"accumulator {type(self).__name__}({self.fmt.name}) is narrower than fmt={fmt.name} in precision or "
                f"range; use Sequential({fmt.name!r}), another one of {fmt.name} or a wider format, or Exact()"
            )
        return self

    def steps(self, label: str, carrier: Any) -> Steps:
        """The operations of this accumulator."""
        tally = StepTally(current_listeners())
        return Steps(self.fmt, self.mode, as_generator(self.mode, self.rng), carrier, label, tally)

    def prepare(self, label: str, *values: Any) -> tuple[list[Array], Steps]:
        """The operands, as arrays of values of the format, and the operations on them."""
        check_hardware()
        for x in values:
            _check_format("x", x, self.operand_format)
        sources = [lift(getattr(x, "values", x)) for x in values]
        steps = self.steps(label, carrier_for(self.fmt, *sources))
        return [self.operand(source, steps) for source in sources], steps

    @property
    def operand_format(self) -> Format:
        """The format that terms and factors are rounded to."""
        return self.fmt

    def operand(self, source: Array, steps: Steps) -> Array:
        """A term or factor, rounded to `operand_format`."""
        return np.asarray(round_to(source, self.operand_format, steps.mode, rng=steps.rng), steps.carrier)


def _check_format(name: str, x: Any, fmt: Format) -> None:
    """Refuse an array whose values would have to be rounded: the user asks for that by name, with astype."""
    other = getattr(x, "fmt", None)
    if isinstance(other, Format) and not other.fits_in(fmt):
        raise TypeError(
            f"{name} is an array of format {other.name}, which does not fit in {fmt.name}; "
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


def axis_first(x: Array, axis: int | None) -> Array:
    """`x` with the axis to sum over in front; all elements in C order for None."""
    if axis is None:
        return x.reshape(-1)
    if not isinstance(axis, (int, np.integer)):
        raise TypeError(
            f"axis={quoted(axis)} is not an integer; sum over one axis at a time, or over all with axis=None"
        )
    if not -x.ndim <= axis < x.ndim:
        way_out = f"use {-x.ndim} to {x.ndim - 1}" if x.ndim else "leave it out"
        raise ValueError(f"axis={axis} does not exist in x of shape {x.shape}; {way_out}")
    return to_front(x, axis)


def to_front(x: Array, axis: Any) -> Array:
    """np.moveaxis(x, axis, 0), which takes five times as long: much for small arrays."""
    return x.transpose(axis, *(k for k in range(x.ndim) if k not in (axis, axis + x.ndim)))


def tiles(shape: tuple[int, ...], terms: int | None = None) -> Iterator[tuple[slice, ...]]:
    """Slices that cover the results, each of so many terms at most (TERMS_AT_A_TIME by default), or of one result."""
    left = (TERMS_AT_A_TIME if terms is None else terms) // max(1, shape[0])
    cuts = []
    for n in reversed(shape[1:]):
        step = max(1, min(n, left))
        left //= step
        cuts.append([slice(first, first + step) for first in range(0, n, step)])
    yield from itertools.product(*reversed(cuts))


def tile_place(tile: tuple[slice, ...], shape: tuple[int, ...]) -> Callable[[Indices], Indices]:
    """For flat indices in a tile of results of this shape: their flat indices among all results."""
    cut = [part.indices(n) for part, n in zip(tile, shape, strict=True)]

    def place(indices: Indices) -> Indices:
        at = np.unravel_index(indices, [stop - start for start, stop, _ in cut])
        return np.ravel_multi_index([i + start for i, (start, _, _) in zip(at, cut, strict=True)], shape)

    return place if shape else lambda indices: indices


def terms_of(tile: tuple[slice, ...], x: Array) -> Array:
    """The terms in `x` of a tile of the results. An axis of length 1 broadcasts, so it is taken whole."""
    own = tile[len(tile) - (x.ndim - 1) :] if x.ndim > 1 else ()
    return x[(slice(None), *(part if size > 1 else slice(None) for part, size in zip(own, x.shape[1:], strict=True)))]
