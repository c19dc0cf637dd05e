"""The seven operations: small formats in full against the exact layer, wide ones on grids against MPFR and NumPy."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.arithmetic import native
from fp16sim.formats import Format, Rounding

from . import support
from .support import BYTES, DETERMINISTIC, MODES, MPFR_MODES, TOYS, Draws, assert_same_codes

pytestmark = pytest.mark.usefixtures("quiet")

OPERATIONS = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "ieee_remainder": 2, "fmod": 2, "sqrt": 1, "fma": 3}
BINARY = [name for name, arity in OPERATIONS.items() if arity == 2]
DRAWS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 0x12345678, 3 << 30)


def compare_with_exact(name, operands, fmt, mode, group):
    """Results and flags of an operation on flat arrays of values that `fmt` holds."""
    source = Draws(*DRAWS)
    source.integers(0, 2**32, sum(x.size for x in operands), np.uint32)  # the operands draw first
    stochastic = mode is Rounding.STOCHASTIC
    draws = source.integers(0, 2**32, operands[0].size, np.uint32).tolist() if stochastic else [0] * operands[0].size
    expected, flags = support.judged(name, operands, fmt, mode, draws)
    got, raised = support.raised_by(lambda: getattr(fs, name)(*operands, fmt, mode, rng=Draws(*DRAWS)))
    assert_same_codes(got, expected, fmt, group, operands, operation=name, mode=mode)
    for tininess in support.TININESS:
        assert raised[tininess] == flags[tininess], (name, fmt, mode, tininess)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("fmt", support.first(6, TOYS[::2] + TOYS[1::2]), ids=str)
def test_all_pairs_of_a_toy_format_are_right_in_every_mode(fmt, name):
    operands = support.pairs(support.held_values(fmt))
    for mode in MODES:
        compare_with_exact(name, operands, fmt, mode, "toys: pairs")


@pytest.mark.parametrize("fmt", TOYS, ids=str)
def test_all_roots_and_many_fmas_of_a_toy_format_are_right_in_every_mode(fmt):
    values = support.held_values(fmt)
    few = support.held_values(fmt, step=1 if fmt.width < 5 else 6)
    triples = [x.ravel() for x in np.meshgrid(few, few, few, indexing="ij")]
    for mode in MODES:
        compare_with_exact("sqrt", [values], fmt, mode, "toys: roots")
        compare_with_exact("fma", triples, fmt, mode, "toys: fma")


@pytest.mark.parametrize("name", [*BINARY, "sqrt"])
@pytest.mark.parametrize("fmt", BYTES, ids=str)
def test_many_pairs_and_all_roots_of_an_eight_bit_format_are_right_in_every_mode(fmt, name):
    operands = [support.held_values(fmt)] if name == "sqrt" else support.pairs(support.held_values(fmt, step=11))
    for mode in MODES:
        compare_with_exact(name, operands, fmt, mode, "8 bits: " + ("roots" if name == "sqrt" else "pairs"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("fmt", BYTES, ids=str)
def test_all_pairs_of_an_eight_bit_format_are_right_in_every_mode(fmt, name):
    operands = support.pairs(support.held_values(fmt))
    for mode in MODES:
        compare_with_exact(name, operands, fmt, mode, "8 bits: pairs")


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", TOYS, ids=str)
def test_all_fmas_of_a_toy_format_are_right_in_every_mode(fmt):
    values = support.held_values(fmt)
    triples = [x.ravel() for x in np.meshgrid(values, values, values, indexing="ij")]
    for mode in MODES:
        compare_with_exact("fma", triples, fmt, mode, "toys: fma")


# --- wide formats ---------------------------------------------------------------------------------------------------

WIDE = [fs.BINARY16, fs.BFLOAT16, fs.TF32, fs.BINARY32, fs.BINARY64, Format("odd", width=23, precision=19)]


@pytest.mark.parametrize("fmt", WIDE, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_random_and_close_operands_of_a_wide_format_agree_with_the_exact_layer(fmt, mode):
    rng = np.random.default_rng(17)
    n = 60 if fmt.precision > 11 else 150
    span = min(fmt.precision + 3, fmt.emax)
    a, b, c = (rng.normal(size=n) * 2.0 ** rng.integers(-span, span, n) for _ in range(3))
    tiny = 2.0 ** (fmt.emin // 2) * 2.0 ** rng.integers(-fmt.precision, 3, n)  # their products are subnormal
    a, b, c = (
        np.asarray(fs.round_to(x, fmt)) for x in (np.append(a, a * tiny), np.append(b, b * tiny), np.append(c, c))
    )
    a[:8], b[:8] = fmt.max_finite, fmt.max_finite * np.linspace(-1, 1, 8).round(1)
    b, c = (np.asarray(fs.round_to(x, fmt)) for x in (b, np.where(rng.integers(0, 2, 2 * n) == 1, c, -a * b)))
    for name, arity in OPERATIONS.items():
        compare_with_exact(name, (np.abs(a),) if arity == 1 else (a, b, c)[:arity], fmt, mode, "exact: wide operations")


def bfloat16_grid():
    exponents = [0, 1, 2, 9, 60, 63, 64, 119, 126, 127, 128, 134, 135, 190, 191, 253, 254, 255]
    return support.interesting(fs.BFLOAT16, exponents, [0, 1, 2, 0x2A, 0x3F, 0x40, 0x41, 0x7E, 0x7F])


@pytest.mark.parametrize("name", [*BINARY, "sqrt", "fma"])
@pytest.mark.parametrize("mode", MPFR_MODES)
def test_an_interesting_grid_of_bfloat16_agrees_with_mpfr(name, mode):
    gmpy2 = pytest.importorskip("gmpy2")
    values = bfloat16_grid()
    few = values[:: len(values) // 36]
    grids = {1: [support.held_values(fs.BFLOAT16)[:-1]], 2: support.pairs(values)}
    grids[3] = [x.ravel() for x in np.meshgrid(few, few, few, indexing="ij")]
    operands = grids[OPERATIONS[name]]
    judge = {"subtract": "sub", "multiply": "mul", "divide": "div", "ieee_remainder": "remainder"}.get(name, name)
    with support.mpfr_context(gmpy2, fs.BFLOAT16, mode):
        numbers = {v: gmpy2.mpfr(v) for v in np.unique(np.concatenate(operands)).tolist()}
        exacts = [[gmpy2.mpfr(v) if v == 0 else numbers[v] for v in x.tolist()] for x in operands]
        function = getattr(gmpy2, judge)
        expected = [float(function(*xs)) for xs in zip(*exacts, strict=True)]
    got = getattr(fs, name)(*operands, "bfloat16", mode)
    assert_same_codes(got, expected, fs.BFLOAT16, "MPFR: bfloat16", operands, operation=name, mode=mode)


def test_an_interesting_grid_of_binary16_agrees_with_numpys_float16():
    values = support.interesting(
        fs.BINARY16, [*range(0, 32, 3), 1, 14, 16, 31], [0, 1, 2, 0x155, 0x1FF, 0x200, 0x201, 0x3FE, 0x3FF]
    )
    a, b = support.pairs(values)
    for name in ("add", "subtract", "multiply", "divide"):
        expected = getattr(np, name)(a.astype(np.float16), b.astype(np.float16))
        for x, y in ((a, b), (a.astype(np.float32), b.astype(np.float32))):
            got = getattr(fs, name)(x, y, "binary16")
            assert_same_codes(got, expected, fs.BINARY16, "NumPy: float16", [a, b], operation=name)
    every = support.held_values(fs.BINARY16)
    assert_same_codes(fs.sqrt(every), np.sqrt(every.astype(np.float16)), fs.BINARY16, "NumPy: float16")


def significands(precision):
    """Integers of `precision` bits: all, or the ends, the middle and some at random."""
    low, high = 2 ** (precision - 1), 2**precision
    if low <= 128:
        return np.arange(low, high)
    middle, rng = low + low // 2, np.random.default_rng(precision)
    return np.unique(np.r_[low : low + 16, middle - 8 : middle + 8, high - 16 : high, rng.integers(low, high, 80)])


@pytest.mark.parametrize("exponent_bits", [5, 8])
@pytest.mark.parametrize("precision", range(2, 14))
def test_the_shortcut_through_float32_changes_nothing_where_it_is_taken(precision, exponent_bits):
    fmt = Format("drawn", precision + exponent_bits, precision)
    a, b = support.pairs(significands(precision).astype(np.float64))
    one = 1 - precision  # the exponent that makes a significand a number of [1, 2)
    for gap in (0, 1, precision - 1, precision, precision + 1):
        for name in ("add", "subtract", "divide"):
            compare_paths(name, (np.ldexp(a, one), np.ldexp(b, one - gap)), fmt)
    for shift in range(-2, precision + 2):  # products and quotients around and below min_subnormal
        product, half = fmt.quantum_exponent_min + shift - 1, fmt.emin // 2
        compare_paths("multiply", (np.ldexp(a, one + half), np.ldexp(b, one + product - half)), fmt)
        compare_paths("divide", (np.ldexp(a, one + half), np.ldexp(b, one + half - product)), fmt)
    x = np.arange(2 ** (precision - 1), 2**precision, dtype=np.float64)
    compare_paths("sqrt", (np.ldexp(np.append(x, 2 * x), one),), fmt)


def compare_paths(name, operands, fmt):
    """With recorders an operation goes the general way, without them perhaps a shortcut."""
    keep = np.all([(np.abs(x) <= fmt.max_finite) & (fs.round_to(x, fmt) == x) for x in operands], axis=0)
    operands = [x[keep] for x in operands]
    with fs.record_flags():
        general = getattr(fs, name)(*operands, fmt)
    assert_same_codes(getattr(fs, name)(*operands, fmt), general, fmt, "shortcuts", operands, operation=name)


# --- single facts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda: fs.fma(3, 683, "2^-24", "binary16"), 2050.0),  # through float32: 2048
        (lambda: fs.fma(9, 29, "2^-100", "bfloat16"), 262.0),  # through float32 and float64: 260
        (lambda: fs.add(1, "2^-60", "bfloat16", "toward_positive"), 1.0078125),
        (lambda: fs.add(2048, 1), 2048.0),
        (lambda: fs.add(256, 1, "bfloat16"), 256.0),
        (lambda: fs.subtract(1, 1, "binary16", "toward_negative"), -0.0),
        (lambda: fs.subtract(1, 1, "binary16", "toward_positive"), 0.0),
        (lambda: fs.add(-0.0, -0.0), -0.0),
        (lambda: fs.fma(2, -0.0, 0.0, "binary16", "toward_negative"), -0.0),
        (lambda: fs.sqrt(-0.0), -0.0),
        (lambda: fs.divide(-1, np.inf), -0.0),
        (lambda: fs.ieee_remainder(-6, 2), -0.0),
        (lambda: fs.ieee_remainder(3, 2), -1.0),
        (lambda: fs.ieee_remainder(65504, "2^-24"), 0.0),
        (lambda: fs.multiply("2^-14", "0x1.ffcp-1", "binary16", "to_odd"), 2.0**-14 - 2.0**-24),
        (lambda: fs.divide(0, 0), np.nan),
        (lambda: fs.subtract(np.inf, np.inf), np.nan),
        (lambda: fs.sqrt(-1e-7), np.nan),
        (lambda: fs.divide(1, 0, "e4m3fn"), np.nan),
        (lambda: fs.divide(-1, 0, "e3m2fn"), -28.0),
    ],
)
def test_a_known_result(result, expected):
    assert_same_codes(result(), expected, fs.BFLOAT16)


@pytest.mark.parametrize("mode", DETERMINISTIC)
def test_operands_that_the_format_lacks_are_rounded_first_in_the_same_mode(mode):
    a, b = [0.1, "1/3", 2**20 + 1, Fraction(1, 10**9)], "2/3"
    with fs.record_flags() as raised:
        got = fs.multiply(a, b, "e5m2", mode)
    judged = [exact.compute("multiply", (x, b), "e5m2", mode) for x in a]
    assert_same_codes(got, [float(r.value) for r in judged], fs.E5M2, mode=mode)
    assert raised.inexact.operation == "round_to"
    assert raised.inexact.index == (0,)
    assert set(raised.names()) == set().union(*(r.flags for r in judged))


@pytest.mark.parametrize("subnormals", ["flush_to_zero", "flush_inputs"])
def test_a_format_that_flushes_flushes_operands_and_results(subnormals):
    fmt = support.replace(fs.BINARY16, subnormals=subnormals)
    assert_same_codes(fs.multiply([2.0**-10, -(2.0**-15)], [2.0**-10, 2.0], fmt), [0.0, -0.0], fmt)
    assert_same_codes(fs.add(2.0**-14, -(2.0**-15), fmt, "toward_negative"), 2.0**-14, fmt)


def test_operands_broadcast_and_the_result_has_the_carrier_of_the_arrays():
    column, row = np.float32([[1], [2]]), np.float32([1, 2, 3])
    assert fs.add(column, row).shape == (2, 3)
    assert fs.add(column, row).dtype == np.float32
    assert fs.add(column, 1).dtype == np.float32  # a bare number adopts the array's
    assert fs.add(column, np.zeros(3)).dtype == np.float64
    assert fs.add(column, row, "binary64").dtype == np.float64
    assert isinstance(fs.add(1, 2), np.float64)
    assert isinstance(fs.add(np.float32(1), 2), np.float32)
    assert fs.fma(column, row, np.zeros((4, 1, 1))).shape == (4, 2, 3)
    assert fs.add(np.zeros((0, 3)), row).shape == (0, 3)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32"])
def test_operands_in_chunks_give_what_they_give_at_once(fmt, monkeypatch):
    """Also operands that cannot be sliced alike, and with an exception in a late chunk, which errstate must see."""
    rng = np.random.default_rng(0)
    a, b = (fs.round_to(np.exp(rng.normal(size=(30, 40)) * 2).astype(np.float32), fmt) for _ in range(2))
    b[-1, -1] = a[-1, -1] = fs.get_format(fmt).max_finite
    pairs = [(a, b), (a, np.float32(3)), (np.float32(3), b), (a, b[0]), (a[:, :1], b), (a.T, b.T), (a[::2], b[::2])]
    pairs += [(x.astype(np.float64), y) for x, y in pairs[:2]]
    for x, y in pairs:
        for name in BINARY:
            results = []
            for size in (native.CHUNK, 64):
                monkeypatch.setattr(native, "CHUNK", size)
                with np.errstate(all="ignore"):
                    quiet = getattr(fs, name)(x, y, fmt)
                with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
                    warnings.simplefilter("always")
                    results += [quiet, getattr(fs, name)(x, y, fmt)]
                assert bool(caught) != bool(np.isfinite(quiet).all()), (name, size)
            with fs.record_flags():
                clear = getattr(fs, name)(x, y, fmt)
            for got in results:
                assert (got.dtype, got.shape) == (clear.dtype, clear.shape)
                assert_same_codes(got, clear, fs.get_format(fmt), "arithmetic: chunks", operation=name)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "e5m2"])
@pytest.mark.parametrize("size", [1, 100, 5000])
def test_a_nan_or_infinity_that_an_operation_makes_is_announced_however_it_is_rounded(size, fmt):
    x, zero = np.ones(size, np.float32), np.zeros(size, np.float32)
    for name, a, b, words in (
        ("divide", x, zero, "divide by zero"),
        ("divide", zero, zero, "invalid value"),
        ("multiply", x * fs.get_format(fmt).max_finite, x + 1, "overflow"),
    ):
        with np.errstate(all="raise"), pytest.raises(FloatingPointError, match=words):
            getattr(fs, name)(a.astype(np.float32), b, fmt)


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"fma: operands of shapes \(2,\), \(3,\), \(\) do not broadcast.*trailing"):
        fs.fma([1, 2], [1, 2, 3], 0)
