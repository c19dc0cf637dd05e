"""Every kind of number that Python and NumPy have, through every public function: the result is that of the int."""

import enum
import inspect
import operator
from decimal import Decimal
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact

pytestmark = pytest.mark.usefixtures("quiet")

INTEGERS = [np.dtype(code).type for code in np.typecodes["AllInteger"]]
FLOATS = [np.float16, np.float32, np.float64, np.longdouble, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]
KINDS = [*INTEGERS, *FLOATS, float, Fraction, Decimal, str, np.asarray, lambda v: np.asarray(v, np.float16)]
ONE = [*KINDS, bool, np.bool_, enum.IntEnum("One", "ONE")]


class Index:
    """An integer that knows nothing but that it is one."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


def unary(module, names):
    return {name: getattr(module, name) for name in names.split()}


def in_a_list(names):
    return {name: lambda x, f=f: f([x, x]) for name, f in unary(fs, names).items()}


def with_two(module, names):
    return {name: lambda x, f=f: f(x, 2) for name, f in unary(module, names).items()}


FUNCTIONS = {
    **unary(fs, "round_to encode fields classify array to_text next_up next_down ulp spacing sqrt"),
    **unary(fs, "reciprocal rsqrt cbrt round_to_integral to_integer log_b frexp modf"),
    **unary(fs, "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh"),
    **unary(fs, "arccosh arctanh"),
    **unary(fs, "sigmoid softplus gelu erf"),
    **in_a_list("sum mean norm cumsum"),
    **with_two(fs, "add subtract multiply divide ieee_remainder fmod scale_b power hypot arctan2 logaddexp dot"),
    **with_two(fs, "minimum maximum minimum_number maximum_number total_order unordered"),
    **with_two(fs, "minimum_magnitude maximum_magnitude minimum_magnitude_number maximum_magnitude_number"),
    **with_two(fs, "equal not_equal less less_equal greater greater_equal"),
    "fma": lambda x: fs.fma(x, x, x),
    "matmul": lambda x: fs.matmul([[x]], [[x]]),
}
LINALG = {
    **{
        name: lambda x, f=f: f([[300, x], [x, 300]], "bfloat16")
        for name, f in unary(
            fs.linalg, "cholesky cond det eigh equilibrate inv lu matrix_norm power_iteration qr shifted_cholesky svd"
        ).items()
    },
    **{
        name: lambda x, f=f: f([[5, 1], [1, 7]], [x, 1], "bfloat16")
        for name, f in unary(fs.linalg, "conjugate_gradients lstsq solve triangular_solve").items()
    },
    "refine": lambda x: fs.linalg.refine([[5, 1], [1, 7]], [x, 1]),
}
TESTING = {
    "testing.ulp_difference": lambda x: fs.testing.ulp_difference(x, 2),
    "testing.within_ulps": lambda x: fs.testing.within_ulps(2, x, 3),
    "testing.bound": lambda x: fs.testing.bound("sum", [x, x]).radius,
    "testing.assert_rounded": lambda x: fs.testing.assert_rounded(x, x) or 0.0,
    "testing.assert_operation": lambda x: fs.testing.assert_operation(fs.sqrt(x), "sqrt", x) or 0.0,
    "testing.assert_explained": lambda x: fs.testing.assert_explained(fs.sum([x, x]), "sum", [x, x]).equal,
    "testing.hard_rows": lambda x: fs.testing.hard_rows("plain", 3, rng=int(x)),
}
CODES = {"decode": fs.decode, "exact.decode": exact.decode}
NO_NUMBERS = {"all_values", "array_api", "get_format", "parse", "record_flags"}

EXACT = {
    **unary(exact, "as_exact round_to encode sqrt round_to_integral to_integer log_b frexp modf"),
    **with_two(exact, "add subtract multiply divide ieee_remainder fmod scale_b"),
    "fma": lambda x: exact.fma(x, x, x),
    "compute": lambda x: exact.compute("add", (x, x)),
    "operate": lambda x: exact.operate("add", (x, x), fs.BINARY16, fs.Rounding.TIES_TO_EVEN),
}
EXACT_VALUES_ALONE = {  # these take what `as_exact` gives
    "chance_of_up", "exponent_of", "is_finite", "is_nan", "is_negative", "is_odd", "is_signaling", "nan_value", "parse",
    "parse_to_round", "quantum_exponent", "round_integer", "round_operand", "round_result", "signed", "sqrt_to_odd",
    "without_input_flush",
}  # fmt: skip


def functions_of(module):
    """The names of a module's functions; classes and constants are left out."""
    return {name for name in module.__all__ if inspect.isfunction(getattr(module, name))}


def same(result, expected):
    if isinstance(result, fs.FloatArray):
        result, expected = result.values, expected.values
    if isinstance(expected, tuple):
        return all(same(one, other) for one, other in zip(result, expected, strict=True))
    if isinstance(expected, (Fraction, str, exact.Result)):
        return type(result) is type(expected) and repr(result) == repr(expected)
    result, expected = np.asarray(result), np.asarray(expected)
    if expected.dtype.kind == "f":
        return np.array_equal(result, expected, equal_nan=True)
    return result.tolist() == expected.tolist()


def test_the_tables_of_this_file_name_every_public_function():
    assert FUNCTIONS.keys() | NO_NUMBERS | {"decode"} == functions_of(fs)
    assert LINALG.keys() == functions_of(fs.linalg)
    assert TESTING.keys() == {f"testing.{name}" for name in functions_of(fs.testing)}
    assert EXACT.keys() | EXACT_VALUES_ALONE | {"decode"} == functions_of(exact)


@pytest.mark.parametrize(
    ("name", "call"), [*FUNCTIONS.items(), *TESTING.items(), *((f"exact.{n}", f) for n, f in EXACT.items())]
)
def test_every_kind_of_number_gives_what_the_int_gives(name, call):
    for value, kinds in ((0, KINDS), (1, ONE), (3, KINDS), (112, KINDS)):
        expected = call(value)
        for kind in kinds:
            result = call(kind(value))
            assert same(result, expected), (name, kind, value, result, expected)


@pytest.mark.parametrize(("name", "call"), LINALG.items())
def test_every_kind_of_number_in_a_matrix_gives_what_the_int_gives(name, call):
    expected = call(112)
    for kind in KINDS:
        assert same(call(kind(112)), expected), (name, kind)


@pytest.mark.parametrize(("name", "call"), CODES.items())
def test_every_kind_of_integer_is_a_code_and_nothing_else_is(name, call):
    for value in (0, 1, 112):
        for kind in (*INTEGERS, Index, np.asarray):
            assert repr(call(kind(value))) == repr(call(value)), (name, kind)
        for kind in (*FLOATS[:4], float, Fraction, Decimal, str):
            with pytest.raises(TypeError, match=r"code=.* is not an integer"):
                call(kind(value))
    for value in (True, np.True_, np.array([], bool), None, 0.0):
        with pytest.raises(TypeError, match=r"code=.* is not an integer"):
            call(value)


def test_an_object_that_is_an_integer_by_index_is_one_in_the_exact_layer():
    assert exact.add(Index(3), Index(2**60), "binary64") == 2**60
    assert exact.round_to(Index(2**60 + 1), "binary64", "toward_positive") == 2**60 + 2**8


BIG = [np.int64(2**62 + 1), np.int64(-(2**63)), np.uint64(2**64 - 1), np.int64(2**53 + 1), np.uint32(2**32 - 1)]


@pytest.mark.parametrize("x", BIG, ids=repr)
def test_a_large_integer_of_numpy_is_not_rounded_before_its_time(x):
    for mode in ("toward_positive", "toward_negative", "ties_to_even"):
        for fmt in ("binary64", "binary32"):
            expected = exact.round_to(int(x), fmt, mode)
            assert exact.round_to(x, fmt, mode) == expected
            assert fs.round_to([x, x], fmt, mode).tolist() == [expected, expected]
            assert fs.round_to(np.array([x, x]), fmt, mode).tolist() == [expected, expected]
            assert fs.sum([x], fmt, mode) == expected
            assert fs.add(x, 0, fmt, mode) == expected
    assert fs.to_text(x, "binary64", "exact") == fs.to_text(int(x), "binary64", "exact")
    assert fs.explain.rounding(x, "binary64").exact.value == int(x)


def test_a_fraction_of_numpys_integers_has_no_integer_that_overflows():
    x = Fraction(np.int64(2**62), np.int64(3))
    assert type(exact.as_exact(x).numerator) is int
    assert exact.multiply(x, x, "binary64") == exact.multiply(Fraction(2**62, 3), Fraction(2**62, 3), "binary64")
    assert fs.round_to([x], "binary64").tolist() == [float(Fraction(2**62, 3))]


def test_parameters_may_be_numpys_integers():
    assert fs.Format("half", np.int64(16), np.uint8(11)) == fs.BINARY16
    assert fs.Format("n", np.int8(6), np.int8(3), "none", nan_code=np.uint8(33)).to_dict()["nan_code"] == 33
    assert fs.round_to([0.1, 0.2], threads=np.int64(2)).size == 2
    assert fs.sum([[1, 2], [3, 4]], axis=np.int8(1)).tolist() == [3, 7]
    for layer in (fs, exact):
        assert layer.round_to(0.1, "fp16", "stochastic", rng=np.int64(5)) == layer.round_to(
            0.1, "fp16", "stochastic", rng=5
        )


@pytest.mark.parametrize("kind", [*INTEGERS, *FLOATS[:4], float, int, Fraction], ids=lambda kind: kind.__name__)
def test_an_operator_takes_every_number_that_has_no_other_format(kind):
    x = fs.array([1.0, 2.0])
    for name in ("add", "sub", "mul", "truediv", "pow", "lt", "eq"):
        function = getattr(operator, name)
        assert function(x, kind(2)).tolist() == function(x, 2).tolist(), name
        assert function(kind(2), x).tolist() == function(2, x).tolist(), name
