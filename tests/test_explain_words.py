"""What an explanation says: the sentences of the famous cases, 80 columns, HTML that is safe, JSON that reads back."""

import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim import explain
from fp16sim.explain.layouts.sentences import formula
from fp16sim.explain.value_text import exact_text, rough_text, short_text, ulps_text
from fp16sim.formats import Format, Rounding

from .support import MODES

add, fma, rounding = explain.add, explain.fma, explain.rounding
SATURATING = replace(fs.E4M3FN, name="saturating", saturate=True)
FLUSHING = replace(fs.BINARY16, name="flushing", subnormals="flush_to_zero")

FAMOUS = [
    (lambda: add("0.1", "0.2"), "end in 0, which is even", "0.2998046875"),
    (lambda: add("0.1", "0.2"), "0.1 is rounded to binary16 first", "0x34CC"),
    (
        lambda: rounding("0.1"),
        "2/5 ulp is cut off, less than half, so the kept digits stay.",
        "0.1 is 1/10",
    ),
    (lambda: rounding("0.9995"), "122/125 ulp is cut off, more than half, so", "one is added to the last place"),
    (lambda: add(2048, 1), "Absorption: b = 1 is too small to change a", "a tie"),
    (lambda: add(1, -4096), "Absorption: a = 1 is too small to change b", "-4096"),
    (lambda: explain.subtract(1, "0.9995"), "Cancellation: the 11 leading bits cancel", "(in the rounding of b)"),
    (lambda: fma(3, 683, "2^-24"), "computed first in binary32 (2049), the result would be 2048", "2050"),
    (lambda: fma(3, 683, "2^-24"), "If the product were rounded first, to 2048, the", "c moves right by 14 places"),
    (lambda: add(1, "2^-60", "bf16", "toward_positive"), "first in binary32 (1) or binary64 (1)", "60 places"),
    (lambda: rounding(65519), "those below it become max_finite", "no code"),
    (lambda: rounding(65520), "The limit is 65520", "beyond max_finite = 65504: overflow"),
    (lambda: rounding(65520, "fp16", "toward_zero"), "Rounding toward zero ignores it: the kept digits stay", "65504"),
    (lambda: rounding(1e6, "fp16", "toward_zero"), "In toward_zero the result stays at +max_finite", "65504"),
    (lambda: rounding("2^-25"), "a tie between 0 and 1 ulp, and 0 is even", "underflow: the result is tiny"),
    (lambda: rounding("-1p-25"), "becomes -0: it keeps its sign", "negative zero"),
    (lambda: add("1p-24", "3p-24"), "A sum below min_normal is always exact", "no implicit 1"),
    (lambda: explain.subtract(5, 5, "fp16", "toward_negative"), "-0 in the mode toward_negative", "negative zero"),
    (lambda: explain.subtract(5, 5, "fp16", "toward_negative"), "the mode sets the sign", "cancel exactly"),
    (lambda: add("-0", "-0"), "zeros of the same sign", "negative zero"),
    (lambda: add("0", "-0"), "zeros of different signs", "positive zero"),
    (lambda: add("inf", "-inf"), "Infinity minus infinity is undefined", "invalid"),
    (lambda: explain.multiply(0, "inf"), "Zero times infinity is undefined", "invalid"),
    (lambda: fma(0, "inf", "nan"), "Zero times infinity is undefined", "invalid"),
    (lambda: fma("inf", 1, "-inf"), "Infinity minus infinity is undefined", "invalid"),
    (lambda: add("nan", 1), "An operand is NaN, so the result is NaN", "flags  none"),
    (lambda: explain.divide(1, 0), "an exact infinity", "divide_by_zero"),
    (lambda: explain.divide(0, 0), "0/0 is undefined", "invalid"),
    (lambda: explain.divide("inf", "inf"), "Infinity divided by infinity is undefined", "invalid"),
    (lambda: explain.divide(3, "-inf"), "divided by infinity is exactly zero", "negative zero"),
    (lambda: explain.sqrt(-1), "no real square root", "invalid"),
    (lambda: explain.sqrt("-0"), "The square root of -0 is -0", "negative zero"),
    (lambda: explain.sqrt(2), "irrational: its digits never end", "the remainder sets the sticky bit"),
    (lambda: explain.sqrt(4), "no remainder", "Nothing is cut off"),
    (lambda: explain.divide(1, 3), "1/3, whose binary digits never end", "1/3 ulp"),
    (lambda: explain.multiply(300, 300, "e4m3fn"), "e4m3fn has no infinity, so the result is NaN", "the only NaN"),
    (lambda: rounding(464, "e4m3fn"), "beyond it overflow, and those up to it become max_finite", "448"),
    (lambda: rounding(480, SATURATING), "saturates: the result is +max_finite", "448"),
    (lambda: rounding("inf", SATURATING), "infinity becomes 448, which is an overflow", "overflow"),
    (lambda: rounding("inf", "e4m3fn"), "has no infinity: infinity becomes nan", "overflow"),
    (lambda: rounding(1e-6, FLUSHING), "makes it a zero of the same sign (flush_to_zero)", "positive zero"),
    (lambda: add(1e-6, 1, replace(FLUSHING, subnormals="flush_inputs")), "such inputs a zero of", "0x3C00"),
    (lambda: rounding(1e-5, replace(FLUSHING, subnormals="flush_to_nearest")), "only 0 and min_normal", "0x0000"),
    (lambda: rounding("2047.5"), "The carry runs through all 11 digits", "2048"),
    (lambda: rounding("1023.5p-24"), "That is min_normal: the carry makes the number normal", "0x0400"),
    (lambda: rounding("1/3", "fp16", "to_odd"), "they stay", "an odd last digit shows that some were cut off"),
    (
        lambda: rounding("448.1", "e4m3fn", "to_odd"),
        "stays at +max_finite. Its last bit is 0, so only the flags show that something was lost.",
        "overflow: the rounded result is beyond max_finite",
    ),
    (lambda: rounding("0.1", "bf16", "stochastic", rng=1), "the probability of adding one", "The random number is"),
    (lambda: rounding("nan", replace(fs.E2M1FN, nan_code=8)), "its nan_code is used instead", "-0"),
    (lambda: rounding(0.1, "fp16"), "0.1 is 0.1000000000000000055511151231257827", "less than half"),
    (lambda: rounding("-2.5p-24", "fp16", "toward_positive"), "a negative number shrinks", "-1.1920928955078125e-07"),
]


@pytest.mark.parametrize(("call", "sentence", "fact"), FAMOUS)
def test_a_famous_case_has_its_own_words(call, sentence, fact):
    why = call()
    said = re.sub(r"\s+", " ", str(why))
    assert sentence in said
    assert re.sub(r"\s+", " ", fact) in said


def test_an_ordinary_case_has_no_remarks():
    assert add("1", "2").remarks == ()
    assert "remark" not in str(add("1", "2"))


NUMBERS = st.one_of(
    st.floats(), st.fractions(), st.builds(lambda n, e: f"{n}p{e}", st.integers(), st.integers(-999, 999))
)
OPERATIONS = {"add": 2, "multiply": 2, "divide": 2, "sqrt": 1, "fma": 3, "rounding": 1, "convert": 1, "anatomy": 1}


def no_number_is_left(data):
    """JSON's own numbers are counts and codes; every value is text."""
    if isinstance(data, dict):
        return all(map(no_number_is_left, data.values()))
    return all(map(no_number_is_left, data)) if isinstance(data, list) else not isinstance(data, float)


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from(["binary16", "bf16", "binary64", SATURATING, FLUSHING, Format("wide", 128, 113)]),
    st.sampled_from(MODES),
)
def test_whatever_is_explained_fits_80_columns_and_reads_back(name, numbers, fmt, mode):
    why = getattr(explain, name)(*numbers[: OPERATIONS[name]], fmt, mode, rng=1)
    assert max(map(len, str(why).splitlines())) <= 80
    assert not any(line != line.rstrip() for line in str(why).splitlines())
    data = json.loads(json.dumps(why.to_dict()))
    assert no_number_is_left(data)
    result = data["number" if name == "anatomy" else "result"]
    assert fs.exact.encode(fs.parse(result["value"]), fs.get_format(fmt)) == result["code"] or result["value"] == "nan"


class Reader(HTMLParser):
    """Which tags are open, and what text stands on the page."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        assert tag in {
            "div",
            "style",
            "h4",
            "h5",
            "section",
            "dl",
            "dt",
            "dd",
            "pre",
            "span",
            "table",
            "tr",
            "td",
            "th",
        }
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if "style" not in self.open else ""


@pytest.mark.parametrize(
    "why",
    [add("0.1", "0.2"), explain.compare("1/3"), explain.anatomy("0x0001"), explain.dot([1, 1], [2048, 1])],
    ids=lambda why: type(why).__name__,
)
def test_html_says_what_the_text_says_and_needs_nothing_else(why):
    page = why._repr_html_()
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert sorted(re.sub(r"\s", "", reader.text)) == sorted(re.sub(r"\s", "", str(why)))
    assert not re.search(r"https?:|src=|@import|url\(", page)


def test_html_escapes_what_was_typed():
    why = add("0.1", 2)  # the first is rounded, and both texts stand in several places
    hostile = replace(why, operands=tuple(replace(x, text="<b>&") for x in why.operands))
    assert "<b>" not in hostile._repr_html_()
    assert hostile._repr_html_().count("&lt;b&gt;&amp;") == 4


@given(st.one_of(st.floats(), st.fractions(), st.integers()))
def test_an_exact_text_reads_back(x):
    value = fs.exact.as_exact(x)
    back = fs.parse(exact_text(value))
    assert repr(back) == repr(value)


def test_numbers_for_people_say_when_digits_are_left_out():
    assert short_text(Fraction(1, 2**60)) == "8.67361737988403547...e-19"
    assert short_text(Fraction(10) ** 5000) == "1e+5000"
    assert exact_text(Fraction(1, 3**5000)).endswith("...e-2386")
    assert short_text(Fraction(-5, 16)) == "-0.3125"
    assert ulps_text(Fraction(1, 2) - Fraction(1, 2**30)) == "1/2 - 9.313...e-10"
    assert rough_text(Fraction(9999, 10000)) == "1.00e+00"


def test_every_mode_of_0_1_plus_0_2():
    answers = {r.mode: [(o.code, str(o.probability)) for o in r.outcomes] for r in add("0.1", "0.2").modes}
    assert answers == {
        Rounding.TIES_TO_EVEN: [(0x34CC, "1")],
        Rounding.TIES_TO_AWAY: [(0x34CD, "1")],
        Rounding.TOWARD_ZERO: [(0x34CC, "1")],
        Rounding.TOWARD_POSITIVE: [(0x34CE, "1")],
        Rounding.TOWARD_NEGATIVE: [(0x34CC, "1")],
        Rounding.TO_ODD: [(0x34CD, "1")],
        Rounding.STOCHASTIC: [(0x34CD, "18/25"), (0x34CC, "6/25"), (0x34CE, "1/25")],
    }


@pytest.mark.parametrize("fmt", [fs.E4M3FN, fs.E5M2, Format("toy", 6, 3)], ids=str)
def test_the_formula_of_every_code_gives_its_value(fmt):
    for code in range(2**fmt.width):
        number = explain.anatomy(f"0x{code:x}", fmt).number
        said = formula(number)
        parts = re.match(
            r"(-?)2\^\((\d+) - (\d+)\) × \((\d) \+ (\d+)/(\d+)\) = (-?)2\^(-?\d+) × ([01.]+) in binary", said
        )
        if parts is None:
            assert not fs.exact.is_finite(number.value) or number.value == 0
            continue
        sign, field, bias, one, top, bottom, again, e, digits = parts.groups()
        value = Fraction(2) ** (int(field) - int(bias)) * (int(one) + Fraction(int(top), int(bottom)))
        assert number.value == (-value if sign else value)
        places = len(digits.split(".")[1])
        assert value == Fraction(int(digits.replace(".", ""), 2), 2**places) * Fraction(2) ** int(e)
        assert again == sign
        assert ("no implicit 1" in said) == (one == "0") == (number.kind in ("positiveSubnormal", "negativeSubnormal"))
