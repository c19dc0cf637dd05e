"""Linear algebra: equal to plain loops over rounded operations, within the bounds of the textbook, and clear errors."""

import pickle
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import linalg
from fp16sim.linalg import matrices
from fp16sim.linalg.work import begin

from .support import DETERMINISTIC, bit_patterns, count_cases, first

pytestmark = pytest.mark.usefixtures("quiet")

RNG = np.random.default_rng(19)
BEGINNING = RNG.bit_generator.state
FORMATS = ("binary16", "bfloat16", "e4m3fn", "binary32", "binary64")
MIXED = [
    ("binary16", "toward_negative"),
    ("bfloat16", "toward_zero"),
    ("e4m3fn", "ties_to_even"),
]
ALL = [*product(FORMATS, DETERMINISTIC)]


def ways(*some):
    """A few formats and modes by default; all in the exhaustive run."""
    return pytest.mark.parametrize(("fmt", "mode"), first(len(some), [*some, *ALL], unpack=True))


def same(actual, expected):
    assert np.array_equal(bit_patterns(actual), bit_patterns(expected)), (actual, expected)
    count_cases(np.size(expected), "linear algebra: elements of plain loops")


# --- plain loops over fs.multiply and fs.subtract, as a textbook writes them ------------------------------------------


@pytest.fixture(autouse=True)
def same_numbers_in_every_order():
    """The random numbers of a test do not depend on the tests before it."""
    RNG.bit_generator.state = BEGINNING


class Plain:
    """The algorithms of the textbook, one number after the other."""

    def __init__(self, fmt, mode):
        self.how = fmt, mode

    def add(self, a, b):
        return float(fs.add(float(a), float(b), *self.how))

    def subtract(self, a, b):
        return float(fs.subtract(float(a), float(b), *self.how))

    def multiply(self, a, b):
        return float(fs.multiply(float(a), float(b), *self.how))

    def divide(self, a, b):
        return float(fs.divide(float(a), float(b), *self.how))

    def sqrt(self, x):
        return float(fs.sqrt(float(x), *self.how))

    def minus_products(self, start, pairs):
        for a, b in pairs:
            start = self.subtract(start, self.multiply(a, b))
        return start

    def dot(self, x, y):
        total = self.multiply(x[0], y[0])
        for a, b in zip(x[1:], y[1:], strict=True):
            total = self.add(total, self.multiply(a, b))
        return total

    def lu(self, a):
        m, n = a.shape
        a, order = a.copy(), list(range(m))
        for j in range(n):
            for i in range(m):
                a[i, j] = self.minus_products(a[i, j], [(a[i, k], a[k, j]) for k in range(min(i, j))])
            if j >= m:
                continue
            p = j + int(np.argmax(np.abs(a[j:, j])))
            a[[j, p]], order[j], order[p] = a[[p, j]], order[p], order[j]
            for i in range(j + 1, m):
                a[i, j] = self.divide(a[i, j], a[j, j]) if a[j, j] else 0.0
        k = min(m, n)
        return np.tril(a[:, :k], -1) + np.eye(m, k), np.triu(a[:k]), order

    def triangular(self, t, b, lower, unit):
        n, x = len(t), np.zeros(len(t))
        order = range(n) if lower else range(n - 1, -1, -1)
        for step, i in enumerate(order):
            x[i] = self.minus_products(b[i], [(t[i, j], x[j]) for j in order[:step]])
            x[i] = x[i] if unit else self.divide(x[i], t[i, i])
        return x

    def solve(self, a, b):
        lower, upper, order = self.lu(a)
        return self.triangular(upper, self.triangular(lower, b[order], True, True), False, False)

    def cholesky(self, a):
        lower = np.zeros(a.shape)
        for i in range(len(a)):
            for j in range(i + 1):
                s = self.minus_products(a[i, j], [(lower[i, k], lower[j, k]) for k in range(j)])
                lower[i, j] = self.sqrt(s) if i == j else self.divide(s, lower[j, j])
        return lower

    def small(self, x):
        power = int(np.frexp(np.abs(x).max())[1])
        return self.round(np.ldexp(x, -power)), power

    def round(self, x):
        return np.asarray(fs.round_to(x, *self.how), float)

    def length(self, x):
        x, power = self.small(x)
        return float(self.round(np.ldexp(self.sqrt(self.dot(x, x)), power)))

    def mgs(self, a):
        q, r = a.copy(), np.zeros((a.shape[1],) * 2)
        for k in range(a.shape[1]):
            r[k, k] = self.length(q[:, k])
            q[:, k] = [self.divide(x, r[k, k]) for x in q[:, k]]
            for j in range(k + 1, a.shape[1]):
                r[k, j] = self.dot(q[:, k], q[:, j])
                q[:, j] = [self.subtract(x, self.multiply(y, r[k, j])) for x, y in zip(q[:, j], q[:, k], strict=True)]
        return q, r

    def reflect(self, k, v, tau, column):
        weight = self.multiply(tau, self.dot(v, column[k:]))
        return [*column[:k], *(self.subtract(x, self.multiply(y, weight)) for x, y in zip(column[k:], v, strict=True))]

    def householder(self, a):
        (m, n), r, found = a.shape, a.copy(), []
        for k in range(min(m - 1, n)):
            x, power = self.small(r[k:, k])
            if not x[1:].any():
                continue
            end = -np.copysign(self.sqrt(self.dot(x, x)), x[0])
            off = self.subtract(x[0], end)
            v = [1.0, *(self.divide(y, off) for y in x[1:])]
            tau = self.divide(self.subtract(end, x[0]), end)
            r[k, k], r[k + 1 :, k] = self.round(np.ldexp(end, power)), 0
            for j in range(k + 1, n):
                r[:, j] = self.reflect(k, v, tau, r[:, j])
            found.append((k, v, tau))
        q = np.eye(m, min(m, n))
        for step, j in product(reversed(found), range(q.shape[1])):
            q[:, j] = self.reflect(*step, q[:, j])
        return q, r[: min(m, n)]


def given(shape, fmt, mode="ties_to_even"):
    return np.asarray(fs.round_to(RNG.standard_normal(shape), fmt, mode), float)


def definite(n, fmt):
    a = RNG.standard_normal((n, n))
    return np.asarray(fs.round_to(a @ a.T / n + np.eye(n), fmt), float)


@ways(*MIXED)
def test_every_factorization_and_solution_is_that_of_the_plain_loops_bit_for_bit(fmt, mode):
    plain = Plain(fmt, mode)
    for m, n in ((1, 1), (4, 4), (6, 3), (3, 7)):
        a = given((m, n), fmt, mode)
        lower, upper, order = plain.lu(a)
        found = linalg.lu(a, fmt, mode)
        same(found.lower, lower), same(found.upper, upper)
        assert found.permutation.tolist() == order
        for expected, actual in zip(plain.householder(a), linalg.qr(a, fmt, mode), strict=True):
            same(actual, expected)
        if m >= n:
            for expected, actual in zip(plain.mgs(a), linalg.qr(a, fmt, mode, method="mgs"), strict=True):
                same(actual, expected)
    for n in (2, 6):
        a, b = given((n, n), fmt, mode), given(n, fmt, mode)
        for lower, unit in product((True, False), repeat=2):
            t = plain.round(a / 4 + 2 * np.eye(n))
            found = linalg.triangular_solve(t, b, fmt, mode, lower=lower, unit_diagonal=unit)
            same(found, plain.triangular(t, b, lower, unit))
        s = definite(n, fmt)
        same(linalg.cholesky(s, fmt, mode), plain.cholesky(s))
        if fmt != "e4m3fn":  # there solutions overflow
            same(linalg.solve(a, b, fmt, mode), plain.solve(a, b))
            same(linalg.inv(a, fmt, mode)[:, 0], plain.solve(a, np.eye(n)[0]))


@ways(("binary16", "toward_positive"), ("bfloat16", "ties_to_even"))
def test_several_products_subtracted_at_once_are_those_one_after_the_other(fmt, mode):
    """As in the residual of a refinement."""
    a, x, b, plain = given((5, 9), fmt, mode), given(9, fmt, mode), given(5, fmt, mode), Plain(fmt, mode)
    work, _ = begin("test", {}, fmt, mode, None, None)
    found = work.less_products(b, a.T, x[:, None])
    same(found, [plain.minus_products(b[i], zip(a[i], x, strict=True)) for i in range(5)])


@pytest.mark.exhaustive
@pytest.mark.parametrize(("fmt", "mode"), ALL)
def test_square_matrices_of_every_size_up_to_12_are_those_of_the_plain_loops(fmt, mode):
    plain = Plain(fmt, mode)
    for n in range(1, 13):
        a, s = plain.round(given((n, n), fmt, mode) / 2 + np.eye(n)), definite(n, fmt)
        lower, upper, _ = linalg.lu(a, fmt, mode)
        same(lower, plain.lu(a)[0]), same(upper, plain.lu(a)[1])
        same(linalg.cholesky(s, fmt, mode), plain.cholesky(s))
        for method, loops in (("householder", plain.householder), ("mgs", plain.mgs)):
            for expected, actual in zip(loops(a), linalg.qr(a, fmt, mode, method=method), strict=True):
                same(actual, expected)
        same(linalg.solve(s, a[0], fmt, mode), plain.solve(s, a[0]))


@ways(("binary16", "toward_positive"))
def test_jacobi_rotations_at_once_are_those_one_after_the_other(fmt, mode):
    a, plain = definite(6, fmt), Plain(fmt, mode)
    same(linalg.eigh(a, fmt, mode).values, _eigenvalues(plain, a))


def _eigenvalues(plain, a):
    """Jacobi's method for pairs in the order of a tournament, two numbers at a time."""
    power = int(np.frexp(np.abs(np.tril(a)).max())[1])
    a, n = plain.round(np.ldexp(np.tril(a) + np.tril(a, -1).T, -power)), len(a)
    tolerance, least, idle = float(fs.get_format(plain.how[0]).unit_roundoff) * np.abs(a).max() / n, np.inf, 0
    while True:
        off = np.abs(a - np.diag(np.diag(a))).max()
        idle = 0 if off < least else idle + 1
        least, players = min(least, off), list(range(n))
        if off <= tolerance or idle == 3:
            break
        for _ in range(n - 1):
            pairs = [sorted((players[i], players[n - 1 - i])) for i in range(n // 2)]
            turns = {pair: _turn(plain, a[p, p], a[q, q], a[p, q]) for pair in map(tuple, pairs) for p, q in [pair]}
            kept = {(p, q): (a[p, p], a[q, q], a[p, q]) for p, q in turns}
            for (p, q), (c, s, _) in turns.items():
                for j in range(n):
                    a[p, j], a[q, j] = _pair(plain, c, s, a[p, j], a[q, j])
            for (p, q), (c, s, _) in turns.items():
                for i in range(n):
                    a[i, p], a[i, q] = _pair(plain, c, s, a[i, p], a[i, q])
            for (p, q), (x, y, z) in kept.items():
                change = plain.multiply(turns[p, q][2], z)
                a[p, p], a[q, q], a[p, q], a[q, p] = plain.subtract(x, change), plain.add(y, change), 0, 0
            players.insert(1, players.pop())
    return plain.round(np.ldexp(np.sort(np.diag(a)), power))


def _turn(plain, x, y, off):
    if off == 0:
        return 1.0, 0.0, 0.0
    theta = plain.divide(plain.subtract(y, x), plain.multiply(2, off))
    root = plain.sqrt(plain.add(plain.multiply(theta, theta), 1))
    t = plain.divide(1, plain.add(abs(theta), root if np.isfinite(root) else abs(theta)))
    t = float(np.copysign(t, theta)) if np.isfinite(t) else 0.0
    c = plain.divide(1, plain.sqrt(plain.add(plain.multiply(t, t), 1)))
    return c, plain.multiply(t, c), t


def _pair(plain, c, s, x, y):
    return (
        plain.subtract(plain.multiply(c, x), plain.multiply(s, y)),
        plain.add(plain.multiply(s, x), plain.multiply(c, y)),
    )


@pytest.mark.parametrize(
    "accumulator", first(3, ["pairwise", "sequential:binary32", "fused", "exact", "kahan", "volta"])
)
def test_the_accumulator_adds_the_products_of_every_element(accumulator):
    a, s = given((9, 9), "binary16"), definite(9, "binary16")
    adder = fs.accumulators.parse(accumulator, "binary16")
    lower, upper, order = linalg.lu(a, "binary16", accumulator=accumulator)
    for j in range(9):
        for i in range(j + 1):
            total = adder.dot(-lower[i, :i], upper[:i, j], a[order][i, j]) if i else a[order][0, j]
            same(upper[i, j], fs.round_to(total, "binary16"))
        for i in range(j + 1, 9):
            total = adder.dot(-lower[i, :j], upper[:j, j], a[order][i, j]) if j else a[order][i, 0]
            same(lower[i, j], fs.divide(fs.round_to(total, "binary16"), upper[j, j], "binary16"))
    root = linalg.cholesky(s, "binary16", accumulator=accumulator)
    total = adder.dot(-root[8, :8], root[8, :8], s[8, 8])
    same(root[8, 8], fs.sqrt(fs.round_to(total, "binary16"), "binary16"))
    x, b = linalg.triangular_solve(upper, a[0], "binary16", accumulator=accumulator), a[0]
    total = adder.dot(-upper[0, :0:-1], x[:0:-1], b[0])
    same(x[0], fs.divide(fs.round_to(total, "binary16"), upper[0, 0], "binary16"))


# --- bounds of the textbook -------------------------------------------------------------------------------------------

MATRICES = {
    "random": matrices.with_condition(12, 10.0),
    "hilbert": matrices.hilbert(12),
    "vandermonde": matrices.vandermonde(12),
    "graded": matrices.graded(12),
    "growth": matrices.wilkinson_growth(12),
}


def exact(x):
    return np.vectorize(Fraction)(np.asarray(x, float))


def gamma(k, fmt, mode):
    u = Fraction(fs.get_format(fmt).unit_roundoff) * (1 if mode.startswith("ties") else 2)
    return k * u / (1 - k * u) if k * u < 1 else Fraction(10**9)


def tiny(fmt, n):
    """What subnormal results may add to an error: half a smallest number for each of the operations."""
    return n * Fraction(fs.get_format(fmt).min_subnormal)


@pytest.mark.parametrize("name", MATRICES)
@ways(("bfloat16", "toward_negative"))
def test_backward_errors_are_within_the_bounds_of_higham(name, fmt, mode):
    a = matrices.wilkinson_growth(8) if (name, fmt) == ("growth", "e4m3fn") else MATRICES[name]  # it ends at 448
    a = np.asarray(fs.round_to(a, fmt, mode), float)
    n = len(a)
    lower, upper, order = linalg.lu(a, fmt, mode)
    lower, upper, rows = exact(lower), exact(upper), exact(a[order])
    size = abs(lower) @ abs(upper)
    error = abs(lower @ upper - rows)
    assert (error <= gamma(n, fmt, mode) * size + tiny(fmt, 2 * n * 12)).all(), "theorem 9.3"
    count_cases(a.size, "linear algebra: backward errors")
    b = given(n, fmt)
    x = linalg.triangular_solve(np.tril(a) + 2 * np.eye(n), b, fmt, mode, lower=True) if name == "random" else None
    if x is not None:
        t = exact(np.tril(a) + 2 * np.eye(n))
        t = exact(fs.round_to(np.tril(a) + 2 * np.eye(n), fmt, mode))
        error = abs(t @ exact(x) - exact(b))
        assert (error <= gamma(n, fmt, mode) * (abs(t) @ abs(exact(x))) + tiny(fmt, 300)).all(), "theorem 8.5"
    try:
        x = exact(linalg.solve(a, b, fmt, mode))
    except linalg.Breakdown:
        return
    error = abs(exact(a) @ x - exact(b))[order]
    assert (error <= gamma(3 * n, fmt, mode) * (size @ abs(x)) + tiny(fmt, 3000) * (1 + abs(x).max())).all(), (
        "theorem 9.4"
    )


@ways(("binary16", "toward_zero"))
def test_cholesky_and_qr_are_backward_stable_too(fmt, mode):
    s = definite(12, fmt)
    lower = exact(linalg.cholesky(s, fmt, mode))
    below = np.tril(abs(lower @ lower.T - exact(s)))
    assert (below <= gamma(13, fmt, mode) * (abs(lower) @ abs(lower.T)) + tiny(fmt, 300)).all(), "theorem 10.3"
    a = given((12, 8), fmt)
    for method in ("householder", "mgs"):
        q, r = linalg.qr(a, fmt, mode, method=method)
        u = float(fs.get_format(fmt).unit_roundoff) * (1 if mode.startswith("ties") else 2)
        errors = np.linalg.norm(np.asarray(q, float) @ r - a, axis=0)
        assert (errors <= 2 * 12 * 8 * u * np.linalg.norm(a, axis=0)).all(), "theorems 19.4 and 19.13"
        if method == "householder":
            assert np.linalg.norm(np.asarray(q, float).T @ q - np.eye(8)) <= 2 * 12 * 8 * u


def test_wilkinsons_example_grows_as_predicted_and_ends_the_range_of_binary16():
    assert linalg.lu(matrices.wilkinson_growth(12), "binary16").upper[-1, -1] == 2.0**11
    with pytest.raises(linalg.Breakdown, match="overflow") as caught:
        linalg.lu(matrices.wilkinson_growth(18), "binary16")
    assert (caught.value.cause, caught.value.step) == ("overflow", 17)


@pytest.mark.parametrize("fmt", first(1, ["binary16", "binary32", "bfloat16", "binary64"]))
def test_eigenvalues_and_singular_values_are_near_those_of_float64(fmt):
    u = float(fs.get_format(fmt).unit_roundoff)
    s, a = definite(9, fmt), given((11, 7), fmt)
    values, vectors = linalg.eigh(s, fmt)
    assert np.abs(values - np.linalg.eigvalsh(s)).max() <= 9 * u * np.linalg.norm(s, 2) + 1e-15
    assert np.abs(vectors.T @ vectors - np.eye(9)).max() <= 60 * u
    assert np.abs(s @ vectors - vectors * values).max() <= 60 * u * np.linalg.norm(s, 2)
    for x in (a, a.T, np.ones((5, 3)), np.zeros((2, 4)), 10000 * a / np.abs(a).max()):
        x = np.asarray(fs.round_to(x, fmt), float)
        left, values, right = linalg.svd(x, fmt)
        assert np.abs(values - np.linalg.svd(x)[1]).max() <= 20 * u * np.linalg.norm(x, 2)
        k = min(x.shape)
        assert left.shape == (x.shape[0], k)
        assert right.shape == (k, x.shape[1])
        for q in (left.T @ left, right @ right.T):
            assert np.abs(q - np.eye(k)).max() <= 80 * u
        assert np.abs(left * values @ right - x).max() <= 80 * u * np.linalg.norm(x, 2)


@pytest.mark.parametrize("condition", [1e1, 1e3, 1e5])
def test_the_estimated_condition_number_is_near_the_true_one_while_the_format_can_tell(condition):
    a = matrices.with_condition(20, condition, rng=3)
    for ord in (1, np.inf):
        truth = np.linalg.cond(a, ord)
        assert truth / 3 < linalg.cond(a, "binary64", ord=ord) < 1.001 * truth
        if condition <= 1e3:
            assert truth / 4 < linalg.cond(a, "binary16", ord=ord) < 2 * truth
    assert linalg.cond(np.ones((3, 3))) == np.inf
    wide = np.eye(8)
    wide[0] = 10  # its norms differ: 11 and 80
    for ord in (1, np.inf):
        assert np.isclose(linalg.cond(wide, "binary64", ord=ord), np.linalg.cond(wide, ord))


def test_norms_do_not_overflow_on_the_way_and_are_those_of_numpy():
    a = fs.round_to(RNG.standard_normal((5, 8)) * 5000, "binary16")
    for ord in ("fro", 1, 2, np.inf):
        assert np.isclose(linalg.matrix_norm(a, ord=ord), np.linalg.norm(a, ord), rtol=5e-3)
    assert linalg.matrix_norm(a, ord="max") == np.abs(a).max()


def test_least_squares_by_both_methods_are_near_those_of_float64():
    a, b = given((15, 4), "binary16"), given((15, 2), "binary16")
    for method in ("householder", "mgs"):
        x = linalg.lstsq(a, b, method=method)
        assert np.abs(x - np.linalg.lstsq(a, b)[0]).max() < 0.01
        same(linalg.lstsq(a, b[:, 0], method=method), x[:, 0])


def test_the_determinant_has_the_sign_of_the_permutation_and_is_zero_for_a_singular_matrix():
    assert linalg.det([[0.0, 1.0], [1.0, 0.0]]) == -1
    assert linalg.det([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) == 1
    assert linalg.det(np.ones((3, 3))) == 0


# --- refinement -------------------------------------------------------------------------------------------------------


def badly_scaled(n, condition):
    """Rows of very different size: the largest numbers are beyond binary16."""
    powers = np.random.default_rng(5).permutation(np.linspace(-10, 24, n).round())
    return matrices.with_condition(n, condition) * 2.0 ** powers[:, None]


PUBLISHED = [  # factors, method, scaling, converges up to (at least), does not converge from
    ("binary16", "lu", None, 0, 1e1),  # the matrix does not fit: Higham, Pranesh and Zounon 2019
    ("binary16", "lu", "rows_columns", 1e3, 1e5),  # Carson and Higham 2018: 10^4
    ("binary16", "gmres", "rows_columns", 1e7, None),  # Carson and Higham 2018: 10^8
    ("bfloat16", "lu", None, 1e1, 1e4),  # it has the range, but only 8 bits: 1 / u is 256
    ("bfloat16", "lu", "rows_columns", 1e2, 1e4),
    ("bfloat16", "gmres", "rows_columns", 1e6, None),
]


@pytest.mark.parametrize(("narrow", "method", "scaling", "good", "bad"), first(3, PUBLISHED, unpack=True))
def test_refinement_in_three_formats_converges_where_the_papers_say(narrow, method, scaling, good, bad):
    for condition in 10.0 ** np.arange(1, 9):
        a = badly_scaled(10, condition)
        b = a @ np.ones(10)
        if good < condition and (bad is None or condition < bad):
            continue
        result = linalg.refine(a, b, factor_format=narrow, method=method, scaling=scaling)
        assert result.converged == (condition <= good), (condition, result)
        if not result.converged:
            assert result.cause
            continue
        a32, b32 = (np.asarray(fs.round_to(x, "binary32"), float) for x in (a, b))
        truth = np.linalg.solve(a32, b32)
        assert np.abs(result.x - truth).max() <= 2e-6 * np.abs(truth).max()
        assert result.backward_errors[-1] < 2.0**-23
        assert result.cause == ""


def test_a_residual_that_is_no_more_precise_than_x_leaves_an_error_that_grows_with_the_condition():
    a, errors = matrices.with_condition(12, 2e3), {}
    b = a @ np.ones(12)
    truth = np.linalg.solve(*(np.asarray(fs.round_to(x, "binary32"), float) for x in (a, b)))
    for wide in ("binary32", "binary64"):
        errors[wide] = np.abs(linalg.refine(a, b, residual_format=wide, method="gmres").x - truth).max()
    assert errors["binary64"] < 2.0**-22 < errors["binary32"]


def test_refinement_of_a_float_array_has_its_format_and_says_why_it_failed():
    a, b = fs.array(matrices.with_condition(6, 10.0), "binary32"), fs.array(np.ones(6), "binary32")
    result = linalg.refine(a, b, factor_format="bfloat16")
    assert isinstance(result.x, fs.FloatArray)
    assert result.x.fmt == fs.BINARY32
    assert linalg.refine(np.ones((3, 3)), np.ones(3)).cause == "zero pivot"
    assert np.isnan(linalg.refine(np.ones((3, 3)), np.ones(3)).x).all()


# --- iterations -------------------------------------------------------------------------------------------------------


def test_conjugate_gradients_solve_and_refuse_a_matrix_that_is_not_definite():
    s, b = definite(10, "bfloat16"), given(10, "bfloat16")
    result = linalg.conjugate_gradients(s, b, "bfloat16")
    assert result.converged
    assert len(result.residuals) == result.steps + 1
    assert np.abs(result.x - np.linalg.solve(s, b)).max() < 0.1 * np.abs(np.linalg.solve(s, b)).max()
    same(linalg.conjugate_gradients(s, 2.0**14 * b, "bfloat16").x, 2.0**14 * result.x)
    assert linalg.conjugate_gradients(s, np.zeros(10)).steps == 0
    with pytest.raises(linalg.Breakdown, match="not positive definite"):
        linalg.conjugate_gradients([[1.0, 2.0], [2.0, 1.0]], [1.0, -1.0])
    assert not linalg.conjugate_gradients(s, b, "bfloat16", most_steps=1).converged


def test_the_power_method_finds_the_largest_eigenvalue_also_where_squares_overflow():
    s = 1000 * (definite(8, "binary16") + np.eye(8))
    truth = np.abs(np.linalg.eigvalsh(fs.round_to(s, "binary16"))).max()
    result = linalg.power_iteration(s, "binary16")
    assert result.converged
    assert abs(result.value - truth) < 0.01 * truth
    assert abs(np.linalg.norm(result.vector) - 1) < 0.005
    assert linalg.power_iteration([[0.0, 1.0], [1.0, 0.0]], first=[1, 1]).value == 1
    with pytest.raises(linalg.Breakdown, match="is zero"):
        linalg.power_iteration([[0.0, 1.0], [0.0, 0.0]])


# --- scaling and shifts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaling", ["matrix", "rows_columns", "symmetric"])
def test_scaling_by_powers_of_two_is_exact_and_the_solution_comes_back(scaling):
    a, b = matrices.with_condition(8, 10.0) * 1e7, np.ones(8) * 1e5
    scaled = linalg.equilibrate(a, "binary16", scaling=scaling)
    rows, columns = (np.exp2(np.log2(x).round()) for x in (scaled.rows, scaled.columns))
    assert np.array_equal(rows, scaled.rows)
    assert np.array_equal(columns, scaled.columns)
    same(scaled.matrix, fs.round_to(scaled.factor * rows[:, None] * a * columns, "binary16"))
    assert 1600 <= np.abs(scaled.matrix).max() <= 6553.6
    if scaling == "symmetric":
        assert np.array_equal(rows, columns)
    x = linalg.solve(a, b, "binary16", scaling=scaling)
    assert np.abs(x - np.linalg.solve(a, b)).max() < 0.02 * np.abs(np.linalg.solve(a, b)).max()
    powers = 2.0 ** np.arange(-16, 16, 4)
    even = linalg.equilibrate(powers[:, None] * (a + a.T) * powers, scaling=scaling).matrix
    largest = np.abs(even).max(axis=1)
    assert scaling == "matrix" or largest.max() <= 16 * largest.min()
    assert isinstance(linalg.equilibrate(fs.array(a, "binary64"), "binary16").matrix, fs.FloatArray)


def test_a_matrix_that_rounding_made_indefinite_has_a_shifted_factor():
    a = matrices.hilbert(10)
    with pytest.raises(linalg.Breakdown, match="shifted_cholesky") as caught:
        linalg.cholesky(a, "binary16")
    assert caught.value.cause == "indefinite"
    with pytest.raises(linalg.Breakdown, match="root of 0"):
        linalg.cholesky(np.ones((2, 2)))
    with pytest.raises(linalg.Breakdown, match="overflowed in step 1"):
        linalg.shifted_cholesky([[1.0, 6e4], [6e4, 1.0]])
    found = linalg.shifted_cholesky(a, "binary16")
    assert 0 < found.shift <= 2.0**-8
    assert np.abs(found.lower @ found.lower.T - a).max() < 4 * found.shift
    assert linalg.shifted_cholesky(np.eye(3)).shift == 0
    with pytest.raises(linalg.Breakdown, match="not positive definite"):
        linalg.shifted_cholesky([[1.0, 5.0], [5.0, 1.0]])
    with pytest.raises(linalg.Breakdown):
        linalg.shifted_cholesky(a, "binary16", shift=0)


# --- arrays, formats, bad input ---------------------------------------------------------------------------------------

TWO = np.array([1, 2], np.float32)
CALLS = {
    "lu": linalg.lu, "cholesky": linalg.cholesky, "shifted_cholesky": linalg.shifted_cholesky, "qr": linalg.qr,
    "solve": lambda a, *how, **more: linalg.solve(a, TWO, *how, **more),
    "triangular_solve": lambda a, *how, **more: linalg.triangular_solve(a, TWO, *how, **more),
    "lstsq": lambda a, *how, **more: linalg.lstsq(a, TWO, *how, **more),
    "inv": linalg.inv, "det": linalg.det, "eigh": linalg.eigh, "svd": linalg.svd, "matrix_norm": linalg.matrix_norm,
    "cond": linalg.cond, "power_iteration": linalg.power_iteration,
    "conjugate_gradients": lambda a, *how, **more: linalg.conjugate_gradients(a, TWO, *how, **more),
    "refine": lambda a, *how, **more: linalg.refine(a, TWO, *how, factor_format="e4m3fn", **more),
}  # fmt: skip
NO_CALLS = {"equilibrate"}  # it takes any format, and gives another


def parts(result):
    found = result if isinstance(result, tuple) else (result,)
    return [x for x in found if type(x) not in (bool, int, str, float, tuple)]


def test_the_tables_of_this_file_name_every_public_function():
    functions = {name for name in linalg.__all__ if callable(getattr(linalg, name)) and name[0].islower()}
    assert functions == CALLS.keys() | NO_CALLS


@pytest.mark.parametrize("name", CALLS)
def test_a_float_array_gives_float_arrays_of_its_format_and_mode_and_the_same_bits(name):
    plain, call = [[4.0, 1.0], [1.0, 3.0]], CALLS[name]
    a = fs.array(plain, "bfloat16", "toward_zero")
    for x, y in zip(parts(call(a)), parts(call(plain, "bfloat16", "toward_zero")), strict=True):
        if isinstance(x, fs.FloatArray):
            assert (x.fmt, x.mode) == (fs.BFLOAT16, fs.Rounding.TOWARD_ZERO)
            same(x.values, y)
        else:
            assert np.asarray(x).dtype.kind == "i"
    with pytest.raises(TypeError, match=r"format bfloat16, not binary16.*astype"):
        call(a, "binary16")
    first_part = parts(call(np.array(plain, np.float32), "bfloat16"))
    assert all(np.asarray(x).dtype != np.float64 for x in first_part)


@pytest.mark.parametrize("name", CALLS)
def test_a_stochastic_result_is_that_of_its_seed(name):
    a = [[0.3, 0.1], [0.1, 0.2]]
    one, other = (parts(CALLS[name](a, "binary16", "stochastic", rng=7)) for _ in range(2))
    assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(one, other, strict=True))


NO_MATRICES = [
    ([1.0, 2.0], "is not that of a matrix"),
    (np.ones((2, 2, 2)), "is not that of a matrix; .* one matrix a call"),
    (np.ones((0, 2)), "has no elements"),
    ([[1.0, np.nan], [0.0, 1.0]], r"a\[0, 1\]=nan is not finite"),
    ([[1.0, 0.0], [-np.inf, 1.0]], r"a\[1, 0\]=-inf is not finite"),
    ([["1e99", 1], [1, 2]], "beyond binary16"),
]


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_matrix_is_refused_by_name(name):
    for a, message in NO_MATRICES:
        with pytest.raises(ValueError, match=message):
            CALLS[name](a, "binary16")


REFUSED = [
    (lambda: linalg.solve(np.ones((2, 3)), [1, 2]), ValueError, r"solve: a\.shape=\(2, 3\) is not square; .*lstsq"),
    (lambda: linalg.solve(np.eye(2), [1, 2, 3]), ValueError, r"b\.shape=\(3,\) does not meet a\.shape=\(2, 2\)"),
    (lambda: linalg.solve(np.ones((2, 2)), [1, 2]), linalg.Breakdown, "pivot of column 1 is 0.*singular"),
    (lambda: linalg.solve([[1e-9]], [1.0], "binary16"), linalg.Breakdown, "column 0 is 0.*rounding to binary16"),
    (lambda: linalg.solve([[2.0**-14]], [30.0], "binary16"), linalg.Breakdown, r"overflowed.*65504.*equilibrate"),
    (lambda: linalg.solve(np.eye(2), [1, 2], scaling="rows"), ValueError, "scaling='rows' is unknown; .*rows_columns"),
    (lambda: linalg.triangular_solve([[1.0, 2.0], [0.0, 0.0]], [1, 2]), linalg.Breakdown, r"a\[1, 1\]=0"),
    (lambda: linalg.lstsq([[1, 2], [0, 0]], [1, 2], method="mgs"), linalg.Breakdown, "column 1 of a has length 0"),
    (lambda: linalg.lstsq(np.ones((1, 2)), [1]), ValueError, "fewer rows than columns"),
    (lambda: linalg.qr(np.eye(2), method="gram"), ValueError, "method='gram' is unknown"),
    (lambda: linalg.qr(np.ones((1, 2)), method="mgs"), ValueError, "more columns than rows"),
    (lambda: linalg.matrix_norm(np.eye(2), ord=3), ValueError, "ord=3 is unknown"),
    (lambda: linalg.lu(np.eye(2), "e8m0fnu"), ValueError, "fmt=e8m0fnu has no negative numbers"),
    (lambda: linalg.lu([[1e5]]), linalg.Breakdown, r"a\[0, 0\]=100000.0 is beyond binary16.*65504.*equilibrate"),
    (lambda: linalg.lu(np.eye(2), accumulator="kahn"), ValueError, "did you mean 'kahan'"),
    (
        lambda: linalg.refine(np.eye(2), [1, 2], "binary16", factor_format="bfloat16"),
        ValueError,
        "factor_format=bfloat16",
    ),
    (lambda: linalg.refine(np.eye(2), [1, 2], "binary64", residual_format="tf32"), ValueError, "residual_format=tf32"),
    (lambda: linalg.refine(np.eye(2), np.eye(2)), ValueError, "not that of a vector"),
    (lambda: linalg.refine(np.eye(2), [1, 2], most_steps=0), ValueError, "most_steps=0"),
    (lambda: linalg.conjugate_gradients(np.eye(2), [1, 2], tolerance="x"), ValueError, "tolerance='x'"),
    (lambda: linalg.conjugate_gradients(np.eye(2), [1, 2], most_steps=1.5), ValueError, "most_steps=1.5"),
    (lambda: linalg.power_iteration(np.eye(2), first=[1, 2, 3]), ValueError, r"first\.shape=\(3,\)"),
    (lambda: linalg.equilibrate(np.eye(2), theta=2), ValueError, "theta=2"),
    (lambda: linalg.shifted_cholesky(np.eye(2), shift=-1), ValueError, "shift=-1"),
    (lambda: matrices.hilbert(0), ValueError, "n=0"),
    (lambda: matrices.with_condition(3, 0.5), ValueError, "condition=0.5"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_input_is_refused_by_name_value_rule_and_way_out(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_breakdown_can_be_caught_as_numpys_error_and_be_pickled():
    with pytest.raises(np.linalg.LinAlgError) as caught:
        linalg.inv(np.zeros((2, 2)))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.cause, copy.step, str(copy)) == ("zero pivot", 0, str(caught.value))


def test_the_given_matrix_is_never_written_to():
    for name, call in CALLS.items():
        a = np.array([[1.0, 2.0], [2.0, 9.0]], np.float32)
        call(a, "binary32" if name == "refine" else "binary16")
        assert a.tolist() == [[1, 2], [2, 9]], name
