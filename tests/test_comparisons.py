"""minimum, maximum, the six comparisons, unordered, total_order: all pairs, against definitions and ml_dtypes."""

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact

from . import support
from .support import assert_same_codes, count_cases

FORMATS = [support.TOY, fs.E4M3, fs.E4M3FN, fs.E3M2FN]


def all_pairs(fmt):
    values = fs.all_values(fmt)
    return support.pairs(values if fmt.width < 8 else values[np.r_[0:256:5, 0, 1, 126:130, 254:256]])


@pytest.mark.usefixtures("quiet")  # signaling NaNs are among the values
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_the_comparisons_are_those_of_the_numbers_and_false_for_nan(fmt):
    a, b = all_pairs(fmt)
    nan = np.isnan(a) | np.isnan(b)
    order = np.array([(x > y) - (x < y) for x, y in zip(a.tolist(), b.tolist(), strict=True)])  # 0 with a NaN
    expected = {
        "equal": (order == 0) & ~nan,
        "not_equal": (order != 0) | nan,
        "less": order < 0,
        "less_equal": (order <= 0) & ~nan,
        "greater": order > 0,
        "greater_equal": (order >= 0) & ~nan,
        "unordered": nan,
    }
    for name, truth in expected.items():
        result = getattr(fs, name)(a, b, fmt)
        assert result.dtype == bool
        assert (result == truth).all(), name
        count_cases(a.size, "comparisons")


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_the_total_order_is_that_of_sign_magnitude_codes(fmt):
    a, b = all_pairs(fmt)
    half = 2 ** (fmt.width - 1)
    keys = [np.where(c >= half, half - 1 - c, c) for c in (fs.encode(x, fmt).astype(int) for x in (a, b))]
    assert (fs.total_order(a, b, fmt) == (keys[0] <= keys[1])).all()
    count_cases(a.size, "comparisons")


def test_the_total_order_of_float32_nans_keeps_signaling_below_quiet():
    x = np.array([0xFFC00000, 0xFF800001, 0xFF800000, 0x80000000, 0, 0x7F800000, 0x7F800001, 0x7FC00000], np.uint32)
    x = x.view(np.float32)
    for i, j in itertools.product(range(x.size), repeat=2):
        assert fs.total_order(x[i : i + 1], x[j : j + 1], "binary32").tolist() == [i <= j]


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("fmt", ["e4m3fn", "e4m3fnuz", "binary8p3sf"])
def test_the_nan_of_an_overflow_has_the_sign_of_the_number_however_that_was_given(fmt):
    forms = (float, Fraction, str, int, np.float32, Decimal)
    for x in (-100000, 100000):
        assert {bool(np.signbit(fs.round_to(form(x), fmt))) for form in forms} == {x < 0}
        assert {bool(fs.total_order(form(0), form(x), fmt)) for form in forms} == {x > 0}
    assert len({fs.encode(form(-100000), fmt).item() for form in forms}) == 1


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_minimum_and_maximum_are_those_of_ieee_754_2019(fmt):
    a, b = all_pairs(fmt)

    def definition(x, y, largest, number):
        if x != x or y != y:
            return (y if x != x else x) if number else np.nan
        if x == y == 0:
            return x if np.signbit(x) != largest else y
        return max(x, y) if largest else min(x, y)

    for name, largest, number in (
        ("minimum", False, False),
        ("maximum", True, False),
        ("minimum_number", False, True),
        ("maximum_number", True, True),
    ):
        expected = [definition(x, y, largest, number) for x, y in zip(a, b, strict=True)]
        assert_same_codes(getattr(fs, name)(a, b, fmt), expected, fmt, "comparisons", [a, b], operation=name)


def test_operands_that_the_format_lacks_are_rounded_first():
    assert fs.equal(0.1, "0.09999", "binary16")
    assert not fs.equal(0.1, "0.09999", "binary32")
    assert fs.less("1/3", 0.33331, "binary16", "toward_negative") == (
        exact.round_to("1/3", "binary16", "toward_negative") < exact.round_to(0.33331, "binary16", "toward_negative")
    )
    with np.errstate(over="ignore"):
        assert fs.maximum([0.1, 1e9], 2, "e4m3fn", "toward_zero").tolist() == [2.0, 448.0]


def test_a_nan_is_quiet_in_a_comparison_unless_asked_to_signal():
    comparisons = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
    for name in comparisons:
        with fs.record_flags() as raised:
            getattr(fs, name)([1.0, np.nan], [np.nan, 1.0])
        assert not raised.names()
        with fs.record_flags() as raised, np.errstate(invalid="ignore"):
            getattr(fs, name)([1.0, np.nan, 3.0], 2.0, signaling=True)
        assert (raised.names(), raised.invalid.operation, raised.invalid.index) == (("invalid",), name, (1,))


def test_shapes_and_carriers_are_those_of_numpy():
    a, b = np.float32([[1], [2]]), np.float32([1, 2, 3])
    assert fs.minimum(a, b).shape == (2, 3)
    assert fs.minimum(a, b).dtype == np.float32
    assert fs.less(a, b).shape == (2, 3)
    assert isinstance(fs.maximum(1, 2), np.float64)
    assert isinstance(fs.less(1, 2), np.bool_)
    with pytest.raises(ValueError, match=r"less: operands of shapes \(2,\), \(3,\) do not broadcast"):
        fs.less([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match=r"minimum: operands of shapes \(2,\), \(3,\) do not broadcast"):
        fs.minimum([1, 2], [1, 2, 3])
