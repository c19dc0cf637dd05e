"""Formats unlike IEEE 754's: another bias, one zero, no sign, precision 1; AMD's, OCP's scales, IEEE P3109."""

from dataclasses import replace
from itertools import accumulate, product

import ml_dtypes
import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import NAMED_FORMATS, WITH_BOTH_ZEROS, Format, get_format, p3109

from .support import count_cases, within_ml_dtypes

OTHERS = [fmt for fmt in (*NAMED_FORMATS,) if fmt not in WITH_BOTH_ZEROS] + [fs.E3M4]
KINDS = ("se", "sf", "ue", "uf")


def drafts(widths):
    """All formats of P3109 with these widths that have a positive number."""
    for width in widths:
        for precision, kind in product(range(1, width + 1), KINDS):
            if (width, kind) != (2, "se"):  # of four codes, none is left for a positive number
                yield p3109(width, precision, kind)


NARROW = list(drafts(range(2, 7)))
EIGHT = list(drafts((7, 8)))
MODES = [mode for mode in fs.Rounding if mode is not fs.Rounding.STOCHASTIC]


def of_gfloat(fmt):
    """gfloat, and the same format in it."""
    gfloat = pytest.importorskip("gfloat", reason="an independent implementation of P3109")
    from gfloat.formats import format_info_p3109
    from gfloat.types import Domain, Signedness

    sign = Signedness.Signed if fmt.signed else Signedness.Unsigned
    domain = Domain.Extended if fmt.has_infinity else Domain.Finite
    return gfloat, format_info_p3109(fmt.width, fmt.precision, sign, domain)


def bits(x):
    """Signs, and one NaN for all."""
    x = np.asarray(x, np.float64)
    return np.where(np.isnan(x), np.uint64(2**64 - 1), np.where(x == 0, 0.0, x).view(np.uint64))


def points(fmt):
    """Numbers of the format, ties, their neighbours in float64, what is beyond, and specials."""
    numbers = np.unique(np.abs(fs.all_values(fmt)))
    numbers = numbers[np.isfinite(numbers)]
    beyond = float(fmt.max_finite) * np.array([1.01, 1.25, 1.5, 1.75, 2, 4, 1e3])
    small = float(fmt.min_subnormal) * np.array([0.25, 0.5, 0.75, 1.5])
    x = np.concatenate([[0.0], numbers, (numbers[1:] + numbers[:-1]) / 2, beyond, small])
    x = np.concatenate([x, np.nextafter(x, np.inf), np.nextafter(x, 0)])
    return np.concatenate([x, -x, [np.inf, -np.inf, np.nan]])


def same_as_exact(fmt, mode):
    """Values and flags of an array are those of the exact layer."""
    x, flags = points(fmt), set()
    with np.errstate(all="ignore"), fs.record_flags() as raised:
        found = fs.round_to(x, fmt, mode)
    for given, ours in zip(x, found, strict=True):
        result = exact.round_operand(exact.as_exact(float(given)), fmt, mode)
        flags |= result.flags
        assert bits(float(result.value)) == bits(ours), (fmt, mode, given, ours, result)
        assert exact.is_nan(result.value) or exact.is_negative(result.value) == np.signbit(ours), (fmt, mode, given)
    assert set(raised.names()) == flags, (fmt, mode)
    assert (bits(fs.round_to(found[np.isfinite(found)], fmt, mode)) == bits(found[np.isfinite(found)])).all()
    count_cases(x.size, "other formats: exact")


LONG = [pytest.param(fmt, marks=pytest.mark.exhaustive) for fmt in EIGHT]


@pytest.mark.parametrize("fmt", [*NARROW, *OTHERS, *LONG], ids=str)
def test_every_code_is_read_and_written_back_by_both_layers(fmt):
    values = fs.all_values(fmt)
    for code, value in enumerate(values):
        assert bits(value) == bits(float(exact.decode(code, fmt)))
        assert int(fs.encode(value, fmt)) == code
    finite = values[np.isfinite(values)]
    assert finite.max() == fmt.max_finite
    assert np.unique(np.abs(finite[finite != 0])).min() == fmt.min_subnormal
    assert np.count_nonzero(np.isnan(values)) == (1 if fmt != fs.E3M4 else 2 * 15)
    count_cases(values.size, "other formats: codes")


@pytest.mark.parametrize(
    "fmt",
    [*NARROW[::7], *OTHERS, *(pytest.param(f, marks=pytest.mark.exhaustive) for f in (*NARROW, *EIGHT))],
    ids=str,
)
def test_rounding_is_that_of_the_exact_layer_in_every_mode_with_its_flags(fmt):
    for mode, saturate in product(MODES, (False, True)):
        same_as_exact(replace(fmt, saturate=saturate), mode)


@pytest.mark.parametrize("fmt", [*NARROW, *EIGHT], ids=str)
def test_every_code_of_p3109_has_the_value_that_gfloat_gives_it(fmt):
    gfloat, info = of_gfloat(fmt)
    theirs = [gfloat.decode_float(info, code).fval for code in range(2**fmt.width)]
    assert (bits(theirs) == bits(fs.all_values(fmt))).all()
    count_cases(len(theirs), "other formats: gfloat")


@pytest.mark.parametrize("fmt", [f for f in NARROW if f.signed], ids=str)
def test_rounding_to_p3109_is_that_of_gfloat(fmt):
    """Not ties away, which gfloat takes for a number just below the tie too; nor unsigned, where it keeps the sign."""
    gfloat, info = of_gfloat(fmt)
    x = points(fmt)
    for name in ("TiesToEven", "TowardZero", "TowardPositive", "TowardNegative"):
        mode = "ties_to_even" if name == "TiesToEven" else f"toward_{name.removeprefix('Toward').lower()}"
        for saturate in (False, True):
            theirs = [gfloat.round_float(info, float(one), gfloat.RoundMode[name], saturate) for one in x]
            with np.errstate(all="ignore"):
                ours = fs.round_to(x, replace(fmt, saturate=saturate), mode)
            assert (bits(theirs) == bits(ours)).all(), (fmt, mode, saturate)
            count_cases(x.size, "other formats: gfloat")


@pytest.mark.parametrize("fmt", [fs.E3M4, fs.E4M3FNUZ, fs.E5M2FNUZ, fs.E4M3B11FNUZ, fs.E8M0FNU], ids=str)
def test_codes_and_casts_are_those_of_ml_dtypes(fmt):
    dtype = np.dtype(getattr(ml_dtypes, f"float8_{fmt}"))
    assert get_format(dtype) == fmt
    codes = np.arange(256, dtype=np.uint8)
    assert (bits(codes.view(dtype).astype(np.float64)) == bits(fs.all_values(fmt))).all()
    with np.errstate(all="ignore"):
        x = within_ml_dtypes(points(fmt).astype(np.float32), fmt)
        theirs, ours = x.astype(dtype).astype(np.float64), fs.round_to(x, fmt)
    assert (bits(theirs) == bits(ours)).all()
    count_cases(x.size, "other formats: ml_dtypes")


@pytest.mark.filterwarnings("ignore:(invalid|overflow)")
def test_an_unsigned_format_has_no_negative_numbers_and_says_so():
    fmt = p3109(8, 3, "ue")
    with fs.record_flags() as raised:
        assert np.isnan(fs.round_to(-1.0, fmt))
    assert raised.names() == ("invalid",)
    assert fs.round_to(-1.0, replace(fmt, saturate=True)) == 0
    assert fs.round_to(-float(fmt.min_subnormal) / 4, fmt) == 0
    assert "has no negative numbers" in str(fs.explain.rounding(-1.0, fmt))


@pytest.mark.filterwarnings("ignore:(invalid|overflow)")
def test_a_format_without_zero_has_a_smallest_number():
    fmt = fs.E8M0FNU
    assert np.isnan(fs.round_to(0.0, fmt))
    assert fs.round_to([2.0**-128, 1e-300], fmt).tolist() == [2.0**-127] * 2
    assert fs.round_to([0.0, -3.0], replace(fmt, saturate=True)).tolist() == [2.0**-127] * 2
    assert fs.round_to([3.0, 6.0, 1.4], fmt).tolist() == [4.0, 8.0, 1.0]  # the significand 1 is odd: ties go up
    assert fs.next_up(0.0, fmt) == fs.next_down(2.0**-127, fmt) == 2.0**-127
    assert "has no zero" in str(fs.explain.rounding(0.0, fmt))


def test_with_precision_1_the_exponent_field_says_which_neighbour_is_even():
    fmt = p3109(8, 1)
    assert [fs.encode(fs.round_to(1.5 * 2.0**e, fmt), fmt) % 2 for e in range(-8, 9)] == [0] * 17
    assert [fs.encode(fs.round_to(1.5 * 2.0**e, fmt, "to_odd"), fmt) % 2 for e in range(-8, 9)] == [1] * 17


@pytest.mark.parametrize("fmt", [*OTHERS, *NARROW, *EIGHT], ids=str)
def test_a_format_is_read_back_from_its_name_and_from_its_fields(fmt):
    assert get_format(fmt.name) == get_format(fmt.to_dict()) == fmt
    changed = get_format(f"{fmt.name},saturate=true")
    assert changed == replace(fmt, saturate=True)
    assert get_format(changed.name) == changed
    stated = {name: value for name, value in fmt.to_dict().items() if name != "name" and value is not None}
    listed = ",".join(f"{name}={str(value).lower()}" for name, value in stated.items())
    assert get_format(listed) == fmt
    assert get_format(get_format(listed).name) == fmt


@pytest.mark.parametrize("bias", [3, 7, 8, 15, 16])
def test_the_bias_of_an_unsigned_format_is_read_back_from_its_name(bias):
    fmt = get_format(f"width=8,precision=4,specials=one_nan,signed=false,bias={bias}")
    assert fmt.bias == bias == get_format(fmt.name).bias


@pytest.mark.filterwarnings("ignore:invalid")
@pytest.mark.parametrize("name", ["e4m3fnuz", "e8m0fnu", "binary8p3ue"])
def test_an_operand_that_is_flushed_becomes_no_zero_that_the_format_lacks(name):
    fmt = get_format(f"{name},subnormals=flush_inputs")
    for x in (float(fmt.min_normal) / 4, -float(fmt.min_normal) / 4):
        assert bits(float(exact.round_to(x, fmt))) == bits(fs.round_to(x, fmt))
        assert exact.encode(x, fmt) == fs.encode(x, fmt)


def test_the_bias_follows_the_widths_in_a_text_and_stays_in_replace():
    assert get_format("binary16,width=8,precision=4").bias == 7
    assert get_format("binary16,bias=3").bias == replace(fs.BINARY16, bias=3, width=17).bias == 3
    assert replace(fs.BINARY16, width=17, bias=None).bias == 31


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("binary16p4", ["binary16p4", "2 to 15 bits"]),
        ("binary8p9", ["binary8p9", "precisions of 1 to the width"]),
        ("binary2p1se", ["no code for a positive number"]),
        ("width=8,precision=4,signed=false", ["signed=False", "one_nan"]),
        ("width=8,precision=4,zero=false", ["zero=False", "e8m0fnu"]),
        ("binary16,bias=99999", ["bias=99999", "-32768 to 32768"]),
        ("binary16,bias=x", ["bias='x' is not an integer"]),
    ],
)
def test_what_is_no_format_is_refused(text, fragments):
    with pytest.raises(ValueError, match="fmt=") as caught:
        get_format(text)
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize("fmt", [fs.E4M3FNUZ, fs.E8M0FNU, p3109(6, 1), p3109(6, 3, "ue")], ids=str)
@pytest.mark.parametrize("name", ["add", "multiply", "divide", "sqrt"])
def test_operations_are_those_of_the_exact_layer(fmt, name):
    numbers = fs.all_values(fmt)[:: 5 if fmt.width == 8 else 1]
    operands = [numbers] if name == "sqrt" else [axis.reshape(-1) for axis in np.meshgrid(numbers, numbers)]
    with np.errstate(all="ignore"):
        ours = getattr(fs, name)(*operands, fmt)
    rows = (tuple(map(exact.as_exact, row)) for row in zip(*operands, strict=True))
    theirs = [exact.compute(name, row, fmt, fs.Rounding.TIES_TO_EVEN) for row in rows]
    assert (bits([float(result.value) for result in theirs]) == bits(ours)).all()
    count_cases(ours.size, "other formats: operations")


def steps_of(operation, terms, fmt, mode):
    """The partial results of an operation of the exact layer."""
    return list(accumulate(terms, lambda a, b: operation(a, b, fmt, mode)))


SUMMED = (fs.E4M3FNUZ, fs.E8M0FNU, p3109(6, 1), p3109(6, 3), p3109(6, 3, "ue"), p3109(5, 5))


@pytest.mark.parametrize("fmt", SUMMED, ids=str)
@pytest.mark.filterwarnings("ignore:(invalid|overflow)")
def test_sums_and_products_take_the_steps_of_the_exact_layer(fmt):
    values, rng = fs.all_values(fmt), np.random.default_rng(0)
    small = values[np.abs(values) <= 4 * max(1, float(fmt.min_normal))]
    for mode, k in product(MODES, range(12)):
        x, y = rng.choice(small, (2, 5))
        x = np.concatenate([x, -x]) if k % 3 == 0 and fmt.signed else x  # a sum of zero
        y = np.resize(y, x.size)
        terms, factors = ([exact.as_exact(float(v)) for v in z] for z in (x, y))
        sums = steps_of(exact.add, terms, fmt, mode)
        products = [exact.multiply(a, b, fmt, mode) for a, b in zip(terms, factors, strict=True)]
        dot = steps_of(exact.add, products, fmt, mode)
        product_of = fs.matmul(x[None], y[:, None], fmt, mode)[0]
        found = [fs.cumsum(x, fmt, mode), [fs.sum(x, fmt, mode)], [fs.dot(x, y, fmt, mode)], product_of]
        for ours, theirs in zip(found, (sums, sums[-1:], dot[-1:], dot[-1:]), strict=True):
            expected = np.array([float(v) for v in theirs])
            assert (bits(ours) == bits(expected)).all(), (fmt, mode, x, y)
            assert (np.signbit(ours) == np.signbit(expected))[~np.isnan(expected)].all(), (fmt, mode, x, y)
        count_cases(x.size + 3, "other formats: sums")


def test_an_explanation_names_the_exponent_field_where_it_decides_a_tie():
    up, down = (" ".join(str(fs.explain.rounding(x, p3109(8, 1))).split()) for x in (1.5 * 2.0**1, 1.5 * 2.0**2))
    assert "an exponent field that ends in 1, which is odd, so one is added" in up
    assert "an exponent field that ends in 0, which is even, so they stay" in down


@pytest.mark.parametrize("fmt", [fs.E8M0FNU, p3109(8, 3, "ue"), p3109(8, 4, "uf")], ids=str)
def test_the_numbers_next_to_a_number_raise_no_flag_in_an_unsigned_format(fmt):
    with fs.record_flags() as raised:
        fs.next_up([-1.0, 0.0, 1e300, np.inf], fmt)
        fs.next_down([-1.0, 0.0, 1e300, np.inf], fmt)
    assert raised.names() == ()


def test_a_wide_unusual_format_is_for_the_exact_layer():
    fmt = Format("wide", width=15, precision=1, specials="one_nan", signed=False)
    assert exact.round_to("5", fmt) == 4
    with pytest.raises(ValueError, match=r"fp16sim\.exact"):
        fs.round_to(3.0, fmt)


@pytest.mark.parametrize("fmt", [fs.E4M3FNUZ, get_format("binary5p2ue")], ids=str)
def test_a_flushed_operand_is_the_one_zero_of_both_layers(fmt):
    fmt = replace(fmt, subnormals="flush_inputs")
    for x in (float(fmt.min_subnormal), -float(fmt.min_subnormal), -0.0):
        found = exact.round_operand(exact.as_exact(x), fmt, fs.Rounding.TIES_TO_EVEN).value
        assert not exact.is_negative(found)
        assert not np.signbit(fs.round_to(x, fmt))


def test_a_tie_of_a_sum_with_one_digit_goes_where_that_of_add_goes():
    fmt = get_format("width=8,precision=1,specials=none")
    assert float(fs.sum([2.0, 1.0], fmt)) == float(fs.add(2.0, 1.0, fmt)) == float(exact.add(2, 1, fmt)) == 2.0
    assert float(fs.sum([4.0, 2.0], fmt)) == float(fs.add(4.0, 2.0, fmt)) == 8.0
