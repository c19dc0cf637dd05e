"""Single numbers and small arrays: the fast paths give what the general one gives, flags, warnings and errors too."""

import math
import operator
import pickle
import warnings
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.arithmetic import scalar_operation
from fp16sim.arithmetic.scalars import LIFTED
from fp16sim.flags import silent_context
from fp16sim.formats import Format, Rounding
from fp16sim.rounding import kernels, round_without_flags, rounder
from fp16sim.rounding.scalars import no_number

from .support import (
    BYTES,
    DETERMINISTIC,
    TOY,
    TOYS,
    assert_same_codes,
    bit_patterns,
    first,
    held_values,
    interesting,
    landmarks,
    pairs,
)

WIDE = (fs.BINARY16, fs.BFLOAT16, fs.TF32, fs.BINARY32)
NARROW = (TOY, TOYS[1], *TOYS[5:9], *BYTES)
ONE_BIT, FAR = Format("one_bit", 5, 1, specials="nan"), Format("far", 8, 4, bias=-20)
WITHOUT_ROUNDER = (*TOYS[2:5], fs.E5M2FNUZ, fs.E8M0FNU, ONE_BIT, FAR)
GROUP = "single numbers"


def compared(found, expected, fmt, inputs, **context):
    """Compare what is not left to the clear path; how many results are not."""
    decided = np.array([y is not None for y in found])
    given = [np.asarray(x)[decided] for x in inputs]
    actual = np.array([y for y in found if y is not None], np.float64)
    assert_same_codes(actual, np.asarray(expected)[decided], fmt, GROUP, given, **context)
    return decided


# --- rounding ---------------------------------------------------------------------------------------------------------


def check_rounder(fmt, x):
    for mode in DETERMINISTIC:
        round_finite = rounder(fmt, mode)
        decided = compared(list(map(round_finite, x.tolist())), round_without_flags(x, fmt, mode), fmt, [x], mode=mode)
        assert (decided == (np.abs(x) <= fmt.max_finite)).all()


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_a_number_is_rounded_as_in_an_array(fmt):
    check_rounder(fmt, landmarks(fmt))


@pytest.mark.parametrize("fmt", WIDE, ids=str)
def test_a_number_is_rounded_as_in_an_array_to_a_wide_format(fmt):
    last = 2**fmt.exponent_bits - 1
    half = 1 << fmt.trailing_bits - 1
    v = interesting(fmt, (0, 1, 2, last // 2, last - 1), (0, 1, 2, half - 1, half, half + 1, 2 * half - 1))
    steps = np.array([0.0, 0.5, 0.5 - 2.0**-20, 0.5 + 2.0**-20, 0.3, 1e-9])
    check_rounder(fmt, (v[:, None] + fs.ulp(v, fmt)[:, None] * steps).ravel())


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
def test_every_midpoint_of_a_16_bit_format_and_its_neighbours_are_rounded_as_in_an_array(fmt):
    check_rounder(fmt, landmarks(fmt))


@pytest.mark.parametrize("fmt", WITHOUT_ROUNDER, ids=str)
def test_an_unusual_format_has_no_rounder(fmt):
    assert rounder(fmt, Rounding.TIES_TO_EVEN) is no_number
    assert scalar_operation("add", fmt, Rounding.TIES_TO_EVEN) is no_number


def test_a_random_mode_has_no_rounder():
    for mode in (Rounding.STOCHASTIC, Rounding("stochastic_8")):
        assert rounder(fs.BINARY16, mode) is no_number


def test_an_operation_in_binary64_is_left_to_arrays_unless_it_is_exact():
    decided = {name for name in LIFTED if scalar_operation(name, fs.BINARY64, Rounding.TIES_TO_EVEN) is not no_number}
    assert decided == {"fmod", "log_b"}


def test_a_format_keeps_its_rounders_to_itself():
    fmt = replace(fs.BINARY16, name="mine")
    assert fs.round_to(0.1, fmt) == fs.round_to(0.1, "binary16")
    assert rounder(fmt, Rounding.TIES_TO_EVEN) is fmt.plans[Rounding.TIES_TO_EVEN]
    copy = pickle.loads(pickle.dumps(fmt))
    assert copy == fmt
    assert "plans" not in vars(copy)
    assert fs.add(1, 0.1, copy) == fs.add(1, 0.1, fmt)


# --- operations -------------------------------------------------------------------------------------------------------


def operands_of(name, values):
    """All pairs; for fma, each pair with each of a few third operands."""
    if name in ("sqrt", "log_b"):
        return (values,)
    a, b = pairs(values)
    if name != "fma":
        return a, b
    c = values[:: max(1, values.size // 5)]
    return np.repeat(a, c.size), np.repeat(b, c.size), np.tile(c, a.size)


def check_operation(name, fmt, values):
    operands = operands_of(name, values)
    for mode in DETERMINISTIC:
        with fs.record_flags(), np.errstate(all="ignore"):  # a recorder keeps arrays on the clear path
            expected = getattr(fs, name)(*operands, fmt, mode)
        operation = scalar_operation(name, fmt, mode)
        found = [operation(*row) for row in zip(*(x.tolist() for x in operands), strict=True)]
        decided = compared(found, expected, fmt, operands, name=name, mode=mode)
        # What is left to the clear path: results beyond max_finite before rounding, NaN, and zeros toward negative.
        left = ~np.isfinite(expected) | (np.abs(expected) == fmt.max_finite)
        if mode is Rounding.TOWARD_NEGATIVE:
            left |= expected == 0
        assert (decided | left).all(), (name, mode)


@pytest.mark.parametrize("fmt", first(2, (TOY, TOYS[7], TOYS[5], TOYS[6], *BYTES)), ids=str)
@pytest.mark.parametrize("name", LIFTED)
def test_an_operation_on_all_pairs_of_numbers_equals_that_on_arrays(name, fmt):
    values = held_values(fmt)
    check_operation(name, fmt, values[np.isfinite(values)])


CASES = [(fmt, name) for name in LIFTED for fmt in WIDE]


@pytest.mark.parametrize(("fmt", "name"), first(4, CASES, unpack=True), ids=str)
def test_an_operation_on_interesting_numbers_of_a_wide_format_equals_that_on_arrays(fmt, name):
    last, top = 2**fmt.exponent_bits - 2, 2**fmt.trailing_bits - 1
    p, middle = fmt.precision, fmt.bias
    exponents = {0, 1, *(middle - n for n in (53, 54, 2 * p, p + 1, p, 1, 0, -p)), last}
    check_operation(name, fmt, interesting(fmt, sorted(e for e in exponents if e >= 0), (0, 1, top // 2 + 1, top)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_an_operation_on_every_binary16_and_interesting_ones_equals_that_on_arrays(name):
    fmt, values = fs.BINARY16, held_values(fs.BINARY16)
    values = values[np.isfinite(values)]
    for b in interesting(fmt, (0, 1, 14, 15, 30), (0, 1, 0x155, 0x3FF)).tolist():
        for mode in (Rounding.TIES_TO_EVEN, Rounding.TOWARD_NEGATIVE, Rounding.TO_ODD):
            with fs.record_flags(), np.errstate(all="ignore"):
                expected = getattr(fs, name)(values, b, fmt, mode)
            operation = scalar_operation(name, fmt, mode)
            compared([operation(a, b) for a in values.tolist()], expected, fmt, [values], name=name, b=b, mode=mode)


# --- public functions: types, flags, warnings and errors --------------------------------------------------------------


def outcome(call):
    """The result with its type and bits, the flags and the warnings; or the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            y = call()
        except (ArithmeticError, ValueError, TypeError) as error:
            return type(error), str(error)
    values = y.values if isinstance(y, fs.FloatArray) else y
    messages = [str(one.message) for one in caught]
    return type(y), np.asarray(values).dtype, np.shape(values), bit_patterns(values).tolist(), messages


def assert_the_same_without_the_fast_path(call, *context):
    for state in ({}, {"all": "raise"}, {"under": "warn"}):
        with np.errstate(**state):
            quiet = outcome(call)
            with fs.record_flags(only=()):  # any recorder keeps single numbers on the clear path
                assert outcome(call) == quiet, (context, state)


NUMBERS = (
    *(1.5, 0.1, -0.0, 0.0, 65504.0, 65519.9, 65520.0, 1e300, 2.0**-24, 2.0**-25, -3e-8, 6e-5, math.inf, math.nan),
    *(0, 1, 3, -7, 2**53, 2**53 + 2**45 + 1, 10**400, True, False),
    *(np.float64(0.1), np.float32(0.1), np.float32(2.0**-140), np.float16(0.1), np.int64(3), np.bool_(True)),
    *(Fraction(1, 3), Decimal("0.1"), "0.1", np.array(0.1), [0.1], np.longdouble(0.1), None),
)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "e4m3fn", "e5m2,saturate=true", "binary64"])
def test_a_number_of_any_type_gives_the_same_type_flags_and_errors_as_on_the_clear_path(fmt):
    for x in NUMBERS:
        for mode in ("ties_to_even", "toward_negative"):
            assert_the_same_without_the_fast_path(lambda x=x, mode=mode: fs.round_to(x, fmt, mode), x, mode)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
@pytest.mark.parametrize("name", first(2, ["add", "divide", "subtract", "multiply", "fmod"]))
def test_operands_of_any_types_give_the_same_type_flags_and_errors_as_on_the_clear_path(name, fmt):
    function = getattr(fs, name)
    for a in NUMBERS[:: 2 if name == "add" else 3]:
        for b in (1, 0.0, -0.1, np.float32(3e-5), np.float64(6e4)):
            assert_the_same_without_the_fast_path(lambda a=a, b=b: function(a, b, fmt), a, b)
            assert_the_same_without_the_fast_path(lambda a=a, b=b: function(b, a, fmt, "toward_negative"), b, a)


def test_a_recorder_sees_what_single_numbers_raise():
    with fs.record_flags() as raised:
        y = fs.add(1.0, 0.1, "binary16")
        fs.array(1.0) + 0.1
    assert y == fs.add(1.0, 0.1, "binary16")
    assert (raised.inexact.count, raised.inexact.operation) == (4, "round_to")


# --- FloatArray -------------------------------------------------------------------------------------------------------

OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


@pytest.mark.parametrize("fmt", first(1, [TOY, fs.E4M3FN, TOYS[3], fs.E5M2FNUZ]), ids=str)
@pytest.mark.parametrize("operation", [*OPERATORS, *COMPARISONS], ids=lambda f: f.__name__)
def test_scalars_with_a_format_compute_as_arrays_do(operation, fmt):
    values = held_values(fmt, step=3)
    for mode in (Rounding.TIES_TO_EVEN, Rounding.TOWARD_NEGATIVE):
        scalars = [fs.array(x, fmt, mode) for x in values]
        with np.errstate(all="ignore"):
            for a, x in zip(scalars, values, strict=True):
                row = operation(a, fs.array(values, fmt, mode))
                found = [operation(a, b) for b in scalars]
                if operation in COMPARISONS:
                    assert [type(y) for y in found] == [np.bool_] * len(values)
                    assert found == row.tolist()
                    continue
                assert {(type(y), y.fmt, y.mode, y.values.dtype, y.shape) for y in found} == {
                    (fs.FloatArray, fmt, mode, row.values.dtype, ())
                }
                assert_same_codes([y.values for y in found], row.values, fmt, GROUP, [values], a=x, mode=mode)


def brain(x, fmt=fs.BFLOAT16):
    return fs.FloatArray(np.float32(x).reshape(np.shape(x)), fmt, Rounding.TOWARD_ZERO)


SIGNALING = np.array(0x7F810000, np.uint32).view(np.float32)
ARRAYS = (brain(3.0), brain(math.inf), brain(SIGNALING), brain([1.0, 2.0]), fs.array(1.0, "bfloat16"), fs.array(1.0))


@pytest.mark.parametrize("operation", [*OPERATORS, *COMPARISONS], ids=lambda f: f.__name__)
def test_a_scalar_with_a_format_and_a_bare_number_give_the_same_as_on_the_clear_path(operation):
    for k, a in enumerate((brain(0.1), brain(-math.inf), brain(SIGNALING), brain([-0.1, 0.2]))):
        for x in ARRAYS if k else (*NUMBERS[::2], *ARRAYS):
            assert_the_same_without_the_fast_path(lambda a=a, x=x: operation(a, x), a, x)
            assert_the_same_without_the_fast_path(lambda a=a, x=x: operation(x, a), x, a)


def test_a_scalar_changed_in_place_stays_the_same_array():
    x = fs.array(1.0, "binary16")
    values = x.values
    x += 0.1
    assert x.values is values
    assert values == fs.add(1.0, 0.1)


# --- small arrays -----------------------------------------------------------------------------------------------------

ORDINARY = np.array([[1.5, 0.1, -0.0, 3.0], [2048.0, -7.1, 1e3, 0.3]], np.float32)
UNUSUAL = (math.inf, -math.inf, math.nan, SIGNALING, 65519.9, 65520.0, 3e38, 2.0**-14 - 2.0**-34, 1e-9, 448.1)
PLACES = (np.s_[:], np.s_[:, ::2], np.s_[:0], np.s_[1, 1], np.s_[1, 1, ...])
SMALL = ("binary16", "bfloat16", "e4m3fn", "binary16,saturate=true", "binary16,subnormals=flush_inputs", "e5m2fnuz")


@pytest.mark.parametrize("fmt", [*SMALL, "binary32"])
def test_a_small_array_is_rounded_with_the_flags_and_errors_of_the_general_path(fmt):
    for dtype in (np.float32, np.float64, ">f4", np.int8):
        for special in (0.0, *UNUSUAL) if np.dtype(dtype).kind == "f" else (0,):
            x = ORDINARY.astype(dtype)
            with np.errstate(all="ignore"):  # a cast of a signaling NaN
                x[1, 1] = special
            x.flags.writeable = special != 0.0
            for place in PLACES:
                for state in ({}, {"all": "raise"}, {"under": "warn"}):
                    with np.errstate(**state):  # with a number of threads, the general path prepares for everything
                        expected = outcome(lambda x=x[place]: fs.round_to(x, fmt, threads=1))
                        assert outcome(lambda x=x[place]: fs.round_to(x, fmt)) == expected, (dtype, special, state)


@pytest.mark.parametrize("operation", [*OPERATORS, np.sqrt], ids=lambda f: f.__name__)
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.BINARY32], ids=str)
def test_arrays_are_computed_with_the_flags_and_errors_of_the_clear_path(operation, fmt):
    for a, b in ((1.0, 1.0), (math.inf, -math.inf), (6e4, 6e4), (SIGNALING, 1.0), (1.0, 0.0), (2.0**-20, 2.0**-18)):
        with np.errstate(all="ignore"):
            x, y = (fs.array([[0.1, 1.0], [v, 3.0]], fmt) for v in (0.0, b))
            x.values[1, 0] = a
        call = (lambda x=x: operation(x)) if operation is np.sqrt else (lambda x=x, y=y: operation(x, y))
        for state in ({}, {"all": "raise"}, {"under": "warn"}):
            with np.errstate(**state):
                quiet = outcome(call)
                with fs.record_flags(only=["inexact"]):  # then every result is compared with the exact one
                    assert outcome(call) == quiet, (a, b, state)
        with np.errstate(all="ignore"):
            turned = operation(x.T) if operation is np.sqrt else operation(x.T, y.T)
            assert (bit_patterns(turned.values.T) == bit_patterns(call().values)).all()


def test_a_small_array_takes_random_bits_as_on_the_general_path():
    for fmt in SMALL:
        with np.errstate(over="ignore"):
            one, other = (fs.round_to(ORDINARY, fmt, "stochastic", rng=1, threads=threads) for threads in (None, 1))
        assert (bit_patterns(one) == bit_patterns(other)).all()


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
def test_a_large_array_raises_in_any_chunk_and_keeps_its_order(fmt):
    x = fs.array(np.ones((2, 150_000)), fmt)
    assert ((x.T + 0.001).values == fs.add(1, 0.001, fmt)).all()
    for place in ((0, 3), (1, 149_999)):
        y = x.copy()
        y.values[place] = fmt.max_finite
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow encountered in add"):
            y + y


def test_nothing_warns_in_the_silent_context_and_the_errstate_outside_stays():
    with np.errstate(all="raise"):
        before = np.geterr()
        assert silent_context().run(np.divide, np.float32(1), np.float32(0)) == math.inf
        assert silent_context().run(np.geterr) == dict.fromkeys(before, "ignore")
        assert np.geterr() == before


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.E4M3FN, fs.BFLOAT16, fs.E5M2, fs.TF32], ids=str)
def test_a_kernel_says_where_a_result_may_not_be_finite(fmt):
    for mode in DETERMINISTIC:
        kernel = kernels.find(fmt, mode, "float32")
        for size in (1, 130, 70_000):
            for special in (1.0, math.inf, -math.nan, 3e38):
                x = np.ones(size, np.float32)
                x[size // 2] = special
                assert silent_context().run(kernel, x, x) == (special != 1.0), (mode, size, special)
