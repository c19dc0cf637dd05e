"""To integers, and by powers of two: every value of small formats against the exact layer, binary16 against SoftFloat
and NumPy, and the forms of minimum and maximum."""

import contextlib
import itertools
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.exact import integers
from fp16sim.exact.operations import EXTREMES
from fp16sim.formats import Format, Rounding

from . import support
from .support import BYTES, DETERMINISTIC, MODES, TOYS, Draws, assert_same_codes, count_cases

pytestmark = pytest.mark.usefixtures("quiet")

DRAWS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 0x12345678, 3 << 30)
WIDE = Format("wide", width=16, precision=5)
"""Its exponents are those of float64, so that scale_b goes through the exact layer."""
NARROW = Format("narrow", width=7, precision=5)
"""Its max_finite is 3.875, so that integers overflow."""
UNLIKE = [fs.get_format(name) for name in ("e4m3fnuz", "e8m0fnu", "binary5p2ue", "binary6p3sf", "binary4p1uf")]
"""With one zero or none, without sign, or of precision 1."""
FORMATS = [*TOYS, *BYTES, NARROW, *UNLIKE]


def values_of(fmt, step=1):
    """Values that `round_to` leaves alone, with signaling NaNs where there are some."""
    values = support.held_values(fmt, step)
    return np.append(values, exact.SIGNALING_NAN) if fmt.has_infinity and fmt.trailing_bits > 1 else values


def grid(fmt):
    """Interesting values, those around integers and halves among them."""
    bias, t = fmt.bias, fmt.trailing_bits
    exponents = sorted({0, 1, 2, *range(bias - 3, bias + t + 3), 2 * bias - 1, 2 * bias} - {2 * bias + 1})
    ones = 2**t - 1
    trailings = sorted({0, 1, 2, ones // 3, 2 ** (t - 1), 2 ** (t - 1) + 1, 2 ** (t - 1) - 1, ones - 1, ones})
    values = support.interesting(fmt, exponents, trailings)
    return np.concatenate([values, [np.inf, -np.inf, np.nan, exact.SIGNALING_NAN]])


def draws_for(mode, size):
    """The draws of the operation: those of the operands come first."""
    if mode is not Rounding.STOCHASTIC:
        return [0] * size
    source = Draws(*DRAWS)
    source.integers(0, 2**32, size, np.uint32)
    return source.integers(0, 2**32, size, np.uint32).tolist()


def check(call, define, x, fmt, mode, group):
    """A function of arrays against one of a number, a draw and a definition of tiny: codes and flags."""
    draws = draws_for(mode, x.size)
    judged = {
        t: [define(v, d, t) for v, d in zip(map(exact.as_exact, x), draws, strict=True)] for t in support.TININESS
    }
    got, raised = support.raised_by(lambda: call(Draws(*DRAWS)))
    expected = [float(one.value) for one in judged["after"]]
    assert_same_codes(got, expected, fmt, group, [x], mode=mode)
    for tininess, results in judged.items():
        assert raised[tininess] == support.expected_flags((one.flags for one in results), x.shape), (
            fmt,
            mode,
            tininess,
        )


def check_all(x, fmt, mode, group):
    """Every function of this file on values of a format."""
    for signals in (False, True):
        check(
            lambda rng: fs.round_to_integral(x, fmt, mode, exact=signals, rng=rng),  # noqa: B023
            lambda v, d, t: integers.integral_result(v, fmt, mode, d, t, exact=signals),  # noqa: B023
            x, fmt, mode, group,
        )  # fmt: skip
    parts = {"frexp": 0, "modf fraction": 0, "modf integer": 1}
    for name, k in parts.items():
        function, define = getattr(fs, name.split()[0]), getattr(integers, f"{name.split()[0]}_result")
        check(
            lambda rng: function(x, fmt, mode, rng=rng)[k],  # noqa: B023
            lambda v, d, t: one_of(define(v, fmt, mode, d, t), k),  # noqa: B023
            x, fmt, mode, group,
        )  # fmt: skip
    exponents = fs.frexp(x, fmt, mode, rng=0)[1]
    assert exponents.dtype == np.int32
    assert exponents.tolist() == [integers.frexp_result(v, fmt, mode)[1] for v in map(exact.as_exact, x)]
    for n in (0, 3, -fmt.trailing_bits, fmt.emin - fmt.emax, 10**30, -(10**30)):
        check(
            lambda rng: fs.scale_b(x, n, fmt, mode, rng=rng),  # noqa: B023
            lambda v, d, t: integers.scaled_result(v, n, fmt, mode, d, t),  # noqa: B023
            x, fmt, mode, group,
        )  # fmt: skip


def one_of(parts, k):
    """One result of a function that has two, with the flags of both."""
    raised = frozenset().union(*(part.flags for part in parts if isinstance(part, exact.Result)))
    return exact.Result(parts[k].value, raised)


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("fmt", support.first(10, FORMATS[::2] + FORMATS[1::2]), ids=str)
def test_values_of_a_small_format_are_right_in_every_mode(fmt, mode):
    check_all(values_of(fmt)[:: 1 if fmt.width < 7 else 9], fmt, mode, "integers: small formats")


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("fmt", [*BYTES, NARROW, *UNLIKE[:2]], ids=str)
def test_all_values_of_an_eight_bit_format_are_right_in_every_mode(fmt, mode):
    check_all(values_of(fmt), fmt, mode, "integers: small formats")


@pytest.mark.parametrize("mode", MODES[1::3], ids=str)
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.BINARY32, WIDE], ids=str)
def test_interesting_values_of_a_wide_format_are_right(fmt, mode):
    check_all(grid(fmt)[::7], fmt, mode, "integers: wide formats")


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.BINARY32, fs.BINARY64, WIDE], ids=str)
def test_all_interesting_values_of_a_wide_format_are_right_in_every_mode(fmt, mode):
    check_all(grid(fmt), fmt, mode, "integers: wide formats")


@pytest.mark.parametrize("mode", DETERMINISTIC[:2], ids=str)
@pytest.mark.parametrize("fmt", [*FORMATS, fs.BINARY16, fs.BINARY64], ids=str)
def test_the_exponent_is_that_of_the_exact_layer(fmt, mode):
    x = values_of(fmt) if fmt.width <= 8 else grid(fmt)
    check(
        lambda rng: fs.log_b(x, fmt, mode),
        lambda v, d, t: exact.operate("log_b", (v,), fmt, mode, d, t),
        x, fmt, mode, "integers: exponents",
    )  # fmt: skip


# --- float to integer -------------------------------------------------------------------------------------------------

WIDTHS = [(32, True), (8, True), (8, False), (5, True), (1, False), (64, True), (64, False)]


def check_to_integer(x, fmt, mode, group):
    for width, signed in WIDTHS:
        for rule in integers.INVALID_INTEGERS:
            kind = integers.integer_type(width, signed, rule)
            draws = draws_for(mode, x.size)
            for signals in (False, True):
                judged = [
                    integers.integer_result(exact.as_exact(v), kind, mode, d, signals)
                    for v, d in zip(x, draws, strict=True)
                ]
                how = {"exact": signals, "invalid": rule}
                with fs.record_flags() as raised:
                    got = fs.to_integer(x, fmt, mode, width, signed, rng=Draws(*DRAWS), **how)
                assert got.dtype.kind == ("i" if signed else "u")
                assert got.dtype.itemsize == (1 if width <= 8 else width // 8)
                assert got.tolist() == [int(one.value) for one in judged], (fmt, mode, kind)
                assert support.summary(raised) == support.expected_flags((one.flags for one in judged), x.shape)
                count_cases(x.size, group)


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("fmt", [support.TOY, fs.E5M2, fs.E4M3FN, *UNLIKE], ids=str)
def test_values_of_a_small_format_become_the_integers_of_the_exact_layer(fmt, mode):
    check_to_integer(values_of(fmt)[:: 1 if fmt.width < 8 else 5], fmt, mode, "integers: float to integer")


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("fmt", [*BYTES, *UNLIKE[:2]], ids=str)
def test_all_values_of_an_eight_bit_format_become_the_integers_of_the_exact_layer(fmt, mode):
    check_to_integer(values_of(fmt), fmt, mode, "integers: float to integer")


@pytest.mark.parametrize("mode", MODES[::3], ids=str)
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BINARY32, fs.BINARY64], ids=str)
def test_numbers_around_every_bound_become_the_integers_of_the_exact_layer(fmt, mode):
    ends = np.array([float(e) for w in (1, 4, 5, 7, 8, 31, 32, 63, 64) for e in (2**w - 1, 2**w, 2**w + 1)])
    x = np.unique(np.concatenate([support.around(ends), support.around(ends - 0.5), [0.5, -0.5, 0.0, -0.0, 1.5]]))
    with contextlib.suppress(FloatingPointError):
        x = fs.round_to(np.append(x, [np.inf, np.nan]), fmt, mode, rng=1)
    check_to_integer(x, fmt, mode, "integers: float to integer")


# --- Berkeley SoftFloat -----------------------------------------------------------------------------------------------

SOFT_INTEGERS = {"i32": (32, True), "ui32": (32, False), "i64": (64, True), "ui64": (64, False)}


def soft_calls(soft, fmt):
    """SoftFloat's functions with ours: their results as values or integers."""
    yield (
        f"f{fmt.width}_round_to_int",
        lambda r: int.from_bytes(r.to_bytes(), "big"),
        lambda x, mode, e: fs.encode(fs.round_to_integral(x, fmt, mode, exact=e), fmt).tolist(),
    )
    for name, (width, signed) in SOFT_INTEGERS.items():
        yield (
            f"f{fmt.width}_to_{name}",
            lambda r, s=signed: int.from_bytes(r.to_bytes(), "big", signed=s),
            lambda x, mode, e, w=width, s=signed: fs.to_integer(x, fmt, mode, w, s, exact=e, invalid="riscv").tolist(),
        )


def compare_with_softfloat(fmt, codes, mode):
    """Results, NaNs by their kind alone, and flags. This build of SoftFloat does what RISC-V does."""
    soft = pytest.importorskip("softfloatpy")
    names = {1: "inexact", 2: "underflow", 4: "overflow", 8: "divide_by_zero", 16: "invalid"}
    kind, size = getattr(soft, f"Float{fmt.width}"), fmt.width // 8
    objects = [kind.from_bytes(int(code).to_bytes(size, "big")) for code in codes]
    x = fs.decode(codes, fmt)
    nan = np.isnan(x).tolist()
    order = ("ties_to_even", "toward_zero", "toward_negative", "toward_positive", "ties_to_away")
    soft_mode = list(soft.RoundingMode)[order.index(mode.value)]
    put, get, none = soft.set_exception_flags, soft.get_exception_flags, soft.ExceptionFlag(0)
    for name, read, ours in soft_calls(soft, fmt):
        function = getattr(soft, name)
        for signals in (False, True):
            expected, flags = [], []
            for one in objects:
                put(none)
                expected.append(read(function(one, soft_mode, signals)))
                raised = int(get())
                flags.append({label for bit, label in names.items() if raised & bit})
            with fs.record_flags() as recorded:
                got = ours(x, mode, signals)
            floats = name.endswith("int")
            same = [a == b or (floats and n) for a, b, n in zip(got, expected, nan, strict=True)]
            assert all(same), (name, mode, signals, codes[same.index(False)])
            assert support.summary(recorded) == support.expected_flags(flags, x.shape), (name, mode, signals)
            count_cases(len(got), "integers: SoftFloat")


SOFT_MODES = [mode for mode in DETERMINISTIC if mode is not Rounding.TO_ODD]


@pytest.mark.parametrize("mode", SOFT_MODES, ids=str)
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BINARY32, fs.BINARY64], ids=str)
def test_integers_and_their_flags_are_those_of_softfloat(fmt, mode):
    codes = fs.encode(grid(fmt), fmt)
    compare_with_softfloat(fmt, codes if fmt is not fs.BINARY16 else np.unique(np.append(codes, codes[:-4] + 1)), mode)


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", SOFT_MODES, ids=str)
def test_all_codes_of_binary16_become_the_integers_of_softfloat(mode):
    compare_with_softfloat(fs.BINARY16, np.arange(2**16, dtype=np.uint64), mode)


# --- NumPy ------------------------------------------------------------------------------------------------------------


def test_every_binary16_is_rounded_and_split_as_numpys_float16():
    codes = np.arange(2**16, dtype=np.uint16)
    half, x = codes.view(np.float16), fs.decode(codes, "binary16")
    named = {"rint": "ties_to_even", "floor": "toward_negative", "ceil": "toward_positive", "trunc": "toward_zero"}
    for carrier in (np.float64, np.float32):
        y = x.astype(carrier)
        for name, mode in named.items():
            got = fs.round_to_integral(y, "binary16", mode)
            assert got.dtype == carrier
            assert_same_codes(got, getattr(np, name)(half), fs.BINARY16, "NumPy: integers", [x], operation=name)
        for got, want in zip(fs.modf(y, "binary16"), np.modf(half), strict=True):
            assert_same_codes(got, want, fs.BINARY16, "NumPy: integers", [x], operation="modf")
        fraction, e = np.frexp(half)
        assert_same_codes(fs.frexp(y, "binary16")[0], fraction, fs.BINARY16, "NumPy: integers", [x])
        assert fs.frexp(y, "binary16")[1].tolist() == np.where(np.isfinite(x), e, 0).tolist()
        for n in range(-45, 45, 4):
            # NumPy's own ldexp of float16 rounds to float32 first; that of float64 is exact here.
            want = np.ldexp(x, n).astype(np.float16)
            assert_same_codes(fs.scale_b(y, n, "binary16"), want, fs.BINARY16, "NumPy: integers", [x], n=n)


def test_fmod_of_binary16_is_that_of_numpys_float16():
    a, b = support.pairs(grid(fs.BINARY16)[:-1:3])
    want = np.fmod(a.astype(np.float16), b.astype(np.float16))
    assert_same_codes(fs.fmod(a, b, "binary16"), want, fs.BINARY16, "NumPy: integers", [a, b])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_spacing_of_a_number_is_that_of_numpy(dtype):
    fmt = fs.get_format(dtype)
    x = np.append(grid(fmt)[:-1], [float(fmt.max_finite), -float(fmt.max_finite)])
    assert_same_codes(fs.spacing(x, fmt), np.spacing(x.astype(dtype)), fmt, "NumPy: integers", [x])


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.E4M3FN, fs.E2M1FN, *UNLIKE], ids=str)
def test_the_spacing_is_the_distance_to_the_next_number_away_from_zero(fmt):
    x = np.unique(np.abs(fs.all_values(fmt)))
    x = x[np.isfinite(x)]
    assert_same_codes(fs.spacing(x, fmt), np.append(np.diff(x), np.inf), fmt, "integers: spacing", [x])
    assert_same_codes(fs.spacing(-x[1:], fmt), np.append(-np.diff(x)[1:], -np.inf), fmt, "integers: spacing", [x])
    assert fs.spacing(-0.0, fmt) == fmt.min_subnormal
    assert fs.spacing([1.1, 1e30, -np.inf, np.nan], fs.BINARY16)[:2].tolist() == [2.0**-10, np.inf]
    assert np.isnan(fs.spacing([-np.inf, np.nan], fmt)).all()


# --- minimum and maximum of magnitudes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("fmt", support.first(3, [support.TOY, fs.E4M3FN, fs.BINARY16, fs.E3M2FN, *UNLIKE]), ids=str)
def test_the_forms_of_minimum_and_maximum_are_those_of_the_exact_layer(fmt, name):
    values = values_of(fmt)[:: 5 if fmt.width == 8 else 1] if fmt.width <= 8 else grid(fmt)[::9]
    compare_extremes(name, *support.pairs(values), fmt)


def compare_extremes(name, a, b, fmt):
    judged = [exact.operate(name, pair, fmt, Rounding.TIES_TO_EVEN) for pair in zip(a, b, strict=True)]
    got, raised = support.raised_by(lambda: getattr(fs, name)(a, b, fmt))
    assert_same_codes(got, [float(one.value) for one in judged], fmt, "integers: extremes", [a, b], operation=name)
    assert raised["after"] == support.expected_flags((one.flags for one in judged), a.shape)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("fmt", [*BYTES, *UNLIKE[:2]], ids=str)
def test_the_extremes_of_all_pairs_of_an_eight_bit_format_are_those_of_the_exact_layer(fmt, name):
    compare_extremes(name, *support.pairs(values_of(fmt)), fmt)


@pytest.mark.parametrize("name", [name for name in EXTREMES if "magnitude" in name])
def test_the_extremes_by_magnitude_are_defined_by_three_comparisons(name):
    """IEEE 754-2019, section 9.6: the nearer or farther one, else minimum or maximum of both."""
    sign = 1 if name.startswith("minimum") else -1
    other = getattr(fs, name.replace("_magnitude", ""))
    values = fs.all_values(support.TOY)
    for a in values.tolist():
        got = getattr(fs, name)(np.full(values.size, a), values, support.TOY)
        want = other(np.full(values.size, a), values, support.TOY)
        near, far = sign * abs(a) < sign * np.abs(values), sign * abs(a) > sign * np.abs(values)
        assert_same_codes(got, np.where(near, a, np.where(far, values, want)), support.TOY, "integers: extremes")


# --- shapes, dtypes, numbers of all kinds, errors ---------------------------------------------------------------------


def test_results_have_the_shape_and_the_carrier_of_the_operand():
    x = np.float32([[1.5, 2.5, -3.5]])
    for y in (fs.round_to_integral(x), fs.scale_b(x, 1), fs.log_b(x), fs.fmod(x, 2), *fs.modf(x), fs.frexp(x)[0]):
        assert (y.shape, y.dtype) == ((1, 3), np.float32)
    assert fs.scale_b(x, [[1], [2]]).tolist() == [[3.0, 5.0, -7.0], [6.0, 10.0, -14.0]]
    assert fs.scale_b(np.zeros((0, 3)), [1, 2, 3]).shape == (0, 3)
    assert fs.to_integer(x).dtype == np.int32
    assert isinstance(fs.to_integer(2.5), np.int32)
    assert isinstance(fs.round_to_integral(2.5), np.float64)
    assert [type(part) for part in fs.frexp(2.5)] == [np.float64, np.int32]
    assert fs.round_to_integral(fs.array(x)).shape == (1, 3)


def test_an_operand_that_the_format_lacks_is_rounded_first_in_the_same_mode():
    with fs.record_flags() as raised:
        assert fs.round_to_integral("2.9999", "bfloat16") == 3
        assert fs.round_to_integral("2.9999", "bfloat16", "toward_negative") == 2
        assert fs.to_integer(2049, "binary16", "toward_positive") == 2050
    assert (raised.inexact.operation, raised.inexact.count) == ("round_to", 3)


def test_the_power_of_two_may_be_any_kind_of_integer_and_nothing_else():
    for n in (3, np.int8(3), np.uint64(3), np.array(3), [3], True + 2):
        assert fs.scale_b(1.0, n) == 8
    for n in (2**63, 2**64, 10**400, np.uint64(2**64 - 1)):
        assert fs.scale_b(1.0, n) == np.inf
    assert fs.scale_b(1.0, np.int64(-(2**63))) == 0
    for n in (1.0, "1", None, True, [1, 2.0], np.float16(1)):
        with pytest.raises(TypeError, match=r"n=.* is not an integer; give the power of two"):
            fs.scale_b(1.0, n)
    with pytest.raises(ValueError, match=r"scale_b: operands of shapes \(2,\), \(3,\) do not broadcast"):
        fs.scale_b([1, 2], [1, 2, 3])


@pytest.mark.parametrize("layer", [fs, exact])
def test_a_wrong_integer_type_is_named_with_the_way_out(layer):
    for how, error, words in (
        ({"width": 0}, ValueError, "width=0 is out of range; an integer has 1 to"),
        ({"width": 513}, ValueError, "width=513 is out of range"),
        ({"width": 8.0}, TypeError, "width=8.0 is not an integer; give the bits"),
        ({"signed": "yes"}, TypeError, "signed='yes' is not a truth value"),
        ({"invalid": "mips"}, ValueError, "invalid='mips' is unknown; use one of arm, riscv, x86"),
    ):
        with pytest.raises(error, match=words):
            layer.to_integer(1.0, **how)
    with pytest.raises(ValueError, match="width=65"):
        fs.to_integer(1.0, width=65)


def test_invalid_conversions_warn_as_numpy_asks():
    with (
        np.errstate(invalid="raise"),
        pytest.raises(FloatingPointError, match="invalid value encountered in to_integer"),
    ):
        fs.to_integer(np.nan)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero encountered in log_b"):
        fs.log_b(0.0)


def test_the_exact_layer_reaches_beyond_float64():
    quad = Format("binary128", width=128, precision=113)
    assert exact.round_to_integral(2**111 + 1, quad) == 2**111 + 1
    assert exact.to_integer(2**100 + 1, quad, width=128) == 2**100 + 1
    assert exact.scale_b(1, 16383, quad) == 2**16383
    assert exact.frexp(2**200, quad) == (exact.as_exact("1/2"), 201)
    assert exact.log_b("2^-16494", quad) == -16494
    assert exact.fmod(2**16000, 3, quad) == 1
    assert exact.scale_b(1, 10**15, quad) == np.inf
    assert exact.modf("-0.0", replace(quad, saturate=True)) == (0, 0)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:underflow")
def test_scale_b_of_binary64_is_exact_where_numbers_are_normal_and_rounded_once_where_they_become_subnormal():
    x = np.array([np.nextafter(2.0**-1021, 0), 1.0, -1.5, 0.0, -0.0, np.inf, np.nan, 1.7e308, 5e-324, 0.1])
    for n, mode in itertools.product((-1074, -1, 0, 1, 52, 1023), ("ties_to_even", "toward_zero")):
        each = np.array([float(exact.scale_b(float(v), n, "binary64", mode)) for v in x])
        assert_same_codes(fs.scale_b(x, n, "binary64", mode), each, fs.BINARY64, "integers: exponents")
        alone = [fs.scale_b(v, n, "binary64", mode) for v in x]
        assert_same_codes(alone, each, fs.BINARY64, "integers: exponents")
        normal = x[1:3]  # in one array without subnormal results, no exact layer is asked
        assert (fs.scale_b(normal, n // 2, "binary64", mode) == normal * 2.0 ** (n // 2)).all()
