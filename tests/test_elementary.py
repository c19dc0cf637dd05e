"""The elementary functions against MPFR: every input of both 16-bit formats is a certificate, not a sample."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.elementary import certificates, definitions, evaluation
from fp16sim.formats import Rounding

from . import mpfr_functions, support
from .support import DETERMINISTIC, MPFR_MODES, assert_same_codes

gmpy2 = pytest.importorskip("gmpy2", reason="MPFR judges the elementary functions")
pytestmark = pytest.mark.usefixtures("quiet")

SIXTEEN = [fs.BINARY16, fs.BFLOAT16]
NAMES = list(definitions.FUNCTIONS)


def compare_with_mpfr(name, fmt, step):
    x = support.held_values(fmt, step)
    x = x[~np.isnan(x)]
    truths = [mpfr_functions.truth(gmpy2, name, v) for v in x]
    for mode in MPFR_MODES:
        with support.mpfr_context(gmpy2, fmt, mode):
            expected = [float(gmpy2.mpfr(value)) for value in truths]
        assert_same_codes(getattr(fs, name)(x, fmt, mode), expected, fmt, "elementary", [x], function=name, mode=mode)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fmt", [*SIXTEEN, fs.E4M3, fs.E5M2], ids=str)
def test_a_function_is_correctly_rounded_in_all_modes_of_mpfr(name, fmt):
    compare_with_mpfr(name, fmt, step=23 if fmt.width == 16 else 1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
def test_a_function_is_correctly_rounded_on_every_input(name, fmt):
    compare_with_mpfr(name, fmt, step=1)


@pytest.mark.parametrize("name", NAMES)
def test_this_machines_results_are_the_certified_ones(name):
    assert certificates.check([name]) == []


def grid(fmt):
    """Factors and exponents of every kind: small and large, near one, powers of two, exact squares and cubes."""
    v = support.positive_values(fmt)
    near_one = v[np.searchsorted(v, 1) - 8 : np.searchsorted(v, 1) + 8]
    small = np.array([0.25, 0.5, 0.75, 1.5, 2, 3, 4, 7, 8, 9, 10, 16, 27, 100, 0.0625])
    return np.unique(np.concatenate([v[:: v.size // 60], near_one, small, v[:3], v[-2:]]))


def mpfr_two(name, x, y, fmt, mode):
    """One function of two arguments, correctly rounded in MPFR, subnormals included."""
    if name == "logaddexp":  # no function of MPFR: with digits enough that only the last step rounds
        larger, smaller = gmpy2.mpfr(max(x, y)), gmpy2.mpfr(min(x, y))
        with gmpy2.context(precision=200):
            above = gmpy2.log1p(gmpy2.exp(smaller - larger))
        with gmpy2.context(precision=4000):
            exact = larger + above
        with support.mpfr_context(gmpy2, fmt, mode):
            return float(gmpy2.mpfr(exact))
    with support.mpfr_context(gmpy2, fmt, mode):
        if name == "hypot":
            return float(gmpy2.hypot(gmpy2.mpfr(x), gmpy2.mpfr(y)))
        if name == "arctan2":
            return float(gmpy2.atan2(gmpy2.mpfr(x), gmpy2.mpfr(y)))
        return float(gmpy2.mpfr(x) ** gmpy2.mpfr(y))


@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
@pytest.mark.parametrize("name", definitions.FUNCTIONS_OF_TWO)
def test_functions_of_two_arguments_are_correctly_rounded_on_a_grid(name, fmt):
    x, y = support.pairs(grid(fmt))
    if name == "power":
        y = np.concatenate([y, -y, np.tile([2.0, 3.0, 5.0, -1.0, 0.5, -0.5, 0.25], x.size)])
        x = np.concatenate([x, x, np.repeat(x, 7)])
        keep = np.random.default_rng(0).permutation(x.size)[:9000]
        x, y = x[keep], y[keep]
    elif name != "hypot":
        keep = np.random.default_rng(0).permutation(x.size)[:500]
        x, y = np.concatenate([x[keep], -x[keep], -x[keep]]), np.concatenate([y[keep], -y[keep], y[keep]])
    if name == "logaddexp":  # beyond this, e^x leaves MPFR's digits or its time
        x, y = (np.where(np.abs(v) < 1000, v, 1.0) for v in (x, y))
        nearly = -grid(fmt)[
            np.abs(grid(fmt) - 1) < 0.9
        ]  # with the y for which e^x + e^y is nearly 1, and its logarithm 0
        x = np.concatenate([x, nearly])
        y = np.concatenate([y, fs.round_to(np.log(-np.expm1(nearly)), fmt)])
    for mode in MPFR_MODES:
        expected = [mpfr_two(name, float(a), float(b), fmt, mode) for a, b in zip(x, y, strict=True)]
        assert_same_codes(getattr(fs, name)(x, y, fmt, mode), expected, fmt, "two arguments", [x, y], mode=mode)


def test_logaddexp_has_all_digits_where_its_arguments_cancel():
    half = -np.log(2.0)  # a little more than the logarithm of 1/2: what is left is that difference
    assert float(fs.logaddexp(half, half, "binary64")) == 2.3190468138462996e-17


SPECIAL_POWERS = {
    (0.0, -1.0): np.inf,
    (-0.0, -3.0): -np.inf,
    (-0.0, 3.0): -0.0,
    (-0.0, 2.0): 0.0,
    (-1.0, np.inf): 1.0,
    (1.0, np.nan): 1.0,
    (np.nan, 0.0): 1.0,
    (-2.0, 3.0): -8.0,
    (-2.0, 0.5): np.nan,
    (0.5, np.inf): 0.0,
    (-np.inf, 3.0): -np.inf,
    (-3.0, 1.0): -3.0,
}


@pytest.mark.parametrize("operands", SPECIAL_POWERS, ids=str)
def test_powers_have_the_special_cases_of_ieee_754(operands):
    for mode in DETERMINISTIC:
        assert_same_codes(fs.power(*operands, "binary16", mode), SPECIAL_POWERS[operands], fs.BINARY16)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
def test_the_table_gives_what_the_definition_gives(name, fmt):
    x = np.resize(support.held_values(fmt, 11), evaluation.ELEMENTS_FOR_A_TABLE).astype(np.float32)
    for mode in (Rounding.TIES_TO_EVEN, Rounding.TOWARD_POSITIVE):
        fast = getattr(fs, name)(x, fmt, mode)
        with fs.record_flags():
            defined = getattr(fs, name)(x, fmt, mode)
        assert fast.dtype == defined.dtype == np.float32
        assert_same_codes(fast, defined, fmt, "elementary: tables")


def test_many_small_calls_get_a_table_too_and_nobody_sees_it_in_the_results(monkeypatch):
    monkeypatch.setattr(evaluation, "_elements_so_far", {})
    monkeypatch.setattr(evaluation, "ELEMENTS_FOR_A_TABLE", 100)
    x = np.float32([[0.5, -1.0, 3.0], [0.0, 1.5, -0.0]])
    results = [fs.exp(x, "bfloat16") for _ in range(40)]
    assert evaluation.evaluate_by_table("exp", x, fs.BFLOAT16, Rounding.TIES_TO_EVEN, np.float32) is not None
    assert evaluation.evaluate_by_table("exp", x, fs.BINARY16, Rounding.TIES_TO_EVEN, np.float32) is None
    for y in results:
        assert (y.dtype, y.shape) == (np.float32, x.shape)
        assert_same_codes(y, results[0], fs.BFLOAT16, "elementary: tables")
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow encountered in exp"):
        fs.exp(np.float32([0.5, 1000.0]), "bfloat16")


@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_no_undecided_input_comes_near_a_tie(name, fmt):
    # float64 errs by less than 2^-48 here; 2^-38 leaves a factor of a thousand.
    assert certificates.closest_approach(name, fmt).log2_distance > -38


@pytest.mark.parametrize("mode", [Rounding.TIES_TO_AWAY, Rounding.TO_ODD])
def test_the_other_modes_follow_from_the_same_decided_number(mode):
    x = support.held_values(fs.E4M3)
    for name in NAMES:
        y = getattr(fs, name)(x, "e4m3_ieee", mode)
        down, up = (getattr(fs, name)(x, "e4m3_ieee", m) for m in ("toward_negative", "toward_positive"))
        assert ((y == down) | (y == up) | np.isnan(y)).all(), name


def test_an_exponential_is_never_zero_where_the_mode_forbids_it():
    assert fs.exp(-1e4, "binary16", "toward_positive") == 2.0**-24
    assert fs.exp(60000.0, "binary16", "toward_zero") == 65504
    assert fs.tanh(60000.0, "binary16", "toward_zero") == fs.next_down(1.0, "binary16")


def test_poles_raise_divide_by_zero_and_impossible_arguments_invalid():
    poles = {"log": 0.0, "log2": -0.0, "log10": 0.0, "log1p": -1.0, "rsqrt": -0.0, "reciprocal": 0.0}
    for name, x in poles.items():
        with fs.record_flags() as raised:
            y = getattr(fs, name)([1.0, x], "binary16")
        assert np.isinf(y[1]), name
        assert (raised.divide_by_zero.count, raised.divide_by_zero.index) == (1, (1,)), name
        assert not raised.invalid
    for name, x in {"log": -1.0, "arcsin": 2.0, "sin": np.inf, "rsqrt": -4.0, "log1p": -2.0, "arccos": -3.0}.items():
        with fs.record_flags() as raised:
            y = getattr(fs, name)([x, np.nan], "binary16")
        assert np.isnan(y).all(), name
        assert (raised.invalid.count, raised.invalid.index) == (1, (0,)), name
        assert not raised.divide_by_zero


def test_rsqrt_keeps_the_sign_of_a_zero_as_ieee_754_says():
    assert fs.rsqrt([0.0, -0.0], "binary16").tolist() == [np.inf, -np.inf]


def test_operands_of_two_arguments_broadcast():
    x, y = np.array([[4.0], [9.0]]), np.array([0.5, 2.0, -1.0])
    for name in definitions.FUNCTIONS_OF_TWO:
        f = getattr(fs, name)
        assert_same_codes(f(x, y, "binary16"), f(*np.broadcast_arrays(x, y), "binary16"), fs.BINARY16)
    assert fs.power([4.0, 1.0], 0.5, "binary16").tolist() == [2.0, 1.0]


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match="do not broadcast"):
        fs.power([1.0, 2.0], [1.0, 2.0, 3.0], "binary16")
    with pytest.raises(ValueError, match="is not an elementary function of one argument; use one of exp, "):
        certificates.closest_approach("gamma")
