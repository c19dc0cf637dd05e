"""Stochastic rounding: the probability is exactly the fraction of the distance, and a seed means one result."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import Format
from fp16sim.rounding import dispatch

from .support import TOY, Draws, assert_same_codes, count_cases, positive_values

pytestmark = pytest.mark.usefixtures("quiet")

STEP, RANDOM = 2**32, fs.Rounding.STOCHASTIC


def ups(x, fmt):
    """How many of the 2^32 draws send x away from zero: the threshold of the draw, found by bisection."""
    low, high = fs.round_to(x, fmt, "stochastic", rng=Draws(STEP - 1)), fs.round_to(x, fmt, "stochastic", rng=Draws(0))
    if low == high:
        return low, high, None
    least, most = 0, STEP - 1  # up with `least`, not with `most`
    while most - least > 1:
        middle = (least + most) // 2
        goes_up = fs.round_to(x, fmt, "stochastic", rng=Draws(middle)) == high
        least, most = (middle, most) if goes_up else (least, middle)
    count_cases(1, "stochastic: thresholds")
    return low, high, most


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "fraction", [Fraction(1, 4), Fraction(1, 2), Fraction(3, 1024), 1 - Fraction(1, 2**20), Fraction(5, 2**32)]
)
@pytest.mark.parametrize(
    ("fmt", "low"),
    [
        (fs.BINARY16, 1.0),
        (fs.BINARY16, 2047.0),  # the last of a binade
        (fs.BINARY16, 0.0),  # below min_subnormal
        (fs.BINARY16, 5 * 2.0**-24),  # among subnormals
        (fs.BINARY16, 2.0**-14 - 2.0**-24),  # up to min_normal
        (fs.BINARY16, 65504.0),  # up to overflow
        (fs.BFLOAT16, 3 * 2.0**-133),
        (fs.BFLOAT16, 1.5),
        (replace(fs.BINARY16, subnormals="flush_to_nearest"), 0.0),
        (fs.E4M3FN, 0.5),
        (TOY, 1.25),
    ],
    ids=str,
)
def test_the_number_of_draws_that_go_up_is_the_fraction_of_two_to_the_32(fmt, low, fraction, sign):
    step = Fraction(fmt.min_normal) if fmt.subnormals == "flush_to_nearest" else Fraction(float(fs.ulp(low, fmt)))
    x = float(low + fraction * step)
    assert Fraction(x) == low + fraction * step
    found_low, found_high, count = ups(sign * x, fmt)
    assert_same_codes([found_low], [sign * low], fmt)
    assert count == fraction * STEP
    assert_same_codes([found_high], [sign * (np.inf if low == fmt.max_finite else float(low + step))], fmt)


@pytest.mark.parametrize(
    ("fmt", "above"), [(fs.E4M3FN, np.nan), (fs.E3M2FN, 28.0), (replace(fs.BINARY16, saturate=True), 65504.0)]
)
def test_beyond_max_finite_the_upper_end_is_what_overflow_gives(fmt, above):
    x = fmt.max_finite + fs.ulp(fmt.max_finite, fmt) / 2
    for draw, expected in ((2**31 - 1, above), (2**31, fmt.max_finite)):
        with fs.record_flags() as raised:
            got = fs.round_to([x, -x], fmt, "stochastic", rng=Draws(draw))
        assert_same_codes(got, [expected, -expected], fmt)
        assert raised.overflow.count == (2 if draw < 2**31 else 0)


def test_the_exact_layer_goes_up_for_as_many_draws_at_any_fraction():
    for numerator in range(1, 64):
        x = 1 + Fraction(numerator, 64) / 4  # in the toy format, between 1 and 1.25
        threshold = numerator * STEP // 64
        for draw, up in ((threshold - 1, True), (threshold, False)):
            expected = Fraction(5, 4) if up else Fraction(1)
            assert exact.round_result(x, TOY, RANDOM, draw).value == expected
            assert fs.round_to(float(x), TOY, "stochastic", rng=Draws(draw)) == expected
            assert fs.round_to(x, TOY, "stochastic", rng=Draws(draw)) == expected


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.BINARY32], ids=str)
def test_a_value_of_the_format_stays_whatever_is_drawn(fmt):
    x = positive_values(fmt) if fmt.width <= 16 else np.float32(np.random.default_rng(2).normal(size=1000))
    for draw in (0, STEP - 1):
        assert_same_codes(fs.round_to(-x, fmt, "stochastic", rng=Draws(draw)), -x, fmt, "16 bits: stochastic")


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.E4M3FN], ids=str)
def test_a_seed_means_the_draws_of_numpys_generator_in_c_order(fmt):
    x = np.random.default_rng(1).normal(size=(37, 53)) * float(fmt.min_normal) * 3
    draws = np.random.default_rng(99).integers(0, STEP, x.size, dtype=np.uint32)
    numbers = [exact.as_exact(v) for v in x.flat]
    judged = [exact.round_result(v, fmt, RANDOM, d).value for v, d in zip(numbers, draws.tolist(), strict=True)]
    assert_same_codes(
        fs.round_to(x, fmt, "stochastic", rng=99), np.reshape(np.float64(judged), x.shape), fmt, inputs=[x]
    )
    assert_same_codes(fs.round_to(x, fmt, "stochastic", rng=np.random.default_rng(99)).ravel(), np.float64(judged), fmt)
    as_text = [[str(v) for v in row] for row in x[:3]]  # through the exact layer
    assert_same_codes(fs.round_to(as_text, fmt, "stochastic", rng=99), np.reshape(np.float64(judged), x.shape)[:3], fmt)


@pytest.mark.parametrize("size", [1, 7, 1024, 1 << 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_size_of_the_chunks_does_not_matter(monkeypatch, size, dtype):
    x = np.random.default_rng(1).normal(size=(40, 101)).astype(dtype)
    expected = [fs.round_to(x, "bfloat16", mode, rng=8) for mode in ("stochastic", "ties_to_even")]
    sums = fs.add(x, x[0], "bfloat16", "stochastic", rng=8)
    with fs.record_flags() as whole:
        fs.round_to(x, "bfloat16", "stochastic", rng=8)
    monkeypatch.setattr(dispatch, "CHUNK", size)
    for given in (x, np.asfortranarray(x), x[::-1].copy()[::-1]):
        for mode, result in zip(("stochastic", "ties_to_even"), expected, strict=True):
            assert_same_codes(fs.round_to(given, "bfloat16", mode, rng=8), result, fs.BFLOAT16, "layouts")
        assert_same_codes(fs.add(given, x[0], "bfloat16", "stochastic", rng=8), sums, fs.BFLOAT16, "layouts")
    with fs.record_flags() as cut:
        fs.round_to(x, "bfloat16", "stochastic", rng=8)
    assert cut == whole


def test_numpys_global_generator_is_left_alone_and_none_draws_afresh():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    x = np.full(64, 0.3)
    first, second = (fs.round_to(x, "e2m1fn", "stochastic") for _ in range(2))
    assert (before == np.random.get_state()[1]).all()  # noqa: NPY002
    assert (first != second).any()
    generator = np.random.default_rng(3)
    assert (
        fs.round_to(x, "e2m1fn", "stochastic", rng=generator) != fs.round_to(x, "e2m1fn", "stochastic", rng=generator)
    ).any()


def test_the_mean_of_many_draws_is_the_number_itself():
    x = 2.0**-25 * 1.25  # below min_subnormal, where most emulators are biased
    n = 1 << 18
    mean = fs.round_to(np.full(n, x), "binary16", "stochastic", rng=1).mean()
    deviation = 2.0**-24 * np.sqrt(0.625 * 0.375 / n)
    assert abs(mean - x) < 5 * deviation


def test_operations_draw_for_their_operands_then_for_their_result():
    a, b = np.float64([[0.3], [0.7]]), np.float64([0.1, 0.2, 1.0])  # 2 + 3 + 6 draws; nothing but 1.0 is held
    fmt = Format("small", width=8, precision=4)
    draws = iter(np.random.default_rng(5).integers(0, STEP, 11, dtype=np.uint32).tolist())
    ra, rb = ([exact.round_operand(exact.as_exact(v), fmt, RANDOM, next(draws)).value for v in x.flat] for x in (a, b))
    judged = [[float(exact.operate("divide", (x, y), fmt, RANDOM, next(draws)).value) for y in rb] for x in ra]
    assert_same_codes(fs.divide(a, b, fmt, "stochastic", rng=5), judged, fmt)
