"""Each accumulator equals, code for code, the few lines of its docstring, written here over the public add and fma."""

import itertools
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators
from fp16sim.accumulators import Blocked, Fused, Kahan, Pairwise, Sequential, base
from fp16sim.formats import Format, Rounding
from fp16sim.rounding.kernels import split

from .support import DETERMINISTIC, TOY, assert_same_codes, count_cases

pytestmark = pytest.mark.usefixtures("quiet")

# --- the definitions ------------------------------------------------------------------------------------------------


class Do(NamedTuple):
    """The public operations, in one format and mode."""

    fmt: Format
    mode: Rounding

    def __getattr__(self, name):
        return lambda *operands: getattr(fs, name)(*operands, self.fmt, self.mode)


def sequential(x, do):
    s = x[0]
    for term in x[1:]:
        s = do.add(s, term)
    return s


def pairwise(x, do):
    if len(x) == 1:
        return x[0]
    h = len(x) // 2
    return do.add(pairwise(x[:h], do), pairwise(x[h:], do))


def blocked(x, do, block, s=None):
    for k in range(0, len(x), block):
        part = sequential(x[k : k + block], do)
        s = part if s is None else do.add(s, part)
    return s


def kahan(x, do):
    s, lost = x[0], np.zeros_like(x[0])
    for term in x[1:]:
        y = do.subtract(term, lost)
        t = do.add(s, y)
        s, lost = t, do.subtract(do.subtract(t, s), y)
    return s


def sum_of_products(loop):
    """A loop over terms, for products: c is the first term where given."""
    return lambda a, b, c, do: loop(([] if c is None else [c]) + list(map(do.multiply, a, b)), do)


def fused(a, b, c, do):
    s = do.multiply(a[0], b[0]) if c is None else do.fma(a[0], b[0], c)
    for pair in zip(a[1:], b[1:], strict=True):
        s = do.fma(*pair, s)
    return s


class Case(NamedTuple):
    """An accumulator, and the loops that define its sums and its dot products."""

    make: object
    total: object
    products: object


def blocks_of(n):
    make, total = partial(Blocked, block=n), partial(blocked, block=n)
    return Case(
        lambda fmt, mode: make(fmt, mode=mode), total, lambda a, b, c, do: total(list(map(do.multiply, a, b)), do, s=c)
    )


CASES = {
    "sequential": Case(Sequential, sequential, sum_of_products(sequential)),
    "pairwise": Case(Pairwise, pairwise, sum_of_products(pairwise)),
    "blocked": blocks_of(3),
    "kahan": Case(Kahan, kahan, sum_of_products(kahan)),
    "fused": Case(Fused, sequential, fused),
}
FLUSHING = replace(fs.BINARY32, name="binary32_flushing_inputs", subnormals="flush_inputs")
FORMATS = {  # of the operands -> of the accumulators
    fs.BINARY16: [fs.BINARY16, fs.BINARY32, fs.BINARY64],
    fs.BFLOAT16: [fs.BFLOAT16, fs.BINARY32, FLUSHING],
    fs.E5M2: [fs.E5M2, fs.BINARY16],
    fs.E4M3FN: [fs.E4M3FN],
    TOY: [TOY],
    fs.BINARY32: [fs.BINARY32],
}
PAIRS = [(fmt, own) for fmt, owns in FORMATS.items() for own in owns]
of_pairs = pytest.mark.parametrize(("fmt", "own"), PAIRS, ids=lambda fmt: str(fmt))
of_cases = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def operands(shape, fmt, seed, special=True):
    """Numbers of all sizes: some overflow together, some underflow, some cancel; and zeros, infinities and NaN."""
    rng = np.random.default_rng(seed)
    reach = min(fmt.emax, 100) // 2 + 1
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-reach, reach, shape)
    x = np.where(rng.random(shape) < 0.2, rng.choice([1.0, -1.0, 2.0], shape) * float(fmt.max_finite) / 2, x)
    x = np.where(rng.random(shape) < 0.1, rng.choice([0.0, -0.0, float(fmt.min_subnormal)], shape), x)
    if special:
        x = np.where(rng.random(shape) < 0.03, rng.choice([np.inf, -np.inf, np.nan], shape), x)
    return fs.round_to(x, fmt)


def check(actual, expected, fmt, mode, own):
    """The result of an accumulator is rounded to the format once more, where that is another."""
    expected = expected if own == fmt else fs.round_to(expected, fmt, mode)
    assert_same_codes(actual, expected, fmt, "accumulators", mode=mode, own=str(own))


# --- sums and products ----------------------------------------------------------------------------------------------


@of_cases
@of_pairs
def test_a_sum_is_the_loop_of_the_docstring_in_every_mode_and_along_any_axis(case, fmt, own):
    x = operands((8, 4, 5), fmt, 1)[:, ::2]  # not contiguous
    for mode in DETERMINISTIC:
        accumulator, do = case.make(own, mode), Do(own, mode)
        rounded = fs.round_to(x, own, mode)  # which matters if the accumulator flushes subnormal operands
        for axis in (0, -1):
            expected = case.total(np.moveaxis(rounded, axis, 0), do)
            check(fs.sum(x, fmt, mode, axis=axis, accumulator=accumulator), expected, fmt, mode, own)
        assert_same_codes(accumulator.sum(x, axis=1), case.total(np.moveaxis(rounded, 1, 0), do), own, "accumulators")
        flat = rounded[:2, 0].reshape(-1)
        check(fs.sum(x[:2, 0], fmt, mode, accumulator=accumulator), case.total(flat, do), fmt, mode, own)
        prefixes = np.array([case.total(flat[: k + 1], do) for k in range(4)])
        check(fs.cumsum(x[0, 0, :4], fmt, mode, accumulator=accumulator), prefixes, fmt, mode, own)


@of_cases
@of_pairs
def test_a_dot_product_is_the_loop_of_the_docstring_with_and_without_c(case, fmt, own):
    a, b = operands((4, 1, 7), fmt, 2), operands((3, 7), fmt, 3)
    for mode in DETERMINISTIC:
        accumulator, do = case.make(own, mode), Do(own, mode)
        left, right = (list(np.moveaxis(x, -1, 0)) for x in (a, b))
        for c in (None, operands((4, 3), fmt, 4)):
            start = None if c is None else np.broadcast_to(c, (4, 3))
            expected = case.products(left, right, start, do)
            assert_same_codes(accumulator.dot(a, b, c), expected, own, "accumulators", mode=mode, c=c)


@of_cases
@of_pairs
def test_a_matrix_product_is_the_loop_too_batched_and_broadcast(case, fmt, own):
    a, b = operands((2, 1, 3, 4), fmt, 5), operands((5, 4, 2), fmt, 6)
    left = [a[..., :, k, None] for k in range(4)]
    right = [b[..., None, k, :] for k in range(4)]
    for mode in DETERMINISTIC:
        expected = case.products(left, right, None, Do(own, mode))
        check(fs.matmul(a, b, fmt, mode, accumulator=case.make(own, mode)), expected, fmt, mode, own)


@of_cases
@pytest.mark.parametrize("n", [1, 2, 3, 6, 7, 8, 11, 33])
def test_any_number_of_terms_is_added_in_the_order_of_the_loop(case, n):
    a, b = (operands((n, 8), fs.BINARY16, seed, special=False) for seed in (7, 8))
    accumulator, do = case.make("binary16", "ties_to_even"), Do(fs.BINARY16, Rounding.TIES_TO_EVEN)
    assert_same_codes(accumulator.sum(a, axis=0), case.total(a, do), fs.BINARY16, "accumulators")
    assert_same_codes(accumulator.dot(a.T, b.T), case.products(a, b, None, do), fs.BINARY16, "accumulators")


@of_cases
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_numbers_that_cannot_overflow_together_are_added_as_the_loop_does(case, fmt):
    # Small factors, so that products are subnormal or zero, of either sign, and all other paths than above may run.
    rng = np.random.default_rng(9)
    do = Do(fmt, Rounding.TIES_TO_EVEN)
    for n, dtype in ((4, np.float32), (30, np.float64)):
        for least in (-1, fmt.emin // 2, fmt.emin):
            a, b = (rng.standard_normal((n, 12)) * 2.0 ** rng.integers(least, 1, (n, 12)) for _ in range(2))
            a, b = (fs.round_to(np.where(rng.random(x.shape) < 0.1, -0.0, x).astype(dtype), fmt) for x in (a, b))
            a[:, 0], b[:, 0], a[:, 1], b[:, 1] = -0.0, 1.0, fmt.min_subnormal, -fmt.min_subnormal
            for c in (None, np.full(12, -0.0, dtype), b[0]):
                y, expected = case.make(*do).dot(a.T, b.T, c), case.products(list(a), list(b), c, do)
                assert_same_codes(y, expected, fmt, "accumulators", least=least, n=n)
            assert_same_codes(case.make(*do).sum(a, axis=0), case.total(a, do), fmt, "accumulators", least=least)
            x, y = a[:, 2], b[:, 2]  # and a single result
            assert_same_codes(case.make(*do).dot(x, y), case.products(x, y, None, do), fmt, "accumulators", n=n)


@of_cases
def test_float32_operands_lose_nothing_under_a_wider_accumulator(case):
    do = Do(fs.BINARY64, Rounding.TIES_TO_EVEN)
    x = np.float32([2.0**15, 2.0**-14, 2.0**-13, 2.0**-14, -(2.0**15), 2.0**-12])
    for values in (x, x[[0, 4, 1, 2, 3]]):
        accumulator = case.make(*do)
        y = fs.sum(values, accumulator=accumulator)
        assert y.dtype == np.float32
        check(y, case.total(values.astype(np.float64), do), fs.BINARY16, do.mode, fs.BINARY64)
        prefixes = np.array([case.total(values[: k + 1].astype(np.float64), do) for k in range(len(values))])
        check(fs.cumsum(values, accumulator=accumulator), prefixes, fs.BINARY16, do.mode, fs.BINARY64)


EVERY = [case.make for case in CASES.values()] + [accumulators.Exact, lambda *do: accumulators.TensorCore("volta")]
EVERY_ID = [*CASES, "exact", "tensor core"]


@pytest.mark.parametrize("make", [*EVERY, lambda *do: accumulators.Blas()], ids=[*EVERY_ID, "blas"])
def test_a_sum_of_nothing_is_plus_zero_or_c_and_no_results_are_no_error(make):
    accumulator = make("binary32", "ties_to_even")
    assert_same_codes(accumulator.sum([]), 0.0, fs.BINARY32)
    assert_same_codes(accumulator.sum(np.ones((0, 2)), axis=0), [0.0, 0.0], fs.BINARY32)
    assert_same_codes(accumulator.dot([], []), 0.0, fs.BINARY32)
    assert_same_codes(accumulator.dot([], [], [1.5, 2.0]), [1.5, 2.0], fs.BINARY32)
    assert accumulator.dot(np.ones((0, 3)), np.ones(3), np.ones(0)).shape == (0,)
    assert accumulator.sum(np.ones((3, 0)), axis=0).shape == (0,)
    assert fs.matmul(np.ones((0, 3)), np.ones((3, 4)), accumulator=accumulator).shape == (0, 4)
    assert fs.cumsum(np.ones((0, 4)), axis=0, accumulator=accumulator).shape == (0, 4)
    assert_same_codes(fs.matmul(np.ones((2, 0)), np.ones((0, 1)), accumulator=accumulator), [[0.0], [0.0]], fs.BINARY16)
    assert np.isnan(fs.mean([], accumulator=accumulator))


@pytest.mark.parametrize("make", EVERY, ids=EVERY_ID)
def test_c_may_have_more_axes_than_the_products(make):
    y = make("binary32", "ties_to_even").dot([1.0, 2.0], [3.0, 4.0], [[1.0], [2.0]])
    assert_same_codes(y, [[12.0], [13.0]], fs.BINARY32)


# --- flags, tiles, chance -------------------------------------------------------------------------------------------


def counts_of(call):
    """How often each exception is raised, by both definitions of tiny."""
    with fs.record_flags() as after, fs.record_flags(tininess="before") as before:
        call()
    return [{name: getattr(flags, name).count for name in flags.names()} for flags in (after, before)]


def counts_of_few(call):
    """The same where nobody listens for inexact and underflow, and faster paths may run."""
    with fs.record_flags(only=["overflow", "invalid"]) as flags:
        call()
    return [flags.overflow.count, flags.invalid.count]


@of_cases
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_an_accumulator_raises_the_exceptions_of_its_loop(case, fmt):
    a, b, c = (operands((7, 7), fmt, seed) for seed in (10, 11, 12))
    c[:, 0], a[1:4, 0], b[:, 0] = 0.0, fs.round_to([np.inf, 1.0, -np.inf], fmt), 1.0  # infinity less infinity
    heard = set()
    for mode in DETERMINISTIC:
        accumulator, do = case.make(fmt, mode), Do(fmt, mode)
        pairs = [
            (partial(accumulator.sum, a, axis=0), partial(case.total, a, do)),
            (partial(accumulator.dot, a.T, b.T, c[0]), partial(case.products, list(a), list(b), c[0], do)),
        ]
        for count, (actual, expected) in itertools.product((counts_of, counts_of_few), pairs):
            assert count(actual) == count(expected), mode
            count_cases(a.shape[1], "accumulators")
        heard |= set().union(*(counts_of(actual)[0] for actual, _ in pairs))
    assert heard >= {"inexact", "invalid" if fmt.has_infinity else "overflow"}


@pytest.mark.parametrize("make", EVERY, ids=EVERY_ID)
def test_cutting_the_results_into_tiles_changes_nothing(make, monkeypatch):
    a, b = operands((2, 1, 4, 5), fs.BINARY16, 13), operands((2, 5, 3), fs.BINARY16, 14)
    accumulator = make("binary16", "toward_negative")

    def calls():
        dots = accumulator.dot(a, b[:, :, :1].swapaxes(1, 2), np.arange(8.0).reshape(2, 4))
        return [dots, fs.matmul(a, b, accumulator=accumulator), fs.sum(a, axis=3, accumulator=accumulator)]

    whole, flags = calls(), counts_of(calls)
    for limit in (1, 60):
        monkeypatch.setattr(base, "TERMS_AT_A_TIME", limit)
        for tiled, expected in zip(calls(), whole, strict=True):
            assert_same_codes(tiled, expected, fs.BINARY16, "accumulators", limit=limit)
        assert counts_of(calls) == flags


@of_cases
def test_stochastic_sums_repeat_with_a_seed_and_are_right_in_the_mean(case):
    x, ones = np.full((40, 1000), 1 + 2.0**-7), np.ones((40, 1000))
    for call in (lambda this: this.sum(x, axis=0), lambda this: this.dot(x.T, ones.T)):
        y, again = (call(replace(case.make("bfloat16", "stochastic"), rng=1)) for _ in range(2))
        assert (y == again).all()
        assert 0 < y.std() < 2.5  # ten ulps of the sum
        assert abs(y.mean() - 40 * (1 + 2.0**-7)) < 5 * y.std() / 1000**0.5


def test_a_seeded_accumulator_that_flushes_its_operands_goes_on_with_the_same_random_numbers():
    flushing = replace(fs.BFLOAT16, subnormals="flush_inputs")
    a, b = (operands(20, fs.BFLOAT16, seed, special=False) for seed in (15, 16))
    for seed in range(20):
        accumulator = Sequential(flushing, "stochastic", rng=seed)
        why = fs.explain.dot(a, b, "bfloat16", accumulator=accumulator)
        assert fs.dot(a, b, "bfloat16", accumulator=accumulator) == float(why.result.value)


@pytest.mark.exhaustive
@pytest.mark.parametrize("t", range(1, 22))
def test_a_split_number_is_rounded_to_nearest_even_for_every_significand(t):
    """One binade is enough: a factor of 2 or -1 changes no step. bfloat16 has float32's exponents, and so has fmt."""
    x = (np.arange(1 << 23, dtype=np.uint32) | np.uint32(127 << 23)).view(np.float32)
    x = np.concatenate([x, np.array([0.0, -0.0, -1.5, -3 * 2.0**-133], np.float32)])
    fmt = Format("split", width=9 + t, precision=t + 1)
    expected, y, factor = fs.round_to(x, fmt), x.copy(), np.array(2.0 ** (23 - t) + 1, np.float32)
    if t < 7:  # the last of x is no multiple of the least number of fmt
        expected, y = expected[:-1], y[:-1]
    split(y, factor, np.empty_like(y), y)
    assert (y.view(np.uint32) == expected.view(np.uint32)).all()
    count_cases(y.size, "accumulators")


@pytest.mark.parametrize("exponents", [(-16, -8), (-12, -4), (-6, 6)], ids=str)
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "e5m2"])
def test_products_of_matrices_that_cannot_overflow_are_the_loop_also_where_products_underflow(fmt, exponents):
    """In binary16 all products are subnormal or 0, some are, none is: three ways to round them."""
    rng, fmt = np.random.default_rng(3), fs.get_format(fmt)
    scale = 1 if fmt.name == "binary16" else (1 - fmt.emin) / 15
    a, b = (
        fs.round_to(
            rng.choice([-1, 1], shape)
            * rng.uniform(1, 2, shape)
            * 2.0 ** (scale * rng.uniform(*exponents, shape))
            * (rng.random(shape) < 0.9),
            fmt,
        ).astype(np.float32)
        for shape in ((50, 9), (9, 40))
    )
    do = Do(fmt, Rounding.TIES_TO_EVEN)
    products = do.multiply(a.T.astype(float)[:, :, None], b.astype(float)[:, None, :])
    found = fs.matmul(a, b, fmt)
    assert_same_codes(found, sequential(products, do), fmt, "matmul")
