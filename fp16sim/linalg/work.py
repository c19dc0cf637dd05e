"""One call: its operands as values of the format, the rounded operations, and the sums by the accumulator.

An algorithm writes what it does with `Work.steps` (one rounding each), `Work.less_products` and `Work.inner` (sums of
products by the accumulator). A decision, such as which pivot is the largest, compares numbers and rounds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import Accumulator, AccumulatorLike, Fused, Sequential, resolve
from ..accumulators.base import Steps
from ..arrays import FloatArray
from ..conversion import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from ..formats import BINARY32, BINARY64, Format, FormatLike, Rounding, get_format, get_rounding
from ..rounding import round_if_needed
from ..wording import did_you_mean, quoted
from .breakdown import Breakdown

DIRECTED = (Rounding.TOWARD_POSITIVE, Rounding.TOWARD_NEGATIVE)
"""Modes in which -(a b), rounded, is not the opposite of a b, rounded."""


class Work(NamedTuple):
    """The operations of one call."""

    label: str
    """The name of the function, for messages."""
    steps: Steps
    """Operations of the format and mode."""
    accumulator: Accumulator
    sums: Steps
    """The operations of the accumulator."""
    dtype: Any
    """The dtype of a result that is an ndarray."""
    generator: Generator
    in_arrays: bool
    """Whether the results are FloatArrays, because the first operand is one."""

    @property
    def fmt(self) -> Format:
        """The format of operands and results."""
        return self.steps.fmt

    def result(self, x: Any) -> Any:
        """Values of the format as the call returns them."""
        if self.in_arrays:
            return FloatArray(np.array(x, self.steps.carrier), self.fmt, self.steps.mode, self.generator)
        return np.array(x, self.dtype)[()]

    def operand(self, name: str, source: Array) -> Array:
        """What was given, rounded to the format; ValueError if a number is not finite, or becomes infinite."""
        x = np.asarray(round_if_needed(source, self.fmt, self.steps.mode, self.generator), self.steps.carrier)
        finite = np.isfinite(x)
        if finite.all():
            return x
        at = tuple(map(int, np.argwhere(~finite)[0]))
        where = f"{self.label}: {name}[{', '.join(map(str, at))}]={quoted(source.item(*at))}"
        if source.dtype != object and not np.isfinite(source[at]):
            raise ValueError(f"{where} is not finite; give finite numbers")
        limit = f"{self.fmt.name}, whose largest number is {float(self.fmt.max_finite):g}"
        raise Breakdown("beyond the format", at[-1] if at else 0, f"{where} is beyond {limit}")

    def in_binary64(self, name: str, source: Array) -> Array:
        """The same in float64, for what is scaled before it is rounded to the format."""
        return self._replace(steps=Steps(BINARY64, self.steps.mode, self.generator, np.float64)).operand(name, source)

    # --- sums of products -------------------------------------------------------------------------------------------

    @property
    def is_chain(self) -> bool:
        """Whether a sum is one number to which one product after the other is added: then columns may be updated."""
        return type(self.accumulator) in (Sequential, Fused)

    def to_sums(self, x: Array) -> Array:
        """Values of the format as the accumulator takes them."""
        own = self.sums.fmt
        if own == self.fmt or (own.subnormals == "gradual" and not own.saturate):
            return x.astype(self.sums.carrier, copy=False)
        return self.accumulator.operand(x, self.sums)

    def from_sums(self, x: Array) -> Array:
        """Sums, rounded to the format where that is another one."""
        return x.astype(self.steps.carrier, copy=False) if self.sums.fmt == self.fmt else self.steps.round(x)

    def less_products(self, start: Array, left: Array, right: Array) -> Array:
        """start - left[0] right[0] - left[1] right[1] - ..., of the accumulator's format.

        A product of `left` and `right` broadcasts, and the terms are along its first axis. Sequential rounds each
        product, and each difference. The others add the products of -left and right to the start.
        """
        if not len(left):
            return start
        left, right = self.to_sums(left), self.to_sums(right)
        sequential = type(self.accumulator) is Sequential
        if sequential and (len(left) == 1 or self.sums.mode in DIRECTED or self.sums.mode.random):
            for a, b in zip(left, right, strict=True):
                start = self.sums.subtract(start, self.sums.multiply(a, b))
            return start
        opposite = -left if self.sums.fmt.has_negative_zero else 0 - left
        shape = np.broadcast_shapes(left.shape[1:], right.shape[1:])
        start = np.broadcast_to(start, shape)
        return self.accumulator.reduce_products(opposite, right, start, self.sums)

    def inner(self, left: Array, right: Array) -> Array:
        """The sums of products along the first axis, rounded to the format; they broadcast."""
        left, right = self.to_sums(left), self.to_sums(right)
        return self.from_sums(self.accumulator.reduce_products(left, right, None, self.sums))

    def product(self, a: Array, b: Array) -> Array:
        """The product of matrices, or of a matrix and a vector."""
        columns = b[:, None] if b.ndim == 1 else b
        y = self.from_sums(self.accumulator.matrix_product(self.to_sums(a), self.to_sums(columns), self.sums))
        return y[:, 0] if b.ndim == 1 else y

    def total(self, x: Array) -> Array:
        """The sums along the first axis, rounded to the format."""
        return self.from_sums(self.accumulator.sum_terms(self.to_sums(x), self.sums))

    # --- powers of two ----------------------------------------------------------------------------------------------

    def scaled(self, x: Array, power: Any) -> Array:
        """x * 2^power, rounded: exact but for overflow and subnormal results."""
        if not np.any(power):
            return x
        return self.steps.round(np.ldexp(x.astype(np.float64), power))

    def length(self, x: Array) -> Array:
        """The Euclidean norms of the columns. A power of two makes each column small first, so no square overflows."""
        power = exponents(np.abs(x).max(axis=0, initial=0))
        small = self.scaled(x, -power)
        return self.scaled(self.steps.operate("sqrt", np.asarray(self.inner(small, small))), power)


def exponents(x: Array) -> Array:
    """The integers e with 2^(e - 1) <= x < 2^e; 0 for a zero, and for what is not finite."""
    return np.where(np.isfinite(x), np.frexp(np.where(np.isfinite(x), x, 0).astype(np.float64))[1], 0)


# --- the start of a call --------------------------------------------------------------------------------------------


def begin(
    label: str,
    operands: dict[str, Any],
    fmt: FormatLike | None,
    mode: Rounding | str | None,
    accumulator: AccumulatorLike | None,
    rng: Seed,
    default: Format | str = "binary16",
) -> tuple[Work, list[Array]]:
    """A call, and its operands as they are given. Without a format and a mode, those of the first FloatArray."""
    given = next((x for x in operands.values() if isinstance(x, FloatArray)), None)
    check_hardware()
    fmt, mode, rng = format_of(given, fmt, mode, rng, default)
    generator = as_generator(mode, rng)
    sources = [lift(same_format(x, fmt)) for x in operands.values()]
    own = resolve(accumulator, fmt, mode, generator)
    wide = np.float32 if own.fmt.fits_in(BINARY32) else np.float64
    steps = Steps(fmt, mode, generator, carrier_for(fmt, np.empty(0, np.float32)))
    sums = Steps(own.fmt, own.mode, as_generator(own.mode, own.rng), wide)
    return Work(label, steps, own, sums, carrier_for(fmt, *sources), generator, given is not None), sources


def start(
    label: str,
    operands: dict[str, Any],
    fmt: FormatLike | None,
    mode: Rounding | str | None,
    accumulator: AccumulatorLike | None,
    rng: Seed,
    default: Format | str = "binary16",
) -> tuple[Work, list[Array]]:
    """The same, with the operands rounded to the format; all of their numbers must be finite then."""
    work, sources = begin(label, operands, fmt, mode, accumulator, rng, default)
    return work, [work.operand(name, x) for name, x in zip(operands, sources, strict=True)]


def format_of(
    given: FloatArray | None, fmt: FormatLike | None, mode: Rounding | str | None, rng: Seed, default: Format | str
) -> tuple[Format, Rounding, Seed]:
    """The format, mode and random numbers of a call: as they are given, or those of the FloatArray, or the defaults."""
    if given is not None:
        fmt, mode = given.fmt if fmt is None else fmt, given.mode if mode is None else mode
        rng = given.rng if rng is None else rng
    fmt = get_format(default if fmt is None else fmt)
    if not fmt.signed or fmt.precision < 2:
        lacks = "more than one digit" if fmt.signed else "negative numbers"
        raise ValueError(
            f"fmt={fmt.name} has no {lacks}, which linear algebra needs; use a signed format of two digits"
        )
    return fmt, get_rounding("ties_to_even" if mode is None else mode), rng


# --- shapes ---------------------------------------------------------------------------------------------------------


def check_matrix(label: str, name: str, x: Array) -> None:
    """ValueError if x is not one matrix with at least one element."""
    if x.ndim != 2:
        raise ValueError(
            f"{label}: {name}.shape={x.shape} is not that of a matrix; give rows and columns, one matrix a call"
        )
    if not x.size:
        raise ValueError(f"{label}: {name}.shape={x.shape} has no elements; give at least one row and one column")


def check_square(label: str, name: str, x: Array) -> None:
    """ValueError if x is not a square matrix."""
    check_matrix(label, name, x)
    if x.shape[0] != x.shape[1]:
        raise ValueError(
            f"{label}: {name}.shape={x.shape} is not square; give as many rows as columns, or use lstsq, qr or svd"
        )


def check_right_side(label: str, a: Array, b: Array) -> None:
    """ValueError if b is not a vector or matrix with as many rows as a."""
    if b.ndim not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ValueError(
            f"{label}: b.shape={b.shape} does not meet a.shape={a.shape}; "
            f"give a vector of {a.shape[0]} numbers, or a matrix of {a.shape[0]} rows"
        )


def chosen(label: str, name: str, value: Any, known: Sequence[Any]) -> Any:
    """The value, if it is one of those known."""
    if isinstance(value, (str, int, float)) and value in known:
        return value
    words = ", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}"
    raise ValueError(f"{label}: {name}={quoted(value)} is unknown; {did_you_mean(value, map(str, known))}use {words}")


def check_no_overflow(work: Work, name: str, x: Array) -> None:
    """Breakdown at the first column with an infinity or a NaN."""
    finite = np.isfinite(x)
    if not finite.all():
        column = int(np.argwhere(~(finite if x.ndim == 1 else finite.all(axis=0)))[0, 0])
        where = f"{name}[{column}]" if x.ndim == 1 else f"column {column} of {name}"
        raise overflow(work, where, column)


def overflow(work: Work, where: str, step: int) -> Breakdown:
    """The error for a number beyond the format."""
    limit = f"{float(work.fmt.max_finite):g}, the largest number of {work.fmt.name}"
    return Breakdown("overflow", step, f"{work.label}: {where} overflowed in step {step}: beyond {limit}")
