"""minimum, maximum and the comparisons of IEEE 754-2019: exact, after operands not in the format are rounded.

A signaling NaN raises invalid in all of them but `total_order`, and minimum and its sisters never return one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..conversion import Array, Seed, as_generator, carrier_for, lift, same_format
from ..flags import Tally, current_listeners
from ..formats import FormatLike, Rounding, get_format, get_rounding
from ..nans import has_nan, quieted, report_signaling, widened
from ..rounding import round_operand
from .operations import broadcast_shape


def _operands(
    name: str, values: tuple[Any, Any], fmt: FormatLike, mode: Rounding | str, rng: Seed
) -> tuple[Array, Array]:
    fmt, mode = get_format(fmt), get_rounding(mode)
    generator = as_generator(mode, rng)
    sources = [lift(same_format(x, fmt)) for x in values]
    a, b = (round_operand(x, fmt, mode, generator) for x in sources)
    broadcast_shape(name, [a, b])
    carrier = carrier_for(fmt, *sources)
    return (a, b) if a.dtype == b.dtype == carrier else (widened(a), widened(b))


# --- minimum and maximum ----------------------------------------------------------------------------------------------


def _smaller(a: Array, b: Array) -> Array:
    # If both are equal, the one with a sign bit: -0 counts as less than +0.
    return np.where((a < b) | ((a == b) & np.signbit(a)), a, b)


def extremum(name: str, a: Array, b: Array) -> Array:
    """An operation that picks one of its operands, by its name, such as "maximum_magnitude_number"."""
    # A maximum is the mirror image. (Unary minus, because NumPy would warn of a signaling NaN in a product.)
    y = _smaller(a, b) if name.startswith("minimum") else -_smaller(-a, -b)
    if "magnitude" in name:
        near, far = (a, b) if name.startswith("minimum") else (b, a)
        y = np.where(np.abs(near) < np.abs(far), a, np.where(np.abs(near) > np.abs(far), b, y))
    nan_a, nan_b = np.isnan(a), np.isnan(b)
    if not (nan_a.any() or nan_b.any()):
        return y
    report_signaling(name, a, b)
    if name.endswith("number"):
        return quieted(np.where(nan_a, b, np.where(nan_b, a, y)))
    return quieted(np.where(nan_a, a, np.where(nan_b, b, y)))


def minimum(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The smaller operand, exactly; NaN if either is NaN; -0 counts as less than +0 (IEEE 754-2019, section 9.6).

    >>> import fp16sim as fs
    >>> fs.minimum([1.0, 0.0], [2.0, -0.0], "binary16")
    array([ 1., -0.])
    """
    return extremum("minimum", *_operands("minimum", (a, b), fmt, mode, rng))[()]


def maximum(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The larger operand, exactly; NaN if either is NaN; +0 counts as more than -0 (IEEE 754-2019, section 9.6)."""
    return extremum("maximum", *_operands("maximum", (a, b), fmt, mode, rng))[()]


def minimum_number(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """Like `minimum`, but NaN only if both are NaN (IEEE 754-2019, section 9.6).

    >>> import fp16sim as fs
    >>> fs.minimum_number(float("nan"), 2.0, "binary16")
    np.float64(2.0)
    """
    return extremum("minimum_number", *_operands("minimum_number", (a, b), fmt, mode, rng))[()]


def maximum_number(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """Like `maximum`, but NaN only if both are NaN (IEEE 754-2019, section 9.6)."""
    return extremum("maximum_number", *_operands("maximum_number", (a, b), fmt, mode, rng))[()]


def minimum_magnitude(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The operand nearer to zero, exactly.

    If both are equally near, it is their `minimum`; if either is NaN, NaN (IEEE 754-2019, section 9.6).

    >>> import fp16sim as fs
    >>> fs.minimum_magnitude([3.0, -2.0, float("nan")], [-1.0, 2.0, 0.0], "binary16")
    array([-1., -2., nan])
    """
    return extremum("minimum_magnitude", *_operands("minimum_magnitude", (a, b), fmt, mode, rng))[()]


def maximum_magnitude(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """The operand farther from zero, exactly.

    If both are equally far, it is their `maximum`; if either is NaN, NaN (IEEE 754-2019, section 9.6).

    >>> import fp16sim as fs
    >>> fs.maximum_magnitude([3.0, -2.0, float("nan")], [-4.0, 2.0, 0.0], "binary16")
    array([-4.,  2., nan])
    """
    return extremum("maximum_magnitude", *_operands("maximum_magnitude", (a, b), fmt, mode, rng))[()]


def minimum_magnitude_number(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """Like `minimum_magnitude`, but NaN only if both are NaN (IEEE 754-2019, section 9.6)."""
    return extremum("minimum_magnitude_number", *_operands("minimum_magnitude_number", (a, b), fmt, mode, rng))[()]


def maximum_magnitude_number(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """Like `maximum_magnitude`, but NaN only if both are NaN (IEEE 754-2019, section 9.6)."""
    return extremum("maximum_magnitude_number", *_operands("maximum_magnitude_number", (a, b), fmt, mode, rng))[()]


# --- comparisons ------------------------------------------------------------------------------------------------------


def compare(name: str, a: Array, b: Array) -> Any:
    """A quiet comparison of values of one format by the name of NumPy's: a signaling NaN raises invalid."""
    if has_nan(a) or has_nan(b):
        report_signaling(name, a, b)
    return getattr(np, name)(a, b)


def _unordered(a: Array, b: Array) -> Array:
    return np.asarray(np.isnan(a) | np.isnan(b))


def _compare(
    name: str,
    relation: Callable[[Array, Array], Any],
    values: tuple[Any, Any],
    fmt: FormatLike,
    mode: Rounding | str,
    signaling: bool,
) -> Any:
    a, b = _operands(name, values, fmt, mode, None)
    if signaling:
        tally, nan = Tally(current_listeners()), _unordered(a, b)
        tally.note("invalid", nan.reshape(-1))
        tally.report(name, nan.shape)
    elif name != "total_order":
        report_signaling(name, a, b)
    return relation(a, b)


def equal(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, signaling: bool = False
) -> Any:
    """a == b, exactly: -0 equals +0, and NaN equals nothing.

    Operands that the format does not hold are rounded to it first. The six comparisons are IEEE 754's quiet ones: only
    a signaling NaN raises invalid. With `signaling=True` every NaN does (section 5.11).

    >>> import fp16sim as fs
    >>> fs.equal(0.1, "0.09999", "binary16"), fs.equal(0.0, -0.0, "binary16")
    (np.True_, np.True_)
    """
    return _compare("equal", np.equal, (a, b), fmt, mode, signaling)


def not_equal(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, signaling: bool = False
) -> Any:
    """a != b, exactly: true where either is NaN. Otherwise like `equal`."""
    return _compare("not_equal", np.not_equal, (a, b), fmt, mode, signaling)


def less(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, signaling: bool = False
) -> Any:
    """a < b, exactly: false where either is NaN. Otherwise like `equal`."""
    return _compare("less", np.less, (a, b), fmt, mode, signaling)


def less_equal(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, signaling: bool = False
) -> Any:
    """a <= b, exactly: false where either is NaN. Otherwise like `equal`."""
    return _compare("less_equal", np.less_equal, (a, b), fmt, mode, signaling)


def greater(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, signaling: bool = False
) -> Any:
    """a > b, exactly: false where either is NaN. Otherwise like `equal`."""
    return _compare("greater", np.greater, (a, b), fmt, mode, signaling)


def greater_equal(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, signaling: bool = False
) -> Any:
    """a >= b, exactly: false where either is NaN. Otherwise like `equal`."""
    return _compare("greater_equal", np.greater_equal, (a, b), fmt, mode, signaling)


def unordered(a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even") -> Any:
    """Whether either operand is NaN: then <, == and > are all false (IEEE 754's compareQuietUnordered)."""
    return _compare("unordered", _unordered, (a, b), fmt, mode, False)[()]


def total_order(a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even") -> Any:
    """Whether a is before b, or is b, in the order of all values; exact (IEEE 754-2019, section 5.10).

    The order is -NaN, -infinity, negative numbers, -0, +0, positive numbers, infinity, NaN; no NaN raises a flag.

    >>> import fp16sim as fs
    >>> fs.total_order(-0.0, 0.0, "binary16"), fs.total_order(0.0, -0.0, "binary16")
    (np.True_, np.False_)
    """
    return _compare("total_order", lambda x, y: _order_key(x) <= _order_key(y), (a, b), fmt, mode, False)


def _order_key(x: Array) -> Array:
    """An integer that grows with the order: the code, with its magnitude bits inverted if the sign is negative."""
    bits = widened(x).view(np.int64)
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))
