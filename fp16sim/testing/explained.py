"""assert_explained: a permitted kernel gives the results bit for bit, or they lie within a bound that is derived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import faults
from ..accumulators import Accumulator, AccumulatorLike, resolve
from ..conversion import Array
from ..faults.roundings import differs
from ..flags import without_flags
from ..formats import Format, FormatLike, Rounding, get_rounding
from ..wording import joined, number
from . import messages
from .bounds import FAILURE, Bound, Kind, bound_of, call_of, check_failure, check_kind, check_ulps
from .differences import in_ulp
from .given import format_of, not_held, numbers_of, same_shape
from .kernels import Call, Kernel
from .permitted import ANY, ORDERS, Additions, label_of, orders_of, permitted

OTHERS = ("sequential", "pairwise", "blocked", "fused", "kahan", "binary32", "pairwise:binary32", "exact")
"""What is tried once a kernel has failed, to say what it does instead."""
SAMPLE = 1 << 12
"""Of more results, some rows of about so many are tried with each accumulator, and all with one that gives these."""


@dataclass(frozen=True)
class Evidence:
    """Why a kernel passed.

    Attributes
    ----------
    accumulator : str
        The accumulator that gives the results bit for bit, such as "Sequential(binary32)"; "" if none does.
    order : str
        Its order of terms.
    equal : int
        Results that this accumulator gives bit for bit, or that the closest one gives.
    size : int
        Results that were tried: all, or a sample of more than 4,096 if none is explained.
    bound : Bound or None
        The bound that the others lie within; None if the results are explained.
    unjudged : int
        Results for which no finite bound is known, so that any number of the format passed: a permitted order may
        overflow on the way, or errors may be as large as what is divided by.
    """

    accumulator: str
    order: str
    equal: int
    size: int
    bound: Bound | None
    unjudged: int = 0

    def __str__(self) -> str:
        if self.accumulator:
            return f"all {self.size} results are those of {self.accumulator}, {self.order}"
        left = f" but {self.unjudged}, which have none," if self.unjudged else ""
        tried = f"{self.equal} of {self.size} results tried are those of a permitted kernel"
        return f"{tried}; all{left} lie within a {self.bound}"


def assert_explained(
    got: Any,
    operation: str,
    *operands: Any,
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    accumulators: AccumulatorLike | Iterable[AccumulatorLike] | None = None,
    orders: str | Iterable[str] = ANY,
    kind: Kind | None = "rigorous",
    failure: float = FAILURE,
    axis: int | None = None,
    eps: float = 1e-5,
    function_ulps: float = 1.0,
) -> Evidence:
    """Raise AssertionError unless a permitted kernel can have given `got`: no tolerance is guessed.

    It passes if one permitted accumulator and order gives all results bit for bit. Else each result must lie within the
    bound that `bound` derives from the format, the data and what is permitted, and be a number of the format.

    Parameters
    ----------
    got : array_like
        The results: NumPy arrays (also of ml_dtypes), FloatArrays, JAX arrays or torch tensors.
    operation, *operands, fmt, mode, accumulators, orders, failure, axis, eps, function_ulps
        As for `bound`.
    kind : {"rigorous", "probabilistic"} or None
        Of the bound; None for bit for bit alone.

    Returns
    -------
    Evidence
        Which accumulator and order explains the results, or the bound that they lie within.

    Raises
    ------
    AssertionError
        With the number of results outside, the worst, the simplest example, the closest permitted accumulator, and what
        the kernel does instead, if another accumulator or a known fault gives its results.
    ValueError
        For unknown names and shapes that do not match.

    Examples
    --------
    >>> import fp16sim as fs
    >>> rng = np.random.default_rng(0)
    >>> a, b = (rng.standard_normal(shape).astype(np.float16) for shape in ((4, 64), (64, 4)))
    >>> right = (a.astype(np.float32) @ b.astype(np.float32)).astype(np.float16)
    >>> evidence = fs.testing.assert_explained(right, "matmul", a, b, fmt="binary16", accumulators="binary32")
    >>> wrong = fs.matmul(a, b, "binary16")  # every sum is rounded to binary16
    >>> try:
    ...     fs.testing.assert_explained(wrong, "matmul", a, b, fmt="binary16", accumulators="binary32")
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[0])
    matmul in binary16: no permitted kernel gives these results
    """
    fmt, mode = format_of(fmt), get_rounding(mode)
    kernel, call = call_of(operation, operands, fmt, mode, axis, eps)
    names = orders_of(orders)
    ways = permitted(accumulators, names, fmt, mode)
    check_failure(failure), check_ulps(function_ulps)
    if kind is not None:
        check_kind(kind)
    results = numbers_of(got, fmt, "got")
    if operation in ("softmax", "layer_norm") and axis is not None and results.ndim == call.operands[0].ndim:
        results = np.moveaxis(results, axis, -1)
    with without_flags(), np.errstate(all="ignore"):
        closest = _closest(kernel, call, ways, names, results)
        if closest.equal == results.size:  # more than any sample has
            return closest
        allowed = None
        if kind is not None:
            allowed = bound_of(operation, kernel, call, ways, kind, failure, function_ulps)
        outside = _outside(results, allowed, fmt)
        if not outside.any():
            return Evidence("", "", closest.equal, closest.size, allowed, _unjudged(allowed))
        raise AssertionError(_message(operation, kernel, call, ways, results, outside, closest, allowed))


# --- what is tried --------------------------------------------------------------------------------------------------


def _candidates(
    kernel: Kernel, call: Call, hows: Iterable[Accumulator], names: tuple[str, ...]
) -> Iterator[tuple[Accumulator, str, Array]]:
    """The results of each accumulator in each order, and of each variant of the algorithm."""
    orders = [name for name in ORDERS if name in names or ANY in names]
    for how in hows:
        for order in orders if not _sums_exactly(how) else orders[:1]:
            try:
                yield from ((how, order, y) for y in kernel.compute(call, how, ORDERS[order](call.n)))
            except (TypeError, ValueError):  # an accumulator that this kernel cannot use, such as a matrix unit
                break


def _sums_exactly(how: Accumulator) -> bool:
    return Additions(how, False).exact


def _closest(
    kernel: Kernel, call: Call, ways: tuple[Additions, ...], names: tuple[str, ...], results: Array
) -> Evidence:
    """The evidence of the first candidate that gives all results, or of the one that gives the most of them."""
    few, some = _sample(call, results)
    best = Evidence("", "", -1, some.size, None)
    for how, order, y in _candidates(kernel, few, [way.accumulator for way in ways], names):
        same_shape(some, y)
        equal = some.size - int(np.count_nonzero(differs(some, np.asarray(y, np.float64))))
        if equal > best.equal:
            best = Evidence(label_of(how), order, equal, some.size, None)
        if equal == some.size and (few is call or _gives_all(kernel, call, how, order, results)):
            return Evidence(label_of(how), order, results.size, results.size, None)
    return best


def _sample(call: Call, results: Array) -> tuple[Call, Array]:
    """Some rows of a call and of its results; the call itself if it is small, or if its operands are stacked."""
    x, *others = call.operands
    if results.size <= SAMPLE or x.ndim != 2 or any(other.ndim > 2 for other in others) or len(results) != len(x):
        return call, results
    rows = slice(None, None, -(-len(x) // max(1, SAMPLE * len(x) // results.size)))
    return replace(call, operands=(x[rows], *others)), results[rows]


def _gives_all(kernel: Kernel, call: Call, how: Accumulator, order: str, results: Array) -> bool:
    """Whether an accumulator that gives a sample of the results gives all of them."""
    found = kernel.compute(call, how, ORDERS[order](call.n))
    return any(not differs(results, np.asarray(y, np.float64)).any() for y in found)


def _outside(results: Array, allowed: Bound | None, fmt: Format) -> Array:
    """Where a result is further from the exact one than the bound, or no number of the format."""
    strange = not_held(results, fmt)
    if allowed is None:
        return np.ones(results.shape, bool)
    same_shape(results, allowed.value)
    near = np.abs(results - allowed.value) <= allowed.radius
    alike = ~differs(results, allowed.value)
    beyond = allowed.overflows & ~np.isfinite(results)
    unknown = np.isinf(allowed.radius) & np.isfinite(allowed.value)
    return strange | ~(near | alike | beyond | unknown)


def _unjudged(allowed: Bound | None) -> int:
    return 0 if allowed is None else int(np.count_nonzero(np.isinf(allowed.radius)))


# --- what is said ---------------------------------------------------------------------------------------------------


def _message(
    operation: str,
    kernel: Kernel,
    call: Call,
    ways: tuple[Additions, ...],
    results: Array,
    outside: Array,
    closest: Evidence,
    allowed: Bound | None,
) -> str:
    known = f"{closest.accumulator}, {closest.order}: {closest.equal} of {closest.size} results tried are equal"
    order = "in any order" if ways[0].any_order else "in the orders given"
    lines = [
        f"{operation} in {call.fmt.name}: no permitted kernel gives these results",
        "",
        f"Permitted: {joined([way.label for way in ways], 'or')}, {order}",
        f"Closest: {known if closest.equal >= 0 else 'none of them computes this kernel step by step'}",
    ]
    if allowed is None:
        lines.append("No bound: only results that are equal bit for bit pass")
    else:
        lines += _beyond(results, outside, allowed)
    lines += _instead(operation, kernel, call, ways, results)
    return "\n".join([*lines, *(["", f"The {allowed}"] if allowed is not None else [])])


def _beyond(results: Array, outside: Array, allowed: Bound) -> list[str]:
    """The count, the result that exceeds its bound the most, and what is not a number of the format."""
    fmt, flat = allowed.fmt, np.flatnonzero(outside.reshape(-1))
    strange = int(np.count_nonzero(not_held(results, fmt)))
    away, room = in_ulp(results, allowed.value, fmt).reshape(-1), allowed.ulps.reshape(-1)
    over = np.where(outside.reshape(-1), away - np.where(np.isfinite(room), room, 0.0), -np.inf)
    worst = int(np.argmax(over))
    got, exact = results.reshape(-1)[worst], allowed.value.reshape(-1)[worst]
    lines = [messages.mismatches(outside).replace("Mismatched elements", "Outside the bound")]
    lines += [f"Not numbers of {fmt.name}, so never rounded to it: {strange:,}"] if strange else []
    error = (
        f": {number(away[worst])} ulp away; the bound is {number(room[worst])} ulp" if np.isfinite(away[worst]) else ""
    )
    error = "" if not_held(got, fmt) else error
    where = messages.place(outside.shape, worst)
    lines.append(f"Worst, at {where}: got {messages.shown(got, fmt)}, exact {float(exact)!r}{error}")
    return lines if flat.size else lines[:1]


def _instead(operation: str, kernel: Kernel, call: Call, ways: tuple[Additions, ...], results: Array) -> list[str]:
    """What gives the results bit for bit though it is not permitted: another accumulator, or a known fault."""
    few, some = _sample(call, results)
    allowed = {way.accumulator for way in ways}
    others = [how for how in (resolve(name, call.fmt, call.mode, None) for name in OTHERS) if how not in allowed]
    for how, order, y in _candidates(kernel, few, others, (ANY,)):
        if not differs(some, np.asarray(y, np.float64)).any():
            tried = "All results" if some.size == results.size else f"All of {some.size} results that were tried"
            return ["", f"{tried} are those of {label_of(how)}, {order}, which is not permitted here."]
    task = f"kernel_{'matmul' if operation == 'dot' else operation}"
    for fault in faults.suspects(task):
        try:
            answer = np.asarray(fault.answer(task, [*few.operands, np.float64(call.eps)], call.fmt, call.mode))
        except (TypeError, ValueError, IndexError):  # a fault that these shapes cannot have
            continue
        if answer.shape == some.shape and not differs(some, answer).any():
            return ["", messages.said(f"It answers like a kernel that {fault.misconception}.")]
    return []
