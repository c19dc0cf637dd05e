"""Berkeley SoftFloat: values and flags of binary16 and binary32 on grids of interesting operands, in its five modes."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.formats import Rounding

from . import support
from .support import assert_same_codes, expected_flags

softfloat = pytest.importorskip("softfloatpy")
pytestmark = pytest.mark.usefixtures("quiet")

SOFT_MODES = {
    Rounding.TIES_TO_EVEN: softfloat.RoundingMode.NEAR_EVEN,
    Rounding.TOWARD_ZERO: softfloat.RoundingMode.MIN_MAG,
    Rounding.TOWARD_NEGATIVE: softfloat.RoundingMode.MIN,
    Rounding.TOWARD_POSITIVE: softfloat.RoundingMode.MAX,
    Rounding.TIES_TO_AWAY: softfloat.RoundingMode.NEAR_MAX_MAG,
}
SOFT_TININESS = {
    "after": softfloat.TininessMode.AFTER_ROUNDING,
    "before": softfloat.TininessMode.BEFORE_ROUNDING,
}
SOFT_FLAGS = {1: "inexact", 2: "underflow", 4: "overflow", 8: "divide_by_zero", 16: "invalid"}
NAMES = [frozenset(name for bit, name in SOFT_FLAGS.items() if flags & bit) for flags in range(32)]
NO_FLAGS = softfloat.ExceptionFlag(0)

OPERATIONS = {
    "add": ("add", 2),
    "subtract": ("sub", 2),
    "multiply": ("mul", 2),
    "divide": ("div", 2),
    "ieee_remainder": ("rem", 2),
    "sqrt": ("sqrt", 1),
    "fma": ("mul_add", 3),
}
GRIDS = {
    fs.BINARY16: (
        [0, 1, 2, 4, 5, 10, 13, 14, 15, 16, 20, 25, 28, 29, 30],
        [0, 1, 2, 0x155, 0x1FF, 0x200, 0x201, 0x3FE, 0x3FF],
    ),
    fs.BINARY32: (
        [0, 1, 2, 12, 63, 64, 103, 125, 126, 127, 128, 150, 191, 253, 254],
        [0, 1, 2, 0x2AAAAA, 0x3FFFFF, 0x400001, 0x7FFFFE, 0x7FFFFF],
    ),
}


def signaling(fmt):
    """Two signaling NaNs."""
    top = (2**fmt.exponent_bits - 1) << fmt.trailing_bits
    return fs.decode([top + 1, (1 << (fmt.width - 1)) + top + 5], fmt)


def operands_of(fmt, arity):
    """Flat arrays: every pair of the grid, infinities and NaNs included; of triples a sixth of the values."""
    exponents, trailings = GRIDS[fmt]
    specials = np.append([np.inf, -np.inf, np.nan], signaling(fmt))
    values = np.concatenate([support.interesting(fmt, exponents, trailings), specials])
    if arity == 1:
        return [np.concatenate([values, fs.all_values(fs.BINARY16)[:0x7C00]])]
    if arity == 2:
        return list(support.pairs(values))
    few = np.concatenate([values[:: len(values) // 30 | 1], [0.0, -0.0, np.inf, np.nan], signaling(fmt)])
    return [x.ravel() for x in np.meshgrid(few, few, few, indexing="ij")]


def soft_numbers(x, fmt):
    """SoftFloat's objects; it takes and gives codes as big-endian bytes."""
    kind = {16: softfloat.Float16, 32: softfloat.Float32, 64: softfloat.Float64}[fmt.width]
    size = fmt.width // 8
    codes = fs.encode(x, fmt).astype(f">u{size}").tobytes()
    return [kind.from_bytes(codes[i : i + size]) for i in range(0, len(codes), size)]


def soft_results(function, operands, fmt):
    """Values and flags, one call for each element."""
    values, raised = [], []
    get, put = softfloat.get_exception_flags, softfloat.set_exception_flags
    for xs in zip(*operands, strict=True):
        put(NO_FLAGS)
        values.append(function(*xs).to_bytes())
        raised.append(int(get()))
    codes = np.frombuffer(b"".join(values), f">u{fmt.width // 8}").astype(np.uint64)
    return fs.decode(codes, fmt), [NAMES[flags] for flags in raised]


@pytest.fixture(autouse=True)
def _default_state():
    """SoftFloat keeps its modes in globals."""
    yield
    softfloat.set_rounding_mode(softfloat.RoundingMode.NEAR_EVEN)
    softfloat.set_tininess_mode(softfloat.TininessMode.AFTER_ROUNDING)


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("mode", SOFT_MODES, ids=str)
@pytest.mark.parametrize("fmt", GRIDS, ids=str)
def test_values_and_flags_are_those_of_softfloat(fmt, mode, name):
    suffix, arity = OPERATIONS[name]
    function = getattr(softfloat, f"f{fmt.width}_{suffix}")
    operands = operands_of(fmt, arity)
    soft = [soft_numbers(x, fmt) for x in operands]
    softfloat.set_rounding_mode(SOFT_MODES[mode])
    got, flags = support.raised_by(lambda: getattr(fs, name)(*operands, fmt, mode))
    for tininess, soft_tininess in SOFT_TININESS.items():
        softfloat.set_tininess_mode(soft_tininess)
        expected, raised = soft_results(function, soft, fmt)
        assert_same_codes(got, expected, fmt, f"SoftFloat: {fmt}", operands, operation=name, mode=mode)
        assert flags[tininess] == expected_flags(raised, got.shape), (name, fmt, mode, tininess)


@pytest.mark.parametrize("mode", SOFT_MODES, ids=str)
def test_conversions_to_binary16_and_their_flags_are_those_of_softfloat(mode):
    x = np.concatenate([support.landmarks(fs.BINARY16)[::97], np.random.default_rng(3).normal(size=2000) * 2.0**-14])
    x = np.concatenate([x, [np.nan], signaling(fs.BINARY16), signaling(fs.BINARY64)])
    doubles = soft_numbers(x, fs.BINARY64)
    softfloat.set_rounding_mode(SOFT_MODES[mode])
    got, flags = support.raised_by(lambda: fs.round_to(x, "binary16", mode))
    for tininess, soft_tininess in SOFT_TININESS.items():
        softfloat.set_tininess_mode(soft_tininess)
        expected, raised = soft_results(softfloat.f64_to_f16, [doubles], fs.BINARY16)
        assert_same_codes(got, expected, fs.BINARY16, "SoftFloat: conversions", [x], mode=mode)
        assert flags[tininess] == expected_flags(raised, got.shape)


@pytest.mark.parametrize("mode", SOFT_MODES, ids=str)
def test_conversions_to_bfloat16_are_those_of_softfloat(mode):
    x = np.arange(0, 2**32, 99_991, dtype=np.uint64).astype(np.uint32).view(np.float32)
    singles = soft_numbers(x, fs.BINARY32)
    softfloat.set_rounding_mode(SOFT_MODES[mode])
    expected, raised = soft_results(softfloat.f32_to_bf16, [singles], fs.BFLOAT16)
    got, flags = support.raised_by(lambda: fs.round_to(x, "bfloat16", mode))
    assert_same_codes(got, expected, fs.BFLOAT16, "SoftFloat: conversions", [x], mode=mode)
    assert flags["after"] == expected_flags(raised, got.shape)


COMPARISONS = {"equal": "eq", "less": "lt_quiet", "less_equal": "le_quiet"}
SIGNALING = {"equal": "eq_signaling", "less": "lt", "less_equal": "le"}


@pytest.mark.parametrize("signaling", [False, True])
@pytest.mark.parametrize("name", list(COMPARISONS))
def test_comparisons_and_their_flags_are_those_of_softfloat(name, signaling):
    a, b = operands_of(fs.BINARY16, 2)
    function = getattr(softfloat, f"f16_{(SIGNALING if signaling else COMPARISONS)[name]}")
    softfloat.set_exception_flags(NO_FLAGS)
    expected, raised = [], []
    for x, y in zip(soft_numbers(a, fs.BINARY16), soft_numbers(b, fs.BINARY16), strict=True):
        softfloat.set_exception_flags(NO_FLAGS)
        expected.append(function(x, y))
        raised.append(NAMES[int(softfloat.get_exception_flags())])
    got, flags = support.raised_by(lambda: getattr(fs, name)(a, b, "binary16", signaling=signaling))
    assert (got == np.array(expected)).all()
    assert flags["after"] == expected_flags(raised, a.shape)
    support.count_cases(a.size, "SoftFloat: comparisons")
