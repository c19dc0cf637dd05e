"""What is drawn with characters is true: a sum in columns adds up, and the star stands on its side of the middle."""

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fp16sim import explain

DIGITS = re.compile(r" +([-+=]?) +(-?[01]+(?:\.[01]+)?)(?:   (a|b|a × b|c|× 2\^-?\d+))?")
HALVES = st.integers(-4095, 4095).map(lambda n: Fraction(n, 16))


def binary(digits):
    """The value of binary digits with a point."""
    whole, _, part = digits.lstrip("-").partition(".")
    value = Fraction(int(whole + part, 2), 2 ** len(part))
    return -value if digits.startswith("-") else value


def drawn(why):
    """The three lines of a sum: sign, value and what stands behind."""
    lines = str(why).split("exact ")[1].splitlines()
    found = [match.groups() for match in map(DIGITS.fullmatch, lines) if match and match[3]]
    return [(sign, binary(digits), behind) for sign, digits, behind in found]


@settings(max_examples=80)
@given(HALVES.filter(bool), HALVES.filter(bool), st.sampled_from(["add", "subtract"]))
def test_a_sum_in_columns_adds_up(a, b, name):
    why = getattr(explain, name)(a, b, "binary16")
    if why.exact.rule != "digits":
        return
    (first, x, left), (second, y, right), (equals, total, power) = drawn(why)
    signed = [-v if sign == "-" else v for sign, v in ((first, x), (second, y))]
    assert (equals, left, right) == ("=", "a", "b")
    assert sum(signed) == total
    assert total * Fraction(2) ** int(power.removeprefix("× 2^")) == why.exact.value


@settings(max_examples=80)
@given(st.integers(1, 63), st.sampled_from([1, -1]), st.booleans())
def test_the_star_stands_on_its_side_of_the_midpoint(part, sign, beyond):
    # Between 1024 and 2048 one ulp of binary16 is 1.
    x = sign * (1024 + Fraction(part, 64) + (Fraction(1, 2**60) if beyond else 0))
    why = explain.rounding(x)
    bar = re.search(r"\|[-+*]{39}\|", str(why)).group()
    below = why.rounding.below.distance
    star, middle = bar.index("*"), len(bar) // 2
    assert (star > middle, star == middle) == (below > Fraction(1, 2), below == Fraction(1, 2))
    assert ("+" in bar) == (below != Fraction(1, 2))
    assert bar.find("+") in (-1, middle)
    assert abs(star - below * (len(bar) - 1)) <= 1


@pytest.mark.parametrize("x", ["1", "inf", "nan", "0", "1e6"])
def test_where_nothing_lies_between_two_numbers_there_is_no_scale(x):
    assert "midpoint" not in str(explain.rounding(x))
