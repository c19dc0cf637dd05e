"""The exercises of the lessons that are not tasks of their own kind: what each asks for, its cases, and what is right.

There are many cases, and most stand on no page, so that neither a constant nor a table of what the page shows passes.
The right answers follow the statement, by exact integers where that is possible, not a learner's way.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, TypeAlias

import numpy as np

from ... import arithmetic, cases, exact, faults, linalg
from ...codes import all_values
from ...faults.roundings import differs
from ...formats import BINARY16, Format, FormatLike, Rounding, get_format
from ...neighbours import ulp
from ...rounding import round_to
from .inputs import Columns, Given
from .plain import plain
from .results import anything
from .tasks import Task

Row: TypeAlias = tuple[Any, ...]
"""A label, and the arguments of a call."""
Array: TypeAlias = np.ndarray[Any, Any]

INF, NAN = math.inf, math.nan


def _rng() -> np.random.Generator:
    """The same source of random numbers for every exercise."""
    return np.random.default_rng(16)


def _numbers(count: int, fmt: FormatLike = "binary16", spread: int = 12) -> list[float]:
    """Random numbers of a format, of both signs and of many sizes around 1."""
    rng = _rng()
    x = rng.normal(size=count) * 2.0 ** rng.integers(-spread, spread + 1, count)
    return np.asarray(round_to(x, fmt), np.float64).tolist()


@lru_cache(maxsize=1)
def _ordered() -> Array:
    """All finite numbers of binary16 in ascending order, with one zero."""
    x = np.asarray(all_values("binary16")) + 0.0
    return np.unique(x[np.isfinite(x)])


def _round(x: Fraction | int, fmt: FormatLike = "binary64") -> float:
    return float(exact.round_to(x, fmt))


# --- sixteen bits; rounding; edges ----------------------------------------------------------------------------------


def _binades() -> Iterator[Row]:
    for k in sorted([*range(-40, 41), -1000, 1000], key=abs):
        yield ("normal numbers" if -14 <= k <= 15 else "subnormal numbers" if -24 <= k < -14 else "no numbers"), k


def _numbers_in_binade(k: int) -> int:
    below, above = np.searchsorted(_ordered(), [2.0**k, 2.0 ** (k + 1)])
    return int(above - below)


def _finite_floats() -> Iterator[Row]:
    for x in cases.roundable("binary16")[:3000].tolist():
        if math.isfinite(x):
            yield "ordinary numbers" if abs(x) >= 2.0**-14 else "subnormal numbers and zero", x
    for k in sorted(range(-13, 17), key=abs):  # log2 may round up to k; the exponent is k - 1
        yield "just below a power of two", math.nextafter(2.0**k, 0)
    for k in range(17, 1024, 50):
        yield "large numbers", 1.5 * 2.0**k


def _ulp_of(x: float) -> float:
    return 2.0 ** exact.quantum_exponent(abs(Fraction(x)), BINARY16) if x else 2.0**-24


_SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, 5e-324, -5e-324, 65504.0, INF, -INF, NAN)


def _pairs_of_specials() -> Iterator[Row]:
    equal = [(x, x) for x in _numbers(60)]
    for a, b in itertools.chain(itertools.product(_SPECIAL, repeat=2), equal):
        yield "zeros" if a == b == 0 else "NaN" if a != a or b != b else "other numbers", a, b


def _same(a: float, b: float) -> bool:
    return repr(a) == repr(b)


def _pairs_to_average() -> Iterator[Row]:
    rng = _rng()
    largest, smallest = 1.7976931348623157e308, 5e-324
    for a, b in ((1.0, 2.0), (-1.0, 1.0), (3.0, 8.0), (0.1, 0.2)):
        yield "ordinary numbers", a, b
    for a, b in ((1, 1), (3, 1), (1, 0), (-1, -2), (5, 2), (2**52, 2**52 + 1)):
        yield "the smallest numbers", a * smallest, b * smallest
    for a, b in ((1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (1.0, 0.5), (-1.0, -0.75)):
        yield "the largest numbers", a * largest, b * largest
    for a, b in rng.uniform(0.5, 1.0, (50, 2)).tolist():
        yield "the largest numbers", a * largest, b * largest
    for a, b in (rng.integers(-(2**40), 2**40, (50, 2)) * smallest).tolist():
        yield "the smallest numbers", a, b
    for a, b in rng.normal(size=(50, 2)).tolist():
        yield "ordinary numbers", a, b


def _mean(a: float, b: float) -> float:
    return _round((Fraction(a) + Fraction(b)) / 2)


# --- arithmetic on paper; how wrong ---------------------------------------------------------------------------------


def _shifts() -> Iterator[Row]:
    for n, k in itertools.product(range(41), range(7)):
        yield "small integers", n, k
    for n, k in ((1, 10), (0, 10), (3, 60), (2**60, 61), (2**60 + 1, 61)):
        yield "everything pushed out", n, k
    for k in (52, 53, 54, 64, 90):
        for beyond in (0, 1, 2**k // 2 - 1, 2**k // 2, 2**k // 2 + 1, 2**k - 1):
            for kept in (2**10, 2**10 + 1):
                yield "large integers", kept * 2**k + beyond, k


def _shift_right_round(n: int, k: int) -> int:
    return round(Fraction(n, 2**k))


def _pairs_of_numbers() -> Iterator[Row]:
    u, top = 2.0**-10, 65504.0
    for a, b in ((1.0, 1.0), (1.0, 1 + u), (1 + u, 1.0), (1.0, 2.0), (-1.0, -2.0), (2048.0, 2050.0), (-top, top)):
        yield "two numbers", a, b
    for a, b in itertools.product((0.0, -0.0, 2.0**-24, -(2.0**-24), 2.0**-14), repeat=2):
        yield "around zero", a, b
    x = _numbers(400)
    for a, b in zip(x[::2], x[1::2], strict=True):
        yield "two numbers", a, b


def _ulps_apart(a: float, b: float) -> int:
    below, above = np.searchsorted(_ordered(), sorted([a, b]))
    return int(above - below)


def _coefficients() -> Iterator[Row]:
    """b = 2^k + 2^-k, rounded, where every good way to compute gives 2^-k exactly."""
    for k in (0, 1, 2, 4, 6, 8, 10, 12, *range(30, 1001, 10)):
        for sign in (1.0, -1.0):
            label = "ordinary coefficients" if k <= 12 else "large coefficients" if k < 500 else "where b * b overflows"
            yield label, sign * (2.0**k + 2.0**-k)


def _small_root(b: float) -> float:
    k = math.frexp(b)[1] - 1 if abs(b) != 2 else 0
    return math.copysign(2.0**-k, b)


def _angles() -> Iterator[Row]:
    yield "x = 0", 0.0
    for k in (1, 2, 3, 5, 8, 11, 13, 27, 28, 30, 40, 100, 300):
        for sign in (1.0, -1.0):
            yield "tiny angles" if k > 13 else "ordinary angles", sign * 1.25 * 2.0**-k
    for x in (1.0, 2.0, 2.5, 3.0, -4.0, 5.0, 1e-3, 1e-9, 1e-100, 1e-300):
        yield "tiny angles" if abs(x) < 1e-4 else "ordinary angles", x
    for x in _rng().uniform(-6.0, 6.0, 30).tolist():
        yield "ordinary angles", x


def _versine_ratio(x: float) -> float:
    """By the series 1/2! - x^2/4! + x^4/6! - ..., rounded to binary16."""
    square, term, total = Fraction(x) ** 2, Fraction(1, 2), Fraction(0)
    for n in itertools.count(3, 2):
        total += term
        term *= -square / (n * (n + 1))
        if abs(term) < Fraction(1, 2**80):
            return _round(total, "binary16")
    raise AssertionError("the series ends")


# --- dot products; formats ------------------------------------------------------------------------------------------


def _terms() -> Iterator[Row]:
    rng = _rng()
    u = 2.0**-24
    yield "nothing to lose", [0.0, 0.0], 5
    yield "nothing to lose", [0.0, 0.75], 1
    yield "nothing to lose", [2.0**-30, 2.0**-31], 2
    for bits in range(7):
        yield "small terms beside 0", [0.0, 2.0**-30, 2.0**-31, 2.0**-34], bits
        for terms in ([8.0, 1.75], [8.0, -1.75], [-8.0, -1.75], [8.0, 1.75, -1.75], [3.0, 3.0], [-1.0, 0.375]):
            yield "two or three terms", terms, bits
    for bits in (22, 23, 24, 25):
        yield "many small terms", [1.0, u, u, u, u], bits
        yield "many small terms", [-0.5, u, u], bits
    for _ in range(80):
        size = int(rng.integers(2, 9))
        drawn = rng.integers(-2048, 2049, size) * 2.0 ** rng.integers(-12, 4, size)
        yield "ordinary lists", drawn.tolist(), int(rng.integers(0, 16))


def _aligned_sum(terms: Sequence[float], bits: int) -> float:
    exact_terms = [Fraction(x) for x in terms if x]
    if not exact_terms:
        return 0.0
    quantum = Fraction(2) ** (max(exact.exponent_of(abs(x)) for x in exact_terms) - bits)
    return float(sum(int(x / quantum) for x in exact_terms) * quantum)


def _lengths() -> Iterator[Row]:
    for n_bits, p in itertools.product((1, 2, 3, 4, 5, 7, 8, 11, 12, 16), (1, 8, 11, 15, 16, 24, 53, 64, 113)):
        yield "a few bits" if p <= 11 else "more bits", n_bits, p


def _longest_exact(n_bits: int, p: int) -> int:
    return 2**p // (2**n_bits - 1) ** 2


def _triangles() -> Iterator[Row]:
    rng = _rng()
    yield "two unknowns", [[2.0, 1.0], [0.0, 4.0]], [5.0, 4.0]
    yield "one unknown", [[3.0]], [1.0]
    for _ in range(60):
        n = int(rng.integers(2, 6))
        u = np.triu(rng.normal(size=(n, n))) + 2 * np.eye(n)
        rows, b = (np.asarray(round_to(x, "binary16")).tolist() for x in (u, rng.normal(size=n)))
        yield "more unknowns" if n > 2 else "two unknowns", rows, b


def _upper_solve(u: Sequence[Sequence[float]], b: Sequence[float]) -> list[float]:
    found: list[float] = linalg.triangular_solve(u, b, "binary16").tolist()
    return found


def _errors() -> Iterator[Row]:
    for k, start, goal in itertools.product((1, 2, 3, 5, 10), (0, 1, 4, 8, 10, 24), (8, 11, 24, 53)):
        yield "one correction is enough" if goal - start <= k else "several corrections", k, start, goal


def _corrections(k: int, start: int, goal: int) -> int:
    return next(n for n in itertools.count() if start + n * k >= goal)


def _two_lists() -> Iterator[Row]:
    yield "ordinary numbers", [1.0, 2.0, 3.0], [1.0, 2.5, 3.0]
    yield "no difference", [1.0, 2.0], [1.0, 2.0]
    yield "no difference", [], []
    for one, other in itertools.product((0.0, -0.0, NAN, 1.0, INF, -INF), repeat=2):
        yield "zeros, infinities and NaN", [1.0, one], [1.0, other]
        yield "zeros, infinities and NaN", [one, 5.0, 1.0], [other, 6.0, 2.0]
    rng = _rng()
    for k in range(60):
        numbers = _numbers(12)[: int(rng.integers(1, 12))]
        at = int(rng.integers(0, len(numbers)))
        yield "ordinary numbers", numbers, numbers[:at] + [x + 1 for x in numbers[at:]]
        yield "one is the beginning of the other", *((numbers, numbers[:at]) if k % 2 else (numbers[:at], numbers))


def _first_difference(a: Sequence[float], b: Sequence[float]) -> int:
    one, other = ([repr(float(x)) for x in x] for x in (a, b))  # repr tells the zeros apart, and NaN is "nan"
    return next((k for k, pair in enumerate(itertools.zip_longest(one, other)) if pair[0] != pair[1]), -1)


def _values_to_square() -> Iterator[Row]:
    yield "large numbers", [300.0, -300.0]
    yield "zeros", [0.0]
    yield "zeros", [-0.0, 0.0]
    yield "small numbers", [2.0**-24, 0.0]
    yield "large numbers", [65504.0, -65504.0, 65504.0]
    rng = _rng()
    for scale, label in ((1.0, "ordinary numbers"), (2000.0, "large numbers"), (2.0**-14, "small numbers")):
        for _ in range(30):
            drawn = rng.normal(size=int(rng.integers(1, 7))) * scale
            yield label, np.asarray(round_to(drawn, "binary16"), np.float64).tolist()


def _scaled_rms(values: Sequence[float]) -> float:
    m = max(abs(x) for x in values)
    if m == 0:
        return 0.0
    terms = [exact.multiply(q, q, "binary16") for q in (exact.divide(x, m, "binary16") for x in values)]
    total = terms[0]
    for term in terms[1:]:
        total = exact.add(total, term, "binary16")
    root = exact.sqrt(exact.divide(total, len(values), "binary16"), "binary16")
    return float(exact.multiply(root, m, "binary16"))


def _layouts() -> Iterator[Row]:
    for exponent_bits, trailing_bits in itertools.product(range(2, 12), (1, 2, 3, 4, 7, 10, 23, 52)):
        label = "large formats" if exponent_bits > 5 else "small formats"
        yield label, 1 + exponent_bits + trailing_bits, 1 + trailing_bits


def _facts(width: int, precision: int) -> tuple[int, float, float, float]:
    fmt = Format("of the exercise", width=width, precision=precision)
    return fmt.bias, float(fmt.max_finite), float(fmt.min_normal), float(fmt.min_subnormal)


def _blocks() -> Iterator[Row]:
    rng = _rng()
    tops = (6.0, 7.5, 28.0, 448.0, 57344.0)
    yield "nothing but zeros", [0.0, 0.0], 6.0
    yield "nothing but zeros", [-0.0], 448.0
    for top in tops:
        for value in (top, top / 2, top * 1.25, top * 0.75, top * (1 + 2.0**-20), top * (1 - 2.0**-20), 2.0**-40):
            yield "one number", [value], top
            yield "two numbers", [-value, 0.0], top
    for _ in range(60):
        values = rng.normal(size=int(rng.integers(2, 9))) * 2.0 ** int(rng.integers(-40, 41))
        yield "ordinary lists", values.tolist(), tops[int(rng.integers(len(tops)))]


def _block_scale(values: Sequence[float], top: float) -> float:
    largest = max(abs(Fraction(x)) for x in values)
    return 2.0 ** exact.exponent_of(Fraction(top) / largest) if largest else 1.0


def _stored_blocks() -> Iterator[Row]:
    rng = _rng()
    for scale_code, packed in ((127, [0x27]), (126, [0x1C]), (128, [0x01]), (127, [0x08]), (125, [0x80, 0x88])):
        yield "one or two bytes", scale_code, packed
    for code in range(16):
        yield "every element", 124 + code % 7, [code | (15 - code) << 4]
    for scale_code in (0, 1, 126, 127, 253, 254):
        yield "the ends of the scale's range", scale_code, [0x71, 0xF9]
    for size in (1, 2, 16):
        yield "NaN", 255, [0x27] * size
    for _ in range(40):
        yield "whole blocks", int(rng.integers(0, 255)), rng.integers(0, 256, 16).tolist()


def _read_mxfp4(scale_code: int, packed: Sequence[int]) -> list[float]:
    codes = [code for byte in packed for code in (byte % 16, byte // 16)]
    if scale_code == 255:
        return [NAN] * len(codes)
    elements = (float(exact.decode(code, "e2m1fn")) for code in codes)
    return [math.copysign(float(abs(Fraction(x)) * Fraction(2) ** (scale_code - 127)), x) for x in elements]


# --- a network in 16 bits -------------------------------------------------------------------------------------------


def _lists_of_gradients() -> Iterator[Row]:
    for k in (*range(16), *range(-1, -25, -1)):
        yield "one gradient", [(-2.0) ** k]
    yield "nothing to lose", [0.0, -0.0]
    yield "nothing to lose", []
    for k in range(16):
        edge = 65520.0 / 2**k  # times 2^k it is infinite; just below it is not
        yield "at the edge", [65519.0 / 2**k, 0.0]
        yield "at the edge", [float(np.nextafter(edge, 0)), 0.0]
        yield "at the edge", [-edge if k else -65519.0, 1e-9]
    rng = _rng()
    for _ in range(60):
        size = int(rng.integers(1, 7))
        yield "ordinary lists", (rng.normal(size=size) * 2.0 ** int(rng.integers(-20, 13))).tolist()


def _largest_scale(gradients: Sequence[float]) -> float:
    scales = (2**k for k in range(15, -1, -1))
    return next(s for s in scales if all(math.isfinite(_round(Fraction(g) * s, "binary16")) for g in gradients))


def _smallest_networks() -> Iterator[Row]:
    for steps in (0, 1, 2, 3, 20):
        yield "a few steps", 1.0, 1.0, 2.0, 0.5, steps
        yield "a few steps", -3.0, 2.0, 1.0, 0.125, steps
    yield "stalls", 1.0, 1.0, 2.0, 0.001, 600
    yield "stalls", 0.5, 0.5, 1.0, 0.01, 300
    yield "goes beyond the largest number", 1.0, 4.0, 0.0, 1.0, 10
    x = iter(_numbers(120, spread=1))
    for row in zip(x, x, x, strict=True):
        yield "ordinary numbers", *row, 0.25, 7


def _one_weight(w: float, x: float, target: float, rate: float, steps: int) -> float:
    for _ in range(steps):
        gradient = arithmetic.multiply(arithmetic.subtract(arithmetic.multiply(w, x), target), x)
        w = float(arithmetic.subtract(w, arithmetic.multiply(rate, gradient)))
    return w


# --- backpropagation; training; the article -------------------------------------------------------------------------


def _lines() -> Iterator[Row]:
    """Small integers, so that every order of operations is exact; no gradient is 0, whose sign would depend on it."""
    yield "one point", 1.0, 0.0, [2.0], [1.0]
    yield "two points", 1.0, 0.0, [2.0, 3.0], [1.0, 5.0]
    rng = _rng()
    for _ in range(80):
        size = int(rng.integers(1, 7))
        w, b = rng.integers(-5, 6, 2).astype(float).tolist()
        xs, ts = rng.integers(-9, 10, (2, size)).astype(float).tolist()
        if all(_line_gradients(w, b, xs, ts)):
            yield "one point" if size == 1 else "several points", w, b, xs, ts


def _line_gradients(w: float, b: float, xs: Sequence[float], ts: Sequence[float]) -> tuple[float, float]:
    errors = [w * x + b - t for x, t in zip(xs, ts, strict=True)]
    return 2 * sum(e * x for e, x in zip(errors, xs, strict=True)), 2 * sum(errors)


def _tanhs() -> Iterator[Row]:
    for g in (1.0, 2.0, -3.0, 2.0**-14, 2.0**-15, 0.25):
        for y in (0.0, 0.5, 1.0, -1.0, -0.99951171875, 0.9892578125, 0.8251953125, 0.0999755859375):
            yield "saturated" if abs(y) > 0.98 else "ordinary numbers", g, y
    for g, y in zip(_numbers(200), np.asarray(round_to(np.tanh(_numbers(200, spread=2)), "binary16")), strict=True):
        yield "saturated" if abs(y) > 0.98 else "ordinary numbers", g, float(y)


def _tanh_vjp(g: float, y: float) -> float:
    return float(arithmetic.multiply(g, arithmetic.subtract(1.0, arithmetic.multiply(y, y))))


def _quotients() -> Iterator[Row]:
    rows = [(1.0, 1.0, 2.0), (3.0, 8.0, 4.0), (1.0, -1.0, 0.5), (2.0, 3.0, 7.0), (-1.0, 5.0, -3.0)]
    for row in rows:
        yield "ordinary numbers", *row
    for k in (-2, -1, 1, 2, 3):
        yield "small numbers", 2.0**-14, 2.0**-12, 2.0**k
    x = _numbers(600, spread=5)
    for row in zip(x[::3], x[1::3], x[2::3], strict=True):
        yield "ordinary numbers", *row


def _divide_vjp(g: float, a: float, b: float) -> tuple[float, float]:
    y = arithmetic.divide(a, b)
    minus = arithmetic.subtract(-0.0, arithmetic.multiply(g, y))
    return float(arithmetic.divide(g, b)), float(arithmetic.divide(minus, b))


def _factors() -> Iterator[Row]:
    for row in ([3.0], [2.0, 3.0], [2.0, 3.0, 5.0], [2048.0, 3.0, 0.5, 0.25], [0.1, 0.2, 0.3]):
        yield "ordinary numbers", np.asarray(round_to(row, "binary16"), np.float64).tolist()
    yield "underflow", [1.0, 2.0**13, 2.0**-14, 2.0**-12]
    yield "underflow", [2.0**-14, 2.0**-12, 2.0**13]
    x = iter(_numbers(400, spread=3))
    for count in range(1, 21):
        yield "ordinary numbers", list(itertools.islice(x, count))


def _product_gradients(factors: Sequence[float]) -> list[float]:
    def product(numbers: Sequence[float]) -> float:
        total = numbers[0]
        for x in numbers[1:]:
            total = float(arithmetic.multiply(total, x))
        return total

    after = [1.0]  # the g with which the walk comes to each factor, from the last
    for x in factors[:0:-1]:
        after.append(float(arithmetic.multiply(after[-1], x)))
    return [
        float(arithmetic.multiply(after[len(factors) - 1 - k], product(factors[:k]))) if k else after[-1]
        for k in range(len(factors))
    ]


def _named_tensors() -> Iterator[Row]:
    """Lists of up to four tensors; of those with a number that is not finite, each has it somewhere else."""
    names = ("logits", "exp", "sum", "loss")
    yield "nothing to find", []
    yield "nothing to find", [("logits", [1.0, -2.0]), ("exp", [])]
    for size, bad in itertools.product((1, 2, 3, 4), (INF, -INF, NAN)):
        for where, index in itertools.product(range(size), range(3)):
            tensors = [(name, [1.0, -0.0, 65504.0]) for name in names[:size]]
            yield "nothing to find", [(name, [*numbers]) for name, numbers in tensors]
            tensors[where][1][index] = bad
            yield "one number", [(name, [*numbers]) for name, numbers in tensors]
            for _, numbers in tensors[where + 1 :]:
                numbers[:] = [NAN, bad, 1.0]
            yield "and all that follows", tensors
    yield "large numbers", [("sum", [1.7976931348623157e308, 5e-324]), ("loss", [0.0])]


def _first_not_finite(tensors: Sequence[tuple[str, Sequence[float]]]) -> tuple[str, int]:
    found = ((name, k) for name, numbers in tensors for k, x in enumerate(numbers) if x - x != 0)
    return next(found, ("", -1))


def _gradients() -> Iterator[Row]:
    for x in cases.values("binary16").tolist():
        small = abs(x) < 2.0**-7
        yield "where v underflows" if small else "where v overflows" if abs(x) > 200 else "ordinary numbers", x
    for x in _numbers(200, spread=9):
        yield "ordinary numbers", x


def _first_second_moment(g: float) -> float:
    factor = arithmetic.subtract(1.0, round_to(0.999, "binary16"))
    return float(arithmetic.multiply(factor, arithmetic.multiply(g, g)))


def _updates() -> Iterator[Row]:
    for fmt, p in (("bfloat16", 8), ("binary16", 11), ("e4m3fn", 4), ("binary32", 24)):
        for weight in (1.0, -1.0, 1.5, 2.0 - 2.0 ** (1 - p)):
            for k in range(p - 2, p + 3):
                for step in (2.0**-k, -(2.0**-k), 1.25 * 2.0**-k):
                    yield "small steps", weight, float(round_to(step, fmt)), fmt
        yield "no step", 1.0, 0.0, fmt
        yield "no step", 0.0, 0.0, fmt
        yield "no weight", 0.0, 2.0**-6, fmt
    yield "small steps", 2048.0, 1.0, "binary16"
    yield "small steps", 2050.0, 1.0, "binary16"


def _absorbed(weight: float, step: float, fmt: str) -> bool:
    return step != 0 and exact.add(weight, step, fmt) == weight


def _kahan_updates() -> Iterator[Row]:
    for weight, lost, step in itertools.product((1.0, 256.0, -3.0), (0.0, -1.0, 0.5), (1.0, -1.0, 2.0**-4)):
        yield "a few", weight, lost, step
    for k, lost in itertools.product((6, 7, 8, 9, 10), (0.0, 2.0**-9, -(2.0**-9), -(2.0**-8))):
        yield "small steps", 1.0, lost, 2.0**-k
    x = _numbers(600, "bfloat16", 3)
    for weight, lost, step in zip(x[::3], x[1::3], x[2::3], strict=True):
        yield "ordinary numbers", weight, float(round_to(lost * 2.0**-8, "bfloat16")), step


def _kahan_update(weight: float, lost: float, step: float) -> tuple[float, float]:
    fmt = "bfloat16"
    y = arithmetic.subtract(step, lost, fmt)
    moved = arithmetic.add(weight, y, fmt)
    return float(moved), float(arithmetic.subtract(arithmetic.subtract(moved, weight, fmt), y, fmt))


def _scaled_gradients() -> Iterator[Row]:
    """Lists of gradients, and a shift; among them are those that land on the edges of binary16, and beside them."""
    yield "a few", [0.0, 1e-8, -3.0], 0
    yield "a few", [0.0, 1e-8, -3.0], 15
    yield "a few", [0.0, -0.0], 10
    for k, edge in itertools.product((0, 4, 10, 15), (2.0**-25, 2.0**-24, 65504.0, 65520.0)):
        x = math.ldexp(edge, -k)
        yield "at the edges", [1e-3, x, -x], k
        yield "beside the edges", [math.nextafter(x, 0), -math.nextafter(x, INF), 0.0], k
    rng = _rng()
    for k in range(0, 21, 2):
        numbers = rng.normal(size=12) * 2.0 ** rng.integers(-40, 4, 12)
        yield "ordinary numbers", numbers.tolist(), k


def _fate_of(gradients: Sequence[float], k: int) -> tuple[int, int]:
    rounded = [abs(exact.round_to(math.ldexp(x, k), "binary16")) for x in gradients if x != 0]
    return rounded.count(0), rounded.count(INF)


def _runs() -> Iterator[Row]:
    yield "a few", [3.0, 3.0, 3.0], 65536.0, 1
    yield "a few", [], 8.0, 2
    yield "a few", [65520.0, 1.0, 65504.0], 1.0, 3
    yield "a few", [65519.0, 65520.0], 1.0, 3  # beyond 65504, and still finite when rounded
    for (scale, interval), g in itertools.product(((65536.0, 1), (1024.0, 2), (1.0, 3)), (3.0, 1000.0, 1e-3, 65520.0)):
        yield "one size", [g] * 40, scale, interval
    for sizes, interval in itertools.product(itertools.product((1.0, 4.0, 65520.0), repeat=4), (1, 2, 3)):
        yield "four steps", [*sizes], 16384.0, interval
    rng = _rng()
    for interval in (1, 2, 3, 5, 8, 13) * 4:
        x = 2.0 ** rng.integers(-12, 14, 60) * rng.choice([1.0, 1.5, 65520 / 2**15, 65504 / 2**15], 60)
        yield "many sizes", x.tolist(), float(2 ** rng.integers(0, 17)), interval


def _count_skipped(largest: Sequence[float], scale: float, interval: int) -> int:
    skipped = good = 0
    for g in largest:
        scaled = float(exact.round_to(g * scale, "binary16"))
        taken, scale, good = _dynamic_step([scaled], scale, good, interval)
        skipped += not taken
    return skipped


def _steps() -> Iterator[Row]:
    lists = ([1.0, -2.0], [0.0], [1e30], [-1.0, 2.0, 3.0], [1.0, INF], [NAN, 0.0], [-INF], [0.0, -0.0, NAN])
    for gradients, scale, (good, interval) in itertools.product(
        lists, (0.5, 1.0, 8.0, 1024.0, 65536.0), ((0, 1), (0, 2), (1, 2), (5, 2000), (1998, 2000), (1999, 2000))
    ):
        label = "finite gradients" if all(map(math.isfinite, gradients)) else "gradients that are not finite"
        yield label, gradients, scale, good, interval


def _dynamic_step(gradients: Sequence[float], scale: float, good: int, interval: int) -> tuple[bool, float, int]:
    if not all(map(math.isfinite, gradients)):
        return False, scale / 2, 0
    grows = good + 1 == interval
    return True, scale * (1 + grows), 0 if grows else good + 1


def _networks() -> Iterator[Row]:
    for parameters, activations in itertools.product((0, 1, 7, 1000, 123_456, 10**9), (0, 1, 7, 5000, 10**6)):
        for master in (False, True):
            yield "with master weights" if master else "without", parameters, activations, master


def _memory(parameters: int, activations: int, master: bool) -> int:
    each = 2 + 4 + 4 + 4 + 4 if master else 2 + 2 + 2 + 2
    return parameters * each + 2 * activations


def _predictions() -> Iterator[Row]:
    for size in (1, 2, 3, 4):
        for labels, predicted in itertools.product(itertools.product((0, 1), repeat=size), repeat=2):
            yield "no such class" if 1 not in labels + predicted else "two classes", [*labels], [*predicted], 1
    rng = _rng()
    for _ in range(60):
        labels, predicted = rng.integers(0, 4, (2, int(rng.integers(4, 20)))).tolist()
        yield "four classes", labels, predicted, int(rng.integers(0, 4))


def _f1(labels: Sequence[int], predicted: Sequence[int], positive: int) -> float:
    right = sum(a == b == positive for a, b in zip(labels, predicted, strict=True))
    total = [*labels, *predicted].count(positive)
    return _round(Fraction(2 * right, total)) if total else 0.0


def _adam_steps() -> Iterator[Row]:
    """Powers of 2, and of 4 where a root is taken: every way to compute is exact."""
    for g, m, v, correct in itertools.product((1.0, -4.0, 2.0, -0.125, 3.0), (1, 2, 3, 5), (1, 2, 3), (True, False)):
        yield "corrected" if correct else "not corrected", g, 1 - 2.0**-m, 1 - 4.0**-v, correct


def _first_step(g: float, beta1: float, beta2: float, correct: bool) -> float:
    return math.copysign(1.0 if correct else (1 - beta1) / math.sqrt(1 - beta2), g)


def _ranges() -> Iterator[Row]:
    """Short ranges of integers, where formats begin to leave some out."""
    for fmt, p, ends in (("binary16", 11, 17), ("bfloat16", 8, 17), ("e4m3fn", 4, 8), ("e5m2", 3, 8)):
        for k in range(p - 1, ends):
            top = 2 ** min(k, p + 3)
            yield "where integers begin to be left out", top - 5, top + 6, fmt
            yield "negative integers", -top - 3, -top + 4, fmt
        yield "small integers", -3, 3, fmt
        yield "one integer", 2**p + 1, 2**p + 1, fmt
        yield "one integer", 2**p, 2**p, fmt
    yield "many integers", -100, 300, "bfloat16"
    yield "many integers", 2000, 2200, "binary16"


def _changed(low: int, high: int, fmt: str) -> int:
    x = np.arange(low, high + 1, dtype=np.float64)
    return int(np.count_nonzero(np.asarray(round_to(x, fmt), np.float64) != x))


def _epsilons() -> Iterator[Row]:
    half = 2.0**-25  # of the smallest subnormal number: a tie, which goes to 0
    yield "0", 0.0
    for x in (half, np.nextafter(half, 0), np.nextafter(half, 1), 3e-8, 2e-8, 1e-8):
        yield "around half the smallest number", float(x)
    for k in range(60):
        yield "large" if k < 20 else "small", 10.0 ** (-k / 4)


def _survives(epsilon: float) -> bool:
    return Fraction(epsilon) > Fraction(1, 2**25)


# --- everyday numbers -----------------------------------------------------------------------------------------------

_CHOICES = ("binary16", "bfloat16", "binary32", "binary64")


def _quantities() -> Iterator[Row]:
    yield "a score", 100.0, 1.0
    yield "a score", 100.0, 0.01
    for largest in (1.0, 180.0, 2047.0, 2048.0, 4095.0, 65504.0, 65505.0, 1e7, 1767225600.0, 1e38, 3.4e38, 1e300):
        for fmt in ("binary16", "bfloat16", "binary32", "binary64"):
            step = float(ulp(largest, fmt))
            for factor in (1.0, 0.75, 1.5):
                yield "a step that is just fine enough" if factor == 1 else "other steps", largest, step * factor
    yield "other steps", float(get_format("binary32").max_finite), 1e38
    yield "other steps", 1e16, 0.01


def _narrowest(largest: float, step: float) -> str:
    fine = (f for f in _CHOICES if get_format(f).max_finite >= largest and float(ulp(largest, f)) <= step)
    return next(fine, "none")


def _price_lists() -> Iterator[Row]:
    for prices in ([], ["1.00"], ["0.29"], ["7"], ["0.5", "0.05"], ["12.30", "-1.05"], ["1.1", "2.2", "-3.30"]):
        yield "a few prices", [*prices]
    yield "large prices", ["90071992547409.93", "0.01"]
    yield "large prices", ["123456789012345678.91", "-123456789012345678.90"]
    rng = _rng()
    for size in range(1, 40):
        cents = rng.integers(-500, 100_000, size).tolist()
        yield "ordinary lists", [f"{'-' if c < 0 else ''}{abs(c) // 100}.{abs(c) % 100:02}" for c in cents]


def _total_cents(prices: Sequence[str]) -> int:
    return int(sum((Fraction(price) * 100 for price in prices), Fraction(0)))


# --- property tests; the quiz -----------------------------------------------------------------------------------------


_TO_ROUND = np.array(
    [1, 0.1, 2049, 2048.5, 2051, 1 / 3, 4097.5, 65504, 65519, 65520, 70000, INF, 0, 2**-14, 1e-5, 2**-25, 1e-9],
    np.float32,
).astype(np.float64)
"""Of at most 24 digits, so that float64 has their distance from a number of binary16 exactly."""


def _pairs_rounded() -> Iterator[Row]:
    """Two numbers, and what a rounder made of them."""
    x, following = _TO_ROUND, np.roll(_TO_ROUND, 1)
    x, y = np.concatenate([x, -x, x]), np.concatenate([following, -following, -x])
    rounders: list[Callable[[Array], Any]] = [round_to, *faults.wrong_rounders(BINARY16, Rounding.TIES_TO_EVEN)]
    seen: dict[Row, str] = {}
    for rounder in rounders:
        label = "of a right rounder" if rounder is round_to else "of a wrong rounder"
        rounded = [np.asarray(rounder(column), np.float64).tolist() for column in (x, y)]
        for row in zip(x.tolist(), y.tolist(), *rounded, strict=True):
            seen.setdefault(row, label)
    for a, b, ra, rb in ((65504.0, 1.0, 65472.0, 1.0), (2051.0, 2051.0, 2050.0, 2052.0)):
        seen |= {(a, b, ra, rb): "of a wrong rounder", (b, a, rb, ra): "of a wrong rounder"}
    for row, label in seen.items():
        if not any(map(math.isnan, row)):
            yield label, *row


def _broken_laws(x: float, y: float, rx: float, ry: float) -> list[str]:
    both = ((x, rx), (y, ry))
    broken = {
        "format": any(exact.round_to(result, BINARY16) != result for _, result in both),
        "half an ulp": any(abs(given) <= BINARY16.max_finite and _is_far(given, result) for given, result in both),
        "order": (x <= y and not rx <= ry) or (y <= x and not ry <= rx),
        "mirror": y == -x and ry != -rx,
    }
    return [law for law, is_broken in broken.items() if is_broken]


def _is_far(x: float, result: float) -> bool:
    quantum = Fraction(2) ** exact.quantum_exponent(abs(Fraction(x)), BINARY16)
    return math.isinf(result) or 2 * abs(Fraction(result) - Fraction(x)) > quantum


def _failing_lists() -> Iterator[Row]:
    for size in (1, 2, 3):
        for values in itertools.product((0, 1, 2, 5), repeat=size):
            for limit in (0, 2, 3, 6):
                yield "nothing to do" if sum(values) <= limit else "short lists", [*values], limit
    rng = _rng()
    for _ in range(80):
        values = rng.integers(0, 100, int(rng.integers(2, 9))).tolist()
        yield "nothing to do" if sum(values) <= 150 else "ordinary lists", values, 150


def _shrink(values: Sequence[int], limit: int) -> list[int]:
    if sum(values) <= limit:
        return list(values)
    kept: list[int] = []
    for k, x in enumerate(values):
        if sum(kept) + sum(values[k + 1 :]) <= limit:
            kept.append(x)
    for k in range(len(kept)):
        kept[k] = max(0, limit + 1 - (sum(kept) - kept[k]))
    return kept


_add, _minus, _times, _over = arithmetic.add, arithmetic.subtract, arithmetic.multiply, arithmetic.divide

_LAWS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "commute": lambda a, b, c: (_add(a, b), _add(b, a)),
    "associate": lambda a, b, c: (_add(_add(a, b), c), _add(a, _add(b, c))),
    "distribute": lambda a, b, c: (_times(a, _add(b, c)), _add(_times(a, b), _times(a, c))),
    "cancel": lambda a, b, c: (_minus(_add(a, b), a), b),
}


def _law_cases() -> Iterator[Row]:
    top = 65504.0
    triples = [
        (1.0, 2.0, 3.0),
        (2048.0, 1.0, 1.0),
        (1.0, 0.5, 0.0),
        (2.0, 3.0, 4.0),
        (0.0, -0.0, 0.0),
        (-1.0, 1.0, -0.0),
    ]
    triples += [(top, top, -top), (top, 1.0, -1.0), (top, 2.0, -1.0), (2.0**-24, 0.5, 0.5), (0.5, 2.0**-24, 2.0**-24)]
    triples += [(INF, -INF, 1.0), (INF, 1.0, -1.0), (INF, 2.0, -1.0), (INF, 1.0, 0.0), (NAN, 1.0, 1.0), (0.0, INF, 1.0)]
    x = _numbers(300, spread=4)
    triples += zip(x[::3], x[1::3], x[2::3], strict=True)
    for triple in triples:
        label = "ordinary numbers" if all(map(math.isfinite, triple)) else "infinities and NaN"
        for law in _LAWS:
            yield label, law, *triple


def _holds(law: str, a: float, b: float, c: float) -> bool:
    left, right = _LAWS[law](a, b, c)
    return bool(left == right or (np.isnan(left) and np.isnan(right)))


_REWRITES: dict[str, tuple[Callable[[Array, float], Any], Callable[[Array, float], Any]]] = {
    "x + c -> x": (_add, lambda x, c: x),
    "x - c -> x": (_minus, lambda x, c: x),
    "x * c -> x": (_times, lambda x, c: x),
    "x * c -> c * x": (_times, lambda x, c: _times(c, x)),
    "x / c -> x * (1 / c)": (_over, lambda x, c: _times(x, _over(1.0, c))),
    "(x * c) / c -> x": (lambda x, c: _over(_times(x, c), c), lambda x, c: x),
    "(x + c) - c -> x": (lambda x, c: _minus(_add(x, c), c), lambda x, c: x),
    "x + x -> x * c": (lambda x, c: _add(x, x), _times),
    "c - x -> -(x - c)": (lambda x, c: _minus(c, x), lambda x, c: -_minus(x, c)),
}
_CONSTANTS = (1.0, -1.0, 2.0, 0.5, 3.0, 0.0, -0.0, 10.0, -2.0, 2.0**-14, 2.0**-15, 2.0**-16, 2.0**15, 65504.0, INF, NAN)


def _rewrites() -> Iterator[Row]:
    for c, rewrite in itertools.product(_CONSTANTS, _REWRITES):
        yield rewrite, rewrite, c


def _may_replace(rewrite: str, c: float) -> bool:
    x = np.asarray(all_values("binary16"))
    before, after = (np.asarray(side(x, c), np.float64) for side in _REWRITES[rewrite])
    return not differs(before, after).any()


# --- the table ------------------------------------------------------------------------------------------------------

_ASKED: dict[str, tuple[str, str, Callable[[], Iterator[Row]], Callable[..., Any]]] = {
    "numbers_in_binade": (
        "f(k)",
        "how many numbers x of binary16 have 2^k <= x < 2^(k + 1)",
        _binades,
        _numbers_in_binade,
    ),
    "ulp_of": ("f(x)", "the quantum of binary16 at a float, as if exponents had no upper end", _finite_floats, _ulp_of),
    "same": (
        "f(a, b)",
        "whether two floats are the same, the sign of zero included; NaN is NaN",
        _pairs_of_specials,
        _same,
    ),
    "mean": ("f(a, b)", "(a + b) / 2 of two floats, without overflow or underflow", _pairs_to_average, _mean),
    "shift_right_round": ("f(n, k)", "n / 2^k rounded to an integer, ties to even", _shifts, _shift_right_round),
    "ulps_apart": ("f(a, b)", "how many steps of next_up lie between two numbers", _pairs_of_numbers, _ulps_apart),
    "small_root": ("f(b)", "the root of x^2 - b x + 1 that is smaller in magnitude", _coefficients, _small_root),
    "versine_ratio": ("f(x)", "(1 - cos x) / x^2, rounded to binary16", _angles, _versine_ratio),
    "aligned_sum": ("f(terms, bits)", "the sum of aligned terms, each cut off", _terms, _aligned_sum),
    "longest_exact": ("f(n_bits, p)", "how many products always add up exactly", _lengths, _longest_exact),
    "upper_solve": ("f(u, b)", "x with u x = b for an upper triangle, in binary16", _triangles, _upper_solve),
    "corrections": ("f(k, start, goal)", "corrections from an error 2^-start to 2^-goal", _errors, _corrections),
    "first_difference": (
        "f(a, b)",
        "the index of the first place where two lists of floats differ, or -1",
        _two_lists,
        _first_difference,
    ),
    "scaled_rms": (
        "f(values)",
        "the root mean square by way of the largest magnitude, each step rounded to binary16",
        _values_to_square,
        _scaled_rms,
    ),
    "facts": ("f(width, precision)", "(bias, largest, smallest normal, smallest subnormal number)", _layouts, _facts),
    "block_scale": ("f(values, top)", "the largest power of two that scales no value above top", _blocks, _block_scale),
    "largest_scale": (
        "f(gradients)",
        "the largest of 1, 2, 4, ... 32768 by which no gradient becomes infinite in binary16",
        _lists_of_gradients,
        _largest_scale,
    ),
    "one_weight": (
        "f(w, x, target, rate, steps)",
        "the weight of the network w * x after some steps, each operation rounded to binary16",
        _smallest_networks,
        _one_weight,
    ),
    "line_gradients": (
        "f(w, b, xs, ts)",
        "the gradients by w and by b of the sum of (w * x + b - t)^2",
        _lines,
        _line_gradients,
    ),
    "read_mxfp4": ("f(scale_code, packed)", "the values of an MXFP4 block", _stored_blocks, _read_mxfp4),
    "tanh_vjp": ("f(g, y)", "g * (1 - y * y), each operation rounded to binary16", _tanhs, _tanh_vjp),
    "divide_vjp": ("f(g, a, b)", "(g / b, -(g * y) / b) with y = a / b, each rounded", _quotients, _divide_vjp),
    "product_gradients": ("f(factors)", "the derivatives of a product by each factor", _factors, _product_gradients),
    "first_not_finite": (
        "f(tensors)",
        "(name, index) of the first number that is not finite, or ('', -1)",
        _named_tensors,
        _first_not_finite,
    ),
    "first_second_moment": (
        "f(g)",
        "(1 - 0.999) * (g * g), each rounded to binary16",
        _gradients,
        _first_second_moment,
    ),
    "absorbed": (
        "f(weight, step, fmt)",
        "whether a step other than 0 leaves the weight unchanged",
        _updates,
        _absorbed,
    ),
    "kahan_update": ("f(weight, lost, step)", "(weight, lost) after a compensated step", _kahan_updates, _kahan_update),
    "fate_of": (
        "f(gradients, k)",
        "(zeros, infinities) among the gradients that are not 0, times 2^k, in binary16",
        _scaled_gradients,
        _fate_of,
    ),
    "count_skipped": (
        "f(largest, scale, interval)",
        "how many steps of a run are skipped under a dynamic loss scale",
        _runs,
        _count_skipped,
    ),
    "dynamic_step": ("f(gradients, scale, good, interval)", "(taken, scale, good) after a step", _steps, _dynamic_step),
    "memory": ("f(parameters, activations, master)", "bytes held while training with Adam", _networks, _memory),
    "f1": ("f(labels, predicted, positive)", "F1 of one class", _predictions, _f1),
    "first_step": ("f(g, beta1, beta2, correct)", "Adam's first step, in learning rates", _adam_steps, _first_step),
    "changed": (
        "f(low, high, fmt)",
        "how many of the integers from low to high the format does not hold",
        _ranges,
        _changed,
    ),
    "survives": ("f(epsilon)", "whether epsilon is not 0 in binary16", _epsilons, _survives),
    "narrowest": ("f(largest, step)", "the first format that holds a quantity finely enough", _quantities, _narrowest),
    "total_cents": ("f(prices)", "the sum of prices, which are texts, in cents", _price_lists, _total_cents),
    "broken_laws": ("f(x, y, rx, ry)", "the laws of rounding that two results break", _pairs_rounded, _broken_laws),
    "shrink": ("f(values, limit)", "a simpler list whose sum still exceeds the limit", _failing_lists, _shrink),
    "holds": ("f(law, a, b, c)", "whether a law holds in binary16 for three numbers", _law_cases, _holds),
    "may_replace": ("f(rewrite, c)", "whether a rewrite changes no code of binary16", _rewrites, _may_replace),
}
"""For each exercise: how the function is called, what it returns, its cases, and the right answer for one case."""


def _inputs(rows: Callable[[], Iterator[Row]], fmt: Format, mode: Rounding, every: bool) -> Given:
    labels, *columns = map(list, zip(*rows(), strict=True))
    return tuple(columns), labels


def _truth(right: Callable[..., Any], columns: Columns, fmt: Format, mode: Rounding, every: bool) -> list[Any]:
    return [anything(plain(right(*row))) for row in zip(*columns, strict=True)]


EXERCISES: dict[str, Task] = {
    name: Task("cases", signature, statement, "anything", partial(_inputs, rows), partial(_truth, right))
    for name, (signature, statement, rows, right) in _ASKED.items()
}
"""The exercises by the names of their functions. Format and mode are part of the statement."""
