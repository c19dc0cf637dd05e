"""The shadows of a trace: their bounds hold against exact fractions, and say where nothing is known any more."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.trace import corrections, pair_functions, pairs, shadows, wide
from fp16sim.trace.pairs import Pair
from fp16sim.trace.wide import Wide

from .support import first

OPERATIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}


@pytest.fixture(autouse=True)
def silent():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        yield


def fraction(x, k):
    parts = (x.hi, x.lo)
    return sum(Fraction(float(np.broadcast_to(part, x.shape).flat[k])) for part in parts)


def radius(x, k):
    return Fraction(float(np.broadcast_to(x.radius, x.shape).flat[k]))


def some_pairs(rng, shape):
    """Pairs of many sizes, of which half are known exactly."""
    hi = rng.normal(size=shape) * 2.0 ** rng.integers(-30, 30, shape)
    size = np.abs(hi)
    return Pair(hi, size * rng.uniform(-1, 1, shape) * 2.0**-54, size * 2.0**-80 * rng.integers(0, 2, shape))


def holds(y, truths):
    return all(abs(truth - fraction(y, k)) <= radius(y, k) for k, truth in enumerate(truths))


@pytest.mark.parametrize(("name", "seed"), first(4, [(n, s) for s in range(20) for n in OPERATIONS], unpack=True))
def test_the_bound_of_pair_arithmetic_holds_for_all_that_the_operands_may_be(name, seed):
    rng = np.random.default_rng(seed)
    a, b = some_pairs(rng, 500), some_pairs(rng, 500)
    near = rng.random(500) < 0.3
    hi = np.where(near, -a.hi * (1 + 2.0**-30), b.hi)
    b = Pair(hi, np.clip(b.lo, -np.abs(hi) * 2.0**-54, np.abs(hi) * 2.0**-54), np.abs(hi) * 2.0**-90)
    y = getattr(pairs, name)(a, b)
    moved = [[fraction(x, k) + radius(x, k) * Fraction(float(rng.uniform(-1, 1))) for k in range(500)] for x in (a, b)]
    assert holds(y, [OPERATIONS[name](*operands) for operands in zip(*moved, strict=True)])


def test_the_bound_of_a_matrix_product_and_of_a_sum_holds():
    rng = np.random.default_rng(1)
    a, b = some_pairs(rng, (6, 40)), some_pairs(rng, (40, 5))
    y = pairs.matmul(a, b)
    at = [[[fraction(x, i * x.shape[1] + j) for j in range(x.shape[1])] for i in range(x.shape[0])] for x in (a, b)]
    assert holds(y, [sum(at[0][i][k] * at[1][k][j] for k in range(40)) for i in range(6) for j in range(5)])
    assert holds(pairs.total(a, 1), [sum(row) for row in at[0]])


def test_a_matrix_product_of_half_precision_numbers_is_exact():
    x = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float16).astype(float)
    y = pairs.matmul(Pair(x), Pair(x))
    assert not np.any(y.radius)
    rows = [[Fraction(v) for v in row] for row in x.tolist()]
    assert fraction(y, 5) == sum(rows[0][k] * rows[k][5] for k in range(32))


FUNCTIONS = {
    "exp": (-30, 30), "exp2": (-30, 30), "expm1": (-30, 30), "log": (1e-6, 100), "log2": (1e-6, 100),
    "log10": (1e-6, 100), "log1p": (-0.9, 50), "sin": (-100, 100), "cos": (-100, 100), "tan": (-30, 30),
    "arcsin": (-0.99, 0.99), "arccos": (-0.99, 0.99), "arctan": (-30, 30), "sinh": (-30, 30), "cosh": (-30, 30),
    "tanh": (-30, 30), "arcsinh": (-30, 30), "arccosh": (1.01, 50), "arctanh": (-0.99, 0.99), "cbrt": (-30, 30),
    "rsqrt": (1e-6, 100), "sigmoid": (-30, 30), "softplus": (-30, 30), "erf": (-5, 5), "gelu": (-30, 30),
}  # fmt: skip


@pytest.mark.parametrize("name", first(3, [*FUNCTIONS]))
def test_the_bound_of_a_function_of_pairs_holds_against_mpmath(name):
    mpmath = pytest.importorskip("mpmath")
    low, high = FUNCTIONS[name]
    rng = np.random.default_rng(2)
    small = np.clip(rng.normal(size=60) * 2.0 ** -rng.integers(0, 30, 60), low, high)
    x = np.concatenate([rng.uniform(low, high, 140), np.abs(small) if low > 0 else small])
    pair = Pair(np.clip(x, low, high), x * 2.0**-55)
    y = pair_functions.evaluate(name, pair)
    with mpmath.workprec(400):
        for k in range(200):
            truth = wide._at(name, (fraction(pair, k),), 400)
            assert abs(truth - fraction(y, k)) <= radius(y, k), (name, x[k])


OF_ONE = {"sqrt": None, "negative": lambda a: -a, "absolute": abs, "square": lambda a: a * a}
RULED = {**OPERATIONS, **OF_ONE, "maximum": max}


@pytest.mark.parametrize("fmt", first(1, ["binary16", "bfloat16", "binary32"]))
@pytest.mark.parametrize("name", RULED)
def test_the_corrections_of_large_arrays_are_within_their_bounds(name, fmt):
    rng = np.random.default_rng(3)
    count = 5000
    operands = 1 if name in OF_ONE else 2
    values = [fs.array(np.abs(rng.normal(size=count)) + 0.1, fmt) for _ in range(operands)]
    given = [x.values.astype(float) for x in values]
    off = [x * rng.uniform(-0.01, 0.01, count) for x in given]
    y = getattr(np, name)(*values).values
    rule = corrections.rule_for(name, fs.get_format(fmt))
    found = corrections.corrected(
        rule, name, y, [corrections.Operand(x, c, np.zeros(count)) for x, c in zip(given, off, strict=True)],
        fs.get_format(fmt),
    )  # fmt: skip
    for k in range(0, count, 50):
        exact = [Fraction(float(x[k])) + Fraction(float(c[k])) for x, c in zip(given, off, strict=True)]
        shadow = Fraction(float(y[k])) + Fraction(float(found.correction[k]))
        bound = Fraction(float(found.radius[k]))
        if name == "sqrt":
            assert (shadow - bound) ** 2 <= exact[0] <= (shadow + bound) ** 2
        else:
            assert abs(RULED[name](*exact) - shadow) <= bound


@pytest.mark.parametrize("name", first(3, [*corrections.SLOPES]))
def test_the_corrections_of_functions_of_large_arrays_are_within_their_bounds(name):
    pytest.importorskip("mpmath")
    rng = np.random.default_rng(4)
    x = fs.array(np.abs(rng.normal(size=5000)) + 0.01, "binary16")
    off = x.values * rng.uniform(-0.01, 0.01, 5000)
    y = (getattr(fs, name)(x.values, "binary16") if name == "sigmoid" else getattr(np, name)(x).values).astype(float)
    operand = corrections.Operand(x.values.astype(float), off, np.zeros(5000))
    found = corrections.corrected(corrections.OF_FUNCTION[name], name, y, [operand], fs.BINARY16)
    for k in range(0, 5000, 100):
        truth = wide._at(name, (Fraction(float(x.values[k])) + Fraction(float(off[k])),), 300)
        shadow = Fraction(float(y[k])) + Fraction(float(found.correction[k]))
        assert abs(truth - shadow) <= Fraction(float(found.radius[k]))


# --- scalars --------------------------------------------------------------------------------------------------------


def test_scalars_are_exact_until_they_are_long_and_then_their_radius_holds():
    x, y = Wide(Fraction(1, 3)), Fraction(1, 3)
    for k in range(13):
        assert x.exact or k > 8
        x, y = shadows.multiply(x, shadows.subtract(wide.wide(1), x)), y * (1 - y)
    assert not x.exact
    assert abs(x.mid - y) <= x.radius < Fraction(1, 2**2000)


@pytest.mark.parametrize("name", first(2, ["exp", "log", "sin", "arctan", "sqrt", "tanh"]))
def test_a_function_of_a_scalar_is_right_to_200_bits_with_mpmath_and_to_60_without(name, monkeypatch):
    pytest.importorskip("mpmath")
    x = wide.wide(Fraction(7, 3))
    fine = shadows.ELEMENTWISE[name](x)
    monkeypatch.setattr(wide, "library", lambda: None)
    coarse = shadows.ELEMENTWISE[name](x)
    assert fine.radius <= abs(fine.mid) / 2**190
    assert abs(fine.mid - coarse.mid) <= coarse.radius + fine.radius
    assert coarse.radius <= abs(coarse.mid) / 2**60


def test_a_pole_within_the_radius_says_that_nothing_is_known():
    near_zero = Wide(Fraction(1, 1000), Fraction(1, 100))
    assert shadows.divide(wide.wide(1), near_zero).radius is None
    array = pairs.divide(Pair(np.ones(1)), Pair(np.array([1e-3]), np.zeros(1), np.array([1e-2])))
    assert array.radius[0] == np.inf


@pytest.mark.parametrize("value", [0.5, 1.5, 2.5, -0.5, -1.5, -2.7, 3.0, -3.0])
def test_steps_are_those_of_python(value):
    x = wide.wide(value)
    assert shadows.floor(x).mid == np.floor(value)
    assert shadows.ELEMENTWISE["rint"](x).mid == np.rint(value)
    assert shadows.ELEMENTWISE["trunc"](x).mid == np.trunc(value)
    array = Pair(np.array([value, value]), np.array([0.0, -1e-20]))
    assert shadows.floor(array).hi[0] == np.floor(value)
    assert shadows.floor(array).hi[1] == (np.floor(value) - (value == np.floor(value)))
