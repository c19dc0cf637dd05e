"""Rows about what lessons do in loops: single numbers, and arrays so small that the call costs more than the work."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from operator import add
from typing import Any

import numpy as np

from ... import arithmetic, exact
from ...arrays import FloatArray, array
from ...rounding import round_to
from ..inputs import many, need, normal, round_trip, rounded
from ..measure import Comparison, Pair


def _against_gfloat(ours: Callable[[], Any], scale: float) -> Pair:
    gfloat, info = need("gfloat"), need("gfloat.formats").format_info_binary16
    return many(ours, lambda: gfloat.round_float(info, 0.1), scale)


def _array_of_one(ours: Callable[[FloatArray, FloatArray], Any], scale: float) -> Pair:
    x, y = array(1.5), array(0.1)
    narrow_x, narrow_y = np.float16(1.5), np.float16(0.1)
    return many(lambda: ours(x, y), lambda: narrow_x + narrow_y, scale)


def _times(x: FloatArray, y: FloatArray) -> FloatArray:
    return x * 0.1


def _exact(a: Fraction, b: Fraction, scale: float) -> Pair:
    return many(lambda: exact.add(a, b, "binary16"), lambda: a + b, scale)


# --- the harmonic series --------------------------------------------------------------------------------------------


def _harmonic_in_numpy() -> np.float16:
    one, total, k = np.float16(1), np.float16(0), 0
    while True:
        k += 1
        longer = total + one / np.float16(k)
        if longer == total:
            return total
        total = longer


def _harmonic_in_arrays() -> FloatArray:
    one, total, k = array(1.0), array(0.0), 0
    while True:
        k += 1
        longer = total + one / k
        if longer == total:
            return total
        total = longer


def _harmonic_in_calls() -> float:
    total, k = 0.0, 0
    while True:
        k += 1
        longer = arithmetic.add(total, arithmetic.divide(1, k, "binary16"), "binary16")
        if longer == total:
            return float(total)
        total = longer


def _harmonic(ours: Callable[[], Any], scale: float) -> Pair:
    return Pair.in_one_thread(ours, _harmonic_in_numpy)


NUMBERS = (
    Comparison(
        "numbers",
        "round-number",
        "round_to(0.1, 'binary16')",
        "gfloat",
        0.35,
        "One Python float, as in a loop of a lesson. gfloat.round_float does the same.",
        partial(_against_gfloat, lambda: round_to(0.1, "binary16")),
    ),
    Comparison(
        "numbers",
        "add-numbers",
        "add(1.5, 0.1, 'binary16')",
        "gfloat",
        0.8,
        "Two Python floats, rounded to binary16, added, and the sum rounded once. gfloat has no addition: the rival "
        "only rounds one number, with gfloat.round_float.",
        partial(_against_gfloat, lambda: arithmetic.add(1.5, 0.1, "binary16")),
    ),
    *(
        Comparison(
            "numbers",
            name,
            f"FloatArray of one number, {statement}",
            "np.float16 x + y",
            goal,
            f"{what} The rival adds two numbers of NumPy's own float16, in compiled code.",
            partial(_array_of_one, ours),
        )
        for name, statement, ours, goal, what in (
            ("array-plus", "x + y", add, 25.0, "Two numbers that know their format, added by the operator."),
            ("array-times", "x * 0.1", _times, 30.0, "A number that knows its format, multiplied by a Python number."),
        )
    ),
    *(
        Comparison(
            "numbers",
            name,
            f"exact.add of {a} and {b}",
            "Fraction a + b",
            goal,
            f"The exact sum of two fractions, rounded, with its flags. {what} The rival only adds them.",
            partial(_exact, a, b),
        )
        for name, a, b, goal, what in (
            ("exact-dyadic", Fraction(3, 2), Fraction(1, 8), 10.0, "Binary formats hold both."),
            ("exact-fractions", Fraction(1, 3), Fraction(2, 7), 12.0, "No binary format holds either."),
        )
    ),
    *(
        Comparison(
            "numbers",
            name,
            f"harmonic series to its end, {how}",
            "np.float16",
            15.0,
            f"1 + 1/2 + 1/3 + ... in binary16 until a term no longer changes the sum, with {how}. The rival is the "
            "same loop with NumPy's own float16.",
            partial(_harmonic, ours),
        )
        for name, how, ours in (
            ("harmonic-array", "FloatArray", _harmonic_in_arrays),
            ("harmonic-add", "fs.add and fs.divide", _harmonic_in_calls),
        )
    ),
)


# --- small arrays ---------------------------------------------------------------------------------------------------


def _small_round(scale: float) -> Pair:
    x = normal(1000)
    return many(lambda: round_to(x, "binary16"), round_trip(x, np.float16), scale)


def _small_sum(n: int, scale: float) -> Pair:
    values = rounded("binary16", n)
    x, narrow = array(values, "binary16"), values.astype(np.float16)
    return many(lambda: x + x, lambda: narrow + narrow, scale, times=100_000 // n)


SMALL = (
    Comparison(
        "small",
        "round-1000",
        "round_to binary16, 1,000 elements",
        "NumPy round trip",
        2.0,
        "A thousand float32 numbers. Before a call rounds anything, it checks its arguments; here that takes about as "
        "long as the rounding.",
        _small_round,
    ),
    *(
        Comparison(
            "small",
            f"add-{n}",
            f"FloatArray x + x, {n:,} elements",
            "np.float16 arrays",
            goal,
            f"Two arrays of {n:,} binary16 numbers, added. The rival is NumPy's own float16.",
            partial(_small_sum, n),
        )
        for n, goal in ((100, 4.0), (10_000, 0.7))
    ),
)

ROWS = (*NUMBERS, *SMALL)
