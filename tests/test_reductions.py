"""Sums and matrix products equal, code for code, the plain loop over add and multiply that defines them."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import Sequential, base
from fp16sim.formats import Rounding

from .support import DETERMINISTIC, assert_same_codes

pytestmark = pytest.mark.usefixtures("quiet")
FORMATS = (fs.BINARY16, fs.BFLOAT16, fs.BINARY32, fs.E4M3FN, fs.E5M2, fs.TF32)
SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((2, 1), (1, 2))]


def numbers(shape, fmt, seed, spread=6):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-spread, spread, shape)
    return fs.round_to(x, fmt)


def loop_sum(x, fmt, mode):
    """The definition: start with the first term, add the others one by one."""
    total = x[0]
    for term in x[1:]:
        total = fs.add(total, term, fmt, mode)
    return total


def loop_matmul(a, b, fmt, mode):
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    products = [fs.multiply(left[..., :, k, None], right[..., None, k, :], fmt, mode) for k in range(left.shape[-1])]
    y = loop_sum(products, fmt, mode)
    y = y[..., 0, :] if a.ndim == 1 else y
    return y[..., 0] if b.ndim == 1 else y


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("mode", DETERMINISTIC)
def test_a_sum_is_the_loop_over_add_along_any_axis(fmt, mode):
    x = numbers((7, 5, 3), fmt, seed=1)
    for axis in (0, 1, 2, -1):
        expected = loop_sum(np.moveaxis(x, axis, 0), fmt, mode)
        assert_same_codes(fs.sum(x, fmt, mode, axis=axis), expected, fmt, "sums")
    assert_same_codes(fs.sum(x, fmt, mode), loop_sum(x.reshape(-1), fmt, mode), fmt, "sums")


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_a_matrix_product_is_the_loop_over_multiply_and_add(fmt, shapes):
    a, b = (numbers(shape, fmt, seed) for seed, shape in enumerate(shapes))
    for mode in DETERMINISTIC:
        assert_same_codes(fs.matmul(a, b, fmt, mode), loop_matmul(a, b, fmt, mode), fmt, "matmul", mode=mode)


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
def test_the_fast_path_equals_the_clear_one_with_overflow_nan_and_infinity_inside(fmt):
    a, b = numbers((33, 70), fmt, 3, 9), numbers((70, 20), fmt, 4, 9)
    a[2, 3], a[5, 6], b[7, 8], b[0, 0] = np.inf, np.nan, -np.inf, -0.0
    a[9, :] = float(fmt.max_finite)
    fast = fs.matmul(a, b, fmt)
    with fs.record_flags():  # recording inexact sends every step through the clear path
        clear = fs.matmul(a, b, fmt)
    assert_same_codes(fast, clear, fmt, "matmul")
    assert_same_codes(fast, loop_matmul(a, b, fmt, Rounding.TIES_TO_EVEN), fmt, "matmul")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_has_the_dtype_of_the_operands(dtype):
    x = np.ones((2, 2), dtype)
    assert fs.matmul(x, x, "binary16").dtype == dtype
    assert fs.sum(x, "bfloat16", axis=0).dtype == dtype


def test_a_sum_starts_from_its_first_term_and_so_keeps_minus_zero():
    assert np.signbit(fs.sum([-0.0, -0.0], "binary16"))
    assert not np.signbit(fs.sum([], "binary16"))


def test_adding_ones_stops_where_one_is_half_an_ulp():
    for fmt, stop in (("binary16", 2048.0), ("bfloat16", 256.0)):
        assert fs.sum(np.ones(3000), fmt) == stop


def test_stochastic_sums_with_one_seed_are_alike_and_their_mean_is_right():
    x = np.full((2000, 300), 2.0**-4)
    first = fs.sum(x, "bfloat16", "stochastic", axis=0, rng=7)
    assert (first == fs.sum(x, "bfloat16", "stochastic", axis=0, rng=7)).all()
    # The exact sum is 125; nearest rounding stops at 16. 300 runs have a standard error of about 0.1 here.
    assert abs(first.mean() - 125) < 0.5
    assert fs.sum(x[:, 0], "bfloat16") == 16


def test_tiles_cover_each_result_once_and_stay_below_the_limit(monkeypatch):
    monkeypatch.setattr(base, "TERMS_AT_A_TIME", 100)
    for shape in [(7,), (7, 3), (7, 30, 20), (7, 2, 50, 3), (200, 4), (0, 4), (3, 0)]:
        seen = np.zeros(shape[1:], int)
        for tile in base.tiles(shape):
            seen[tile] += 1
            assert seen[tile].size * shape[0] <= max(100, shape[0])
        assert (seen == 1).all(), shape
    assert len(list(base.tiles((7, 30, 20), 7 * 30 * 20))) == 1


def test_the_mean_divides_by_a_rounded_count():
    x = np.ones(2049)
    assert fs.mean(x, "binary16") == fs.divide(2048, 2049, "binary16") == 1.0
    assert_same_codes(fs.mean(np.eye(3), "binary16", axis=0), fs.divide(1, 3, "binary16"), fs.BINARY16)


def test_overflow_in_a_partial_sum_is_recorded_with_its_operation():
    with fs.record_flags() as raised:
        fs.sum([60000.0, 60000.0, -60000.0], "binary16")
    assert raised.overflow.count == 1
    assert raised.overflow.operation == "sum"


def test_a_norm_is_the_root_of_the_rounded_sum_of_rounded_squares():
    x = numbers((9, 4), fs.BINARY16, 2)
    for mode in DETERMINISTIC:
        squares = [fs.multiply(row, row, "binary16", mode) for row in x]
        expected = fs.sqrt(loop_sum(squares, fs.BINARY16, mode), "binary16", mode)
        assert_same_codes(fs.norm(x, "binary16", mode, axis=0), expected, fs.BINARY16, "sums", mode=mode)


def test_mean_and_norm_are_taken_in_the_format_of_the_accumulator_and_rounded_to_the_other_once():
    x, wide = numbers((9, 4), fs.BINARY16, 3), Sequential("binary32")
    total = loop_sum(x, fs.BINARY32, Rounding.TIES_TO_EVEN)
    mean = fs.round_to(fs.divide(total, 9, "binary32"), "binary16")
    assert_same_codes(fs.mean(x, axis=0, accumulator=wide), mean, fs.BINARY16, "sums")
    squares = loop_sum([fs.multiply(row, row, "binary32") for row in x], fs.BINARY32, Rounding.TIES_TO_EVEN)
    norm = fs.round_to(fs.sqrt(squares, "binary32"), "binary16")
    assert_same_codes(fs.norm(x, axis=0, accumulator=wide), norm, fs.BINARY16, "sums")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: fs.matmul(np.ones((2, 3)), np.ones((4, 2))),
            r"a.shape=\(2, 3\) and b.shape=\(4, 2\).*make the last axis",
        ),
        (lambda: fs.matmul(1.0, np.ones(3)), r"a.shape=\(\).*use multiply"),
        (lambda: fs.sum(np.ones(3), axis=1), r"axis=1 does not exist.*use -1 to 0"),
        (lambda: fs.sum([1.0], "nonsense"), "fmt='nonsense' is not a known format"),
    ],
)
def test_bad_shapes_and_names_are_refused_with_the_way_out(call, says):
    with pytest.raises(ValueError, match=says):
        call()
