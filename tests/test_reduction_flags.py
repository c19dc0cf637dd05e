"""The exceptions of a reduction: the index is that of the first element of the result with a step that raises one.

Each element is computed alone, by the few lines that define the accumulator, over the public operations.
"""

from functools import partial

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators
from fp16sim.formats import Rounding

from .support import count_cases
from .test_accumulators import CASES, Do

pytestmark = pytest.mark.usefixtures("quiet")
FMT, NEAREST = fs.BINARY16, Rounding.TIES_TO_EVEN
EXCEPTIONS = ("invalid", "divide_by_zero", "overflow", "underflow", "inexact")
NOT_EVERY_ELEMENT = ("overflow", "invalid")  # if nobody listens for the others, faster paths may run

of_cases = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
of_modes = pytest.mark.parametrize("mode", [NEAREST, Rounding.TOWARD_ZERO, Rounding.TO_ODD], ids=str)
of_seeds = pytest.mark.parametrize("seed", range(3))


def offenders(call, only=EXCEPTIONS):
    """The index that a call records for each exception that it raises."""
    with fs.record_flags(only=only) as raised:
        call()
    return {name: getattr(raised, name).index for name in raised.names()}


def expected(alone, shape, only=EXCEPTIONS):
    """For each exception the first element in C order that raises it when `alone(*index)` computes it."""
    found = {}
    for index in np.ndindex(shape):
        for name in offenders(partial(alone, *index), only):
            found.setdefault(name, index)
    return found


def check(call, alone, shape):
    for only in (EXCEPTIONS, NOT_EVERY_ELEMENT):
        assert offenders(call, only) == expected(alone, shape, only)
        count_cases(np.prod(shape, dtype=int), "reductions: indices")


def terms(shape, seed):
    """Exact small sums, but for a few terms: an infinity less an infinity, an overflow, an inexact sum, anywhere."""
    rng = np.random.default_rng(seed)
    x = rng.choice([1.0, 2.0, -1.0, 0.0], shape)
    for special in (60000.0, 60000.0, 60000.0, 2.0**-24, 2.0**-24, -60000.0, np.inf, -np.inf):
        x.flat[rng.integers(x.size)] = special
    return x


def test_an_overflow_of_a_partial_sum_has_the_index_of_that_sum():
    x = [60000.0, 1.0, 60000.0, 1.0]
    large = [[1.0] * 3, [1.5e308, 1.0, 1.5e308]]  # by way of the exact layer
    for only in (EXCEPTIONS, NOT_EVERY_ELEMENT):
        assert offenders(lambda: fs.cumsum(x), only)["overflow"] == (2,)
        assert offenders(lambda: fs.cumsum([x], axis=1), only)["overflow"] == (0, 2)
        assert offenders(lambda: fs.cumsum(np.transpose([x]), axis=0), only)["overflow"] == (2, 0)
        assert offenders(lambda: fs.cumsum([[1.0] * 4, x]), only)["overflow"] == (6,)
        assert offenders(lambda: fs.sum(x), only)["overflow"] == ()
        assert offenders(lambda: fs.cumsum(large, "binary64", axis=1), only)["overflow"] == (1, 2)
        assert offenders(lambda: fs.sum(large, "binary64", axis=1), only)["overflow"] == (1,)


def test_the_first_element_is_named_even_if_another_one_raises_the_exception_in_an_earlier_step():
    x = [
        [1.0, 60000.0],
        [60000.0, 60000.0],
        [60000.0, 1.0],
    ]  # column 1 overflows in the first addition, 0 in the second
    assert offenders(lambda: fs.sum(x, axis=0))["overflow"] == (0,)
    assert offenders(lambda: fs.cumsum(x, axis=0))["overflow"] == (1, 1)
    assert offenders(lambda: fs.cumsum(np.transpose(x), axis=1))["overflow"] == (0, 2)


@of_cases
@of_modes
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_the_index_of_a_sum_and_of_a_partial_sum_is_that_of_the_loop(case, mode, axis):
    x, how, do = terms((3, 4, 2), len(mode.value)), case.make(FMT, mode), Do(FMT, mode)
    moved = x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0)

    def total(*at):
        case.total(moved[(slice(None), *at)], do)

    check(lambda: fs.sum(x, FMT, mode, axis=axis, accumulator=how), total, moved.shape[1:])
    check(lambda: how.sum(x, axis), total, moved.shape[1:])

    def partial_sum(*at):
        others = list(at)
        k = others.pop(axis or 0)
        case.total(moved[(slice(k + 1), *others)], do)

    shape = (x.size,) if axis is None else x.shape
    check(lambda: fs.cumsum(x, FMT, mode, axis=axis, accumulator=how), partial_sum, shape)


@of_cases
@of_modes
@of_seeds
def test_the_index_of_a_mean_and_of_a_norm_is_that_of_the_loop(case, mode, seed):
    x, how, do = terms((4, 6), seed), case.make(FMT, mode), Do(FMT, mode)
    check(
        lambda: fs.mean(x, FMT, mode, axis=0, accumulator=how),
        lambda j: do.divide(case.total(x[:, j], do), 4.0),
        (6,),
    )
    check(
        lambda: fs.norm(x, FMT, mode, axis=1, accumulator=how),
        lambda i: do.sqrt(case.products(x[i], x[i], None, do)),
        (4,),
    )


@of_cases
@of_modes
@of_seeds
def test_the_index_of_a_dot_and_of_a_matrix_product_is_that_of_the_loop(case, mode, seed):
    a, b, c = terms((2, 1, 3, 4), seed), terms((2, 4, 2), seed + 50), terms((3,), seed + 99)
    row, matrix, how, do = a[0, 0, 0], b[0], case.make(FMT, mode), Do(FMT, mode)

    def dot(left, right, start=None):
        case.products(left, right, start, do)

    check(
        lambda: fs.matmul(a, b, FMT, mode, accumulator=how),
        lambda i, j, m, n: dot(a[i, 0, m], b[j, :, n]),
        (2, 2, 3, 2),
    )
    check(lambda: fs.matmul(row, matrix, FMT, mode, accumulator=how), lambda n: dot(row, matrix[:, n]), (2,))
    check(lambda: fs.dot(row, row, FMT, mode, accumulator=how), lambda: dot(row, row), ())
    check(lambda: how.dot(a[0, 0], row, c), lambda m: dot(a[0, 0, m], row, c[m]), (3,))


@of_cases
def test_the_rounding_of_a_wider_sum_has_the_index_of_that_sum(case):
    x, do = terms((6, 5), 7), Do(fs.BINARY32, NEAREST)
    x[:, 3] = 60000.0
    how = case.make(*do)

    def rounded(column):
        fs.round_to(case.total(column, do), FMT)

    check(lambda: fs.sum(x, FMT, axis=0, accumulator=how), lambda j: rounded(x[:, j]), (5,))
    check(lambda: fs.cumsum(x, FMT, axis=0, accumulator=how), lambda i, j: rounded(x[: i + 1, j]), (6, 5))


@of_seeds
@pytest.mark.parametrize("how", [accumulators.Exact(), accumulators.TensorCore("volta")], ids=["exact", "volta"])
def test_the_index_of_an_exact_sum_and_of_a_tensor_core_is_that_of_the_element_alone(how, seed):
    x, y = terms((9, 4), seed), terms((4, 3), seed + 9)
    alone = partial(fs.sum, accumulator=how)
    check(lambda: fs.sum(x, axis=0, accumulator=how), lambda j: alone(x[:, j]), (4,))
    check(lambda: fs.cumsum(x, axis=0, accumulator=how), lambda i, j: alone(x[: i + 1, j]), (9, 4))
    check(lambda: fs.cumsum(x, axis=1, accumulator=how), lambda i, j: alone(x[i, : j + 1]), (9, 4))
    check(lambda: fs.matmul(x, y, accumulator=how), lambda i, j: fs.dot(x[i], y[:, j], accumulator=how), (9, 3))


def test_a_reduction_warns_once():
    x = np.full((3, 4), 60000.0)
    with np.errstate(over="warn"), pytest.warns(RuntimeWarning, match="overflow encountered in cumsum") as heard:
        fs.cumsum(x, axis=0)
    assert len(heard) == 1


def test_the_reductions_of_an_array_with_a_format_have_the_same_index():
    x = fs.array([[1.0, 60000.0, 60000.0, 60000.0], [60000.0] * 4], FMT)
    ones = fs.array(np.ones(4), FMT)
    for call, index in ((lambda: x.cumsum(1), (0, 2)), (lambda: x.sum(0), (1,)), (lambda: x @ ones, (0,))):
        assert offenders(call)["overflow"] == index
