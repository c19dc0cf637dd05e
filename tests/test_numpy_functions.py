"""NumPy's functions on FloatArray: those that move numbers, and those that compute by rounded steps."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.lib import NumpyVersion

import fp16sim as fs
from fp16sim.arrays import numpy_functions, ranges

from .support import TOY, assert_same_codes, first

FORMATS = (fs.BINARY16, fs.BFLOAT16, TOY)
GROUP = "NumPy's functions"


def sample(shape, fmt, seed=1):
    return fs.array(np.random.default_rng(seed).standard_normal(shape), fmt)


def plain(y):
    """A result with values in place of FloatArrays."""
    if isinstance(y, (list, tuple)):
        return [plain(part) for part in y]
    return y.values if isinstance(y, fs.FloatArray) else y


def assert_same(got, want, fmt, name):
    """The same nested lists of arrays: FloatArrays of the format where NumPy has floats, else equal as they are."""
    if isinstance(want, (list, tuple)):
        assert type(got) is type(want), name
        assert len(got) == len(want), name
        for one, other in zip(got, want, strict=True):
            assert_same(one, other, fmt, name)
    elif getattr(want, "dtype", np.dtype(int)).kind == "f":
        assert isinstance(got, fs.FloatArray), name
        assert got.fmt == fmt, name
        assert got.shape == want.shape, name
        assert_same_codes(got.values, want, fmt, GROUP, name=name)
    else:
        assert type(got) is type(want), name
        np.testing.assert_array_equal(got, want)


# --- functions that only move numbers, or ask about them ------------------------------------------------------------

INDEX = np.array([2, 0, 0, 1])

MANY = {
    "ravel transpose permute_dims matrix_transpose squeeze copy flip fliplr flipud rot90 diag diagflat diagonal tril "
    "triu unique sort argsort lexsort max min amax amin nanmax nanmin argmax argmin nanargmax nanargmin "
    "any all count_nonzero nonzero flatnonzero argwhere isposinf isneginf isreal iscomplex isrealobj iscomplexobj "
    "shape ndim size unstack atleast_1d atleast_2d atleast_3d": lambda x: (x,),
    "concatenate concat stack vstack hstack dstack column_stack block": lambda x: ([x, x[::-1]],),
    "may_share_memory shares_memory broadcast_arrays array_equal array_equiv isin": lambda x: (x, x[::-1]),
    "intersect1d union1d setdiff1d setxor1d append": lambda x: (x, x[::-1]),
    "hsplit vsplit split array_split": lambda x: (x, 2),
}
ARGUMENTS = {
    **{name: arguments for names, arguments in MANY.items() for name in names.split()},
    "trim_zeros": lambda x: (np.insert(x[0], [0, 4], 0.0),),
    "reshape": lambda x: (x, (2, -1)),
    "swapaxes": lambda x: (x, 0, 1),
    "moveaxis": lambda x: (x, 0, 1),
    "rollaxis": lambda x: (x, 1),
    "expand_dims": lambda x: (x, 1),
    "dsplit": lambda x: (x[:, :, None], 1),
    "broadcast_to": lambda x: (x, (2, *x.shape)),
    "tile": lambda x: (x, (1, 2)),
    "repeat": lambda x: (x, 2, 1),
    "resize": lambda x: (x, (3, 3)),
    "roll": lambda x: (x, 1),
    "take": lambda x: (x, INDEX, 1),
    "take_along_axis": lambda x: (x, INDEX[None], 0),
    "delete": lambda x: (x, 1, 0),
    "partition": lambda x: (x, 1),
    "argpartition": lambda x: (x, 1),
    "meshgrid": lambda x: (x[0], x[1]),
    "where": lambda x: (np.eye(4) > 0, x, 0.5),
    "clip": lambda x: (x, -0.5, x[::-1]),
    "compress": lambda x: ([True, False, True], x),
    "extract": lambda x: (np.eye(4) > 0, x),
    "select": lambda x: ([np.eye(4) > 0], [x], -0.5),
    "insert": lambda x: (x, 1, 0.5),
    "searchsorted": lambda x: (np.sort(x[0]), x),
    "digitize": lambda x: (x, np.sort(x[0])),
}
WRITING = {
    "copyto": lambda x: (x, 0.5),
    "fill_diagonal": lambda x: (x, -0.5),
    "put": lambda x: (x, [1, 3], x[0, :2]),
    "place": lambda x: (x, np.eye(4) > 0, x[0]),
    "putmask": lambda x: (x, np.eye(4) > 0, x[::-1]),
    "put_along_axis": lambda x: (x, INDEX[None], 0.5, 0),
}
MOVING = [name for names in numpy_functions.MOVING for name in names.split() if hasattr(np, name)]


def test_every_moving_function_has_arguments_here():
    assert set(MOVING) == {name for name in ARGUMENTS.keys() | WRITING.keys() if hasattr(np, name)}


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("name", [name for name in MOVING if name in ARGUMENTS])
def test_a_moving_function_does_to_numbers_what_numpy_does(name, fmt):
    function, arguments = getattr(np, name), ARGUMENTS[name]
    x = sample((4, 4), fmt)
    assert_same(function(*arguments(x)), function(*plain(arguments(x))), fmt, name)


@pytest.mark.parametrize("name", WRITING)
def test_a_writing_function_writes_numbers_of_the_format(name):
    x = sample((4, 4), "binary16")
    y = x.copy()
    function, arguments = getattr(np, name), WRITING[name]
    assert function(*arguments(x)) is None
    function(*plain(arguments(y)))
    assert_same_codes(x.values, y.values, fs.BINARY16, GROUP)


def test_python_numbers_adopt_the_format_wherever_numbers_are_meant():
    x = fs.array([1.0, 2.0, 3.0], "bfloat16")
    tenth = fs.round_to(0.1, "bfloat16")
    for y in (
        np.where(x > 5, x, 0.1),
        np.clip(x, None, 0.1),
        np.clip(x, a_min=-1, a_max=0.1),
        np.clip(x, min=-1, max=0.1) if NumpyVersion(np.__version__) >= "2.1.0" else np.clip(x, -1, 0.1),
        x.clip(max=0.1),
        np.full_like(x, 0.1),
        np.full_like(x, fill_value=0.1),
        np.append(x, 0.1)[3:],
        np.append(x, values=[[0.1]])[3:],
        np.concatenate([x, [0.1]])[3:],
        np.pad(x, (0, 1), constant_values=0.1)[3:],
        np.select([x > 5], [x], 0.1),
        np.select([x > 5], [x], default=0.1),
        np.maximum(-x, 0.1),
    ):
        assert y.tolist() == [tenth] * y.size
    np.put(x, 1, 0.1)
    np.fill_diagonal(x[:1, None], 0.1)
    assert x.tolist() == [tenth, tenth, 3.0]


def test_plain_arrays_are_refused_wherever_numbers_are_meant():
    x, other = fs.array([1.0, 2.0], "binary16"), np.ones(2)
    for call in (
        lambda: np.concatenate([x, other]),
        lambda: np.stack(arrays=[x, other]),
        lambda: np.where([True, False], x, other),
        lambda: np.where([True, False], other, x),
        lambda: np.clip(x, 0, other),
        lambda: np.append(x, other),
        lambda: np.append(other, x),
        lambda: np.insert(x, 0, values=other),
        lambda: np.array_equal(x, other),
        lambda: np.array_equal(other, x),
        lambda: np.copyto(other, x),
        lambda: np.dot(other, x),
        lambda: np.outer(x, b=other),
        lambda: np.searchsorted(other, x),
        lambda: np.broadcast_arrays(other, x),
        lambda: np.full_like(other, x),
    ):
        with pytest.raises(TypeError, match="ndarray has no format"):
            call()


def test_two_formats_or_modes_do_not_meet_in_a_function():
    x = fs.array([1.0], "binary16")
    for other in (x.astype("bfloat16"), x.astype("binary16", "toward_zero")):
        for call in (
            lambda y: np.concatenate([x, y]),
            lambda y: np.where(True, x, y),
            lambda y: np.add(x, y),
            lambda y: np.dot(y, x),
            lambda y: np.shares_memory(x, y),
            lambda y: np.sum(x, out=y),
        ):
            with pytest.raises(TypeError, match=r"binary16, ties_to_even.*astype"):
                call(other)


# --- functions that compute -----------------------------------------------------------------------------------------


def loop(function, terms):
    total = terms[0]
    for term in terms[1:]:
        total = function(total, term)
    return total


def define(a, b, fmt):
    """Each function on two arrays of values, by the functions of fp16sim and loops."""
    v, w = a.reshape(-1), b.reshape(-1)
    times = lambda x, y: fs.multiply(x, y, fmt)  # noqa: E731
    spread = [[fs.dot(row, column, fmt) for column in b.T] for row in a]
    return {
        "sum": (lambda x, y: np.sum(x), fs.sum(v, fmt)),
        "mean": (lambda x, y: np.mean(x, axis=1), fs.mean(a, fmt, axis=1)),
        "prod": (lambda x, y: np.prod(x, axis=0), loop(times, a)),
        "cumsum": (lambda x, y: np.cumsum(x, 1), fs.cumsum(a, fmt, axis=1)),
        "cumprod": (lambda x, y: np.cumprod(x), [loop(times, v[: k + 1]) for k in range(v.size)]),
        "dot": (lambda x, y: np.dot(x, y), spread),
        "vdot": (lambda x, y: np.vdot(x, y), fs.dot(v, w, fmt)),
        "inner": (lambda x, y: np.inner(x, y.T), spread),
        "outer": (lambda x, y: np.outer(x, y), times(v[:, None], w)),
        "tensordot": (lambda x, y: np.tensordot(x, y, axes=1), spread),
        "diff": (lambda x, y: np.diff(x, axis=0), fs.subtract(a[1:], a[:-1], fmt)),
        "round": (lambda x, y: np.round(x), fs.round_to(np.rint(a), fmt)),
        "around": (lambda x, y: np.around(x), fs.round_to(np.rint(a), fmt)),
        "linalg.norm": (lambda x, y: np.linalg.norm(x, axis=0), fs.norm(a, fmt, axis=0)),
        "pad": (lambda x, y: np.pad(x, 1, mode="reflect"), np.pad(a, 1, mode="reflect")),
        "zeros_like": (lambda x, y: np.zeros_like(x), 0 * a),
        "empty_like": (lambda x, y: np.empty_like(x), 0 * a),
        "ones_like": (lambda x, y: np.ones_like(x, shape=(2,)), np.ones(2)),
        "full_like": (lambda x, y: np.full_like(x, 1 / 3), fs.round_to(a * 0 + 1 / 3, fmt)),
        "var": (lambda x, y: np.var(x, axis=1), variance(a, fmt, 0)),
        "std": (lambda x, y: np.std(x, axis=1, ddof=1), fs.sqrt(variance(a, fmt, 1), fmt)),
        "average": (
            lambda x, y: np.average(x, 1, y[:, 0] * y[:, 0]),
            fs.divide(fs.sum(times(a, times(w[::3], w[::3])), fmt, axis=1), fs.sum(times(w[::3], w[::3]), fmt), fmt),
        ),
        "trace": (lambda x, y: np.trace(x, 1), fs.sum([a[0, 1], a[1, 2], a[2, 3]], fmt)),
        "arange": (lambda x, y: np.arange(1, 2, 0.3, like=x), progression(fmt, 1, 0.3, 4)),
        "linspace": (lambda x, y: np.linspace(x[0, 0], 3, 7), between(fmt, a[0, 0], 3, 7)),
        "nan_to_num": (
            lambda x, y: np.nan_to_num(np.full_like(x, np.inf)),
            fs.round_to(a * 0 + float(fmt.max_finite), fmt),
        ),
    }


def variance(a, fmt, ddof):
    """Of each row, in two passes."""
    distance = fs.subtract(a, fs.mean(a, fmt, axis=1)[:, None], fmt)
    return fs.divide(fs.sum(fs.multiply(distance, distance, fmt), fmt, axis=1), a.shape[1] - ddof, fmt)


def progression(fmt, start, step, count):
    by = Fraction(float(fs.round_to(step, fmt)))
    return fs.round_to([start + k * by for k in range(count)], fmt)


def between(fmt, start, stop, count):
    a, b = Fraction(float(start)), Fraction(stop)
    return fs.round_to([a + (b - a) * k / (count - 1) for k in range(count)], fmt)


TEXTS = {"array_repr", "array_str", "array2string"}
ANSWERS = {"isclose", "allclose"}


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_a_computing_function_is_a_loop_over_rounded_operations(fmt):
    x, y = sample((3, 4), fmt), sample((4, 3), fmt, 2)
    table = define(abs(x.values), y.values, fmt)
    assert table.keys() | TEXTS | ANSWERS == numpy_functions.COMPUTING.keys()
    for name, (call, want) in table.items():
        got = call(abs(x), y)
        assert got.fmt == fmt
        assert got.shape == np.shape(want), name
        assert_same_codes(got.values, want, fmt, GROUP, name=name)


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((2, 3), (3,)), ((2, 3, 4), (4,)), ((2, 3, 4), (5, 4, 2)), ((), (3,))]
)
def test_dot_inner_and_tensordot_have_numpys_shapes_and_pairs(shapes):
    a, b = (np.random.default_rng(5).integers(-9, 9, shape).astype(float) for shape in shapes)
    x, y = fs.array(a, "binary16"), fs.array(b, "binary16")
    assert_same_codes(np.dot(x, y).values, np.dot(a, b), fs.BINARY16)  # such integers are exact
    assert_same_codes(x.dot(y).values, np.dot(a, b), fs.BINARY16)
    if a.ndim and b.ndim and b.shape[-1] == a.shape[-1]:
        assert_same_codes(np.inner(x, y).values, np.inner(a, b), fs.BINARY16)
    if a.ndim == b.ndim == 3:
        axes = ([2, 0], [1, 2])
        assert_same_codes(np.tensordot(x, y, axes).values, np.tensordot(a, b, axes), fs.BINARY16)
        assert np.tensordot(x, y, 0).shape == (*a.shape, *b.shape)
        with pytest.raises(ValueError, match="equally long"):
            np.tensordot(x, y, 1)


def test_norm_over_all_axes_is_that_of_the_elements():
    x = sample((3, 4), "bfloat16")
    for got in (np.linalg.norm(x), np.linalg.norm(x.ravel(), 2), x.norm()):
        assert got.item() == fs.norm(x.values.reshape(1, -1), "bfloat16", axis=1)[0]
    assert np.linalg.norm(x, axis=1, keepdims=True).shape == (3, 1)


def test_diff_repeats_and_out_is_written():
    x, out = sample((6,), "binary16"), fs.array(np.zeros(4), "binary16")
    assert np.diff(np.diff(x)).tolist() == np.diff(x, n=2).tolist()
    assert np.concatenate([x[:2], x[2:4]], out=out) is out
    assert out.tolist() == x[:4].tolist()
    with pytest.raises(TypeError, match="ndarray"):
        np.cumsum(x, out=np.empty(6))


# --- statistics, ranges, questions ------------------------------------------------------------------------------------


def test_the_variance_is_that_of_numpy_where_all_steps_are_exact():
    values = np.random.default_rng(4).integers(-4, 5, (4, 2, 8)).astype(float) * 8
    x = fs.array(values, "binary32")
    for axis in (None, 2, (1, 2), -1):
        for keepdims in (False, True):
            for ddof in (0, 1):
                how = {"axis": axis, "keepdims": keepdims, "ddof": ddof}
                got, want = np.var(x, **how), np.float32(np.var(values, **how))
                assert_same_codes(got.values, want, fs.BINARY32, GROUP)
                assert got.shape == want.shape
                assert_same_codes(x.var(axis, ddof, keepdims).values, want, fs.BINARY32, GROUP)
                assert_same_codes(np.std(x, **how).values, np.sqrt(want), fs.BINARY32, GROUP)
    assert np.var(x, correction=1).item() == np.var(x, ddof=1).item() == x.var(ddof=1).item()
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.var(fs.array([], "binary16")).values)
        assert np.isnan(np.var(fs.array([3.0], "binary16"), ddof=2).values)


def test_a_variance_takes_an_accumulator_and_loses_what_its_format_loses():
    x = fs.array([0.0, 2.0] * 2048, "binary16")  # the mean is 1, and so is each of the 4096 squared distances
    assert x.var().item() == 0.5  # their sum stops at 2048
    assert x.var(accumulator="pairwise").item() == x.std(accumulator="pairwise").item() == 1.0
    assert fs.array(np.eye(3) * 2048 + 1, "binary16").trace(accumulator="exact").item() == 6144.0


def test_averages_have_numpys_shapes_and_weights():
    values, weights = np.arange(12.0).reshape(3, 4), np.array([1.0, 2.0, 4.0, 1.0])
    x, w = fs.array(values, "binary32"), fs.array(weights, "binary32")
    for axis, given in ((1, w), (-1, w), (0, w[:3]), (None, fs.array(values + 1, "binary32"))):
        plain_weights = given.values.astype(float)
        for keepdims in (False, True):
            got = np.average(x, axis=axis, weights=given, returned=True, keepdims=keepdims)
            want = np.average(values, axis=axis, weights=plain_weights, returned=True, keepdims=keepdims)
            for one, other in zip(got, want, strict=True):
                assert one.shape == np.shape(other)
                assert_same_codes(one.values, np.float32(other), fs.BINARY32, GROUP)
    mean, count = np.average(x, axis=0, returned=True)
    assert (mean.tolist(), count.tolist()) == ([4.0, 5.0, 6.0, 7.0], [3.0] * 4)
    for axis, given in ((0, w), (None, w)):
        with pytest.raises(ValueError, match="neither that of the array"):
            np.average(x, axis=axis, weights=given)


def test_a_sum_has_a_first_term_and_a_mask():
    values = np.random.default_rng(6).integers(-9, 9, (3, 4)).astype(float)
    mask, x = values > 0, fs.array(values, "binary16")
    for axis in (None, 0, 1, (0, 1), -1):
        for how in (
            {"initial": 2.5},
            {"where": mask},
            {"initial": -1, "where": mask[:, :1]},
            {"keepdims": True, "where": mask},
        ):
            want = np.sum(values, axis=axis, **how)
            for got in (np.sum(x, axis=axis, **how), x.sum(axis, **how), np.add.reduce(x, axis=axis, **how)):
                assert (got.shape, got.fmt) == (np.shape(want), fs.BINARY16)
                assert_same_codes(got.values, want, fs.BINARY16, GROUP, axis=axis)
            if axis == 0:  # products of three exact factors
                want = np.prod(values / 4, axis=axis, **how)
                for got in (np.prod(x / 4, axis=axis, **how), (x / 4).prod(axis, **how)):
                    assert_same_codes(got.values, want, fs.BINARY16, GROUP)
    assert np.sum(x, initial=fs.array(0.5), where=False).item() == 0.5
    y = fs.array([2048.0, 1.0, 1.0], "binary16")
    assert y.sum(initial=1).item() == 2048.0  # each step is a tie
    assert y.sum(initial=1.5).item() == 2052.0  # 2050, then a tie that goes to 2052, then one that stays
    with pytest.raises(ValueError, match="broadcast"):
        y.sum(where=[True, False])


@pytest.mark.parametrize("mode", ["ties_to_even", "toward_negative", "toward_zero"])
@pytest.mark.parametrize("accumulator", ["sequential", "pairwise", "fused", "exact", "blocked"])
def test_a_masked_element_changes_no_sum_not_even_the_sign_of_a_zero(mode, accumulator):
    for terms in ([-0.0], [0.0], [-0.0, -0.0], [0.0, -0.0], [1.0, -1.0], [-1.0, 1.0, -0.0], [3.0]):
        alone = fs.array(terms, "binary16", mode).sum(accumulator=accumulator)
        for at in (0, len(terms)):
            x = fs.array(np.insert(terms, at, 7.0), "binary16", mode)
            got = x.sum(where=np.arange(len(terms) + 1) != at, accumulator=accumulator)
            assert_same_codes(got.values, alone.values, fs.BINARY16, GROUP)
    x = fs.array([1.0, 2.0], "binary16", mode)
    assert_same_codes(x.sum(where=False, accumulator=accumulator).values, 0.0, fs.BINARY16, GROUP)
    assert_same_codes(x.prod(where=[False, False]).values, 1.0, fs.BINARY16, GROUP)


def test_ranges_are_exact_before_they_are_rounded():
    x = fs.array(1.0, "bfloat16")
    assert np.arange(300, like=x)[-4:].tolist() == [296.0, 296.0, 298.0, 300.0]  # 297 and 299 are ties
    assert np.arange(300, like=x).shape == (300,)
    assert np.arange(0, 1, 0.1, like=x).tolist() == fs.round_to(np.arange(10) * 0.10009765625, "bfloat16").tolist()
    assert np.arange(3, 0, -1, like=x).tolist() == [3.0, 2.0, 1.0]
    assert np.arange(stop=2, like=x).tolist() == [0.0, 1.0]
    assert np.arange(2, 1, like=x).shape == (0,)
    assert np.linspace(x, 2, 5).tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert np.linspace(0, x, 4, endpoint=False).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert np.linspace(-0.0, -x, 2).tolist() == [0.0, -1.0]
    assert np.signbit(np.linspace(-x, -0.0, 2).values[-1])
    assert np.linspace(x, 2, 1).tolist() == [1.0]
    assert np.linspace(x, 2, 0).shape == (0,)
    many = np.linspace(fs.array([0.0, 1.0], "bfloat16"), fs.array([[1.0], [2.0]], "bfloat16"), 3, axis=-1)
    assert many.shape == (2, 2, 3)
    assert many[1, 0].tolist() == [0.0, 1.0, 2.0]
    up = fs.array(0.0, "bfloat16", "toward_positive")
    assert np.linspace(up, 1, 4)[1].item() == float(fs.round_to("1/3", "bfloat16", "toward_positive"))
    for call, words in [
        (lambda: np.arange(0, 1, 1e-50, like=x), "step=0.0 leads nowhere"),
        (lambda: np.arange(np.inf, like=x), "stop=inf is not finite"),
        (lambda: np.linspace(x, np.nan, 3), "stop=nan is not finite"),
        (lambda: np.linspace(x, 2, -1), "num=-1 is negative"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()


def test_a_range_in_binary64_is_the_fma_of_the_exact_layer():
    x = np.arange(1, 2, 0.1, like=fs.array(1.0, "binary64"))
    assert x.tolist() == [float(1 + k * Fraction(0.1)) for k in range(10)]


def test_closeness_is_asked_of_the_numbers_and_infinities_become_max_finite():
    x = fs.array([1.0, np.nan, np.inf, -np.inf, 0.1], "binary16")
    assert np.isclose(x, 0.1).tolist() == [False, False, False, False, True]  # 0.1 is rounded to binary16 too
    assert np.isclose(x, x, equal_nan=True).all()
    assert type(np.isclose(x, x)) is np.ndarray
    assert np.allclose(x, x) is False
    assert np.allclose(x[:1], 1.0009765625, rtol=1e-3) is True
    assert np.allclose(a=x[:1], b=1.0009765625) is False
    assert np.nan_to_num(x).tolist() == [1.0, 0.0, 65504.0, -65504.0, x[4].item()]
    tenth = x[4].item()
    assert np.nan_to_num(x, nan=0.1, posinf=2, neginf=0.1).tolist() == [1.0, tenth, 2.0, tenth, tenth]
    y = np.nan_to_num(x, copy=False)
    assert np.shares_memory(x.values, y.values)
    assert not np.isnan(x.values).any()


def test_a_number_of_numpy_beside_an_operator_is_one_of_python():
    x = fs.array([1.0, -0.0, 3.0], "bfloat16")
    for kind in (np.float16, np.float32, np.float64, np.longdouble):
        for value in (0.1, -0.0, 1e30, np.inf):
            with np.errstate(all="ignore"):
                number = kind(value)
                for y, z in (
                    (x * number, x * float(number)),
                    (number - x, float(number) - x),
                    (x + number, x + float(number)),
                ):
                    assert_same_codes(y.values, z.values, fs.BFLOAT16, GROUP, kind=kind.__name__, value=value)
    # A longdouble is rounded once; through float64 this would be 1.
    if np.finfo(np.longdouble).nmant > 60:
        assert (x[:1] * (np.longdouble(1) + np.longdouble(2) ** -8 + np.longdouble(2) ** -60)).item() == 1 + 2.0**-7
    with fs.record_flags() as raised, np.errstate(all="ignore"):
        _ = x * np.array([0x7F800001], np.uint32).view(np.float32)[0]
    assert raised.invalid
    with pytest.raises(TypeError, match="has no format"):
        _ = x * np.ones(3, np.float32)


def test_derived_arrays_carry_mode_and_generator():
    x = fs.array([1.0, 2.0], "binary16", "stochastic", rng=3)
    for y in (x + 1, -x, x[0], np.exp(x), np.stack([x, x]), np.sum(x), x.mean(), x.copy(), x.T, np.zeros_like(x)):
        assert (y.fmt, y.mode) == (fs.BINARY16, fs.Rounding.STOCHASTIC)
        assert y.rng is x.rng


@pytest.mark.parametrize("name", ["sum", "mean", "norm", "prod", "cumsum", "cumprod"])
@pytest.mark.parametrize("axis", [2, -3, 2**400, (0, 2**70), "0", 1.0], ids=lambda axis: str(axis)[:12])
def test_an_axis_that_an_array_does_not_have_is_a_value_or_type_error(name, axis):
    x = fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16")
    with pytest.raises((TypeError, ValueError), match="axis"):
        getattr(x, name)(axis)


@pytest.mark.parametrize("fmt", ["e4m3fn", "binary16", "binary32", "binary64"])
@pytest.mark.parametrize("mode", first(1, ["toward_zero", "ties_to_even", "to_odd"]))
def test_linspace_is_that_of_fractions_by_integers_too(fmt, mode, monkeypatch):
    rng, taken = np.random.default_rng(0), []
    by_integers = ranges.by_integers
    for ends in [(0, 1), (-1, 1), (0.1, 0.3), (-3, 2.0**-6), (1e-6, 1), *rng.normal(size=(8, 2))]:
        a, b = (fs.array([end, -2 * end], fmt, mode) for end in ends)
        monkeypatch.setattr(ranges, "by_integers", by_integers)
        found = [np.linspace(a, b, n, endpoint=n % 2 == 0).values.tolist() for n in (2, 7, 50)]
        monkeypatch.setattr(ranges, "by_integers", lambda *arguments: taken.append(by_integers(*arguments)))
        assert found == [np.linspace(a, b, n, endpoint=n % 2 == 0).values.tolist() for n in (2, 7, 50)]
    assert any(x is not None for x in taken) or fmt == "binary64"
