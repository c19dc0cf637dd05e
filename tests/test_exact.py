"""The exact layer, by which all else is judged, is itself judged: by MPFR, by SoftFloat, and by definitions."""

import dataclasses
import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import Format, Rounding

from . import support
from .support import MODES, MPFR_MODES, count_cases

QUAD = Format("binary128", width=128, precision=113)
IEEE = [fs.BINARY16, fs.BFLOAT16, fs.TF32, fs.BINARY32, fs.BINARY64, QUAD, fs.E5M2, support.TOY]


def random_fractions(fmt, n, seed=0):
    """Numbers over the whole range of `fmt` and a little beyond, some of them ties and values."""
    rng = random.Random(seed)
    for i in range(n):
        q = rng.randint(fmt.quantum_exponent_min - 2, fmt.emax - fmt.trailing_bits + 1)
        extra = rng.choice([0, 1, 1, 2, 40])  # bits below the quantum: none, a tie or more
        significand = rng.getrandbits(fmt.precision + extra) | (extra > 0)
        x = significand * Fraction(2) ** (q - extra)
        if i % 5 == 0:
            x *= Fraction(rng.getrandbits(30) + 1, 2**30 - 35)
        yield -x if i % 2 else x


def same(value, number):
    """Whether a value of the exact layer is what MPFR says, sign of zero and NaN included."""
    if exact.is_finite(value) and number == number and abs(number) != math.inf and number != 0:
        return value == Fraction(*number.as_integer_ratio())
    return support.bit_patterns(float(value)) == support.bit_patterns(float(number))


@pytest.mark.parametrize("mode", MPFR_MODES, ids=str)
@pytest.mark.parametrize("fmt", IEEE, ids=str)
def test_rounding_is_that_of_mpfr(fmt, mode):
    gmpy2 = pytest.importorskip("gmpy2")
    numbers = list(random_fractions(fmt, 400))
    with support.mpfr_context(gmpy2, fmt, mode):
        expected = [gmpy2.mpfr(gmpy2.mpq(x)) for x in numbers]
    for x, number in zip(numbers, expected, strict=True):
        assert same(exact.round_to(x, fmt, mode), number), (x, fmt, mode)
    count_cases(len(numbers), "exact: judged by MPFR")


@pytest.mark.parametrize("mode", MPFR_MODES, ids=str)
@pytest.mark.parametrize("fmt", support.first(4, IEEE[::2] + IEEE[1::2]), ids=str)
def test_operations_are_those_of_mpfr(fmt, mode):
    gmpy2 = pytest.importorskip("gmpy2")
    sources = (random_fractions(fmt, 120, seed) for seed in (1, 2, 3))
    a, b, c = ([exact.round_to(x, fmt) for x in source] for source in sources)
    specials = [exact.as_exact(x) for x in ("0", "-0", "inf", "-inf", "nan", "1", "-3", "2^-3")]
    triples = [*zip(a, b, c, strict=True), *zip(a, a, c, strict=True), *itertools.product(specials, repeat=3)]
    triples += [(x, y, -x * y) for x, y in zip(a, b, strict=True) if exact.is_finite(x) and exact.is_finite(y)]
    triples = [(x, y, exact.round_to(z, fmt)) for x, y, z in triples]
    # With the types, because -0.0 == Fraction(0).
    pairs = {(type(x), x, type(y), y): (x, y) for x, y, _ in triples}.values()
    singles = {(type(x), x): (x,) for x, _ in pairs}.values()
    binary = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "ieee_remainder": "remainder"}
    calls = [(ours, theirs, pairs) for ours, theirs in binary.items()]
    calls += [("fma", "fma", triples), ("sqrt", "sqrt", singles)]
    with support.mpfr_context(gmpy2, fmt, mode):
        for ours, theirs, rows in calls:
            for row in rows:
                given = [gmpy2.mpfr(gmpy2.mpq(v)) if isinstance(v, Fraction) else gmpy2.mpfr(v) for v in row]
                assert same(getattr(exact, ours)(*row, fmt, mode), getattr(gmpy2, theirs)(*given)), (ours, row)
            count_cases(len(rows), "exact: judged by MPFR")


def test_values_and_flags_of_binary16_are_those_of_softfloat():
    soft = pytest.importorskip("softfloatpy")
    modes = ("ties_to_even", "toward_zero", "toward_negative", "toward_positive", "ties_to_away")
    modes = dict(zip(modes, list(soft.RoundingMode)[:5], strict=True))
    tininess = dict(zip(("before", "after"), soft.TininessMode, strict=True))
    names = {1: "inexact", 2: "underflow", 4: "overflow", 8: "divide_by_zero", 16: "invalid"}
    functions = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "ieee_remainder": 2, "sqrt": 1, "fma": 3}
    short = {"subtract": "sub", "multiply": "mul", "divide": "div", "ieee_remainder": "rem", "fma": "mul_add"}
    rng = random.Random(5)
    edges = [0, 1, 0x3FF, 0x400, 0x401, 0x3BFF, 0x3C00, 0x3C01, 0x7BFF, 0x7C00, 0x7E00]
    codes = [e | s for e in edges for s in (0, 0x8000)]
    wrap = lambda code: soft.Float16.from_bytes(code.to_bytes(2, "big"))  # noqa: E731
    try:
        for (ours, arity), (mode, soft_mode), (tiny, soft_tiny) in itertools.product(
            functions.items(), modes.items(), tininess.items()
        ):
            soft.set_rounding_mode(soft_mode)
            soft.set_tininess_mode(soft_tiny)
            function = getattr(soft, f"f16_{short.get(ours, ours)}")
            for _ in range(150):
                given = [
                    rng.choice(codes) if rng.random() < 0.5 else rng.choice([0x0155, 0x8600, rng.getrandbits(16)])
                    for _ in range(arity)
                ]
                given = [code for code in given if code & 0x7C00 != 0x7C00 or code & 0x3FF in (0, 0x200)]
                if len(given) < arity:
                    continue  # a signaling NaN
                soft.set_exception_flags(soft.ExceptionFlag(0))
                expected = int.from_bytes(function(*map(wrap, given)).to_bytes(), "big")
                raised = {name for bit, name in names.items() if soft.get_exception_flags() & bit}
                values = tuple(exact.decode(code) for code in given)
                got = exact.compute(ours, values, "binary16", mode, tininess=tiny)
                wanted = exact.decode(expected)
                assert support.bit_patterns(float(got.value)) == support.bit_patterns(float(wanted)), (
                    ours,
                    values,
                    mode,
                )
                assert got.flags == raised, (ours, values, mode, tiny)
                count_cases(1, "exact: judged by SoftFloat")
    finally:
        soft.set_rounding_mode(soft.RoundingMode.NEAR_EVEN)
        soft.set_tininess_mode(soft.TininessMode.AFTER_ROUNDING)


# --- modes that no library has: their definitions -------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [*support.TOYS, *support.BYTES], ids=str)
def test_every_mode_picks_the_neighbour_that_its_definition_names(fmt):
    plain = dataclasses.replace(fmt, subnormals="gradual", saturate=False)
    values = [exact.decode(code, fmt) for code in range(2 ** (fmt.width - 1))]
    values = [v for v in values if exact.is_finite(v)]
    assert values == sorted(set(values))
    for (code, low), high in zip(enumerate(values), values[1:], strict=False):
        for rest in (Fraction(1, 1000), Fraction(499, 1000), Fraction(1, 2), Fraction(501, 1000), Fraction(999, 1000)):
            x = low + rest * (high - low)
            up = {
                "ties_to_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and code % 2 == 1),
                "ties_to_away": rest >= Fraction(1, 2),
                "toward_zero": False,
                "toward_positive": True,
                "toward_negative": False,
                "to_odd": code % 2 == 0,
            }
            for mode, goes_up in up.items():
                mirrored = {"toward_positive": "toward_negative", "toward_negative": "toward_positive"}.get(mode, mode)
                assert exact.round_to(x, plain, mode) == (high if goes_up else low)
                assert exact.round_to(-x, plain, mirrored) == -(high if goes_up else low)
    count_cases(12 * 5 * (len(values) - 1), "exact: definitions")


@pytest.mark.parametrize(
    ("subnormals", "x", "expected"),
    [
        ("gradual", "0.1875", {"ties_to_even": "0.1875", "toward_positive": "0.1875"}),
        ("flush_to_zero", "0.1875", dict.fromkeys(MODES, "0")),
        ("flush_to_zero", "-0.1875", dict.fromkeys(MODES, "-0")),
        ("flush_to_zero", "0.249", {"ties_to_even": "0.25", "toward_zero": "0", "toward_positive": "0.25"}),
        ("flush_to_nearest", "0.1875", {"ties_to_even": "0.25", "toward_zero": "0", "toward_positive": "0.25"}),
        ("flush_to_nearest", "0.125", {"ties_to_even": "0", "ties_to_away": "0.25", "to_odd": "0.25"}),
        ("flush_to_nearest", "-0.01", {"ties_to_even": "-0", "toward_negative": "-0.25", "toward_positive": "-0"}),
        ("flush_inputs", "0.249", dict.fromkeys(MODES, "0")),
    ],
)
def test_each_kind_of_flushing_does_what_its_name_says(subnormals, x, expected):
    fmt = dataclasses.replace(support.TOY, subnormals=subnormals)  # min_normal is 0.25, min_subnormal 0.0625
    for mode, text in expected.items():
        assert repr(exact.round_to(x, fmt, mode)) == repr(exact.parse(text)), mode
        support.assert_same_codes(fs.round_to(x, fmt, mode), float(text), fmt)
        support.assert_same_codes(fs.round_to(float(x), fmt, mode), float(text), fmt)


def test_a_root_is_decided_by_the_square_of_the_midpoint():
    for fmt in (fs.BINARY16, QUAD):
        for k in range(1, 200):
            x = Fraction(k, 7) * Fraction(4) ** (k % 9 - 4)
            held = exact.round_to(x, fmt)
            root = exact.sqrt(held, fmt)
            half = Fraction(2) ** (exact.quantum_exponent(root, fmt) - 1)
            assert (root - half) ** 2 <= held <= (root + half) ** 2


def test_a_root_cut_to_few_bits_still_tells_that_something_was_lost():
    for bits in (4, 8, 320):
        assert exact.sqrt_to_odd(Fraction(9, 4), bits) == Fraction(3, 2)
        assert 1 < exact.sqrt_to_odd(1 + Fraction(1, 2**900), bits) < 1 + Fraction(1, 2 ** (bits - 1))


def test_codes_of_the_exact_layer_come_back_and_are_those_of_the_arrays():
    for fmt in (*support.TOYS, *support.BYTES, fs.BINARY16):
        plain = dataclasses.replace(fmt, subnormals="gradual", saturate=False)
        values = fs.all_values(fmt)
        for code in range(0, 2**fmt.width, 1 if fmt.width <= 8 else 13):
            value = exact.decode(code, fmt)
            assert support.bit_patterns(float(value)) == support.bit_patterns(values[code])
            if value == value:
                assert exact.encode(value, plain) == code
    assert exact.decode(2**127 + 1, QUAD) == -(Fraction(2) ** -16494)
    with pytest.raises(ValueError, match="code=64 is not a code of toy; use 0 to 63"):
        exact.decode(64, support.TOY)


def test_a_draw_comes_from_a_seed_a_random_or_a_numpy_generator():
    for rng in (7, random.Random(7), np.random.default_rng(7)):
        assert exact.round_to("0.3", "e2m1fn", "stochastic", rng=rng) in (0, Fraction(1, 2))
    draws = {exact.round_to("0.25", "e2m1fn", Rounding.STOCHASTIC, rng=seed) for seed in range(30)}
    assert draws == {0, Fraction(1, 2)}
    assert exact.round_to("0.3", "e2m1fn", "stochastic", rng=5) == exact.round_to("0.3", "e2m1fn", "stochastic", rng=5)


def test_a_result_is_unpacked_and_compared_and_hashed_like_its_two_parts():
    value, flags = exact.compute("divide", (1, 3), "binary16")
    assert (value, flags) == (exact.divide(1, 3, "binary16"), {"inexact"})
    assert len({exact.compute("divide", (n, 3 * n), "binary16") for n in (1, 2, 4)}) == 1
