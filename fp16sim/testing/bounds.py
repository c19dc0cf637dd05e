"""The error bound of a kernel: derived from the format, the data and what is permitted, with its reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array
from ..flags import without_flags
from ..formats import BINARY32, Format, FormatLike, Rounding, get_rounding
from ..wording import did_you_mean, joined, number, quoted
from .balls import Ball, Steps
from .differences import in_ulp
from .given import format_of, operand
from .kernels import KERNELS, Call, Kernel, checked_eps, derived
from .permitted import ANY, Additions, orders_of, permitted
from .sums import SOURCES, Chance, unit

Kind = Literal["rigorous", "probabilistic"]
KINDS = ("rigorous", "probabilistic")
FAILURE = 1e-9
"""The probability with which a probabilistic assertion may fail for a right kernel, unless the test names another."""

EVALUATION = 1 + 2.0**-46
"""Bounds are themselves computed in float64, by fewer than 64 operations on numbers that are not negative, after sums
that are rounded up; each errs by at most 2^-53 of its result, all of them together by less than 2^-46."""


@dataclass(frozen=True)
class Bound:
    """How far the results of a kernel may be from the exact ones, and why.

    Attributes
    ----------
    operation : str
    fmt : Format
        Of operands and results.
    kind : str
        "rigorous", or "probabilistic": then `failure` is the probability that some result of a right kernel exceeds it.
    value : ndarray
        The exact results, in float64.
    radius : ndarray
        The bound of each: no result of a permitted kernel is further away. Infinite where none is known.
    overflows : ndarray of bool
        Where a permitted order may overflow, so that an infinity or NaN is right, too.
    failure : float
        0 for a rigorous bound.
    reasons : tuple of str
        The theorems that gave the bound, with their sources, conditions and numbers.
    """

    operation: str
    fmt: Format
    kind: str
    value: Array
    radius: Array
    overflows: Array
    failure: float
    reasons: tuple[str, ...]

    @property
    def ulps(self) -> Array:
        """The bound of each result, in ulp of the exact one."""
        return in_ulp(self.value + self.radius, self.value, self.fmt)

    def __str__(self) -> str:
        chance = (
            f", which a right kernel exceeds with a probability of at most {self.failure:g}" if self.failure else ""
        )
        finite = self.ulps[np.isfinite(self.ulps)]
        ends = dict.fromkeys(number(f(finite)) for f in (np.min, np.max)) if finite.size else ()
        size = f"{' to '.join(ends)} ulp" if ends else "no finite bound"
        return "\n  ".join([f"{self.kind} bound of {self.operation} in {self.fmt.name}: {size}{chance}", *self.reasons])

    __repr__ = __str__


def bound(
    operation: str,
    *operands: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    accumulators: AccumulatorLike | Iterable[AccumulatorLike] | None = None,
    orders: str | Iterable[str] = ANY,
    kind: Kind = "rigorous",
    failure: float = FAILURE,
    axis: int | None = None,
    eps: float = 1e-5,
    function_ulps: float = 1.0,
) -> Bound:
    """How far the results of a kernel may be from the exact ones: derived from the format, the data and the orders.

    No permitted kernel exceeds a rigorous bound: it is evaluated with all errors of the evaluation itself.

    Parameters
    ----------
    operation : {"sum", "mean", "dot", "matmul", "softmax", "layer_norm"}
    *operands : array_like
        x; or a and b, as in `numpy.matmul`; or x, weight and bias. What is not a number of the format is rounded first.
    fmt, mode
        Of operands and results, as for `round_to`.
    accumulators : Accumulator, str or several, optional
        What may take the sums, as for `fs.sum`; all other steps are rounded to the accumulator's format, too. By
        default "binary32": sums and steps in binary32, rounded once at the end. (binary64 takes "sequential".)
    orders : str or several
        "any" for every order and tree of additions, or names of orders: "forward", "backward", "lanes:8", ...
    kind : {"rigorous", "probabilistic"}
        A probabilistic bound grows with the square root of n. It supposes that rounding errors are independent, with
        mean zero; for stochastic rounding it needs no supposition.
    failure : float
        For "probabilistic": with which probability some result of a right kernel may exceed the bound.
    axis : int, optional
        Of x. By default all elements for sum and mean, the last axis for softmax and layer_norm.
    eps : float
        Of layer_norm: what is added to the variance.
    function_ulps : float
        The largest error of the kernel's exp, or of its reciprocal square root, in ulp of the accumulator's format: 1
        for a faithful function, 2 for CUDA's expf.

    Returns
    -------
    Bound

    Notes
    -----
    These algorithms are permitted, all steps in the accumulator's format, the result rounded to `fmt`:

    - sum, dot, matmul: products, rounded or fused, are added.
    - mean: the sum is divided by n, or multiplied by the rounded 1/n.
    - softmax: d = x - max(x), e = exp(d), t = the sum of e; e / t, or e times the rounded 1/t.
    - layer_norm: m = mean(x), d = x - m, w = mean(d * d) + eps; d / sqrt(w), or d times the rounded reciprocal; times
      weight, plus bias.

    The bounds of sums are those of Higham (2002), Jeannerod and Rump (2013), and Higham and Mary (2019); the record
    says which is the smallest. Those of mean, softmax and layer_norm are running error analyses of these steps: each
    step adds half an ulp of the largest number that it can give.

    Raises
    ------
    ValueError
        For unknown names, for shapes that do not match, and for accumulators without a known bound (Kahan).

    Examples
    --------
    >>> import fp16sim as fs
    >>> x = np.ones(256)
    >>> print(fs.testing.bound("sum", x, fmt="bfloat16", accumulators="sequential"))
    rigorous bound of sum in bfloat16: 127.5 ulp
      Sequential(bfloat16), any order, n = 256, u = 2^-8: linear
        gamma = 255 gives no smaller bound
      linear: Jeannerod and Rump, SIAM J. Matrix Anal. Appl. 34 (2013), 338-344: (n - 1) u S, any order, any n
    """
    fmt, mode = format_of(fmt), get_rounding(mode)
    kernel, call = call_of(operation, operands, fmt, mode, axis, eps)
    ways = permitted(accumulators, orders_of(orders), fmt, mode)
    found = bound_of(operation, kernel, call, ways, check_kind(kind), check_failure(failure), check_ulps(function_ulps))
    if found is None:
        raise ValueError(
            f"accumulators={joined([way.label for way in ways])}: no error bound with known constants; permit another "
            "one too, such as 'sequential', or use assert_explained, which tries these bit for bit"
        )
    return found


# --- arguments ------------------------------------------------------------------------------------------------------


def call_of(
    operation: str, operands: tuple[Any, ...], fmt: Format, mode: Rounding, axis: int | None, eps: float
) -> tuple[Kernel, Call]:
    """A kernel and a call of it, checked."""
    if not isinstance(operation, str) or operation not in KERNELS:
        known = f"{did_you_mean(operation, KERNELS)}use one of {', '.join(map(repr, KERNELS))}"
        raise ValueError(f"operation={quoted(operation)} is not a kernel with a known bound; {known}")
    kernel = KERNELS[operation]
    if len(operands) not in kernel.operands:
        wanted = joined(map(str, kernel.operands), "or")
        raise ValueError(f"operation={quoted(operation)} takes {wanted} operands, but {len(operands)} are given")
    if not fmt.fits_in(BINARY32) and operation in ("softmax", "layer_norm"):
        raise ValueError(f"fmt={fmt.name}: {operation} is bounded for formats that fit in binary32; use one of them")
    values = tuple(operand(x, fmt, mode, f"operand {k}") for k, x in enumerate(operands, 1))
    arranged = _factors(*values) if operation in ("dot", "matmul") else _along(operation, values, axis)
    return kernel, Call(arranged, fmt, mode, arranged[0].shape[-1], checked_eps(eps))


def _factors(a: Array, b: Array) -> tuple[Array, ...]:
    if not a.ndim or not b.ndim or a.shape[-1] != (b.shape[-1] if b.ndim == 1 else b.shape[-2]):
        raise ValueError(
            f"a.shape={a.shape} and b.shape={b.shape}: make the last axis of a as long as the last but one of b"
        )
    return a, b


def _along(operation: str, values: tuple[Array, ...], axis: int | None) -> tuple[Array, ...]:
    """x with the axis that is reduced at the end, and what is broadcast against it."""
    x, *others = values
    whole = axis is None and operation in ("sum", "mean")
    place = -1 if axis is None else axis
    if isinstance(place, bool) or not isinstance(place, (int, np.integer)) or not (whole or -x.ndim <= place < x.ndim):
        raise ValueError(f"axis={quoted(axis)} does not exist in x of shape {x.shape}; use one of its axes")
    for name, other in zip(("weight", "bias"), others, strict=False):
        if other.shape not in ((), (x.shape[place],)):
            raise ValueError(f"{name}.shape={other.shape} is not ({x.shape[place]},), the length of the axis of x")
    found = x.reshape(-1) if whole else np.moveaxis(x, place, -1)
    if not found.shape[-1]:
        raise ValueError(f"x.shape={x.shape} has no element along the axis; give one or more")
    return found, *others


def check_kind(kind: str) -> str:
    """The kind of a bound."""
    if kind not in KINDS:
        raise ValueError(f"kind={quoted(kind)} is unknown; use 'rigorous' or 'probabilistic'")
    return kind


def check_failure(failure: float) -> float:
    """A probability."""
    if isinstance(failure, bool) or not isinstance(failure, (int, float, np.floating)) or not 0 < failure < 1:
        raise ValueError(f"failure={quoted(failure)} is not a probability between 0 and 1; use one such as 1e-9")
    return float(failure)


def check_ulps(ulps: float) -> float:
    """The error of a function."""
    if isinstance(ulps, bool) or not isinstance(ulps, (int, float, np.number)) or not 0.5 <= ulps < np.inf:
        raise ValueError(f"function_ulps={quoted(ulps)} is less than a rounding errs; use 0.5 or more")
    return float(ulps)


# --- derivation -----------------------------------------------------------------------------------------------------


def bound_of(
    operation: str, kernel: Kernel, call: Call, ways: tuple[Additions, ...], kind: str, failure: float, ulps: float
) -> Bound | None:
    """The largest of the bounds of what is permitted; None if one of them has no bound."""
    chance = None
    if kind == "probabilistic":
        chance = Chance(failure, _sums(operation, call))
    found: list[tuple[Ball, Steps]] = []
    with without_flags(), np.errstate(all="ignore"):
        for way in ways:
            if not way.bounded or (way.path is not None and not kernel.matrix_units):
                continue
            steps = Steps(way, chance, ulps)
            found.append((derived(kernel, call, steps), steps))
        if not found:
            return None
        return _combined(operation, kernel, call, found, kind, failure)


def _sums(operation: str, call: Call) -> int:
    """How many sums a call takes: each may exceed a probabilistic bound."""
    shape = call.operands[0].shape[:-1]
    if operation in ("dot", "matmul"):
        a, b = call.operands
        return int(np.prod(a.shape[:-1], dtype=np.int64) * (b.size // max(1, call.n)))
    return int(np.prod(shape, dtype=np.int64)) * (2 if operation == "layer_norm" else 1)


def _combined(
    operation: str, kernel: Kernel, call: Call, found: list[tuple[Ball, Steps]], kind: str, failure: float
) -> Bound:
    value = np.asarray(found[0][0].value)
    radius, overflows = np.zeros(value.shape), np.zeros(value.shape, bool)
    for ball, steps in found:
        special = np.asarray(ball.up | ball.down) & np.ones(value.shape, bool)
        own = np.broadcast_to(ball.radius, value.shape) * EVALUATION
        own = np.where(np.isfinite(value), np.where(np.isnan(own), np.inf, own), 0.0)
        if not kernel.reduces or not _overflows_to_infinity(steps, call):
            own = np.where(special, np.inf, own)
        radius, overflows = np.maximum(radius, own), overflows | special
    uses_chance = any("probabilistic" in steps.used for _, steps in found)
    used = dict.fromkeys(name for _, steps in found for name in steps.used)
    reasons = (*(line for _, steps in found for line in _reasons(steps, call)), *(f"{x}: {SOURCES[x]}" for x in used))
    kind = kind if uses_chance else "rigorous"
    return Bound(operation, call.fmt, kind, value, radius, overflows, failure if uses_chance else 0.0, reasons)


def _overflows_to_infinity(steps: Steps, call: Call) -> bool:
    """Whether nothing that overflowed can become finite again."""
    formats = {(steps.fmt, steps.mode), (call.fmt, call.mode)}
    return all(fmt.has_infinity and not fmt.saturate and mode.nearest for fmt, mode in formats)


def _reasons(steps: Steps, call: Call) -> list[str]:
    """Which theorems, with which numbers, and why not gamma where it does not exist."""
    how, v = steps.how, unit(steps.fmt, steps.mode)
    order = "any order" if how.any_order else f"at most {how.height(call.n)} additions above a term"
    letter = "u" if how.mode.nearest else "2 u"
    lines = [f"{how.label}, {order}, n = {call.n}, {letter} = {_power(v)}: {joined(steps.used)}"]
    if not how.exact and how.path is None and "running" not in steps.used:
        lines.append(f"  {_gamma(call.n - 1, v, letter)}")
    if steps.fmt != call.fmt or how.exact:
        lines.append(f"  then one rounding to {call.fmt.name}: {'half an' if call.mode.nearest else 'one'} ulp")
    return lines


def _gamma(additions: int, v: float, letter: str) -> str:
    """Why the classical bound was not the one: it does not exist, or is larger."""
    if additions * v >= 1:
        return f"gamma does not exist here: (n - 1) {letter} = {number(additions * v)} is not below 1"
    return f"gamma = {number(additions * v / (1 - additions * v))} gives no smaller bound"


def _power(x: float) -> str:
    return f"2^{int(np.log2(x))}"
