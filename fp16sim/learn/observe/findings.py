"""What goes wrong in the graph of a result, by known patterns: an empty row of a mask, squares that overflow, ...

Each pattern looks at one operation, its rounded operands and its rounded result. A pattern that needs the result before
rounding computes it in binary64 from the same operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array
from ...neighbours import ulp
from ...wording import percent
from ..model.autograd import consumers_first
from ..model.tensor import Tensor

NO_SCORE = -1e4
"""A score below this comes from a mask: e^x of it is 0 in every format up to binary64."""

COARSE = 1 / 16
"""An angle whose neighbours are farther apart than this, in radians, is too coarse for sine and cosine."""

MANY = 0.5
"""The share of elements from which a loss that is usual in small numbers is named."""

COARSE_LOGARITHM, LEAST = 2.0**-7, -10.0
"""A logarithm of a probability above e^-10 is coarse if its neighbours are farther apart than this."""

BIAS, CERTAIN = 0.25, 8.0
"""Rounding errors point one way if the mean is this part of the mean magnitude, and this many standard errors."""


@dataclass(frozen=True)
class Finding:
    """A known trouble in one operation.

    Attributes
    ----------
    pattern : str
        A name in PATTERNS.
    layer, operation, fmt : str
        Where: the layer ("" outside all layers), the operation, the name of the format of its result.
    count, total : int
        How many elements, or rows for softmax, have the trouble, and how many there are.
    value : float
        A number that the sentence needs, such as the largest operand.
    """

    pattern: str
    layer: str
    operation: str
    fmt: str
    count: int
    total: int
    value: float = 0.0

    @property
    def where(self) -> str:
        """The operation and its layer, in words."""
        return f"{self.operation} in {self.layer}" if self.layer else self.operation

    @property
    def text(self) -> str:
        """The trouble in a sentence."""
        known = {"share": percent(self.count / self.total), "where": self.where, "value": f"{self.value:.5g}"}
        return PATTERNS[self.pattern].text.format(n=self.count, of=f"{self.total:,}", fmt=self.fmt, **known)

    @property
    def cure(self) -> str:
        """What helps, in a sentence."""
        return PATTERNS[self.pattern].cure.format(fmt=self.fmt)

    def __str__(self) -> str:
        return f"{self.text} {self.cure}"


@dataclass(frozen=True)
class Pattern:
    """The sentences of a trouble, and the topic of its advice."""

    topic: str
    text: str
    cure: str


GENERAL = ("products", "sums", "residual", "conversion", "no difference")
"""Patterns that say no more of a run that died than its death does."""

PATTERNS: Mapping[str, Pattern] = {
    "empty row": Pattern(
        "mask",
        "{n} of {of} rows of {where} are -inf in every place: the mask leaves nothing, and the row becomes NaN.",
        "Leave one place in each row, or set the results of such rows to 0 by where().",
    ),
    "mask as number": Pattern(
        "mask",
        "{n} of {of} rows of {where} are below -10000 in every place: the mask leaves nothing, and the softmax "
        "shares the weight among places that are masked.",
        "Set the results of such rows to 0 by where().",
    ),
    "zero times infinity": Pattern(
        "mask",
        "{n} of {of} products of {where} are 0 times infinity, which is NaN; in {fmt} every number beyond {value} is "
        "infinite, also a constant such as -1e9.",
        "Choose with where(mask, x, -inf) instead of adding (1 - mask) times a constant.",
    ),
    "no difference": Pattern(
        "infinity",
        "{n} of {of} results of {where} are infinity minus infinity, which is NaN.",
        "Look where the infinities come from: the operation before this one.",
    ),
    "zero by zero": Pattern(
        "division",
        "{n} of {of} quotients of {where} are 0 / 0, which is NaN.",
        "Add an epsilon that {fmt} can hold to the divisor, or set such results to 0 by where().",
    ),
    "infinity by infinity": Pattern(
        "division",
        "{n} of {of} quotients of {where} are infinity by infinity, which is NaN.",
        "Look where the infinities come from: a softmax subtracts the largest number of each row before exp.",
    ),
    "scores": Pattern(
        "scores",
        "{n} of {of} products of {where} are beyond the largest number of {fmt} before a softmax sees them: they reach "
        "{value}.",
        "Multiply the queries by 1/sqrt(d) before the product, not the scores after it; or normalise queries and keys.",
    ),
    "products": Pattern(
        "products",
        "{n} of {of} products of {where} are beyond the largest number of {fmt}: they reach {value}.",
        "Scale the factors down, or compute this layer in a format with more range.",
    ),
    "squares": Pattern(
        "squares",
        "{n} of {of} squares of {where} are infinite in {fmt}, the largest that of {value}.",
        "Divide by the largest magnitude before squaring and multiply by it afterwards, or square in binary32.",
    ),
    "lost squares": Pattern(
        "squares",
        "{share} of the squares of {where} are 0 in {fmt} although their operands are not; the largest is that of "
        "{value}.",
        "Divide by the largest magnitude before squaring and multiply by it afterwards, or square in binary32.",
    ),
    "exp": Pattern(
        "exp",
        "{n} of {of} results of {where} are infinite in {fmt}; the largest argument is {value}.",
        "Subtract the largest number of each row before exp: the quotient is the same.",
    ),
    "sums": Pattern(
        "sums",
        "{n} of {of} sums of {where} are beyond the largest number of {fmt}: they reach {value}.",
        "Divide before adding up, or take the sum in binary32.",
    ),
    "residual": Pattern(
        "residual",
        "{n} of {of} results of {where} are beyond the largest number of {fmt}: they reach {value}.",
        "Keep what is added up over the layers in binary32 or bfloat16, or make what a layer adds smaller.",
    ),
    "absorbed": Pattern(
        "absorbed",
        "{share} of the numbers that {where} adds are too small to change the larger operand in {fmt}.",
        "Keep what is added up over the layers in binary32.",
    ),
    "conversion": Pattern(
        "conversion",
        "{n} of {of} numbers of {where} are beyond the largest number of {fmt}: they reach {value}.",
        "Convert after the numbers were scaled, or choose a format with more range.",
    ),
    "angles": Pattern(
        "angles",
        "{n} of {of} angles of {where} are too coarse in {fmt}: near {value} radians its numbers are more than 1/16 "
        "apart.",
        "Compute positions, angles, sine and cosine in binary32 and convert the results.",
    ),
    "log-probabilities": Pattern(
        "log-probabilities",
        "{n} of {of} results of {where} are too coarse in {fmt}: its numbers are up to {value} apart there, so that "
        "ratios of probabilities are wrong by that part.",
        "Convert the logits to binary32 before log_softmax; binary16 has numbers 8 times as dense as bfloat16.",
    ),
    "one-sided errors": Pattern(
        "one-sided errors",
        "The rounding errors of {where} point one way in {fmt}: over {of} results their mean is {value} ulp.",
        "Round stochastically, sum in a wider format, or make the factors inexact (in attention: subtract more than "
        "the largest score, so that no weight is exactly 1).",
    ),
}
"""By name; `Finding.text` fills in the numbers."""


def findings(root: Tensor, *, thorough: bool = False) -> tuple[Finding, ...]:
    """The known troubles in the graph of a result, in the order in which they happened.

    Parameters
    ----------
    root : Tensor
        Usually a loss.
    thorough : bool
        Whether to compute each matrix product once more in binary64, to see whether its errors point one way.
    """
    order = consumers_first(root)
    before_softmax = _reaching_softmax(order)
    found = []
    with np.errstate(all="ignore"):
        for tensor in reversed(order):
            if tensor.operation:
                found += [_finding(tensor, *seen) for seen in _seen(tensor, id(tensor) in before_softmax, thorough)]
    return merged(found)


def merged(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding for each pattern, layer, operation and format, with the counts added and the largest value."""
    kept: dict[tuple[str, str, str, str], Finding] = {}
    for one in found:
        key = (one.pattern, one.layer, one.operation, one.fmt)
        if (old := kept.get(key)) is not None:
            value = max(old.value, one.value, key=abs)
            one = replace(one, count=old.count + one.count, total=old.total + one.total, value=value)
        kept[key] = one
    return tuple(kept.values())


Seen = tuple[str, int, int, float]
"""Pattern, count, total, value."""


def _finding(tensor: Tensor, pattern: str, n: int, total: int, value: float) -> Finding:
    return Finding(pattern, tensor.layer, tensor.operation, tensor.value.fmt.name, n, total, value)


def _seen(tensor: Tensor, before_softmax: bool, thorough: bool) -> Iterator[Seen]:
    y, operands = tensor.value, [x.value for x in tensor.arguments]
    yield from _rows(tensor.operation, operands)
    yield from _invalid(tensor.operation, y, operands)
    yield from _overflow(tensor, y, operands, before_softmax)
    yield from _lost(tensor, y, operands)
    if tensor.operation in ("sin", "cos"):
        yield from _angles(operands[0])
    if thorough and tensor.operation == "matmul":
        yield from _one_sided(y, *operands)
    if thorough and tensor.operation == "log_softmax":
        yield from _coarse_logarithms(y)


# --- masks ----------------------------------------------------------------------------------------------------------


def _rows(operation: str, operands: list[FloatArray]) -> Iterator[Seen]:
    """Rows of a softmax that a mask has emptied."""
    if operation not in ("softmax", "log_softmax") or not operands[0].size:
        return
    largest = operands[0].values.max(axis=-1)
    yield from _some("empty row", largest == -math.inf)
    yield from _some("mask as number", (largest > -math.inf) & (largest < NO_SCORE))


def _some(pattern: str, where: Array, value: float = 0.0) -> Iterator[Seen]:
    if n := int(np.count_nonzero(where)):
        yield pattern, n, where.size, value


# --- NaN that an operation made -------------------------------------------------------------------------------------


def _invalid(operation: str, y: FloatArray, operands: list[FloatArray]) -> Iterator[Seen]:
    """NaN from operands without NaN."""
    if operation not in INVALID or not np.isnan(y.values).any():
        return
    a, b = (np.broadcast_to(x.values, y.shape) for x in operands)
    for pattern, is_so in INVALID[operation]:
        yield from _some(pattern, is_so(a, b), float(y.fmt.max_finite))


INVALID: Mapping[str, tuple[tuple[str, Callable[[Array, Array], Array]], ...]] = {
    "add": (("no difference", lambda a, b: np.isinf(a) & (b == -a)),),
    "subtract": (("no difference", lambda a, b: np.isinf(a) & (a == b)),),
    "multiply": (("zero times infinity", lambda a, b: ((a == 0) & np.isinf(b)) | (np.isinf(a) & (b == 0))),),
    "divide": (
        ("zero by zero", lambda a, b: (a == 0) & (b == 0)),
        ("infinity by infinity", lambda a, b: np.isinf(a) & np.isinf(b)),
    ),
}
"""By operation: which operands give NaN."""


# --- overflow -------------------------------------------------------------------------------------------------------


def _overflow(tensor: Tensor, y: FloatArray, operands: list[FloatArray], before_softmax: bool) -> Iterator[Seen]:
    """Infinite results of finite operands."""
    infinite = np.isinf(y.values)
    if not infinite.any() or not all(np.isfinite(x.values).all() for x in operands):
        return
    if _is_square(tensor):
        yield from _some("squares", infinite, _largest(operands[0].values))
    elif tensor.operation == "exp":
        yield from _some("exp", infinite, _largest(operands[0].values))
    elif tensor.operation == "matmul":
        pattern = "scores" if before_softmax and all(map(_is_computed, tensor.arguments)) else "products"
        yield from _some(pattern, infinite, _largest(_wide_product(*operands)))
    elif tensor.operation in SUMS:
        yield from _some("sums", infinite, float(np.abs(operands[0].values.astype(np.float64)).sum()))
    elif tensor.operation == "add":
        yield from _some("residual", infinite, _largest(_wide(operands[0]) + _wide(operands[1])))
    elif tensor.operation == "cast":
        yield from _some("conversion", infinite, _largest(operands[0].values))


SUMS = ("sum", "sum_rows", "mean")


def _is_square(tensor: Tensor) -> bool:
    same = tensor.operation == "multiply" and tensor.arguments[0] is tensor.arguments[1]
    return same or tensor.operation == "square" or (tensor.operation == "power" and _exponent(tensor) == 2)


def _exponent(tensor: Tensor) -> float:
    exponent = tensor.arguments[1].value
    return float(exponent.values.reshape(-1)[0]) if exponent.size else 0.0


def _wide(x: FloatArray) -> Array:
    return x.values.astype(np.float64)


def _wide_product(a: FloatArray, b: FloatArray) -> Array:
    product: Array = np.matmul(_wide(a), _wide(b))
    return product


def _largest(x: Array) -> float:
    """The number of the largest magnitude, with its sign."""
    return float(x.reshape(-1)[np.abs(x).argmax()]) if x.size else 0.0


def _is_computed(tensor: Tensor) -> bool:
    """Whether a tensor is no parameter, in whatever shape or format."""
    while tensor.operation in VIEWS:
        tensor = tensor.arguments[0]
    return not tensor.name


VIEWS = ("cast", "reshape", "narrow", "narrow_back", "transpose", "broadcast")
"""Operations that give a tensor in another shape or format."""

BETWEEN = frozenset(["multiply", "divide", "add", "subtract", "where", "cast", "masked", "transpose", "reshape"])
"""Operations that may stand between a product and its softmax: scaling, masks, moves."""


def _reaching_softmax(order: list[Tensor]) -> set[int]:
    """Which tensors a softmax takes, if only after they were scaled, masked or moved."""
    reached: set[int] = set()
    for tensor in order:
        if tensor.operation in ("softmax", "log_softmax") or (id(tensor) in reached and tensor.operation in BETWEEN):
            reached.update(id(x) for x in tensor.arguments)
    return reached


# --- what is lost without an infinity -------------------------------------------------------------------------------


def _lost(tensor: Tensor, y: FloatArray, operands: list[FloatArray]) -> Iterator[Seen]:
    """Squares that are 0, and addends that change nothing, if they are many."""
    if _is_square(tensor):
        x = operands[0].values
        gone = (y.values == 0) & (x != 0)
        if gone.any() and np.count_nonzero(gone) >= MANY * gone.size:
            yield from _some("lost squares", gone, _largest(np.where(gone, x, 0)))
    elif tensor.operation == "add" and all(x.wanted and x.value.shape == y.shape for x in tensor.arguments):
        a, b = (x.values for x in operands)
        kept = np.where(np.abs(a) < np.abs(b), b, a)
        absorbed = (a != 0) & (b != 0) & (y.values == kept) & np.isfinite(kept)
        if absorbed.any() and np.count_nonzero(absorbed) >= MANY * absorbed.size:
            yield from _some("absorbed", absorbed)


def _angles(x: FloatArray) -> Iterator[Seen]:
    largest = _largest(np.where(np.isfinite(x.values), x.values, 0))
    if largest and float(ulp(largest, x.fmt)) > COARSE:
        yield from _some("angles", np.abs(x.values) >= _first_coarse(x), largest)


def _first_coarse(x: FloatArray) -> float:
    """The smallest power of two from which on neighbours are more than COARSE apart."""
    return float(2.0 ** (x.fmt.precision + math.log2(COARSE)))


def _coarse_logarithms(y: FloatArray) -> Iterator[Seen]:
    """Logarithms of probabilities whose neighbours are far apart; those of the rarest classes are not counted."""
    known = np.isfinite(y.values) & (y.values > LEAST)
    apart = np.where(known, np.asarray(ulp(np.where(known, y.values, 0), y.fmt), np.float64), 0)
    yield from _some("log-probabilities", apart > COARSE_LOGARITHM, float(apart.max(initial=0)))


def _one_sided(y: FloatArray, a: FloatArray, b: FloatArray) -> Iterator[Seen]:
    """Errors of a product whose mean cannot be chance."""
    errors = (_wide(y) - _wide_product(a, b)).reshape(-1)
    errors = errors[np.isfinite(errors)]
    spread, magnitude = math.sqrt(float(errors @ errors)), float(np.abs(errors).sum())
    total = float(errors.sum())
    if abs(total) > BIAS * magnitude and abs(total) > CERTAIN * spread:
        finite = y.values[np.isfinite(y.values)]
        units = float(np.mean(errors / np.asarray(ulp(finite, y.fmt), np.float64)))
        yield "one-sided errors", errors.size, errors.size, units
