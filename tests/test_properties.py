"""Laws of IEEE 754 arithmetic that hold for all operands, tried by Hypothesis, and against np.float16 and ml_dtypes."""

import contextlib
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import Format, Rounding

from .support import BYTES, DETERMINISTIC, MODES, TOYS, assert_same_codes, bit_patterns

pytestmark = pytest.mark.usefixtures("quiet")

# --- strategies -----------------------------------------------------------------------------------------------------

modes = st.sampled_from(DETERMINISTIC)
doubles = st.floats(allow_nan=False)


@st.composite
def formats(draw):
    """Named ones, and any of up to 24 bits of precision and 8 of exponent."""
    if draw(st.booleans()):
        return draw(st.sampled_from([fs.BINARY16, fs.BFLOAT16, fs.TF32, fs.BINARY32, *BYTES, *TOYS[:2]]))
    precision, exponent_bits = draw(st.integers(2, 24)), draw(st.integers(2, 8))
    specials = draw(st.sampled_from(["ieee", "nan"]))
    return Format("drawn", precision + exponent_bits, precision, specials, saturate=draw(st.booleans()))


def near(fmt):
    """Numbers where `fmt` has something to decide: a significand a few bits too long, any exponent of its range."""
    significands = st.integers(-(2 ** (fmt.precision + 4)), 2 ** (fmt.precision + 4))
    exponents = st.integers(fmt.quantum_exponent_min - 4, fmt.emax - fmt.precision + 2)
    return st.builds(lambda m, e: math.ldexp(m, e), significands, exponents) | st.sampled_from(
        [0.0, -0.0, np.inf, -np.inf]
    )


def held(fmt):
    """Values of `fmt`, NaN excepted."""
    return near(fmt).map(lambda x: float(fs.round_to(x, fmt))).filter(lambda x: x == x)


def same(x, y):
    return bool(np.all(bit_patterns(x) == bit_patterns(y)))


# --- rounding -------------------------------------------------------------------------------------------------------


@given(st.data(), formats(), modes)
def test_rounding_agrees_with_the_exact_layer_and_is_one_of_the_two_neighbours(data, fmt, mode):
    x = data.draw(near(fmt) | doubles)
    y = fs.round_to(x, fmt, mode)
    assert same(y, exact.round_to(x, fmt, mode))
    down, up = fs.round_to(x, fmt, "toward_negative"), fs.round_to(x, fmt, "toward_positive")
    assert same(y, down) or same(y, up) or abs(x) > fmt.max_finite
    if abs(x) <= fmt.max_finite and x not in (down, 0.0):
        assert down < x < up or (down <= x <= up and 0.0 in (down, up))
        assert fs.next_up(down, fmt) == up


@given(st.data(), formats(), st.sampled_from(MODES))
def test_rounding_twice_changes_nothing(data, fmt, mode):
    once = fs.round_to(data.draw(near(fmt) | doubles), fmt, mode, rng=1)
    assert same(fs.round_to(once, fmt, mode, rng=2), once)


@given(st.data(), formats(), modes)
def test_rounding_is_monotone(data, fmt, mode):
    x, y = sorted([data.draw(near(fmt) | doubles), data.draw(near(fmt) | doubles)])
    a, b = fs.round_to([x, y], fmt, mode)
    assert a <= b or np.isnan([a, b]).any()


@given(st.data(), formats(), modes)
def test_negation_mirrors_the_modes(data, fmt, mode):
    x = data.draw(near(fmt) | doubles)
    mirror = {"toward_positive": "toward_negative", "toward_negative": "toward_positive"}.get(mode, mode)
    assert same(fs.round_to(-x, fmt, mirror), -fs.round_to(x, fmt, mode))


@given(st.data(), formats(), st.sampled_from(["ties_to_even", "ties_to_away"]))
def test_the_error_of_the_nearest_modes_is_at_most_half_an_ulp(data, fmt, mode):
    x = data.draw(near(fmt))
    assume(abs(x) <= fmt.max_finite)
    y = fs.round_to(x, fmt, mode)
    assert abs(Fraction(x) - Fraction(float(y))) * 2 <= Fraction(float(fs.ulp(x, fmt)))


@given(st.data(), formats(), st.integers(2, 20), modes)
def test_to_odd_in_two_more_bits_and_then_once_more_is_the_same_as_once(data, fmt, extra, mode):
    wide = Format("wide", fmt.width + extra + 1, fmt.precision + extra)
    x = data.draw(near(fmt) | st.floats(-4 * fmt.max_finite, 4 * fmt.max_finite))
    assert same(fs.round_to(fs.round_to(x, wide, "to_odd"), fmt, mode), fs.round_to(x, fmt, mode))


@given(doubles, modes)
def test_float32_and_float64_carriers_agree(x, mode):
    with np.errstate(all="ignore"):
        single = np.array([x], np.float32)
    for fmt in ("binary16", "bfloat16", "e5m2"):
        assert same(fs.round_to(single, fmt, mode), fs.round_to(single.astype(np.float64), fmt, mode))


# --- against NumPy and ml_dtypes ------------------------------------------------------------------------------------


@given(st.floats() | near(fs.BINARY16))
def test_rounding_a_double_to_binary16_is_numpys_cast(x):
    with np.errstate(all="ignore"):
        assert same(fs.round_to(x), np.float64(np.float16(x)))


halves = st.floats(width=16)


@given(halves, halves)
def test_operations_on_halves_are_numpys(a, b):
    with np.errstate(all="ignore"):
        x, y = np.float16(a), np.float16(b)
        for name in ("add", "subtract", "multiply", "divide"):
            assert same(getattr(fs, name)(a, b), getattr(np, name)(x, y)), name
        assert same(fs.sqrt(a), np.sqrt(x))


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3"])
def test_ties_to_even_of_float32_is_the_cast_of_ml_dtypes(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.arange(0, 2**32, 20_011, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = np.append(x[np.isfinite(x)], np.float32([0.0, -0.0, np.inf, -np.inf]))
    dtype = getattr(ml_dtypes, name)
    with np.errstate(all="ignore"):
        theirs = x.astype(dtype).astype(np.float64)
    assert_same_codes(fs.round_to(x, dtype), theirs, fs.get_format(dtype), "ml_dtypes", [x])


# --- operations -----------------------------------------------------------------------------------------------------


@given(st.data(), formats(), modes)
def test_addition_and_multiplication_commute(data, fmt, mode):
    a, b = data.draw(held(fmt)), data.draw(held(fmt))
    assert same(fs.add(a, b, fmt, mode), fs.add(b, a, fmt, mode))
    assert same(fs.multiply(a, b, fmt, mode), fs.multiply(b, a, fmt, mode))


@given(st.data(), formats(), modes)
def test_every_operation_agrees_with_the_exact_layer(data, fmt, mode):
    a, b, c = (data.draw(held(fmt)) for _ in range(3))
    for name in ("add", "subtract", "multiply", "divide", "ieee_remainder"):
        assert same(getattr(fs, name)(a, b, fmt, mode), float(getattr(exact, name)(a, b, fmt, mode))), name
    assert same(fs.fma(a, b, c, fmt, mode), float(exact.fma(a, b, c, fmt, mode)))
    assert same(fs.sqrt(a, fmt, mode), float(exact.sqrt(a, fmt, mode)))


@given(st.data(), formats(), modes)
def test_fma_with_one_is_addition_and_with_minus_zero_multiplication(data, fmt, mode):
    a, b = data.draw(held(fmt)), data.draw(held(fmt))
    assert same(fs.fma(a, 1, b, fmt, mode), fs.add(a, b, fmt, mode))
    product = fs.multiply(a, b, fmt, mode)
    exact_zero = a == 0 or b == 0
    # Adding -0 keeps every product, but +0 toward negative: there +0 + -0 is -0.
    if not (exact_zero and mode is Rounding.TOWARD_NEGATIVE):
        assert same(fs.fma(a, b, -0.0, fmt, mode), product)


@given(st.data(), formats(), modes)
def test_directed_modes_mirror_each_other_in_every_operation(data, fmt, mode):
    a, b = data.draw(held(fmt)), data.draw(held(fmt))
    mirror = {"toward_positive": "toward_negative", "toward_negative": "toward_positive"}.get(mode, mode)
    assert same(fs.multiply(-a, b, fmt, mirror), -fs.multiply(a, b, fmt, mode))
    if a + b != 0:  # the sign of an exact zero sum belongs to the mode
        assert same(fs.add(-a, -b, fmt, mirror), -fs.add(a, b, fmt, mode))


@given(st.data(), formats(), modes)
def test_the_difference_of_close_numbers_is_exact_by_sterbenz(data, fmt, mode):
    a = abs(data.draw(held(fmt)))
    assume(0 < a < math.inf)
    b = min(max(fs.round_to(a * data.draw(st.floats(0.5, 2)), fmt), a / 2), 2 * a, fmt.max_finite)
    assume(fs.round_to(b, fmt) == b)
    with fs.record_flags() as raised:
        difference = fs.subtract(a, b, fmt, mode)
    assert Fraction(float(difference)) == Fraction(float(a)) - Fraction(float(b))
    assert not raised.names()


@given(st.data(), formats())
@example(None, fs.BINARY16)
def test_a_sum_lies_between_its_directed_roundings_and_a_square_is_not_negative(data, fmt):
    a, b = (data.draw(held(fmt)), data.draw(held(fmt))) if data else (1.0, 2.0**-24)
    low, mid, high = (fs.add(a, b, fmt, m) for m in ("toward_negative", "ties_to_even", "toward_positive"))
    assert low <= mid <= high or np.isnan([low, mid, high]).any()
    assert not fs.multiply(a, a, fmt) < 0


@given(st.data(), formats())
def test_the_remainder_is_at_most_half_the_divisor_and_exact(data, fmt):
    a, b = data.draw(held(fmt)), data.draw(held(fmt))
    assume(math.isfinite(a) and math.isfinite(b) and b != 0)
    with fs.record_flags() as raised:
        r = fs.ieee_remainder(a, b, fmt)
    assert not raised.names()
    assert 2 * abs(Fraction(float(r))) <= abs(Fraction(b))
    assert ((Fraction(a) - Fraction(float(r))) / Fraction(b)).denominator == 1


# --- text -----------------------------------------------------------------------------------------------------------


@given(st.text(alphabet="0123456789.eEpPxX+-/^*_ infNa", max_size=40))
def test_any_text_is_a_number_or_a_clear_error(text):
    value = None
    with contextlib.suppress(ValueError):  # of which test_text has the words
        value = fs.parse(text)
    assert value is None or isinstance(value, (Fraction, float))


@given(st.data(), formats())
def test_a_value_survives_its_text(data, fmt):
    x = data.draw(held(fmt))
    for style in ("shortest", "exact", "fraction", "hex"):
        assert same(fs.round_to(fs.to_text(x, fmt, style), fmt), x)
