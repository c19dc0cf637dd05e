"""NumPy's ufuncs on FloatArray: each element is that of fp16sim's own function, or NumPy's where that is exact."""

import math
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.arrays import ufuncs
from fp16sim.elementary import definitions
from fp16sim.formats import Rounding

from .support import TOY, assert_same_codes, held_values, pairs

pytestmark = pytest.mark.usefixtures("quiet")
FORMATS = (fs.BINARY16, fs.BFLOAT16, TOY)
MODES = (Rounding.TIES_TO_EVEN, Rounding.TOWARD_NEGATIVE)
GROUP = "NumPy's ufuncs"


def operands(fmt):
    """All values of a toy format; of a larger one some hundred, with its edges."""
    return held_values(fmt, 1 if fmt.width < 8 else 661)


def remainder(a, b, fmt, mode):
    """a - floor(a / b) * b by Fractions, rounded once; NumPy's own where an operand is not finite or b is 0."""
    if not (math.isfinite(a) and math.isfinite(b) and b):
        return float(np.remainder(a, b))
    exact = Fraction(a) - math.floor(Fraction(a) / Fraction(b)) * Fraction(b)
    return float(fs.round_to(exact, fmt, mode)) if exact else math.copysign(0.0, b)


def floor_divide(a, b, fmt, mode):
    """The largest integer up to a / b by Fractions, rounded once; the quotient where an operand is 0 or not finite."""
    if not (math.isfinite(a) and math.isfinite(b) and a and b):
        return float(fs.divide(a, b, fmt, mode))
    floor = math.floor(Fraction(a) / Fraction(b))
    return float(fs.round_to(floor, fmt, mode)) if floor else 0.0


def next_after(a, b, fmt, mode):
    if math.isnan(a) or math.isnan(b):
        return math.nan
    return b if a == b else float(fs.next_up(a, fmt) if a < b else fs.next_down(a, fmt))


def each(function):
    """The elementwise definition, as a loop."""
    return lambda *x: np.array([function(*(float(v) for v in items), *x[-2:]) for items in zip(*x[:-2], strict=True)])


def rounded(function):
    return lambda x, fmt, mode: fs.round_to(function(x.astype(np.float64)), fmt, mode)


ELEMENTARY = [name for name in definitions.FUNCTIONS if isinstance(getattr(np, name, None), np.ufunc)]

OF_ONE = {
    "sqrt": fs.sqrt,
    "square": lambda x, fmt, mode: fs.multiply(x, x, fmt, mode),
    "reciprocal": lambda x, fmt, mode: fs.divide(1, x, fmt, mode),
    "negative": lambda x, fmt, mode: fs.multiply(x, -1, fmt),
    "positive": fs.round_to,
    "conjugate": fs.round_to,
    "absolute": lambda x, fmt, mode: fs.round_to([abs(float(v)) for v in x], fmt),
    "fabs": lambda x, fmt, mode: fs.round_to([abs(float(v)) for v in x], fmt),
    **{name: rounded(getattr(np, name)) for name in ("floor", "ceil", "trunc", "rint", "sign")},
    "spacing": lambda x, fmt, mode: fs.spacing(x, fmt),
    **{name: getattr(fs, name) for name in ELEMENTARY if name != "reciprocal"},
}
SPLITTING = {"frexp": fs.frexp, "modf": fs.modf}

OF_TWO = {
    **{
        name: getattr(fs, name)
        for name in ("add", "subtract", "multiply", "divide", "power", "hypot", "arctan2", "logaddexp")
    },
    **{name: getattr(fs, name) for name in ("maximum", "minimum")},
    "fmax": fs.maximum_number,
    "fmin": fs.minimum_number,
    "fmod": lambda a, b, fmt, mode: fs.round_to(np.fmod(a.astype(np.float64), b), fmt, mode),
    "remainder": each(remainder),
    "floor_divide": each(floor_divide),
    "nextafter": each(next_after),
    "copysign": lambda a, b, fmt, mode: np.where(np.signbit(a) == np.signbit(b), a, -a),
}

ASKING_ONE = {
    "isnan": lambda v: v != v,
    "isinf": lambda v: abs(v) == math.inf,
    "isfinite": lambda v: abs(v) < math.inf,
    "signbit": lambda v: math.copysign(1, v) < 0,
    "logical_not": lambda v: not v,
}
ASKING_TWO = {
    "equal": fs.equal,
    "not_equal": fs.not_equal,
    "less": fs.less,
    "less_equal": fs.less_equal,
    "greater": fs.greater,
    "greater_equal": fs.greater_equal,
    "logical_and": lambda a, b, fmt: (a != 0) & (b != 0),
    "logical_or": lambda a, b, fmt: (a != 0) | (b != 0),
    "logical_xor": lambda a, b, fmt: (a != 0) ^ (b != 0),
}


def test_every_ufunc_of_the_table_is_defined_here():
    defined = OF_ONE.keys() | OF_TWO.keys() | ASKING_ONE.keys() | ASKING_TWO.keys()
    assert ufuncs.UFUNCS.keys() | set(ELEMENTARY) == defined | SPLITTING.keys() | {
        "divmod",
        "matmul",
        "vecdot",
        "ldexp",
    }
    assert {"exp", "log", "tanh"} <= set(ELEMENTARY)


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("name", OF_ONE)
def test_a_ufunc_of_one_operand_is_the_rounded_function(name, fmt):
    x = operands(fmt)
    for mode in MODES:
        y = getattr(np, name)(fs.array(x, fmt, mode))
        assert isinstance(y, fs.FloatArray)
        assert (y.fmt, y.mode) == (fmt, mode)
        assert_same_codes(y.values, OF_ONE[name](x, fmt, mode), fmt, GROUP, [x], name=name, mode=mode)


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("name", OF_TWO)
def test_a_ufunc_of_two_operands_is_the_rounded_function(name, fmt):
    a, b = pairs(operands(fmt)[:: 1 if fmt is TOY else 3])
    for mode in MODES:
        y = getattr(np, name)(fs.array(a, fmt, mode), fs.array(b, fmt, mode))
        assert (y.fmt, y.mode) == (fmt, mode)
        assert_same_codes(y.values, OF_TWO[name](a, b, fmt, mode), fmt, GROUP, [a, b], name=name, mode=mode)


@pytest.mark.parametrize("fmt", [*FORMATS, fs.E2M3FN], ids=str)
def test_a_ufunc_with_integers_takes_and_gives_plain_ones(fmt):
    values = operands(fmt)
    for mode in MODES:
        x = fs.array(values, fmt, mode)
        for name, function in SPLITTING.items():
            got, want = getattr(np, name)(x), function(values, fmt, mode)
            assert isinstance(got[0], fs.FloatArray)
            assert type(got[1]) is (np.ndarray if name == "frexp" else fs.FloatArray)
            for one, other in zip(got, want, strict=True):
                assert_same_codes(one, other, fmt, GROUP, [values], name=name, mode=mode)
        for n in (3, -3, np.int8(-fmt.trailing_bits), 2**70, np.arange(values.size) % 7 - 3):
            want = fs.scale_b(values, n, fmt, mode)
            assert_same_codes(np.ldexp(x, n).values, want, fmt, GROUP, [values], name="ldexp", mode=mode)
    x = fs.array([1.0, 2.0], fmt)
    assert np.ldexp.outer(x, [0, 1]).tolist() == [[1.0, 2.0], [2.0, 4.0]]
    assert np.ldexp(0.75, np.array([0, 1])).tolist() == [0.75, 1.5]  # NumPy's own
    with pytest.raises(TypeError, match=r"n=.* is not an integer"):
        np.ldexp(x, x)
    with pytest.raises(TypeError, match=r"numpy\.modf with out="):
        np.modf(x, out=(x.copy(), x.copy()))


def test_a_flushing_format_has_no_spacing_below_min_normal():
    x = fs.array([1.0, 2.0**-14], fs.Format("flushing", 16, 11, subnormals="flush_to_zero"))
    assert np.spacing(x).tolist() == [2.0**-10, 0.0]


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_questions_have_plain_booleans_for_answers(fmt):
    x = operands(fmt)
    for name, definition in ASKING_ONE.items():
        answer = getattr(np, name)(fs.array(x, fmt))
        assert type(answer) is np.ndarray
        assert answer.tolist() == [definition(float(v)) for v in x], name
    a, b = pairs(x[:: 1 if fmt is TOY else 3])
    for name, definition in ASKING_TWO.items():
        answer = getattr(np, name)(fs.array(a, fmt), fs.array(b, fmt))
        assert answer.dtype == bool
        assert (answer == definition(a, b, fmt)).all(), name


def test_an_integer_beyond_max_finite_is_rounded_to_the_format():
    x = fs.array([7.5, -7.5, 2.5], fs.E2M3FN)  # max_finite is 7.5, and it saturates
    assert np.ceil(x).tolist() == [7.5, -7.0, 3.0]
    assert np.rint(x).tolist() == x.round().tolist() == [7.5, -7.5, 2.0]
    unbounded = fs.array([7.5, -7.5], fs.Format("e2m3", width=7, precision=5, specials="nan"))
    assert np.isnan(np.floor(unbounded * 1.03125).values).tolist() == [False, True]


def test_invalid_is_reported_where_a_nan_is_born():
    x = fs.array([1.0, np.nan, np.inf], "binary16")
    with fs.record_flags() as raised:
        np.fmod(x, 0)
        np.floor(x)
    assert (raised.invalid.count, raised.invalid.operation, raised.invalid.index) == (2, "fmod", (0,))


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_the_methods_of_ufuncs_are_loops(fmt):
    rng = np.random.default_rng(1)
    values = fs.round_to(rng.standard_normal((5, 4)), fmt)
    x = fs.array(values, fmt)
    for name in ("add", "multiply", "maximum", "minimum", "fmax", "fmin"):
        ufunc = getattr(np, name)
        for axis in (0, 1):
            rows = np.moveaxis(values, axis, 0)
            partial = [rows[0]]
            for row in rows[1:]:
                partial.append(OF_TWO[name](partial[-1], row, fmt, "ties_to_even"))
            assert_same_codes(ufunc.reduce(x, axis).values, partial[-1], fmt, GROUP, name=name)
            accumulated = np.moveaxis(ufunc.accumulate(x, axis).values, axis, 0)
            assert_same_codes(accumulated, partial, fmt, GROUP, name=name)
        assert ufunc.reduce(x, axis=1, keepdims=True).shape == (5, 1)
        assert_same_codes(ufunc.reduce(x).values, ufunc.reduce(x, axis=0).values, fmt)
    for name in OF_TWO:
        want = getattr(np, name)(x[:, 0][:, None], x[0])
        assert_same_codes(getattr(np, name).outer(x[:, 0], x[0]).values, want.values, fmt, GROUP, name=name)
    assert np.less.outer(x[0], x).shape == (4, 5, 4)


def test_reduce_goes_over_all_axes_for_none_and_over_several_in_c_order():
    x = fs.array(np.random.default_rng(2).standard_normal((3, 4, 5)) * 100, "e5m2")
    flat = fs.sum(x.values.reshape(-1), "e5m2")
    for got in (np.add.reduce(x, axis=None), np.add.reduce(x, axis=(0, 1, 2)), x.sum(), np.sum(x, axis=(2, 0, 1))):
        assert got.item() == flat
    want = fs.sum(np.moveaxis(x.values, 1, -1).reshape(15, 4), "e5m2", axis=0)
    assert x.sum(axis=(0, 2)).tolist() == x.sum(axis=(-1, 0)).tolist() == want.tolist()
    assert x.sum(axis=(0, 2), keepdims=True).shape == (1, 4, 1)
    assert x.sum(axis=()).tolist() == x.tolist()
    empty = fs.array(np.zeros((2, 0, 3)), "e5m2")
    assert empty.sum(axis=(1, 0)).tolist() == [0, 0, 0]
    assert empty.sum(axis=(0, 2)).shape == (0,)
    assert empty.prod(axis=1).tolist() == [[1, 1, 1]] * 2
    with pytest.raises(ValueError, match="axis"):
        x.sum(axis=(0, 3))


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_matmul_and_vecdot_are_the_reductions(fmt):
    rng = np.random.default_rng(3)
    a, b = (fs.array(rng.standard_normal(shape), fmt) for shape in ((2, 3, 4), (4, 2)))
    assert_same_codes(np.matmul(a, b).values, fs.matmul(a.values, b.values, fmt), fmt)
    assert_same_codes((a @ b).values, fs.matmul(a.values, b.values, fmt), fmt)
    want = [[fs.dot(row, b.values[:, 0], fmt) for row in matrix] for matrix in a.values]
    if hasattr(np, "vecdot"):
        assert_same_codes(np.vecdot(a, b[:, 0]).values, want, fmt)


def test_out_is_written_if_it_is_an_array_of_the_format():
    x, out = fs.array([1.0, 2.0], "binary16"), fs.array([0.0, 0.0], "binary16")
    assert np.add(x, 0.1, out=out) is out
    assert out.tolist() == (x + 0.1).tolist()
    assert np.add.reduce(x[:, None], out=out[:1]).tolist() == [3.0]
    with pytest.raises(TypeError, match="ndarray"):
        np.add(x, 1, out=np.empty(2))
    with pytest.raises(TypeError, match="astype"):
        np.add(x, 1, out=fs.array([0.0, 0.0], "bfloat16"))
    plain = np.ones(2)
    with pytest.raises(TypeError, match="no format"):
        plain += x
    with pytest.raises(TypeError, match="no format"):
        np.add(plain, 1, out=out)


UNSUPPORTED = [
    name
    for name in sorted(np.__all__)
    if isinstance(getattr(np, name), np.ufunc) and getattr(np, name).__name__ not in {*ufuncs.UFUNCS, *ELEMENTARY}
]


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_any_other_ufunc_is_refused_by_name(name):
    ufunc = getattr(np, name)
    x = fs.array([1.0, 2.0], "binary16")
    with pytest.raises(TypeError, match=rf"numpy\.{ufunc.__name__} .*np\.asarray\(x, np\.float64\)"):
        ufunc(*[x] * ufunc.nin)


def test_other_methods_and_keywords_are_refused_by_name():
    x = fs.array([1.0, 2.0], "binary16")
    for call, words in [
        (lambda: np.add.at(x, 0, 1), r"numpy\.add\.at"),
        (lambda: np.add.reduceat(x, [0]), r"numpy\.add\.reduceat"),
        (lambda: np.subtract.reduce(x), r"numpy\.subtract\.reduce"),
        (lambda: np.divide.accumulate(x), r"numpy\.divide\.accumulate"),
        (lambda: np.arctan2.at(x, 0, x), r"numpy\.arctan2\.at"),
        (lambda: np.add(x, x, where=[True, False]), r"numpy\.add with where="),
        (lambda: np.add(x, x, dtype=np.float32), r"numpy\.add with dtype="),
        (lambda: np.maximum.reduce(x, initial=1), r"numpy\.maximum\.reduce with initial="),
        (lambda: np.add.accumulate(x, initial=1), "initial"),
        (lambda: np.add.reduce(x, dtype=float), r"numpy\.add\.reduce with dtype="),
    ]:
        with pytest.raises(TypeError, match=words):
            call()
