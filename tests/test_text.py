"""parse and to_text: every value in every style reads back, the shortest is the shortest, hostile text is harmless."""

import math
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import NAMED_FORMATS, Format

from .support import DETERMINISTIC, count_cases

STYLES = ("shortest", "exact", "fraction", "hex", "bits")
pytestmark = pytest.mark.usefixtures("quiet")

NARROW = [fmt for fmt in NAMED_FORMATS if fmt.width <= 16]


def check_round_trip(fmt, codes):
    """Text in every style reads back to the same code; all but the shortest are the exact value."""
    for code in codes:
        value = exact.decode(code, fmt)
        if exact.is_nan(value):
            assert fs.to_text(np.nan, fmt) == "nan"
            continue
        for style in STYLES:
            text = fs.to_text(value, fmt, style)
            if style == "bits":
                assert int(text, 2) == code, (fmt, text)
                continue
            back = exact.parse(text)
            assert exact.encode(back, fmt) == code, (fmt, style, text)
            assert style == "shortest" or repr(back) == repr(value), (fmt, style, text)
    count_cases(len(codes) * len(STYLES), "text: round trips")


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_a_value_in_every_style_reads_back_to_its_code(fmt):
    top = 2**fmt.width
    edges = [0, 1, 2, 2**fmt.trailing_bits, top // 2 - 1, top // 2, top // 2 + 1, top - 2]
    check_round_trip(fmt, range(top) if fmt.width <= 8 else sorted({*range(0, top, 61), *edges}))


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
def test_every_value_in_every_style_reads_back_to_its_code(fmt):
    check_round_trip(fmt, range(2**fmt.width))


def digits_of(text):
    """How many significant decimal digits a text has."""
    return len(Decimal(text).normalize().as_tuple().digits)


def test_the_shortest_text_is_that_of_numpy_for_every_half_and_single():
    halves = np.arange(0, 0x7C00, 37, dtype=np.uint16).view(np.float16)
    singles = np.arange(0, 0x7F800000, 0x7F800000 // 400, dtype=np.uint32).view(np.float32)
    for fmt, values in ((fs.BINARY16, halves), (fs.BINARY32, singles)):
        for value in values:
            ours, theirs = fs.to_text(value, fmt), np.format_float_scientific(value, unique=True)
            assert Decimal(ours) == Decimal(theirs.rstrip(".")), (ours, theirs)
        count_cases(values.size, "text: NumPy")


@pytest.mark.parametrize("fmt", [fs.E5M2, fs.E4M3FN, fs.E3M2FN], ids=str)
def test_no_shorter_text_reads_back_and_none_as_short_is_nearer(fmt):
    for code in range(1, 2 ** (fmt.width - 1)):
        value = exact.decode(code, fmt)
        if not exact.is_finite(value):
            continue
        text = fs.to_text(value, fmt)
        count, top = digits_of(text), math.floor(math.log10(value)) + 1
        for digits in range(1, count + 1):
            unit = Fraction(10) ** (top - digits)
            nearest = [Fraction(k) * unit for k in (math.floor(value / unit), math.floor(value / unit) + 1)]
            readable = [x for x in nearest if x and exact.encode(x, fmt) == code]
            if digits < count:
                assert not readable, (text, readable)
            else:
                assert abs(exact.parse(text) - value) == min(abs(x - value) for x in readable), text


@pytest.mark.parametrize(
    ("x", "fmt", "style", "text"),
    [
        (0.1, "binary16", "shortest", "0.1"),
        (0.1, "binary16", "exact", "0.0999755859375"),
        (0.1, "binary16", "fraction", "819/8192"),
        (0.1, "binary16", "hex", "0x1.998p-4"),
        (0.1, "binary16", "bits", "0_01011_1001100110"),
        ("1/3", "bfloat16", "shortest", "0.334"),
        (65504, "binary16", "shortest", "65500"),
        (2.0**-24, "binary16", "shortest", "6e-08"),
        (1e30, "bfloat16", "shortest", "1e+30"),
        (1, "binary16", "exact", "1"),
        (-1.5, "binary16", "fraction", "-3/2"),
        (-0.0, "binary16", "shortest", "-0"),
        (-0.0, "binary16", "hex", "-0x0p+0"),
        (np.inf, "binary16", "shortest", "inf"),
        (-np.inf, "binary16", "hex", "-inf"),
        (np.nan, "binary16", "exact", "nan"),
        (np.nan, "binary16", "bits", "0_11111_1000000000"),
        (1e9, "e3m2fn", "exact", "28"),
        (28, "e3m2fn", "shortest", "30"),  # a format that saturates reads 30 as 28
        (5e-324, "binary64", "shortest", "5e-324"),
        (0.1, "binary64", "shortest", "0.1"),
        (0.1, "binary64", "hex", "0x1.999999999999ap-4"),
    ],
)
def test_a_known_text(x, fmt, style, text):
    assert fs.to_text(x, fmt, style) == text


@pytest.mark.parametrize(
    "x", [0.1, 1 / 3, 1e22, 1e23, 123456789.0, 5e-324, 1.7976931348623157e308, 2.0**-1022, 9.5, 4.35]
)
def test_the_shortest_text_of_a_double_and_its_hex_are_those_of_python(x):
    assert float(fs.to_text(x, "binary64")) == x
    assert digits_of(fs.to_text(x, "binary64")) == digits_of(repr(x))
    assert float.fromhex(fs.to_text(x, "binary64", "hex")) == x


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        (" -1.5e-8 ", Fraction(-15, 10**9)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1_000.000_1", Fraction(10000001, 10000)),
        ("1/3", Fraction(1, 3)),
        ("1.5 / 1e2", Fraction(3, 200)),
        ("0x1.8p3", Fraction(12)),
        ("-0X.8P-1", Fraction(-1, 4)),
        ("1p-24", Fraction(1, 2**24)),
        ("3*2^-24", Fraction(3, 2**24)),
        ("3 * 2**4", Fraction(48)),
        ("2^-24", Fraction(1, 2**24)),
        ("-2**10", Fraction(-1024)),
        ("+7", Fraction(7)),
        ("1e400", Fraction(10) ** 400),
        ("2.4E+00000000001", Fraction(24)),
        ("4063E00000000000", Fraction(4063)),
        ("5e-" + "0" * 99 + "1", Fraction(1, 2)),
        ("0e9999999999", Fraction(0)),
        ("0/1e-9999999999", Fraction(0)),
        ("1e99999/2e99999", Fraction(1, 2)),
        ("0" * 5000 + "1." + "0" * 4000, Fraction(1)),
        ("1" + "0" * 6000 + "e-6000", Fraction(1)),
        ("1e6020", Fraction(10) ** 6020),
        ("-2^-20000", -Fraction(1, 2**20000)),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("−1,5e−8", Fraction(-15, 10**9)),
        ("3 × 10⁻⁵", Fraction(3, 10**5)),
        ("10**3", Fraction(1000)),
        ("−2⁻²⁴", -Fraction(1, 2**24)),
        ("1234,567", Fraction(1234567, 1000)),
        ("0,123", Fraction(123, 1000)),
        ("65\u202f536.000\u20095", Fraction(655360005, 10**4)),
        ("1\u00a0÷\u00a03", Fraction(1, 3)),
        ("−∞", -math.inf),
    ],
)
def test_every_way_to_write_a_number_is_understood_exactly(text, value):
    assert fs.parse(text) == value
    assert isinstance(fs.parse(text), float) == (not isinstance(value, Fraction))


def test_the_text_of_minus_zero_and_nan_is_understood():
    assert repr(fs.parse("-0.0e5")) == "-0.0"
    assert repr(fs.parse("0")) == "Fraction(0, 1)"
    assert math.isnan(fs.parse("NaN"))


def quickest(call):
    """Seconds of the best of three calls, since the machine may have other work."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("", ["''", "not a number"]),
        ("1,2,3", ["'1,2,3'", "not a number", "0.1"]),
        ("1,234", ["'1,234'", "a thousand times", "write 1.234 or 1234"]),
        ("1\u00a000", ["not a number"]),
        ("0.333…", ["beginning of a number", "fraction"]),
        ("3²", ["'3²'", "only powers of 2 and 10"]),
        ("1\u2009" * 3000, ["not a number"]),
        ("1\u2009000" * 900 + "x", ["not a number"]),
        ("--1", ["not a number"]),
        ("0x1.8", ["not a number", "0x1.8p3"]),
        ("0x2E66", ["code or a number", "decode(0x2E66", "write 11878 or 0x2E66p0"]),
        ("0b101", ["code or a number", "decode(0b101", "write 5"]),
        ("0b2", ["'0b2'", "not a number"]),
        ("0x__1", ["not a number"]),
        ("0x.p3", ["not a number"]),
        ("1/0", ["divides by zero"]),
        ("3^5", ["only powers of 2 and 10", "like 2^-24"]),
        ("1e999999999", ["is beyond 2^20000", "round_to and encode still round it"]),
        ("1p999999999", ["is beyond 2^20000"]),
        ("0x1p-99999", ["is below 2^-20000"]),
        ("1/1e99999", ["is below 2^-20000"]),
        ("1e" + "9" * 9000, ["is beyond 2^20000"]),
        ("1e9999999999p-33219280946", ["exponents too large", "write a single one"]),
        ("1" * 1201, ["1201 digits", "use 1200"]),
        ("1" * 1_000_000, ["1000000 characters", "too long"]),
        (" " * 10_000 + "1", ["10001 characters", "too long"]),
        ("1" * 1290 + "x", ["not a number"]),
        ("1" * 600 + "/" + "1" * 600 + "x", ["not a number"]),
        ("1e" + "1" * 600 + "/1e" + "1" * 600 + "x", ["not a number"]),
        ("1_" * 600 + "x", ["not a number"]),
        ("0x" + "1" * 1200, ["code or a number"]),
        ("0x" + "1" * 1200 + "z", ["not a number"]),
        (" " * 1200 + "1 x", ["not a number"]),
        ("1" + " " * 1200 + "x", ["not a number"]),
    ],
    ids=lambda v: v[:20] if isinstance(v, str) else "",
)
def test_text_that_is_no_number_is_refused_at_once_with_the_way_out(text, fragments):
    def refusal():
        with pytest.raises(ValueError, match="text") as caught:
            fs.parse(text)
        return str(caught.value)

    assert quickest(refusal) < 0.05
    assert len(refusal()) < 400
    for fragment in fragments:
        assert fragment in refusal()


def test_the_largest_text_that_is_allowed_costs_little():
    for text in (
        *("9" * 1200, "0." + "9" * 1190, "9" * 1200 + "/" + "7" * 1200, "1e6020", "1e-6020", "1p20000"),
        *("1e-19999p66000", "9" * 1200 + "e19000", "0" * 9999 + "1", "1e" + "9" * 9000, "-1e-" + "9" * 9000),
    ):
        assert quickest(lambda: fs.round_to(text, "binary16")) < 0.05, text[:20]  # noqa: B023


# --- published strings ----------------------------------------------------------------------------------------------

PUBLISHED = """
0000 00000000 0000000000000000 1e-99999999999
7C00 7F800000 7FF0000000000000 1e18446744073709551616
0000 00000000 0000000000000000 1e-9223372036854775809
7C00 7F800000 7FF0000000000000 1e999999999999999999999
0000 00000000 0000000000000000 1e-999999999999999999999
7C00 7F800000 7FF0000000000000 1e2147483648
0000 00000000 0000000000000000 1e-2147483649
7C00 7F800000 7FF0000000000000 1e9999
0000 00000000 0000000000000000 1e-9999
0000 00000000 0000000000000000 0E4851
0000 00000000 0000000000000000 0e+9223372036854775807
7C00 7F800000 7FF0000000000000 915e2486
7C00 7F800000 7FF0000000000000 39E436
4E00 41C00000 4038000000000000 2.4E+00000000001
0000 00000000 000000000134D761 1e-316
0000 00800003 3810000050000000 1.1754947011469036e-38
0000 00000123 3722300000000000 4.0777785311852176763880530873736559420255622508607e-43
0000 00000000 001FFFFFFFFFFFFE 4.450147717014401778e-308
7C00 715C3BD0 462B8779F2474DFB 1090544144181609348835077142190
7C00 6C492ABF 45892557DAF10FBE 972783798187987123879878123.188781371
3916 3F22BE2C 3FE457C57C57C57C 0.63571428571428568
7BDA 477B4F00 40EF69E000000000 64335
3266 3E4CCCCD 3FC999999999999A .2
"""
"""The codes of decimal strings in binary16, binary32 and binary64, from the parse-number-fxx test data of N. Tao."""


@pytest.mark.parametrize("row", PUBLISHED.strip().splitlines(), ids=lambda row: row.split()[-1])
def test_a_published_string_has_its_published_codes(row):
    *codes, text = row.split()
    for code, fmt in zip(codes, ("binary16", "binary32", "binary64"), strict=True):
        for number in (text, Decimal(text)) if len(text) < 15 else (text,):  # a Decimal has exponents of 18 digits
            assert fs.encode(number, fmt) == int(code, 16), fmt
            assert exact.encode(number, fmt) == int(code, 16), fmt
            assert fs.encode(fs.round_to([number, "1/3"], fmt), fmt)[0] == int(code, 16), fmt


EXTREME = [Format(f"e{e}p{p}", e + p, p, kind) for e, p in ((15, 2), (15, 497), (2, 510)) for kind in ("ieee", "nan")]


@pytest.mark.parametrize("mode", DETERMINISTIC, ids=str)
@pytest.mark.parametrize("fmt", EXTREME, ids=str)
def test_what_is_beyond_the_reach_of_parse_rounds_as_a_number_just_beyond_the_format_does(fmt, mode):
    tiny, huge = Fraction(fmt.min_subnormal) / 2**40, Fraction(fmt.max_finite) * 4
    for sign, minus in ((1, ""), (-1, "-")):
        for near, texts in ((sign * tiny, ("1e-9999", "1e-99999999999")), (sign * huge, ("1e9999", "1p99999999999"))):
            for text in texts:
                for draw in (0, 2**31, 2**32 - 1):
                    found = exact.round_operand(exact.as_exact(minus + text), fmt, mode, draw)
                    expected = exact.round_operand(near, fmt, mode, draw)
                    # A tuple takes the one NaN as equal to itself; records do so only before Python 3.13.
                    found, expected = ((*result, type(result.value)) for result in (found, expected))
                    assert found == expected, text


def test_a_decimal_of_any_size_is_rounded_from_its_value():
    assert fs.round_to([Decimal("1E+999999"), Decimal("-1E-999999"), Decimal("-0E+999999")]).tolist() == [np.inf, 0, 0]
    assert np.signbit(fs.round_to([Decimal("-1E-999999"), Decimal("-0E+999999")])).all()
    assert fs.round_to(Decimal("1." + "0" * 3000 + "1"), "binary16", "toward_positive") == 1 + 2**-10
    with pytest.raises(ValueError, match=r"x=Decimal.* is beyond 2\^20000"):
        fs.explain.rounding(Decimal("1E+999999"))


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match=r"style='short' is unknown; did you mean 'shortest'\? use one of 'sh"):
        fs.to_text(1, "binary16", "short")


def test_parse_with_a_format_is_value_format_and_mode():
    assert fs.parse("0.1", "binary16") == fs.exact.round_to("0.1", "binary16") == Fraction(819, 8192)
    assert fs.parse("0.1", "binary16", "toward_positive") > fs.parse("0.1", "binary16")
    assert fs.parse("1e99999999", "binary16") == np.inf
    assert fs.parse("0.1", "bf16", "stochastic", rng=3) == fs.exact.round_to("0.1", "bf16", "stochastic", rng=3)
    assert fs.parse("0.1") == Fraction(1, 10)
    with pytest.raises(ValueError, match="mode='toward_zero' needs a format"):
        fs.parse("0.1", mode="toward_zero")
    with pytest.raises(TypeError, match=r"text=0\.1 is not text; use round_to"):
        fs.parse(0.1, "binary16")
