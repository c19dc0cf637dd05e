"""FloatArray: format and mode travel with the values, and nothing falls back to float64."""

import numpy as np
import pytest

import fp16sim as fs

from .support import assert_same_codes


def test_operators_are_the_rounded_operations():
    a, b = fs.array([0.1, 2048.0, -3.0], "binary16"), fs.array([0.2, 1.0, 7.0], "binary16")
    for got, want in [
        (a + b, fs.add(a.values, b.values)),
        (a - b, fs.subtract(a.values, b.values)),
        (a * b, fs.multiply(a.values, b.values)),
        (a / b, fs.divide(a.values, b.values)),
        (2 - a, fs.subtract(2, a.values)),
        (1 / a, fs.divide(1, a.values)),
        (a @ b, fs.dot(a.values, b.values)),
        (abs(a).sqrt(), fs.sqrt(np.abs(a.values))),
        (a.tanh(), fs.tanh(a.values)),
        (a.sum(), fs.sum(a.values)),
    ]:
        assert isinstance(got, fs.FloatArray)
        assert_same_codes(got.values, want, fs.BINARY16)


@pytest.mark.parametrize("mode", ["toward_positive", "toward_negative", "to_odd"])
def test_the_mode_of_the_array_is_the_mode_of_its_operators(mode):
    x = fs.array([1.0], "binary16", mode)
    assert_same_codes((x / 3).values, fs.divide([1.0], 3.0, "binary16", mode), fs.BINARY16)


def test_a_python_number_adopts_the_format_by_rounding_once():
    x = fs.array([1.0], "binary16")
    assert (x * 0.1).values[0] == np.float16(0.1)
    assert np.signbit((x * -0.0).values[0])
    assert not np.signbit((x * 0.0).values[0])
    assert (x * 1e-8).values[0] == 0  # as Adam's epsilon does


@pytest.mark.parametrize("other", [np.ones(1), [1.0], "1", None, 1j])
def test_anything_without_a_format_is_refused_by_name(other):
    with pytest.raises(TypeError, match=type(other).__name__):
        fs.array([1.0], "binary16") + other
    with pytest.raises(TypeError):
        other + fs.array([1.0], "binary16")


def test_two_formats_or_two_modes_do_not_mix():
    x = fs.array([1.0], "binary16")
    for other in (fs.array([1.0], "bfloat16"), fs.array([1.0], "binary16", "toward_zero")):
        with pytest.raises(TypeError, match="convert one of them first with astype"):
            x + other
    with pytest.raises(TypeError, match=r"x\.astype"):
        fs.add(x, 1, "bfloat16")


def test_conversion_rounds_once():
    x = fs.array(["1.00048828125000000000001"], "binary64")
    assert x.astype("binary16").values[0] == 1.0  # binary64 held exactly the tie
    assert fs.array(["1.00048828125000000000001"], "binary16").values[0] == 1025 / 1024


def test_assignment_rounds_and_a_copy_is_a_copy():
    x = fs.array([1.0, 2.0], "bfloat16")
    y = x.copy()
    x[0] = 0.1
    assert x.values[0] == fs.round_to(0.1, "bfloat16")
    assert y.values[0] == 1.0


def test_repr_shows_the_shortest_text_and_the_format():
    assert repr(fs.array([0.1, 65504.0], "binary16")) == "FloatArray([0.1, 65500], binary16)"
    assert repr(fs.array([0.1], "bfloat16", "toward_zero")) == "FloatArray([0.0996], bfloat16, toward_zero)"


def test_codes_are_those_of_the_values():
    x = fs.array([1.0, -0.0, np.inf], "binary16")
    assert x.codes.tolist() == [0x3C00, 0x8000, 0x7C00]


def test_comparisons_give_plain_booleans():
    x = fs.array([1.0, np.nan], "binary16")
    assert (x == 1).tolist() == [True, False]
    assert (x < 2).tolist() == [True, False]
