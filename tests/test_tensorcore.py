"""The tensor core model against one in Python's integers and Fractions, and the published observations by name."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import GENERATIONS, TensorCore

from .support import assert_same_codes

pytestmark = pytest.mark.usefixtures("quiet")

PUBLISHED = {"volta": (4, 23), "turing": (4, 24), "ampere": (8, 24), "hopper": (16, 25)}  # group, fraction bits
EMIN = {"binary16": -14, "bfloat16": -126, "tf32": -126, "e5m2": -14, "e4m3fn": -6, "binary32": -126}

# --- the model ------------------------------------------------------------------------------------------------------


def stored_exponent(x, fmt):
    """The exponent of a nonzero number as the format stores it."""
    return max(math.frexp(x)[1] - 1, EMIN[fmt])


def normalised(s, output):
    """A sum as the output has it: truncated to 24 bits, or rounded to 11, ties to even."""
    if s == 0:
        return 0.0
    e = math.frexp(s)[1] - 1
    bits = 23 if output == "binary32" else 10
    quantum = Fraction(2) ** (max(e, EMIN[output]) - bits)
    n = math.trunc(s / quantum) if output == "binary32" else round(s / quantum)
    largest = (2**24 - 1) * Fraction(2) ** 104 if output == "binary32" else 65504
    return math.copysign(float(abs(n) * quantum) if abs(n) * quantum <= largest else math.inf, s)


def modelled(a, b, c, generation, output, factors):
    """The dot product of lists of finite numbers."""
    group, bits = PUBLISHED[generation]
    total = c
    for k in range(0, len(a), group):
        terms = [
            (Fraction(x) * Fraction(y), stored_exponent(x, factors) + stored_exponent(y, factors))
            for x, y in zip(a[k : k + group], b[k : k + group], strict=True)
            if x and y
        ]
        terms += [(Fraction(total), stored_exponent(total, output))] if total else []
        quantum = Fraction(2) ** (max((e for _, e in terms), default=0) - bits)
        total = normalised(sum(math.trunc(value / quantum) for value, _ in terms) * quantum, output)
        if math.isinf(total):
            return total
    return total


def factors_of(kind, fmt, shape, rng):
    fmt = fs.get_format(fmt)
    if kind == "alike":
        x = rng.standard_normal(shape)
    elif kind == "of many sizes":
        x = rng.standard_normal(shape) * 2.0 ** rng.integers(-7, 5, shape)
        x[rng.random(shape) < 0.15] = 0
    else:  # any finite code: subnormals, and everything else
        x = fs.decode(rng.integers(0, 2**fmt.width, shape), fmt)
        x = np.where(np.isfinite(x), x, -0.0)
        x = np.where(rng.random(shape) < 0.3, fs.decode(rng.integers(0, 2**fmt.trailing_bits, shape), fmt), x)
    return fs.round_to(x, fmt)


@pytest.mark.parametrize("kind", ["alike", "of many sizes", "of all codes"])
@pytest.mark.parametrize("factors", ["binary16", "bfloat16", "tf32", "e4m3fn"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_dot_product_is_that_of_the_model(generation, factors, kind):
    rng = np.random.default_rng([len(generation), len(factors), len(kind)])
    for output, n in itertools.product(("binary32", "binary16"), (3, 16, 37)):
        a, b = factors_of(kind, factors, (70, n), rng), factors_of(kind, factors, (70, n), rng)
        c = fs.round_to(rng.standard_normal(70) * 2.0 ** rng.integers(-26, 6, 70), output)
        c[::3] = 0
        if kind == "of many sizes":  # cancel most of it, so that what alignment lost shows
            b[:, -1], a[:, -1] = -b[:, 0], a[:, 0]
        rows = zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
        expected = [modelled(*row, generation, output, factors) for row in rows]
        core = TensorCore(generation, output=output, factors=factors)
        assert_same_codes(core.dot(a, b, c), expected, fs.get_format(output), "tensor cores")


def test_the_model_has_sums_of_both_signs_zeros_subnormals_and_infinities_in_it():
    rng = np.random.default_rng(5)
    a, b = (factors_of("of all codes", "binary16", (500, 4), rng) for _ in range(2))
    y = TensorCore("volta", output="binary16").dot(a, b)
    assert (y > 0).any()
    assert (y < 0).any()
    assert (y == 0).any()
    assert np.isinf(y).any()
    assert ((np.abs(y) < 2.0**-14) & (y != 0)).any()


def test_a_matrix_product_is_a_dot_product_for_each_element():
    rng = np.random.default_rng(6)
    a, b = factors_of("alike", "bfloat16", (2, 5, 21), rng), factors_of("alike", "bfloat16", (21, 3), rng)
    core = TensorCore("ampere", factors="bfloat16")
    expected = [[[core.dot(row, column) for column in b.T] for row in batch] for batch in a]
    # Given a format, the core takes its factors from it; the result is then rounded to it.
    actual = fs.matmul(a, b, "bfloat16", accumulator=TensorCore("ampere"))
    assert_same_codes(actual, fs.round_to(expected, "bfloat16"), fs.BFLOAT16, "tensor cores")
    assert_same_codes(core.sum(a[0, 0]), core.dot(a[0, 0], np.ones(21)), fs.BINARY32, "tensor cores")


# --- what Fasi, Higham, Mikaitis and Pranesh (2021) observed --------------------------------------------------------

TINY = 2.0**-12  # TINY * TINY is half an ulp of binary32 at 1


@pytest.mark.parametrize("generation", GENERATIONS)
def test_products_are_exact(generation):
    x = 1 + 2.0**-10
    assert TensorCore(generation).dot([x], [x]) == x * x == 1 + 2.0**-9 + 2.0**-20


@pytest.mark.parametrize("generation", GENERATIONS)
def test_subnormal_factors_and_sums_count(generation):
    assert TensorCore(generation).dot([2.0**-24], [2.0**-24]) == 2.0**-48
    assert TensorCore(generation, output="binary16").dot([2.0**-24], [1.0], 2.0**-24) == 2.0**-23
    assert TensorCore(generation, factors="bfloat16").dot([2.0**-70], [2.0**-79]) == 2.0**-149


@pytest.mark.parametrize("generation", ["turing", "ampere", "hopper"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_sum_is_truncated_toward_zero_and_a_negative_one_too(generation, sign):
    # sign * (1 + 2^-23 + 2^-24): nearest, and away from zero, it would be sign * (1 + 2^-22).
    y = TensorCore(generation).dot([sign * 2.0**-11, sign * TINY], [TINY, TINY], sign * 1.0)
    assert y == sign * (1 + 2.0**-23)


@pytest.mark.parametrize("sign", [1, -1])
def test_binary16_output_is_rounded_to_nearest_even_once_a_group(sign):
    core = TensorCore("volta", output="binary16")
    assert core.dot([sign * 2.0**-11], [1.0], sign * 1.0) == sign * 1.0
    assert core.dot([sign * 3 * 2.0**-11], [1.0], sign * 1.0) == sign * (1 + 2.0**-9)
    assert core.dot([sign * 2.0**-11] * 2, [1.0] * 2, sign * 1.0) == sign * (1 + 2.0**-10)


def test_volta_has_no_guard_bit_and_its_successors_have_one_or_two():
    # 1 - 2^-24 is a binary32 number, but 2^-24 is below the last fraction bit at 1 on Volta.
    found = {g: TensorCore(g).dot([-TINY], [TINY], 1.0) for g in GENERATIONS}
    assert found == {"volta": 1.0, "turing": 1 - 2.0**-24, "ampere": 1 - 2.0**-24, "hopper": 1 - 2.0**-24}
    # And two of 2^-25 make a difference to 1 on Hopper alone.
    found = {g: TensorCore(g).dot([-TINY] * 2, [TINY / 2] * 2, 1.0) for g in GENERATIONS}
    assert found == {"volta": 1.0, "turing": 1.0, "ampere": 1.0, "hopper": 1 - 2.0**-24}


def test_partial_sums_are_not_normalised():
    # Normalised after each addition, 1 - 2^-24 + 2^-24 would be 1, and swallow the other three.
    assert TensorCore("volta").dot([TINY] * 4, [TINY] * 4, 1 - 2.0**-24) == 1 + 2.0**-23


def test_a_larger_term_can_give_a_smaller_sum():
    core = TensorCore("volta")
    below, one = 1 - 2.0**-24, 1.0
    assert below < one
    assert core.dot([TINY] * 4, [TINY] * 4, below) > core.dot([TINY] * 4, [TINY] * 4, one) == 1


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_order_within_a_group_does_not_matter(generation):
    rng = np.random.default_rng(7)
    a, b = (factors_of("of many sizes", "binary16", (300, 4), rng) for _ in range(2))
    core = TensorCore(generation)
    for order in itertools.permutations(range(4)):
        assert_same_codes(core.dot(a[:, order], b[:, order]), core.dot(a, b), fs.BINARY32, "tensor cores")


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_length_of_a_group_shows_from_outside(generation):
    # 1 and -1 cancel in the first group: a tiny product is lost beside them, and found in the next group.
    n = 24
    found = [
        TensorCore(generation).dot([1.0, -1.0, *np.eye(n)[k, 2:] * TINY], [1.0] * 2 + [TINY / 4] * (n - 2))
        for k in range(2, n)
    ]
    assert next(k for k, y in enumerate(found, 2) if y) == PUBLISHED[generation][0]


def test_products_are_aligned_by_the_exponents_of_their_factors():
    # 1.5 * 1.5 = 2.25 has the exponent 1, its factors 0 and 0: on Volta 2^-23 is kept beside it, and would not be else.
    y = TensorCore("volta").dot([1.5, 2.0**-11, -1.5], [1.5, TINY, 1.5])
    assert y == 2.0**-23


# --- specials and errors --------------------------------------------------------------------------------------------


def test_infinities_and_nan_go_through_and_a_zero_sum_is_plus_zero():
    inf, nan = np.inf, np.nan
    core = TensorCore("hopper")
    a = [[inf, 1.0], [-inf, 1.0], [inf, -inf], [inf, 1.0], [nan, 1.0], [1.0, 1.0], [-0.0, -0.0], [1.0, -1.0]]
    b = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    c = [0.0, 0.0, 0.0, 0.0, 0.0, -inf, -0.0, 0.0]
    assert_same_codes(core.dot(a, b, c), [inf, -inf, nan, nan, nan, -inf, 0.0, 0.0], fs.BINARY32, "tensor cores")


def test_only_significands_are_truncated_so_that_overflow_is_infinite():
    core, top = TensorCore("ampere", factors="bfloat16"), float(fs.BINARY32.max_finite)
    huge = 2.0**64
    assert core.dot([huge], [huge]) == np.inf
    assert core.dot([-huge], [huge]) == -np.inf
    assert core.dot([1.0], [1.0], top) == top
    with fs.record_flags() as raised:
        core.dot([huge], [huge])
    assert raised.overflow
    assert TensorCore("volta", output="binary16").dot([255.0], [257.0], -15.0) == np.inf  # 65520
    assert TensorCore("volta", output="binary16").dot([255.0], [257.0], -16.0) == 65504  # 65519


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: TensorCore("pascal"),
            "generation='pascal' is unknown; use one of 'volta', 'turing', 'ampere', 'hopper'",
        ),
        (lambda: TensorCore("volta", output="bfloat16"), "output=bfloat16: .* binary32 or binary16.*use one of them"),
        (lambda: TensorCore("volta", factors="binary32"), "factors=binary32 .*does not fit in tf32.*use binary16"),
        (lambda: TensorCore(factors=fs.Format("long", width=14, precision=4)), "factors=long .*does not fit in tf32"),
        (lambda: fs.matmul([[1.0]], [[1.0]], "binary32", accumulator=TensorCore()), "factors=binary32 .*use binary16"),
    ],
)
def test_what_no_tensor_core_does_is_refused_with_the_way_out(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_an_array_that_the_factors_do_not_hold_is_refused():
    with pytest.raises(
        TypeError, match=r"format bfloat16, which does not fit in binary16; convert it.*astype\('binary16'"
    ):
        TensorCore().dot(fs.array([1.0], "bfloat16"), fs.array([1.0], "bfloat16"))
