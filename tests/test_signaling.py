"""A signaling NaN raises invalid in every operation, comparison and conversion, and the result is a quiet NaN.

IEEE 754-2019, section 6.2. The exact layer, the fast paths, the explanations and FloatArray agree.
"""

import operator
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.accumulators.parse import NAMES
from fp16sim.elementary.definitions import FUNCTIONS, FUNCTIONS_OF_TWO
from fp16sim.exact.operations import EXTREMES
from fp16sim.formats import Rounding

from .support import DETERMINISTIC, MODES, TOY, count_cases, raised_by

pytestmark = pytest.mark.usefixtures("quiet")

FORMATS = [fs.BINARY16, fs.BFLOAT16, fs.TF32, fs.BINARY32, fs.BINARY64, fs.E5M2, fs.E4M3, TOY]
BEHAVIOURS = [replace(fs.E5M2, saturate=True), replace(fs.BINARY16, subnormals="flush_inputs")]


def signaling_code(fmt):
    return (2**fmt.exponent_bits - 1) << fmt.trailing_bits | 1


def signaling(fmt):
    """A signaling NaN of the format, as `decode` gives it."""
    return np.atleast_1d(fs.decode(signaling_code(fmt), fmt))


QUIET = np.array([np.nan])


def is_quiet(values):
    """Whether all are NaN, and none is signaling."""
    values = np.atleast_1d(values)
    bits, quiet = values.view(f"u{values.itemsize}"), 1 << (51 if values.dtype == np.float64 else 22)
    return np.isnan(values).all() and (bits & bits.dtype.type(quiet)).all()


def flags_of(call):
    with fs.record_flags() as raised:
        result = call()
    return result, raised


# --- Berkeley TestFloat ---------------------------------------------------------------------------------------------

TESTFLOAT = """
add e80b 7c1b | add 59fe 7d03 | add 3198 7c90 | add fcff 783f
subtract e80b 7c1b | subtract 59fe 7d03 | subtract 3198 7c90 | subtract fcff 783f
multiply e80b 7c1b | multiply 59fe 7d03 | multiply 3198 7c90 | multiply fcff 783f
divide e80b 7c1b | divide 59fe 7d03 | divide 3198 7c90 | divide fcff 783f
ieee_remainder e80b 7c1b | ieee_remainder 59fe 7d03 | ieee_remainder 3198 7c90 | ieee_remainder fcff 783f
sqrt 7c1b | sqrt 7d03 | sqrt 7c01 | sqrt 7c90
fma e80b 7c1b f4f6 | fma 0000 7d03 f174 | fma 0000 7c90 13ef | fma fcff 0000 783f
"""
"""Operations on codes of binary16 for which TestFloat expects the flag invalid, no other flag, and a quiet NaN."""

ROWS = [row.split() for row in TESTFLOAT.replace("\n", "|").split("|") if row.strip()]


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_a_row_of_testfloat_with_a_signaling_nan_passes_with_its_flag(row):
    name, *codes = row
    codes = [int(code, 16) for code in codes]
    values = [fs.decode(code, "binary16") for code in codes]
    for mode in MODES:
        result, raised = flags_of(lambda: getattr(fs, name)(*values, "binary16", mode))  # noqa: B023
        assert (raised.names(), raised.invalid.count, raised.invalid.operation) == (("invalid",), 1, name)
        assert is_quiet(result)
        found = exact.compute(name, tuple(exact.decode(code) for code in codes), "binary16", mode)
        assert found.flags == {"invalid"}
        assert exact.is_nan(found.value)
        assert not exact.is_signaling(found.value)
        if name != "ieee_remainder":
            assert getattr(fs.explain, name)(*map(fs.BINARY16.hex_code, codes), "binary16", mode).flags == ("invalid",)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError, match=f"invalid value encountered in {name}"):
        getattr(fs, name)(*values, "binary16")


# --- operations: the exact layer judges -----------------------------------------------------------------------------

ARITY = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "ieee_remainder": 2, "fmod": 2, "sqrt": 1, "fma": 3}
ARITY["log_b"] = 1


def special_codes(fmt):
    """A few numbers, infinity, and NaNs, signaling and quiet, of both signs."""
    top, sign = (2**fmt.exponent_bits - 1) << fmt.trailing_bits, 1 << (fmt.width - 1)
    quiet = 1 << (fmt.trailing_bits - 1)
    positive = [0, fmt.bias << fmt.trailing_bits, top, top | quiet, *([top | 1] if fmt.trailing_bits > 1 else [])]
    return [*positive, *(code | sign for code in positive)]


@pytest.mark.parametrize("name", ARITY)
@pytest.mark.parametrize("fmt", [*FORMATS, *BEHAVIOURS], ids=lambda fmt: f"{fmt} {fmt.subnormals} {fmt.saturate}")
def test_every_path_raises_what_the_exact_layer_says_for_nans_and_infinities(fmt, name):
    codes = np.array(special_codes(fmt), np.uint64)
    operands = [x.ravel() for x in np.meshgrid(*[codes] * ARITY[name])]
    rows = list(zip(*(x.tolist() for x in operands), strict=True))
    judged = [exact.compute(name, tuple(exact.decode(code, fmt) for code in row), fmt) for row in rows]
    expected = np.array(["invalid" in one.flags for one in judged])
    values = [fs.decode(x, fmt) for x in operands]
    for carrier in (np.float64, np.float32) if fmt.fits_in(fs.BINARY32) else (np.float64,):
        given = [narrowed(x, carrier) for x in values]
        for mode in DETERMINISTIC[:2]:
            result, flags = raised_by(lambda: getattr(fs, name)(*given, fmt, mode))  # noqa: B023
            assert flags["after"]["invalid"] == (expected.sum(), (int(np.argmax(expected)),)), (carrier, mode)
            nan = np.isnan(result)
            assert (nan == np.array([exact.is_nan(one.value) for one in judged])).all()
            assert is_quiet(result[nan])
            with (
                np.errstate(invalid="warn"),
                pytest.warns(RuntimeWarning, match=f"invalid value encountered in {name}"),
            ):
                getattr(fs, name)(*given, fmt, mode)
            count_cases(len(rows), "signaling NaNs")


def narrowed(x, carrier):
    """float64 as float32 with the leading bits of the NaNs' payloads, which a cast would make quiet."""
    if carrier is np.float64:
        return x
    bits = x.view(np.uint64)
    nan = (
        (bits >> np.uint64(32) & np.uint64(0x80000000))
        | np.uint64(0x7F800000)
        | (bits >> np.uint64(29) & np.uint64(0x7FFFFF))
    )
    return np.where(np.isnan(x), nan.astype(np.uint32).view(np.float32), x.astype(np.float32))


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_a_quiet_nan_raises_nothing_in_the_same_operations(fmt):
    for name, arity in ARITY.items():
        _, raised = flags_of(lambda: getattr(fs, name)(*[QUIET, 1.0, 1.0][:arity], fmt))  # noqa: B023
        assert not raised.names()


def test_the_operation_and_the_place_of_the_first_signaling_nan_are_named():
    x = np.ones((3, 50_000), np.float32)
    x[1, 49_999:] = x[2, 17:19] = narrowed(signaling(fs.BFLOAT16), np.float32)
    for name in ("add", "multiply", "divide", "subtract"):
        _, raised = flags_of(lambda: getattr(fs, name)(x, np.float32(1), "bfloat16"))  # noqa: B023
        assert raised.invalid == fs.flags.Flag(3, name, (1, 49_999))


# --- conversions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("fmt", [*FORMATS, *BEHAVIOURS, fs.E4M3FN, replace(fs.E2M1FN, nan_code=8)], ids=str)
def test_a_conversion_of_a_signaling_nan_raises_invalid_and_gives_a_quiet_one(fmt, mode):
    for source in FORMATS:
        x = signaling(source)
        given = [x, np.append(np.ones(50_000), x), np.stack([x, x]).T, np.asfortranarray(np.tile(x, (3, 2)))]
        if source.fits_in(fs.BINARY32):
            given += [narrowed(x, np.float32), narrowed(given[1], np.float32)]
        for values in given:
            for out in (None, np.empty(values.shape)):
                result, raised = flags_of(lambda: fs.round_to(values, fmt, mode, out=out))  # noqa: B023
                assert raised.invalid.count == np.isnan(values).sum(), (source, values.dtype)
                assert raised.invalid.index == tuple(map(int, np.argwhere(np.isnan(values))[0]))
                assert set(raised.names()) <= {"invalid", "inexact"}
                assert is_quiet(result[np.isnan(values)]) or not fmt.has_nan
            with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
                fs.round_to(values, fmt, mode)
    assert exact.round_operand(exact.SIGNALING_NAN, fmt, Rounding(mode)).flags == {"invalid"}
    assert fs.explain.rounding(fs.BINARY16.hex_code(0x7C01), fs.BINARY16, mode).flags == ("invalid",)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2])
def test_an_array_of_any_float_dtype_keeps_its_signaling_nans_until_the_operation(dtype):
    fmt = fs.get_format(dtype)
    codes = np.array([signaling_code(fmt), signaling_code(fmt) | 1 << (fmt.width - 1)], f"u{fmt.width // 8}")
    for x in (codes.view(dtype), codes.view(dtype)[0], codes.view(dtype).reshape(2, 1)):
        _, raised = flags_of(lambda: fs.round_to(x, fmt))  # noqa: B023
        assert raised.invalid.count == x.size
        _, raised = flags_of(lambda: fs.add(x, 1.0, fmt))  # noqa: B023
        assert (raised.invalid.count, raised.invalid.operation) == (x.size, "add")
        assert fs.encode(x, fmt).tolist() == np.asarray(x).view(codes.dtype).tolist()
    assert exact.is_signaling(exact.as_exact(codes.view(dtype)[0]))
    assert exact.compute("add", (codes.view(dtype)[0], 1), fmt).flags == {"invalid"}


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_reading_and_writing_codes_raises_nothing_and_keeps_every_nan(fmt):
    codes = np.array(special_codes(fmt), np.uint64)
    values, raised = flags_of(lambda: fs.decode(codes, fmt))
    assert not raised.names()
    back, raised = flags_of(lambda: fs.encode(values, fmt))
    assert (back.tolist(), raised.names()) == (codes.tolist(), ())
    _, raised = flags_of(lambda: (fs.classify(values, fmt), fs.fields(values, fmt), fs.ulp(values, fmt)))
    assert not raised.names()
    for code in codes.tolist():
        number = exact.decode(code, fmt)
        assert exact.is_signaling(number) == (fs.classify(fs.decode(code, fmt), fmt) == "signalingNaN")


def test_encoding_a_signaling_nan_whose_payload_the_format_lacks_is_a_conversion():
    x = np.array([0x7F800001, 0x7F802001, 0xFF800001, 0x7F802000], np.uint32).view(np.float32)
    codes, raised = flags_of(lambda: fs.encode(x, "binary16"))
    assert [hex(code) for code in codes] == ["0x7e00", "0x7e01", "0xfe00", "0x7c01"]
    assert raised.invalid == fs.flags.Flag(3, "round_to", (0,))


# --- comparisons, minimum and maximum -------------------------------------------------------------------------------

COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_a_quiet_comparison_raises_invalid_for_a_signaling_nan_alone(fmt):
    snan, number = signaling(fmt), np.ones(1)
    for name in (*COMPARISONS, "unordered"):
        function = getattr(fs, name)
        for a, b in ((snan, number), (number, snan), (snan, snan), (snan, QUIET)):
            result, raised = flags_of(lambda: function(a, b, fmt))  # noqa: B023
            assert result.tolist() == function(QUIET, QUIET, fmt).tolist()
            assert (raised.names(), raised.invalid.count, raised.invalid.operation) == (("invalid",), 1, name)
        _, raised = flags_of(lambda: function(QUIET, number, fmt))  # noqa: B023
        assert not raised.names()
    for name in COMPARISONS:
        for nan in (snan, QUIET):
            _, raised = flags_of(lambda: getattr(fs, name)(nan, number, fmt, signaling=True))  # noqa: B023
            assert raised.invalid.count == 1
    _, raised = flags_of(lambda: fs.total_order(snan, QUIET, fmt))
    assert not raised.names()


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_minimum_and_maximum_raise_invalid_and_those_of_numbers_still_prefer_the_number(fmt):
    snan, one = signaling(fmt), np.ones(1)
    for name in EXTREMES:
        for a, b in ((snan, one), (one, snan), (snan, snan), (QUIET, snan)):
            result, raised = flags_of(lambda: getattr(fs, name)(a, b, fmt))  # noqa: B023
            assert (raised.names(), raised.invalid.count, raised.invalid.operation) == (("invalid",), 1, name)
            if name.endswith("number") and (a is one or b is one):
                assert result == 1
            else:
                assert is_quiet(result)
        _, raised = flags_of(lambda: getattr(fs, name)(QUIET, one, fmt))  # noqa: B023
        assert not raised.names()


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_the_neighbour_of_a_signaling_nan_is_quiet_and_raises_invalid(fmt):
    for name in ("next_up", "next_down"):
        result, raised = flags_of(lambda: getattr(fs, name)(signaling(fmt), fmt))  # noqa: B023
        assert is_quiet(result)
        assert raised.invalid == fs.flags.Flag(1, name, (0,))
        assert not flags_of(lambda: getattr(fs, name)(QUIET, fmt))[1].names()  # noqa: B023


# --- functions, reductions, arrays ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FUNCTIONS, *FUNCTIONS_OF_TWO, "reciprocal"])
def test_a_function_of_a_signaling_nan_raises_invalid(name):
    for fmt in (fs.BINARY16, fs.BFLOAT16, fs.BINARY32):
        for x in (
            signaling(fmt),
            narrowed(signaling(fmt), np.float32),
            np.append(np.ones(20_000, np.float32), narrowed(signaling(fmt), np.float32)),
        ):
            for args in ([x, 0.0], [np.inf, x], [x, x]) if name in FUNCTIONS_OF_TWO else ([x],):
                result, raised = flags_of(lambda: getattr(fs, name)(*args, fmt))  # noqa: B023
                assert is_quiet(result[-1:])
                assert raised.invalid.count == 1
        _, raised = flags_of(lambda: getattr(fs, name)(*[QUIET] * (2 if name in FUNCTIONS_OF_TWO else 1), fmt))  # noqa: B023
        assert not raised.names()
    assert fs.power(QUIET, 0.0) == 1
    assert fs.hypot(QUIET, np.inf) == np.inf


@pytest.mark.parametrize("accumulator", [None, *NAMES])
def test_a_reduction_over_a_signaling_nan_raises_invalid(accumulator):
    x = np.append(np.ones(5, np.float32), narrowed(signaling(fs.BINARY16), np.float32))
    calls = {
        "sum": lambda x: fs.sum(x, "binary16", accumulator=accumulator),
        "mean": lambda x: fs.mean(x, "binary16", accumulator=accumulator),
        "norm": lambda x: fs.norm(x, "binary16", accumulator=accumulator),
        "cumsum": lambda x: fs.cumsum(x, "binary16", accumulator=accumulator)[-1],
        "dot": lambda x: fs.dot(x, np.ones_like(x), "binary16", accumulator=accumulator),
        "matmul": lambda x: fs.matmul(
            np.ones((1, x.size), np.float32), x[:, None], "binary16", accumulator=accumulator
        ),
        "sum of one": lambda x: fs.sum(x[-1:], "binary16", accumulator=accumulator),
    }
    for name, call in calls.items():
        result, raised = flags_of(lambda: call(x))  # noqa: B023
        assert is_quiet(result), name
        assert raised.invalid.count >= 1, name
        _, raised = flags_of(lambda: call(np.where(np.isnan(x), np.float32(np.nan), x)))  # noqa: B023
        assert not raised.invalid, name


def float_array(values, fmt):
    """A FloatArray with these very values: `array` would have rounded them."""
    carrier = fs.array([1.0], fmt).values.dtype.type
    return fs.FloatArray(narrowed(values, carrier), fmt, Rounding.TIES_TO_EVEN)


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_the_operators_and_functions_of_a_floatarray_raise_invalid(fmt):
    x, one = float_array(np.append(signaling(fmt), 1.0), fmt), fs.array([1.0, 1.0], fmt)
    for name in ("add", "sub", "mul", "truediv", "mod", "lt", "le", "gt", "ge", "eq", "ne"):
        function = getattr(operator, name)
        for call in (lambda: function(x, one), lambda: function(one, x), lambda: function(x, 1.0)):  # noqa: B023
            _, raised = flags_of(call)
            assert raised.invalid.count == 1, name
    for call in (
        *(lambda f=f: f(x) for f in (np.sqrt, np.exp, np.tanh, np.square, np.rint, np.floor, np.reciprocal)),
        *(lambda f=f: f(x, one) for f in (np.maximum, np.minimum, np.fmax, np.fmin, np.fmod, np.hypot, np.nextafter)),
        *(x.sum, x.mean, x.norm, x.prod, lambda: x @ one, lambda: np.dot(x, one), lambda: x.astype("binary64")),
        lambda: fs.array(x, fmt),
    ):
        _, raised = flags_of(call)
        assert raised.invalid.count >= 1
    for call in (lambda: -x, lambda: abs(x), lambda: np.isnan(x), lambda: np.copysign(x, one), lambda: x.codes):
        assert not flags_of(call)[1].names()


def test_a_floatarray_is_made_of_quiet_nans():
    x, raised = flags_of(lambda: fs.array(signaling(fs.BINARY16)))
    assert raised.invalid.count == 1
    assert is_quiet(x.values)
    assert not flags_of(lambda: (x + 1, x < 1, x.sum(), np.exp(x)))[1].names()


def test_nothing_is_raised_where_nobody_listens_and_the_result_is_quiet_all_the_same():
    x = narrowed(np.append(np.ones(1000), signaling(fs.BINARY16)), np.float32)
    with np.errstate(all="ignore"):
        for fmt in (fmt for fmt in FORMATS if fmt != fs.BINARY64):
            for mode in MODES:
                assert is_quiet(fs.round_to(x, fmt, mode)[-1:])
                assert is_quiet(fs.round_to(x.copy(), fmt, mode, out=x.copy())[-1:])
                assert is_quiet(fs.add(x, np.float32(1), fmt, mode)[-1:])


def test_each_warning_comes_once():
    with np.errstate(invalid="warn"), pytest.warns(RuntimeWarning) as caught:
        fs.add(signaling(fs.BINARY16), signaling(fs.BINARY16))
    assert [str(w.message) for w in caught] == ["invalid value encountered in add"]
    assert caught[0].filename == __file__


def test_the_explanation_says_that_the_operand_is_signaling():
    why = fs.explain.add("0x7C01", 1)
    assert (why.exact.rule, why.operands[0].number.code, why.operands[0].rounding) == (
        "signaling_operand",
        0x7C01,
        None,
    )
    assert "An operand is a signaling NaN" in str(why)
    assert "A signaling NaN becomes quiet, and raises the flag invalid" in str(fs.explain.rounding("0x7C01"))
    assert fs.explain.convert("0x7F800001", "binary16").flags == ("invalid",)
    assert fs.explain.dot(["0x7C01", 1], [1, 2]).flags == ("invalid",)
    assert fs.explain.anatomy("0x7C01").next_up.hex == "0x7E01"
