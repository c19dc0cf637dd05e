"""All pairs of numbers of an 8-bit format: where an operation is exact, where it rounds, and where it overflows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arithmetic import add, divide, multiply, subtract
from ..conversion import Array, Seed, as_generator
from ..formats import BINARY64, E4M3FN, Format, FormatLike, Rounding, Specials, get_format, get_rounding
from ..neighbours import ulp
from ..rounding import round_to
from ..wording import did_you_mean, percent, quoted
from .common import frozen
from .spacing import finite_values

OPERATIONS = {"add": add, "subtract": subtract, "multiply": multiply, "divide": divide}
RESULTS = {"add": "Sums", "subtract": "Differences", "multiply": "Products", "divide": "Quotients"}


@dataclass(frozen=True)
class Pairs:
    """An operation on all pairs of finite numbers, in ascending order.

    Attributes
    ----------
    values : ndarray
    error : ndarray
        abs(result - truth) in ulp of the truth, at [b, a] for a op b; NaN where the result or the truth is not finite.
    overflow, invalid : ndarray of bool
        Where the truth is too large to round to max_finite, and where there is no finite truth, as for 0 / 0.
    """

    fmt: Format
    mode: Rounding
    operation: str
    values: Array
    error: Array
    overflow: Array
    invalid: Array

    @property
    def shares(self) -> dict[str, float]:
        """The shares of all pairs that are "exact", "rounded", "overflow" and "invalid"."""
        parts = {
            "exact": self.error == 0,
            "rounded": self.error > 0,
            "overflow": self.overflow,
            "invalid": self.invalid,
        }
        return {name: float(np.mean(part)) for name, part in parts.items()}

    @property
    def lesson(self) -> str:
        """What it shows."""
        told = [name for name in ("exact", "overflow") if self.shares[name] or name == "exact"]
        parts = ", ".join(f"{percent(self.shares[name], 2)} {name}" for name in told)
        return f"{RESULTS[self.operation]} of {self.fmt.name}: {parts}"


def pairs(
    fmt: FormatLike = E4M3FN, mode: Rounding | str = "ties_to_even", *, operation: str = "multiply", rng: Seed = 0
) -> Pairs:
    """The error of an operation on all pairs of a format of at most 8 bits: exact errors of correctly rounded results.

    The truth is computed in binary64: exactly for sums and products of such small formats, to 2^-53 for quotients.

    Raises
    ------
    ValueError
        For an unknown operation, or a format of more than 8 bits.

    Examples
    --------
    >>> p = pairs("e2m1fn", operation="add")
    >>> p.error.shape, float(np.nanmax(p.error))
    ((15, 15), 0.5)
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if operation not in OPERATIONS:
        known = f"{did_you_mean(operation, OPERATIONS)}use one of {', '.join(map(repr, OPERATIONS))}"
        raise ValueError(f"operation={quoted(operation)} is unknown; {known}")
    if fmt.width > 8 or not fmt.zero or fmt.precision < 2:
        raise ValueError(
            f"fmt={fmt.name} has powers of two only; use a format of two digits or more"
            if fmt.width <= 8
            else f"fmt={fmt.name} has 2^{2 * fmt.width} pairs, too many to draw; use a format of 8 bits or fewer"
        )
    values = finite_values(fmt)
    a, b = values[None, :], values[:, None]
    # Without NaN a result such as 0 / 0 has no code. Any code will do here, because such results are not used.
    with_nan = replace(fmt, nan_code=0) if fmt.specials is Specials.NONE else fmt
    with np.errstate(all="ignore"):
        y = OPERATIONS[operation](a, b, with_nan, mode, rng=as_generator(mode, rng))
        truth = OPERATIONS[operation](a, b, BINARY64)
        overflow = _overflows(truth, fmt, mode)
        error = np.abs(y - truth) / ulp(truth, fmt)
    invalid = np.isnan(truth)
    infinite = np.isinf(truth)
    error = np.where(overflow | invalid | infinite, np.nan, error)
    return Pairs(fmt, mode, operation, frozen(values), frozen(error), frozen(overflow), frozen(invalid | infinite))


def _overflows(truth: Array, fmt: Format, mode: Rounding) -> Array:
    """Whether it exceeds max_finite after rounding with an unbounded exponent: that is IEEE 754's overflow."""
    wider = Format("wider", width=fmt.precision + BINARY64.exponent_bits, precision=fmt.precision)
    finite = np.where(np.isfinite(truth), truth, 0)
    unbounded = mode if not mode.random else Rounding.TOWARD_ZERO
    return np.abs(round_to(finite, wider, unbounded)) > float(fmt.max_finite)
