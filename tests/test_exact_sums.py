"""Exact(), Blas() and the numbers that lessons show: sums against sums of Fractions."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators, exact
from fp16sim.accumulators import Blas, Blocked, Exact, Kahan, Pairwise, Sequential
from fp16sim.formats import Rounding

from .support import DETERMINISTIC, TOY, Draws, assert_same_codes

pytestmark = pytest.mark.usefixtures("quiet")
FORMATS = (fs.BINARY16, fs.BFLOAT16, fs.E5M2, fs.E4M3FN, TOY, fs.BINARY32, fs.BINARY64)

# --- the exact sum --------------------------------------------------------------------------------------------------


def true_sum(terms, fmt, mode):
    """Of an iterable of pairs (exact value of a finite term, whether it is negative, for zeros)."""
    terms = list(terms)
    total = sum(value for value, _ in terms)
    if total:
        return float(exact.round_to(total, fmt, mode))
    signs = {negative for _, negative in terms}
    minus = signs == {True} or (len(signs) == 2 and mode is Rounding.TOWARD_NEGATIVE)
    return -0.0 if minus else 0.0


def as_term(x, y=1.0):
    return Fraction(x) * Fraction(y), math.copysign(1, x) * math.copysign(1, y) < 0


def finite(shape, fmt, seed):
    """Any finite codes, and many small ones."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2 ** min(fmt.width, 63), shape, dtype=np.uint64)
    x = fs.decode(codes.astype(object), fmt) if fmt.width > 32 else fs.decode(codes.astype(np.int64), fmt)
    return np.where(np.isfinite(x) & (rng.random(shape) < 0.9), x, rng.choice([0.0, -0.0, 1.0, -1.0], shape))


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_an_exact_sum_and_dot_product_is_that_of_fractions_rounded_once(fmt):
    for n, seed in itertools.product((1, 2, 9), range(3)):
        x, y = finite((n, 6), fmt, seed), finite((n, 6), fmt, seed + 99)
        if seed:  # most of it cancels, in the first of these runs all of it
            x, y = np.concatenate([x, -x[seed - 1 :]]), np.concatenate([y, y[seed - 1 :]])
        c = finite(6, fmt, seed + 7)
        for mode in DETERMINISTIC:
            accumulator = Exact(fmt, mode)
            expected = [true_sum(map(as_term, column), fmt, mode) for column in x.T]
            assert_same_codes(accumulator.sum(x, axis=0), expected, fmt, "exact sums", mode=mode)
            assert_same_codes(fs.sum(x, fmt, mode, axis=0, accumulator=Exact()), expected, fmt, "exact sums")
            expected = [true_sum(map(as_term, *pair), fmt, mode) for pair in zip(x.T, y.T, strict=True)]
            assert_same_codes(
                fs.matmul(x.T[:, None], y.T[..., None], fmt, mode, accumulator=Exact())[:, 0, 0],
                expected,
                fmt,
                "exact sums",
            )
            expected = [
                true_sum([as_term(start), *map(as_term, *pair)], fmt, mode)
                for start, *pair in zip(c, x.T, y.T, strict=True)
            ]
            assert_same_codes(accumulator.dot(x.T, y.T, c), expected, fmt, "exact sums", mode=mode)


FAR = 2.0**-133
TIES_BROKEN_FAR_AWAY = [  # format, terms, rounded to nearest even
    ("bfloat16", [1.0, 2.0**-8, FAR], 1 + 2.0**-7),
    ("bfloat16", [1.0, 2.0**-8], 1.0),
    ("bfloat16", [1 + 2.0**-7, 2.0**-8, -FAR], 1 + 2.0**-7),
    ("bfloat16", [1 + 2.0**-7, 2.0**-8], 1 + 2.0**-6),
    ("bfloat16", [2.0**127, -1.0, FAR, -(2.0**127), 1.0], FAR),
    ("binary32", [1.0, 2.0**-24, 2.0**-149], 1 + 2.0**-23),
    ("binary64", [1.0, 2.0**-53, 2.0**-1074], 1 + 2.0**-52),
    ("binary64", [1e308, 1e308, -1e308], 1e308),
]


@pytest.mark.parametrize(("fmt", "terms", "nearest"), TIES_BROKEN_FAR_AWAY)
def test_a_term_far_away_breaks_a_tie_where_float64_would_not_see_it(fmt, terms, nearest):
    for order in itertools.permutations(terms):
        assert fs.sum(order, fmt, accumulator=Exact()) == nearest
    for mode in DETERMINISTIC:
        expected = true_sum(map(as_term, terms), fmt, mode)
        assert_same_codes(fs.sum(terms, fmt, mode, accumulator=Exact()), expected, fs.get_format(fmt), "exact sums")


def test_products_far_away_break_ties_too():
    # 1 + 2^-11 + 2^-48: a tie of binary16 but for the product of its two smallest numbers, and c adds another 2^-80.
    assert fs.dot([1.0, 2.0**-11, 2.0**-24], [1.0, 1.0, 2.0**-24], "binary16", accumulator=Exact()) == 1 + 2.0**-10
    assert Exact("binary16").dot([1.0, 2.0**-11], [1.0, 1.0], 2.0**-80) == 1 + 2.0**-10
    assert Exact("binary16").dot([1.0, 2.0**-11], [1.0, 1.0], -(2.0**-80)) == 1.0
    assert math.fsum([1.0, 2.0**-11, 2.0**-80]) == 1 + 2.0**-11, "fsum, rounded again, would say 1"


def test_its_own_sum_rounds_no_term():
    assert Exact("binary16").sum([1 + 2.0**-11, 2.0**-11]) == 1 + 2.0**-10
    assert Exact().dot(fs.array([3.0], "binary16"), fs.array([3.0], "binary16"), fs.array(1.0, "bfloat16")) == 10
    assert Exact("binary16").dot(np.ones(2, np.float32), np.ones(2, np.float32), 2.0**-30).dtype == np.float32


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.E4M3FN], ids=str)
def test_mean_and_norm_are_exact_too(fmt):
    for n, mode in itertools.product((1, 3, 7, 10), DETERMINISTIC):
        x = finite((n, 8), fmt, n)
        means = [
            float(exact.round_to(total / n, fmt, mode)) if total else true_sum(map(as_term, column), fmt, mode)
            for column in x.T
            for total in [sum(map(Fraction, column))]
        ]
        assert_same_codes(fs.mean(x, fmt, mode, axis=0, accumulator=Exact()), means, fmt, "exact sums", mode=mode)
        # Scaled so that no square is too large; a root that is the right number has a square on the right side.
        x = np.where(np.abs(x) > 1, 1.0, x)
        low, high = (fs.norm(x, fmt, f"toward_{way}", axis=0, accumulator=Exact()) for way in ("zero", "positive"))
        near = fs.norm(x, fmt, axis=0, accumulator=Exact())
        for column, a, b, y in zip(x.T, *(z.tolist() for z in (low, high, near)), strict=True):
            square = sum(Fraction(v) ** 2 for v in column)
            assert Fraction(a) ** 2 <= square <= Fraction(b) ** 2
            assert b == a if Fraction(a) ** 2 == square else b == fs.next_up(a, fmt)
            middle = (Fraction(a) + Fraction(b)) / 2
            assert y == (a if square < middle**2 else b) or square == middle**2


def test_a_zero_sum_has_the_sign_of_ieee_754():
    cases = [([-0.0, -0.0], True, True), ([0.0, -0.0], False, True), ([1.0, -1.0], False, True), ([0.0], False, False)]
    for terms, nearest, down in cases:
        assert np.signbit(fs.sum(terms, accumulator=Exact())) == nearest
        assert np.signbit(fs.mean(terms, accumulator=Exact())) == nearest
        assert np.signbit(fs.sum(terms, "binary16", "toward_negative", accumulator=Exact())) == down


def test_infinities_nan_and_the_exceptions_of_an_exact_sum():
    inf, nan = np.inf, np.nan
    cases = [  # terms, sum, exceptions
        ([inf, 1.0], inf, ()),
        ([inf, -inf], nan, ("invalid",)),
        ([inf, -inf, nan], nan, ()),
        ([nan, 1.0], nan, ()),
        ([60000.0, 60000.0, -60000.0], 60000.0, ()),
        ([60000.0, 60000.0], inf, ("overflow", "inexact")),
        ([2048.0, 1.0], 2048.0, ("inexact",)),
    ]
    for terms, expected, names in cases:
        with fs.record_flags() as raised:
            y = fs.sum(terms, "binary16", accumulator=Exact())
        assert_same_codes(y, expected, fs.BINARY16, "exact sums")
        assert raised.names() == names
    with fs.record_flags() as raised:
        assert np.isnan(fs.dot([inf, 1.0], [0.0, 1.0], accumulator=Exact()))
    assert raised.names() == ("invalid",)
    with fs.record_flags(tininess="before") as raised:
        fs.norm([2.0**-24, 2.0**-24], accumulator=Exact())
    assert raised.names() == ("underflow", "inexact")
    with fs.record_flags() as raised:  # NaN by overflow is no invalid operation
        assert np.isnan(fs.sum([448.0, 448.0], "e4m3fn", accumulator=Exact()))
    assert raised.names() == ("overflow", "inexact")


def test_a_stochastic_exact_sum_goes_up_with_the_probability_of_what_is_left():
    # 1 + 2^-12 is a quarter of the way to 1 + 2^-10: up where (draw + 1/2) / 2^32 < 1/4.
    for draw, expected in ((0, 1 + 2.0**-10), (2**30 - 1, 1 + 2.0**-10), (2**30, 1.0), (2**32 - 1, 1.0)):
        assert Exact("binary16", "stochastic", Draws(draw)).sum([1.0, 2.0**-13, 2.0**-13]) == expected
    x = np.full((2, 4000), [[1.0], [2.0**-12]])
    y = fs.sum(x, "binary16", "stochastic", axis=0, accumulator=Exact(), rng=3)
    assert abs((y > 1).mean() - 0.25) < 0.03
    assert (y == fs.sum(x, "binary16", "stochastic", axis=0, accumulator=Exact(), rng=3)).all()


# --- BLAS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [((3, 50), (50, 4)), ((2, 1, 3, 9), (4, 9, 2)), ((300,), (300,))], ids=str)
def test_blas_is_within_its_bound_of_the_exact_product(shapes):
    rng = np.random.default_rng(8)
    a, b = (fs.round_to(rng.standard_normal(shape) * 100, "binary16") for shape in shapes)
    y, truth = (fs.matmul(a, b, "binary32", accumulator=how) for how in (Blas(), Exact()))
    size = np.matmul(np.abs(a), np.abs(b))
    assert (np.abs(y - truth) <= (a.shape[-1] + 1) * 2.0**-24 * size).all()
    assert_same_codes(fs.round_to(y, "binary32"), y, fs.BINARY32)
    assert_same_codes(fs.matmul(a, b, accumulator=Blas()), fs.round_to(y, "binary16"), fs.BINARY16)


def test_blas_results_are_binary32_whatever_carries_them():
    assert Blas().dot([1.0], [1.0], 2.0**-30) == 1.0
    assert Blas().dot([1.0], [1.0], 2.0**-23) == 1 + 2.0**-23
    assert Blas().sum([[1.0, 2.0**-30], [2.0, 3.0]], axis=1).tolist() == [1.0, 5.0]


# --- the numbers of the lessons -------------------------------------------------------------------------------------


def test_how_far_65504_ones_come():
    ones = np.ones(65504)
    makers = {"sequential": Sequential("binary16"), 8: Blocked("binary16", 8), 64: Blocked("binary16", 64)}
    assert {name: float(a.sum(ones)) for name, a in makers.items()} == {"sequential": 2048, 8: 16384, 64: 65504}
    assert {float(a.sum(ones)) for a in (Pairwise("binary16"), Exact("binary16"))} == {65504}
    assert Kahan("binary16").sum(ones[:4096]) == 4096


def test_adding_a_tenth_stalls_at_a_power_of_two():
    for fmt, stall, steps in (("binary16", 256.0, 2207), ("bfloat16", 32.0, 276)):
        sums = fs.cumsum(np.full(3000, 0.1), fmt)
        assert sums[-1] == stall
        assert np.argmax(sums == stall) + 1 == steps


def test_the_error_of_a_dot_product_by_accumulator():
    rng = np.random.default_rng(0)
    a, b = (fs.round_to(rng.random((20, 4096)), "binary16") for _ in range(2))
    truth = Exact().dot(a, b)

    def worst(accumulator):
        return np.max(np.abs(accumulator.dot(a, b) / truth - 1))

    assert 0.01 < worst(Sequential("binary16")) < 0.3
    assert 1e-4 < worst(Pairwise("binary16")) < 5e-3
    assert worst(Kahan("binary16")) < 1e-3
    assert 1e-7 < worst(Sequential("binary32")) < 1e-5
    assert worst(Exact("binary16")) <= 2.0**-11


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "call", "says"),
    [
        (
            ValueError,
            lambda: Blocked("binary16", -4),
            r"block=-4 is not the length of a block; use an integer of 1 or more",
        ),
        (ValueError, lambda: Blocked("binary16", block=2.5), r"block=2.5 is not the length"),
        (ValueError, lambda: Blocked("binary16", block=True), r"block=True is not the length"),
        (ValueError, lambda: Pairwise("nonsense"), "fmt='nonsense' is not a known format"),
        (ValueError, lambda: Kahan("binary16", "sideways"), "mode='sideways'"),
        (ValueError, lambda: Blas("binary16"), r"fmt=binary16, .*adds in binary32.*use Blas\(\)"),
        (
            ValueError,
            lambda: fs.sum([1.0], "binary32", accumulator=Pairwise("bfloat16")),
            r"accumulator Pairwise\(bfloat16\) is narrower than fmt=binary32.*use Sequential\('binary32'\)",
        ),
        (ValueError, lambda: fs.sum([1.0], "bfloat16", accumulator=Kahan("binary16")), "narrower than fmt=bfloat16"),
        (
            TypeError,
            lambda: fs.sum([1.0], accumulator=3),
            r"accumulator=3 is not an.*Pairwise\('binary16'\).*'pairwise'",
        ),
        (TypeError, lambda: fs.sum([1.0], accumulator=Pairwise), "not an accumulator; use one of fp16sim.accumulators"),
        (TypeError, lambda: fs.sum([[1.0]], axis=(0, 1)), r"axis=\(0, 1\) is not an integer; .*axis=None"),
        (ValueError, lambda: fs.sum(1.0, axis=0), r"axis=0 does not exist in x of shape \(\); leave it out"),
        (
            ValueError,
            lambda: Kahan("binary16").dot([1.0, 2.0], [1.0]),
            r"a.shape=\(2,\) and b.shape=\(1,\).*make their last axes equally long",
        ),
        (
            ValueError,
            lambda: Pairwise("binary16").dot(np.ones((2, 3)), np.ones(3), np.ones(3)),
            r"a.shape=\(2, 3\), b.shape=\(3,\) and c.shape=\(3,\).*make them equal or 1",
        ),
        (ValueError, lambda: fs.matmul(np.ones((2, 3, 3)), np.ones((4, 3, 3))), "leading axes do not broadcast; make"),
        (
            TypeError,
            lambda: Sequential("binary16").sum(fs.array([1.0], "binary32")),
            r"format binary32, which does not fit in binary16; convert it first with x.astype\('binary16'\)",
        ),
        (
            TypeError,
            lambda: Sequential("binary16").dot([1.0], [1.0], fs.array(1.0, "bfloat16")),
            r"c is an array of format bfloat16, which does not fit in binary16",
        ),
        (TypeError, lambda: Sequential("binary16", "stochastic", rng="x").sum([1.0]), "rng='x' is not a source"),
        (ValueError, lambda: Sequential(fs.Format("wide", 79, 64)).sum([1.0]), "fmt=wide .* does not fit in binary64"),
    ],
)
def test_bad_input_is_refused_with_the_way_out(error, call, says):
    with pytest.raises(error, match=says):
        call()


def test_all_accumulators_are_offered_by_name():
    assert set(accumulators.__all__) >= {"Sequential", "Pairwise", "Blocked", "Kahan", "Fused", "Exact", "TensorCore"}
