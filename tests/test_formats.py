"""Format: facts derived from width and precision, names, equality, and refusals that show the way out."""

import dataclasses
import math
import pickle
import re
import time
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.flags import FLAGS
from fp16sim.formats import NAMED_FORMATS, Format, Specials, Subnormals, get_format, get_rounding
from fp16sim.text import STYLES

from .support import BYTES, TOYS, positive_values

FACTS = {  # emax, emin, bias, max_finite, min_normal, min_subnormal: from the standards (IEEE 754-2019, OCP MX and FP8)
    "binary16": (15, -14, 15, 65504.0, 2.0**-14, 2.0**-24),
    "bfloat16": (127, -126, 127, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 2.0**-133),
    "tf32": (127, -126, 127, (2 - 2.0**-10) * 2.0**127, 2.0**-126, 2.0**-136),
    "binary32": (127, -126, 127, float(np.finfo(np.float32).max), 2.0**-126, 2.0**-149),
    "binary64": (1023, -1022, 1023, float(np.finfo(np.float64).max), 2.0**-1022, 5e-324),
    "e5m2": (15, -14, 15, 57344.0, 2.0**-14, 2.0**-16),
    "e4m3_ieee": (7, -6, 7, 240.0, 2.0**-6, 2.0**-9),
    "e4m3fn": (8, -6, 7, 448.0, 2.0**-6, 2.0**-9),
    "e3m2fn": (4, -2, 3, 28.0, 0.25, 0.0625),
    "e2m3fn": (2, 0, 1, 7.5, 1.0, 0.125),
    "e2m1fn": (2, 0, 1, 6.0, 1.0, 0.5),
    "e3m4": (3, -2, 3, 15.5, 0.25, 2.0**-6),  # and these from ml_dtypes
    "e4m3fnuz": (7, -7, 8, 240.0, 2.0**-7, 2.0**-10),
    "e5m2fnuz": (15, -15, 16, 57344.0, 2.0**-15, 2.0**-17),
    "e4m3b11fnuz": (4, -10, 11, 30.0, 2.0**-10, 2.0**-13),
    "e8m0fnu": (127, -127, 127, 2.0**127, 2.0**-127, 2.0**-127),
}


@pytest.mark.parametrize("fmt", NAMED_FORMATS, ids=str)
def test_the_facts_of_a_named_format_are_those_of_its_standard(fmt):
    facts = (fmt.emax, fmt.emin, fmt.bias, fmt.max_finite, fmt.min_normal, fmt.min_subnormal)
    assert facts == FACTS[fmt.name]
    assert fmt.machine_epsilon == 2 * fmt.unit_roundoff == 2.0 ** (1 - fmt.precision)
    assert fmt.width == fmt.signed + fmt.exponent_bits + fmt.trailing_bits


@pytest.mark.parametrize("fmt", [*TOYS, *BYTES, fs.BINARY16, fs.BFLOAT16], ids=str)
def test_the_derived_facts_are_seen_in_the_list_of_all_values(fmt):
    values = positive_values(fmt)
    assert (np.diff(values) > 0).all()
    assert values[0] == 0
    assert values[1] == fmt.min_subnormal
    assert values[-1] == fmt.max_finite
    assert values[2**fmt.trailing_bits] == fmt.min_normal
    one = np.flatnonzero(values == 1.0)[0]
    assert values[one + 1] - 1 == fmt.machine_epsilon


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_names_of_numpys_finfo_give_its_numbers(dtype):
    info, fmt = np.finfo(dtype), get_format(dtype)
    for name in ("bits", "eps", "max", "smallest_normal", "smallest_subnormal"):
        assert getattr(fmt, name) == getattr(info, name)


@pytest.mark.parametrize(
    "name",
    [
        "float16",
        "bfloat16",
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3",
        "float6_e3m2fn",
        "float6_e2m3fn",
        "float4_e2m1fn",
    ],
)
def test_the_values_of_a_dtype_of_ml_dtypes_are_those_of_its_format(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    fmt = get_format(dtype)
    codes = np.arange(2**fmt.width).astype(np.uint16 if fmt.width == 16 else np.uint8)
    with np.errstate(all="ignore"):
        theirs = codes.view(dtype).astype(np.float64)
    ours = fs.all_values(fmt)
    assert np.array_equal(theirs, ours, equal_nan=True)
    assert np.array_equal(np.signbit(theirs), np.signbit(ours))


@pytest.mark.parametrize(
    ("alias", "fmt"),
    [
        ("fp16", fs.BINARY16),
        ("Half", fs.BINARY16),
        ("FLOAT-16", fs.BINARY16),
        ("bf16", fs.BFLOAT16),
        ("single", fs.BINARY32),
        ("double", fs.BINARY64),
        (float, fs.BINARY64),
        (np.float32, fs.BINARY32),
        (np.dtype(">f2"), fs.BINARY16),
        ("torch.bfloat16", fs.BFLOAT16),
        ("fp8_e4m3fn", fs.E4M3FN),
        (fs.TF32, fs.TF32),
        ("fp4", fs.E2M1FN),
        ("e2m1", fs.E2M1FN),
        ("E2M3", fs.E2M3FN),
        ("e3m2", fs.E3M2FN),
        ("fp6_e2m3", fs.E2M3FN),
        ("float4_e2m1fn", fs.E2M1FN),
        ("e4m3_ieee", fs.E4M3),
        ("width=16, precision=8", fs.BFLOAT16),
        ("e4m3_ieee,specials=nan", fs.E4M3FN),
        ("precision=4,width=6,specials=none", fs.E2M3FN),
    ],
)
def test_a_format_has_many_names(alias, fmt):
    assert get_format(alias) is fmt


@pytest.mark.parametrize(
    ("text", "name", "fields"),
    [
        ("e5m4", "e5m4", {"width": 10, "precision": 5}),
        ("E05M4", "e5m4", {"width": 10, "precision": 5}),
        ("float8_e3m4", "e3m4", {"width": 8, "precision": 5}),
        ("width=10,precision=5", "e5m4", {"width": 10, "precision": 5}),
        ("width=6,precision=3", "width=6,precision=3", {"width": 6, "precision": 3, "specials": "ieee"}),
        ("half,saturate=True", "binary16,saturate=true", {"width": 16, "precision": 11, "saturate": True}),
        (
            "e5m4, subnormals=flush_to_zero",
            "e5m4,subnormals=flush_to_zero",
            {"width": 10, "precision": 5, "subnormals": "flush_to_zero"},
        ),
        ("fp4,nan_code=0x8", "e2m1fn,nan_code=8", {"width": 4, "precision": 2, "specials": "none", "nan_code": 8}),
    ],
)
def test_a_format_of_ones_own_is_text_and_its_name_is_read_back(text, name, fields):
    fmt = get_format(text)
    assert (fmt, fmt.name) == (Format("mine", **fields), name)
    assert get_format(fmt.name) == fmt
    assert get_format(fmt.to_plain()) == fmt


def test_a_layout_rounds_as_the_same_fields_do_in_every_function():
    own = Format("mine", width=10, precision=5)
    x = np.linspace(-60000, 61000, 1001)
    assert np.array_equal(fs.round_to(x, "e5m4"), fs.round_to(x, own))
    assert np.array_equal(fs.exp(x / 7000, "e5m4"), fs.exp(x / 7000, own))
    wide = fs.accumulators.Kahan(Format("wide", width=24, precision=18))
    assert fs.sum(x / 1e5, own, accumulator="kahan:width=24,precision=18") == fs.sum(x / 1e5, own, accumulator=wide)
    assert fs.explain.add(1, 0.3, "e5m4").result == fs.explain.add(1, 0.3, own).result


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bfloat61", "did you mean 'bfloat16'? known: binary16"),
        ("fp8", "fmt='fp8' is more than one format; use e4m3fn, e5m2 or e4m3_ieee"),
        ("float6", "use e3m2fn or e2m3fn"),
        ("fp8_e5m4", "fmt='fp8_e5m4': e5m4 has 10 bits with its sign, not 8"),
        ("e1m5", "fmt='e1m5': precision=6 leaves 1 exponent bits"),
        ("e5m0", "fmt='e5m0': precision=1 leaves no trailing significand bit"),
        ("e16m3", "at most 15 are supported"),
        ("width=8", "fmt='width=8' must state both"),
        ("width=8,precision=9", "fmt='width=8,precision=9': precision=9 leaves 0 exponent bits"),
        ("width=8,precision=4,width=9", "'width=9' is given twice"),
        ("width=8,precison=4", "'precison=4' is not FIELD=VALUE; did you mean 'precision'?"),
        ("width=wide,precision=4", "width='wide' is not an integer"),
        ("e5m4,saturate=perhaps", "saturate='perhaps' is not true or false"),
        ("e5m4,subnormals=flush", "subnormals='flush' is unknown"),
        ("e5m4,bf16", "'bf16' is not FIELD=VALUE"),
        ("e" * 10**6, "is not a known format"),
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_is_not_a_format_is_answered_with_the_way_out(text, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        get_format(text)
    assert len(str(caught.value)) < 600


def test_formats_are_frozen_hashable_values_and_their_name_is_not_part_of_them():
    half = Format("half", width=16, precision=11)
    assert half == fs.BINARY16
    assert hash(half) == hash(fs.BINARY16)
    assert half != fs.BFLOAT16
    assert half != dataclasses.replace(half, saturate=True)
    assert pickle.loads(pickle.dumps(half)) == half
    with pytest.raises(dataclasses.FrozenInstanceError):
        half.width = 8
    assert Format("enum", 8, 4, "nan", "flush-to-zero") == Format(
        "x", np.int64(8), 4, fs.Specials.NAN, fs.Subnormals.FLUSH_TO_ZERO
    )


def test_a_format_wider_than_binary64_has_exact_facts():
    quad = Format("binary128", width=128, precision=113)
    assert quad.max_finite == (2 - Fraction(1, 2**112)) * 2**16383
    assert quad.min_subnormal == Fraction(1, 2**16494)
    assert fs.BINARY64.fits_in(quad)
    assert not quad.fits_in(fs.BINARY64)


def test_a_format_without_infinity_or_nan_always_saturates():
    assert fs.E3M2FN.saturate
    assert not fs.E4M3FN.saturate
    assert not fs.E3M2FN.has_nan
    assert (fs.E4M3FN.has_nan, fs.E4M3FN.has_infinity) == (True, False)


def test_fitting_in_another_format_means_that_every_value_is_one_of_it():
    small = [fs.E5M2, fs.E4M3, fs.E4M3FN, fs.E3M2FN, fs.E2M3FN, fs.E2M1FN, fs.BINARY16, fs.BFLOAT16]
    for a in small:
        for b in small:
            assert a.fits_in(b) == set(positive_values(a)).issubset(positive_values(b)), (a, b)


@pytest.mark.parametrize(
    ("make", "error", "fragments"),
    [
        (lambda: Format("f", 16, 16), ValueError, ["precision=16", "width=16", "use precision <= 14"]),
        (lambda: Format("f", 16, 15), ValueError, ["precision=15", "1 exponent bits", "use precision <= 14"]),
        (lambda: Format("f", 8, 1), ValueError, ["precision=1", "trailing significand", "use precision >= 2"]),
        (lambda: Format("f", 40, 8), ValueError, ["width=40", "32 exponent bits", "at most 15", "use width <= 23"]),
        (lambda: Format("k", 22, 2), ValueError, ["width=22", "20 exponent bits", "use width <= 17"]),
        (lambda: Format("x", 10**9, 10**9 - 5), ValueError, ["width=1000000000", "at most 512 bits"]),
        (lambda: Format("x", 10**5000, 5), ValueError, ["width=<an integer of 16610 bits>", "at most 512 bits"]),
        (lambda: Format("x", 16, -(10**9)), ValueError, ["precision=-1000000000", "at most 512 bits"]),
        (lambda: Format("n" * 10**7, 16, 11), TypeError, ["name='nnn", "at most 100 printable characters"]),
        (lambda: Format("\x1b[31m", 16, 11), TypeError, ["name='\\x1b[31m'", "printable"]),
        (lambda: Format(16, 16, 11), TypeError, ["name=16", "is not a name"]),
        (lambda: Format("f", 6, 3, "none", nan_code=1.0), TypeError, ["nan_code=1.0", "not an integer"]),
        (lambda: Format("f", 8.0, 4), TypeError, ["width=8.0", "not an integer"]),
        (lambda: Format("f", 8, True), TypeError, ["precision=True", "not an integer"]),
        (lambda: Format("f", 8, 4, specials="none?"), ValueError, ["specials='none?'", "'none'"]),
        (lambda: Format("f", 8, 4, subnormals=0), TypeError, ["subnormals=0", "'gradual'"]),
        (lambda: Format("f", 8, 4, nan_code=3), ValueError, ["nan_code=3", "leave nan_code out"]),
        (lambda: Format("f", 6, 3, "none", nan_code=64), ValueError, ["nan_code=64", "use 0 to 63"]),
        (lambda: Format("f", 6, 3, "none", "flush_to_zero", nan_code=33), ValueError, ["nan_code=33", "subnormal"]),
        (lambda: get_format("fp17"), ValueError, ["'fp17'", "known", "make your own", "width=8,precision=4"]),
        (lambda: get_format(None), TypeError, ["fmt=None", "dtype"]),
        (lambda: get_format(np.int32), ValueError, ["int32", "known"]),
        (lambda: get_rounding("up"), ValueError, ["mode='up'", "'toward_positive'"]),
        (lambda: get_rounding(None), TypeError, ["mode=None", "'toward_positive'"]),
    ],
)
def test_impossible_parameters_are_refused_with_the_way_out(make, error, fragments):
    start = time.process_time()
    with pytest.raises(error) as caught:
        make()
    assert time.process_time() - start < 0.05
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(("exponent_bits", "precision"), [(15, 2), (15, 497), (2, 510)])
def test_the_widest_formats_that_are_allowed_are_explained_in_a_moment(exponent_bits, precision):
    fmt = Format("widest", exponent_bits + precision, precision)
    assert fmt.max_significand.bit_length() == precision
    for call in (lambda: str(fs.explain.anatomy(0, fmt)), lambda: str(fs.explain.anatomy("1/3", fmt))):
        start = time.process_time()
        assert len(call()) < 10_000
        assert time.process_time() - start < 1


@pytest.mark.parametrize("precision", [300, 318, 330, 510])
def test_a_root_is_right_in_every_precision_that_is_allowed(precision):
    fmt = Format("wide", precision + 2, precision)
    for x in (2, 3):
        root = math.isqrt(x << (2 * (precision + 8)))  # precision + 9 bits, rounded down
        for mode, up in (("toward_negative", 0), ("toward_positive", 1)):
            found = exact.sqrt(x, fmt, mode)
            assert found == Fraction((root >> 9) + up, 2 ** (precision - 1)), (x, mode)
            assert fs.explain.sqrt(x, fmt, mode).result.value == found


@pytest.mark.parametrize(
    ("documented", "choices"),
    [
        (Format, [f'"{choice}"' for choice in (*Specials, *Subnormals)]),
        (fs.round_to, [f'"{choice}"' for choice in Subnormals]),
        (fs.to_text, [f'"{style}"' for style in STYLES]),
        (fs.record_flags, FLAGS),
    ],
)
def test_a_docstring_that_lists_choices_lists_all_of_them(documented, choices):
    assert [choice for choice in choices if choice not in documented.__doc__] == []


def test_modes_are_known_by_name_in_any_spelling():
    assert get_rounding(" Toward-Zero ") is fs.Rounding.TOWARD_ZERO
    assert [mode.nearest for mode in fs.Rounding] == [True, True, False, False, False, False, False]
    assert str(fs.Rounding.TO_ODD) == "to_odd"


@pytest.mark.parametrize(
    "text", ["e4m3", "E4M3", "fp8_e4m3", "float8_e4m3", "FP8-E4M3", "E04M03", "e4m3,saturate=true"]
)
def test_e4m3_as_text_is_refused_with_both_readings(text):
    with pytest.raises(ValueError, match="fmt=") as caught:
        get_format(text)
    said = str(caught.value)
    for part in (repr(text), "e4m3fn: OCP's, up to 448", "e4m3_ieee: IEEE's, up to 240"):
        assert part in said
    assert (fs.E4M3FN.max_finite, fs.E4M3.max_finite) == (448, 240)


def test_a_saved_e4m3_says_what_to_write():
    from fp16sim.learn import Policy

    with pytest.raises(ValueError, match=r"write e4m3fn: .* or e4m3_ieee: .* in a file that fp16sim wrote"):
        Policy(compute="e4m3")
    assert Policy(fs.E4M3).to_dict()["compute"] == "e4m3_ieee"
    assert Policy(**Policy(fs.E4M3).to_dict()) == Policy(fs.E4M3)


def test_what_is_not_ambiguous_is_accepted():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert get_format(ml_dtypes.float8_e4m3) is get_format(np.dtype(ml_dtypes.float8_e4m3)) is fs.E4M3
    assert get_format(fs.E4M3) is get_format(str(fs.E4M3)) is get_format("width=8,precision=4") is fs.E4M3
    every = Format("mine", width=8, precision=4, specials="none")
    assert get_format(get_format("width=8,precision=4,specials=none").name) == every
    assert fs.round_to(np.zeros(1, ml_dtypes.float8_e4m3), "e4m3_ieee") == 0
