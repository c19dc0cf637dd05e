"""encode, decode, fields, classify, next_up, next_down, ulp, all_values: on every code of the narrow formats."""

import struct
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import NAMED_FORMATS, Format

from .support import BYTES, TOYS, assert_same_codes, count_cases

pytestmark = pytest.mark.usefixtures("quiet")

NARROW = [fmt for fmt in NAMED_FORMATS if fmt.width <= 20]
ALL = [*NARROW, *TOYS[:1], Format("wide_exponent", width=12, precision=2)]
every_narrow_format = pytest.mark.parametrize("fmt", ALL, ids=str)


@every_narrow_format
def test_every_code_survives_decode_and_encode_nan_payload_and_sign_included(fmt):
    codes = np.arange(2**fmt.width)
    values = fs.decode(codes, fmt)
    assert (fs.encode(values, fmt) == codes).all()
    assert values.tobytes() == fs.all_values(fmt).tobytes()
    sign, field, trailing = (part.astype(np.int64) for part in fs.fields(values, fmt))
    assert (((sign << fmt.exponent_bits | field) << fmt.trailing_bits) | trailing == codes).all()
    count_cases(codes.size, "codes: round trips")


@pytest.mark.parametrize(
    ("fmt", "kind", "bits"),
    [(fs.BINARY16, np.float16, np.uint16), (fs.BINARY32, np.float32, np.uint32), (fs.BINARY64, np.float64, np.uint64)],
    ids=str,
)
def test_codes_are_the_bits_that_numpy_stores(fmt, kind, bits):
    rng = np.random.default_rng(0)
    codes = np.append(rng.integers(0, 2**fmt.width, 20_000, dtype=np.uint64), [0, 2**fmt.width - 1]).astype(bits)
    values = codes.view(kind)
    nan = np.isnan(values)
    assert (fs.encode(values, fmt) == codes)[~nan].all()
    assert_same_codes(fs.decode(codes, fmt), values.astype(np.float64), fmt, "codes: NumPy")
    if kind is not np.float16:  # NumPy's cast of float16 makes a NaN quiet
        assert (fs.encode(values, fmt) == codes).all()
    assert fs.encode(values, fmt).dtype == bits


def test_the_bits_of_half_are_those_of_the_standard_library():
    for value in (0.0, -0.0, 1.0, -65504.0, 2.0**-24, float("inf")):
        assert fs.encode(value) == struct.unpack("<H", struct.pack("<e", value))[0]


@every_narrow_format
def test_every_value_is_in_the_class_that_its_fields_say(fmt):
    values = fs.all_values(fmt)
    names = fs.classify(values, fmt)
    sign = np.signbit(values)
    magnitude = np.abs(values)
    for name, members in {
        "Zero": magnitude == 0,
        "Subnormal": (magnitude > 0) & (magnitude < fmt.min_normal),
        "Normal": (magnitude >= fmt.min_normal) & (magnitude <= fmt.max_finite),
        "Infinity": np.isinf(values),
    }.items():
        assert (names[members & ~sign] == f"positive{name}").all()
        assert (names[members & sign] == f"negative{name}").all()
    nans = names[np.isnan(values)]
    quiet = 2 ** (fmt.trailing_bits - 1) * 2 if fmt.has_payloads else 2 if fmt.has_negative_zero else 1
    assert np.count_nonzero(nans == "quietNaN") == (quiet if fmt.has_nan else 0)
    assert np.count_nonzero(nans == "signalingNaN") == (quiet - 2 if fmt.has_payloads else 0)
    assert isinstance(fs.classify(1.0, fmt), fs.FloatClass)


@every_narrow_format
def test_next_up_and_next_down_walk_through_all_values_in_order(fmt):
    values = fs.all_values(fmt)
    ascending = np.unique(values[~np.isnan(values)]) + 0.0  # one zero, and positive
    assert_same_codes(fs.next_up(ascending[:-1], fmt) + 0.0, ascending[1:], fmt, "codes: neighbours")
    assert_same_codes(fs.next_down(ascending[1:], fmt) + 0.0, ascending[:-1], fmt, "codes: neighbours")
    greatest = np.inf if fmt.has_infinity else fmt.max_finite
    tiny = fmt.min_subnormal
    assert_same_codes(fs.next_up([greatest, 0.0, -0.0], fmt), [greatest, tiny, tiny], fmt)
    if fmt.signed:
        assert_same_codes(fs.next_up(-tiny, fmt), -0.0 if fmt.has_negative_zero else 0.0, fmt)
        assert_same_codes(fs.next_down([-greatest, tiny, 0.0, -0.0], fmt), [-greatest, 0.0, -tiny, -tiny], fmt)
    else:
        assert fs.next_down(values[0], fmt) == values[0]
    assert np.isnan(fs.next_up(np.nan, fmt))
    assert np.isnan(fs.next_down(np.nan, fmt))


def test_next_up_of_a_number_between_two_values_is_the_upper_one():
    assert fs.next_up(1.0001) == 1 + 2.0**-10
    assert fs.next_down(1.0001) == 1.0
    assert fs.next_up("1/3") == float(exact.round_to("1/3", "binary16", "toward_positive"))
    assert fs.next_up(1e-9) == 2.0**-24
    assert fs.next_down(1e9) == 65504.0
    assert fs.next_up(-1e-9) == 0.0
    assert np.signbit(fs.next_up(-1e-9))


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.E4M3FN, fs.BINARY64], ids=str)
def test_the_neighbours_of_a_number_that_float64_does_not_hold_are_exact_and_raise_no_flag(fmt):
    tiny = Fraction(1, 2**1200)
    with fs.record_flags() as raised:
        for value in map(Fraction, (1, -2, 0, fmt.min_subnormal, fmt.max_finite)):
            assert fs.next_up(value - tiny, fmt) == fs.next_down(value + tiny, fmt) == float(value)
            assert fs.next_up(value + tiny, fmt) == fs.next_up(value, fmt)
            assert fs.next_down(value - tiny, fmt) == fs.next_down(value, fmt)
        assert fs.ulp(1 - tiny, fmt) == fs.ulp(0.75, fmt)
    assert not raised.names()


@every_narrow_format
def test_an_ulp_is_the_distance_to_the_next_value_away_from_zero(fmt):
    values = fs.all_values(fmt)[: 2 ** (fmt.width - 1)]
    values = values[np.isfinite(values)]
    assert (fs.ulp(values[:-1], fmt) == np.diff(values)).all()
    assert (fs.ulp(-values, fmt) == fs.ulp(values, fmt)).all()
    assert fs.ulp(fmt.max_finite, fmt) == 2.0 ** (fmt.emax - fmt.trailing_bits) == fs.ulp(1e300, fmt)
    assert fs.ulp([np.inf, -np.inf], fmt).tolist() == [np.inf, np.inf]
    assert np.isnan(fs.ulp(np.nan, fmt))


@pytest.mark.parametrize("fmt", [*TOYS, *BYTES], ids=str)
def test_an_unrounded_value_is_rounded_when_encoded_in_any_mode(fmt):
    x = np.random.default_rng(1).normal(size=200) * 4
    for mode in fs.Rounding:
        values = fs.round_to(x, fmt, mode, rng=3)
        assert (fs.encode(x, fmt, mode, rng=3) == fs.encode(values, fmt)).all()
        assert_same_codes(fs.decode(fs.encode(x, fmt, mode, rng=3), fmt), values, fmt, "codes: unrounded", [x])


def test_a_nan_keeps_sign_and_leading_payload_and_never_becomes_infinity():
    assert hex(fs.encode(-np.float64(np.nan) if np.signbit(np.nan) else np.copysign(np.nan, -1))) == "0xfe00"
    low_payload = np.array([0x7FF0000000000001], np.uint64).view(np.float64)  # its leading bits are zero
    assert fs.encode(low_payload).tolist() == [0x7E00]
    assert fs.encode(fs.decode(0x7C01)) == 0x7C01
    assert fs.encode(np.array([0xFFC12345], np.uint32).view(np.float32), "bfloat16").tolist() == [0xFFC1]
    assert fs.encode("nan", "e4m3fn") == 0x7F
    assert fs.encode(np.nan, Format("n", 6, 3, "none", nan_code=0x21)) == 0x21
    assert fs.decode(0x21, Format("n", 6, 3, "none", nan_code=0x21)) == -0.0625


def test_codes_have_the_smallest_dtype_and_the_shape_of_the_input():
    assert fs.encode([[1.0]], "e4m3fn").dtype == np.uint8
    assert fs.encode(1.0, "tf32").dtype == np.uint32
    assert fs.encode(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert isinstance(fs.encode(0.5), np.uint16)
    assert isinstance(fs.decode(0x3800), np.float64)
    assert fs.decode([[0x3800]]).shape == (1, 1)
    assert fs.decode(np.arange(6, dtype=">u2").reshape(2, 3).T).shape == (3, 2)
    assert fs.encode(Fraction(1, 3)) == fs.encode("1/3") == 0x3555


@pytest.mark.parametrize(
    ("call", "error", "fragments"),
    [
        (lambda: fs.decode(0x10000), ValueError, ["code=65536", "binary16", "use 0 to 65535"]),
        (lambda: fs.decode([0, -1]), ValueError, ["code=-1", "use 0 to 65535"]),
        (lambda: fs.decode(2**70, "binary64"), ValueError, ["code=1180591620717411303424"]),
        (lambda: fs.decode(1.0), TypeError, ["code=1.0", "not an integer", "encode(x, fmt)"]),
        (lambda: fs.decode("3c00"), TypeError, ["code='3c00'", "not an integer"]),
        (lambda: fs.encode(np.nan, "e3m2fn"), ValueError, ["x=nan", "e3m2fn", "nan_code"]),
        (lambda: fs.all_values("binary32"), ValueError, ["binary32", "2^32", "decode"]),
        (lambda: fs.decode(0, Format("quad", 128, 113)), ValueError, ["fmt=quad", "binary64"]),
        (lambda: fs.ulp(1j), TypeError, ["1j", "give"]),
    ],
)
def test_what_is_no_code_is_refused(call, error, fragments):
    with pytest.raises(error) as caught:
        call()
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_decoding_infinities_and_nans_warns_of_nothing_in_any_format():
    for fmt in (fs.BINARY16, fs.BINARY32, fs.BINARY64, fs.E5M2):
        top = 2 ** (fmt.width - 1) - 2**fmt.trailing_bits
        assert np.isinf(fs.decode(top, fmt))
        assert np.isnan(fs.decode(top + 1, fmt))
