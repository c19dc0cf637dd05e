"""FloatArray: format and mode travel with the values, and nothing falls back to float64."""

import copy
import math
import operator
import pickle
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs

from .support import assert_same_codes


def test_operators_are_the_rounded_operations():
    a, b = fs.array([0.1, 2048.0, -3.0], "binary16"), fs.array([0.2, 1.0, 7.0], "binary16")
    for got, want in [
        (a + b, fs.add(a.values, b.values)),
        (a - b, fs.subtract(a.values, b.values)),
        (a * b, fs.multiply(a.values, b.values)),
        (a / b, fs.divide(a.values, b.values)),
        (2 - a, fs.subtract(2, a.values)),
        (1 / a, fs.divide(1, a.values)),
        (a @ b, fs.dot(a.values, b.values)),
        (abs(a).sqrt(), fs.sqrt(np.abs(a.values))),
        (a.tanh(), fs.tanh(a.values)),
        (a.sum(), fs.sum(a.values)),
    ]:
        assert isinstance(got, fs.FloatArray)
        assert_same_codes(got.values, want, fs.BINARY16)


@pytest.mark.parametrize("mode", ["toward_positive", "toward_negative", "to_odd"])
def test_the_mode_of_the_array_is_the_mode_of_its_operators(mode):
    x = fs.array([1.0], "binary16", mode)
    assert_same_codes((x / 3).values, fs.divide([1.0], 3.0, "binary16", mode), fs.BINARY16)


def test_a_python_number_adopts_the_format_by_rounding_once():
    x = fs.array([1.0], "binary16")
    assert (x * 0.1).values[0] == np.float16(0.1)
    assert np.signbit((x * -0.0).values[0])
    assert not np.signbit((x * 0.0).values[0])
    assert (x * 1e-8).values[0] == 0  # as Adam's epsilon does


@pytest.mark.parametrize("huge", [10**400, Fraction(10**400, 3)], ids=["int", "Fraction"])
def test_a_number_that_no_float_holds_is_rounded_all_the_same(huge, quiet):
    x = fs.array([1.0], "binary16", "toward_zero")
    assert (x + huge).tolist() == [65504.0]
    assert (x * -huge).tolist() == [-65504.0]
    assert (huge - fs.array([1.0], "binary16")).tolist() == [np.inf]


@pytest.mark.parametrize("other", [np.ones(1), [1.0], "1", None, 1j])
def test_anything_without_a_format_is_refused_by_name(other):
    with pytest.raises(TypeError, match=type(other).__name__):
        fs.array([1.0], "binary16") + other
    with pytest.raises(TypeError):
        other + fs.array([1.0], "binary16")


def test_two_formats_or_two_modes_do_not_mix():
    x = fs.array([1.0], "binary16")
    for other in (fs.array([1.0], "bfloat16"), fs.array([1.0], "binary16", "toward_zero")):
        with pytest.raises(TypeError, match="convert one of them first with astype"):
            x + other
    with pytest.raises(TypeError, match=r"x\.astype"):
        fs.add(x, 1, "bfloat16")


def test_conversion_rounds_once():
    x = fs.array(["1.00048828125000000000001"], "binary64")
    assert x.astype("binary16").values[0] == 1.0  # binary64 held exactly the tie
    assert fs.array(["1.00048828125000000000001"], "binary16").values[0] == 1025 / 1024


def test_an_array_or_a_list_of_arrays_is_converted_with_one_rounding_each():
    x = fs.array([1.0, "1.00048828125000000000001"], "binary64")
    assert fs.array(x, "binary16", "toward_positive").tolist() == [1.0, 1025 / 1024]
    y = fs.array([x[0], 0.1, "1/3"], "bfloat16")
    assert (y.fmt, y.tolist()) == (fs.BFLOAT16, fs.round_to([1.0, 0.1, "1/3"], "bfloat16").tolist())
    assert fs.array([[x], [x]]).shape == (2, 1, 2)
    assert x.astype(np.float16, "toward_zero").mode is fs.Rounding.TOWARD_ZERO


def test_assignment_rounds_anything_without_a_format():
    x = fs.array(np.zeros((2, 3)), "bfloat16")
    tenth = fs.round_to(0.1, "bfloat16")
    for value in (0.1, Fraction(1, 10), "0.1", [0.1, 0.1, 0.1], np.full(3, 0.1), fs.array([0.1] * 3, "bfloat16")):
        x[...] = 0
        x[1] = value
        assert x.tolist() == [[0, 0, 0], [tenth] * 3], value
    x[x == 0] = [1, 2, 3]
    x[:, [0, 2]][...] = 5  # fancy indexing copies
    x[..., -1][0] = 0.1  # a view writes through
    assert x.tolist() == [[1, 2, tenth], [tenth] * 3]
    with pytest.raises(TypeError, match="astype"):
        x[0] = fs.array([1.0, 2.0, 3.0], "binary16")
    with pytest.raises(TypeError, match="real number"):
        x[0] = None


KEYS = [0, -1, ..., None, (0, 1), (slice(None), 1), slice(None, None, -1), [1, 0], ([0, 1], [2, 0]), (..., None, 0)]


@pytest.mark.parametrize("key", [*KEYS, np.array([[1], [0]]), np.eye(2, 3) > 0, np.True_], ids=str)
def test_indexing_is_numpys(key):
    x = fs.array(np.arange(6.0).reshape(2, 3), "e5m2")
    y = x[key]
    assert isinstance(y, fs.FloatArray)
    assert (y.fmt, y.shape, y.tolist()) == (x.fmt, x.values[key].shape, x.values[key].tolist())


def test_iteration_yields_arrays_of_one_dimension_less():
    x = fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16")
    assert [row.tolist() for row in x] == x.tolist()
    assert [(item.shape, item.fmt, float(item)) for item in x[0]] == [((), x.fmt, 1.0), ((), x.fmt, 2.0)]
    assert sum(x[0]).item() == 3.0
    assert max(x[1]).item() == 4.0
    with pytest.raises(TypeError, match="no dimensions"):
        iter(x[0, 0])


def test_a_scalar_is_an_array_of_no_dimensions():
    x = fs.array(2.5, "binary16")
    assert (x.shape, x.ndim, x.size, x.tolist(), x.item()) == ((), 0, 1, 2.5, 2.5)
    assert (float(x), int(x), bool(x), bool(x * 0)) == (2.5, 2, True, False)
    assert (repr(x), str(x), f"{x}", f"{x:.3f}") == ("FloatArray(2.5, binary16)", "2.5", "2.5", "2.500")
    assert isinstance(x + 1, fs.FloatArray)
    assert (x + fs.array([1.0, 2.0], "binary16")).tolist() == [3.5, 4.5]
    x[()] = 0.1
    assert x.item() == fs.round_to(0.1)
    with pytest.raises(TypeError, match="unsized"):
        len(x)


def test_len_contains_and_truth_are_those_of_arrays():
    x = fs.array([1.0, 0.1], "binary16")
    assert len(x) == 2
    assert 0.1 in x  # the number adopts the format
    assert 3 not in x
    assert bool(x[:1])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.pow]


@pytest.mark.parametrize("function", OPERATORS)
def test_an_operator_is_the_ufunc_on_either_side_and_in_place(function):
    ufunc = {"sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power}.get(function.__name__)
    ufunc = ufunc or getattr(np, function.__name__)
    a, b = fs.array([0.1, 2.0, 3.0], "binary16"), fs.array([3.0, 0.7, 0.5], "binary16")
    for x, y in ((a, b), (a, 0.3), (0.3, a), (a, 2), (2, a), (a, np.float64(0.3)), (np.float64(0.3), a)):
        assert function(x, y).tolist() == ufunc(x, y).tolist(), (x, y)
    c = a.copy()
    values = c.values
    d = getattr(operator, f"i{function.__name__}")(c, b)
    assert d is c
    assert c.values is values
    assert c.tolist() == function(a, b).tolist()


def test_operators_in_place_keep_shape_and_format():
    x = fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16")
    row = x[0]
    x += 0.1
    assert row.tolist() == [fs.add(1.0, 0.1), fs.add(2.0, 0.1)]  # a view of the same memory
    x @= fs.array(np.eye(2) * 2, "binary16")
    assert row.tolist() == [2 * fs.add(1.0, 0.1), 2 * fs.add(2.0, 0.1)]
    with pytest.raises(ValueError, match="broadcast"):
        row *= x
    with pytest.raises(TypeError, match="astype"):
        x -= x.astype("bfloat16")


def test_unary_operators_are_exact_copies():
    x = fs.array([-0.0, 1.5, np.nan], "binary16")
    assert_same_codes((-x).values, [0.0, -1.5, np.nan], fs.BINARY16)
    assert_same_codes(abs(-x).values, [0.0, 1.5, np.nan], fs.BINARY16)
    y = +x
    y[0] = 3
    assert x[0].item() == 0


def test_the_square_is_the_product_also_where_power_is_only_faithful():
    x = fs.array([1 + 2.0**-23, 3.0], "binary32")
    assert (x**2).tolist() == (x**2.0).tolist() == (x * x).tolist()


def test_division_with_remainder_gives_an_integer_and_the_rest():
    x = fs.array([7.0, -7.0, 0.5], "binary16")
    assert [y.tolist() for y in divmod(x, 2)] == [(x // 2).tolist(), (x % 2).tolist()] == [[3, -4, 0], [1, 1, 0.5]]
    assert [y.tolist() for y in divmod(2, x)] == [(2 // x).tolist(), (2 % x).tolist()] == [[0, -1, 4], [2, -5, 0]]
    with pytest.raises(TypeError, match="&"):
        x & 1


@pytest.mark.parametrize("name", ["reshape", "ravel", "flatten", "squeeze", "transpose", "swapaxes", "repeat", "take"])
def test_a_moving_method_is_numpys(name):
    arguments = {"reshape": (3, 4), "swapaxes": (0, 1), "repeat": (2, 0), "take": ([1, 0], 0)}.get(name, ())
    x = fs.array(np.arange(12.0).reshape(2, 1, 6), "binary16")
    y = getattr(x, name)(*arguments)
    assert (y.fmt, y.tolist()) == (x.fmt, getattr(x.values, name)(*arguments).tolist())
    assert x.T.tolist() == x.values.T.tolist()
    assert x.diagonal().tolist() == x.values.diagonal().tolist()


def test_a_picking_method_is_numpys():
    x = fs.array([[3.0, -1.0, 2.0], [np.nan, 0.0, 1.0]], "binary16")
    for name in ("max", "min"):
        for axis in (None, 0, 1):
            got, want = getattr(x, name)(axis, keepdims=True), getattr(x.values, name)(axis, keepdims=True)
            assert_same_codes(got.values, want, fs.BINARY16)
    assert (x.argmax(), x.argmin(), x[0].argsort().tolist()) == (3, 3, [1, 2, 0])
    assert x[0].clip(0, 2.2).tolist() == [fs.round_to(2.2), 0.0, 2.0]
    with pytest.raises(TypeError, match="ndarray"):
        x.clip(np.zeros(3))


@pytest.mark.parametrize("mode", ["ties_to_even", "toward_negative"])
@pytest.mark.parametrize(
    "accumulator", [None, fs.accumulators.Kahan("binary16"), fs.accumulators.Sequential("binary32")]
)
def test_reductions_take_an_accumulator(accumulator, mode):
    rng = np.random.default_rng(1)
    x, y = (fs.array(rng.standard_normal(shape), "binary16", mode) for shape in ((4, 5), (5, 3)))
    how = {"accumulator": accumulator}
    for name in ("sum", "mean", "norm"):
        want = getattr(fs, name)(x.values, "binary16", mode, axis=0, **how)
        assert_same_codes(getattr(x, name)(axis=0, **how).values, want, fs.BINARY16)
    assert_same_codes(x.cumsum(1, **how).values, fs.cumsum(x.values, x.fmt, mode, axis=1, **how), fs.BINARY16)
    want = fs.matmul(x.values, y.values, x.fmt, mode, **how)
    assert_same_codes(x.dot(y, **how).values, want, fs.BINARY16)
    assert_same_codes(x.matmul(y, **how).values, want, fs.BINARY16)
    assert x.sum(axis=1, keepdims=True, **how).shape == (4, 1)
    assert x.cumprod(1).tolist() == np.cumprod(x, axis=1).tolist()
    assert x.prod().tolist() == np.prod(x).tolist()


def test_numpy_gets_plain_values_that_cannot_be_written_through():
    x = fs.array([1.0, 2.0], "binary16")
    y = np.asarray(x)
    assert type(y) is np.ndarray
    assert np.shares_memory(y, x.values)
    with pytest.raises(ValueError, match="read-only"):
        y[0] = 0.1
    z = np.array(x)
    z[0] = 0.1
    assert x.tolist() == [1.0, 2.0]
    assert np.asarray(x, np.float64).dtype == np.float64
    x[0] = 3
    assert y[0] == 3


def test_copies_have_values_of_their_own():
    x = fs.array([1.0, 2.0], "bfloat16", "stochastic", rng=1)
    for y in (x.copy(), copy.copy(x), copy.deepcopy(x), *(pickle.loads(pickle.dumps(x, k)) for k in range(6))):
        assert (y.fmt, y.mode, y.tolist()) == (x.fmt, x.mode, [1.0, 2.0])
        y[0] = 5
        assert x[0].item() == 1.0
    assert x.copy().rng is copy.copy(x).rng is x.rng
    assert copy.deepcopy(x).rng is not x.rng
    y = pickle.loads(pickle.dumps(x))
    assert (x * 1.01).tolist() == (y * 1.01).tolist()  # the generator's state travels, too


def test_repr_shows_the_shortest_text_and_the_format():
    assert repr(fs.array([0.1, 65504.0], "binary16")) == "FloatArray([0.1, 65500], binary16)"
    assert repr(fs.array([0.1], "bfloat16", "toward_zero")) == "FloatArray([0.0996], bfloat16, toward_zero)"


def test_codes_are_those_of_the_values():
    x = fs.array([1.0, -0.0, np.inf], "binary16")
    assert x.codes.tolist() == [0x3C00, 0x8000, 0x7C00]


def test_a_number_that_is_used_twice_raises_its_flags_twice():
    x = fs.array([2.0], "binary16")
    for _ in range(2):
        with fs.record_flags() as raised:
            x * 0.1
        assert (raised.inexact.count, raised.inexact.operation) == (1, "round_to")


def test_comparisons_give_plain_booleans():
    x = fs.array([1.0, np.nan], "binary16")
    assert (x == 1).tolist() == [True, False]
    assert (x < 2).tolist() == [True, False]


LEAVING = {
    "float": float,
    "int": int,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
    "values": lambda x: x.values,
    "asarray": np.asarray,
    "array": lambda x: np.array([x, x])[0],
    "format": lambda x: float(format(x, ".20f")),
}


@pytest.mark.parametrize("name", LEAVING)
def test_the_conversions_that_the_docstring_names_give_plain_numbers_and_the_exact_value(name):
    x = fs.array(3.0 if name == "int" else 0.1, "binary16")
    y = LEAVING[name](x)
    assert not isinstance(y, fs.FloatArray)
    assert y == x.values
    assert f"`{name}" in fs.FloatArray.__doc__ or f".{name}" in fs.FloatArray.__doc__


def test_all_of_math_computes_with_plain_numbers():
    x = fs.array(0.75, "binary16")
    for name in ("exp", "sqrt", "sin", "floor", "log1p", "gamma", "fabs", "frexp", "isfinite"):
        assert getattr(math, name)(x) == getattr(math, name)(0.75), name
        assert not isinstance(getattr(math, name)(x), fs.FloatArray)
    assert isinstance(np.exp(x), fs.FloatArray)
