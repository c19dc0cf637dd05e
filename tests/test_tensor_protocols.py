"""NumPy and Python meet a Tensor: what they ask it for has gradients, or is refused by name; nothing leaves unasked."""

import math
import operator

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Tensor, gradients
from fp16sim.learn.model import numpy_protocols

from .test_gradients import check
from .test_refusals import CONVERTING, EXEMPT, NO_NUMBERS, UNCALLED, needed_arguments, public_functions

MATRIX = [[1.0, 2.0, -0.7], [3.0, 4.0, 0.3]]
OTHER = np.array([[0.1, -2.0, 1.5], [0.6, 2.0, -3.0]])
UFUNCS = {name: ufunc for name, ufunc in vars(np).items() if isinstance(ufunc, np.ufunc)}


def tensor(x=MATRIX, fmt="binary16"):
    return Tensor(fs.array(x, fmt), name="t")


def same(found, expected):
    """A tensor with the codes of a FloatArray."""
    assert isinstance(found, Tensor)
    assert found.value.shape == expected.shape
    assert found.value.codes.tolist() == expected.codes.tolist()


# --- what is computed -----------------------------------------------------------------------------------------------

CALLS = {
    "sum": lambda t, u: np.sum(t),
    "sum, axis": lambda t, u: np.sum(t, axis=-1),
    "sum, keyword": lambda t, u: np.sum(a=t, axis=1),
    "mean": lambda t, u: np.mean(t),
    "mean, axis": lambda t, u: np.mean(t, 1),
    "dot": lambda t, u: np.dot(t, np.reshape(u, (3, 2))),
    "dot of vectors": lambda t, u: np.dot(t[0], b=u[1]),
    "dot with a number": lambda t, u: np.dot(t, 0.3),
    "where": lambda t, u: np.where(OTHER > 0, t, u),
    "where, a number": lambda t, u: np.where(OTHER > 0, 0.1, t),
    "reshape": lambda t, u: np.reshape(t, -1),
    "ravel": lambda t, u: np.ravel(t) * np.ravel(u),
    "matmul": lambda t, u: np.matmul(t, np.reshape(u, (3, 2))),
    "matmul of stacks": lambda t, u: np.matmul(t[None], np.reshape(u, (1, 3, 2))),
    "matmul with vectors": lambda t, u: np.matmul(t, u[0]) + np.matmul(u[:, 0], t)[:2] * (u[1] @ t[0]),
    "sum, axis 0": lambda t, u: np.sum(t, 0) * np.sum(u, axis=(0, 1), keepdims=True),
    "mean, axes": lambda t, u: np.mean(t, axis=(0, 1)) * np.mean(u, 0, keepdims=True),
    "max": lambda t, u: np.max(t, 0) * np.max(u, axis=1, keepdims=True),
    "amax": lambda t, u: np.amax(t) * u,
    "min": lambda t, u: np.min(t) * np.min(u, axis=-1),
    "amin": lambda t, u: np.amin(t) * u,
    "var": lambda t, u: np.var(t, axis=0) + np.var(u, 1, ddof=1, keepdims=True),
    "std": lambda t, u: np.std(t) + np.std(u, 0),
    "clip": lambda t, u: np.clip(t, 0.5, 3.5) * np.clip(u, a_min=None, a_max=1.0),
    "power": lambda t, u: np.power(np.abs(t), 1.5) * u**2,
    "reciprocal": lambda t, u: np.reciprocal(t) * u,
    "maximum": lambda t, u: np.maximum(t, u) * np.maximum(u, 0.5),
    "minimum": lambda t, u: np.minimum(t, u) * np.minimum(u, 0.5),
    "transpose": lambda t, u: np.transpose(t) * np.transpose(u, (1, 0)),
    "swapaxes": lambda t, u: np.swapaxes(t, 0, 1) * u[0, 0],
    "moveaxis": lambda t, u: np.moveaxis(t[:, None], 0, -1) * np.moveaxis(u[None], [0, 2], [2, 1])[:1],
    "broadcast_to": lambda t, u: np.broadcast_to(t[0], (2, 3)) * u,
    "concatenate": lambda t, u: np.concatenate([t, u, t], axis=1) * 0.5,
    "stack": lambda t, u: np.stack([t, u], axis=-1) * np.stack([u, t], 2),
    "split": lambda t, u: np.split(t, 3, axis=1)[1] * np.split(u, [1])[1],
    "take": lambda t, u: np.take(t, [1, 1, 0], axis=0) * np.take(u, [0, 5, 0]),
}
if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
    CALLS["clip, keywords"] = lambda t, u: np.clip(t, min=0.5) * np.clip(u, max=1.0)
CALLS |= {name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide")}
OF_ONE = (np.negative, np.absolute, np.square, np.exp, np.tanh, np.sin, np.cos)
CALLS |= {f.__name__: lambda t, u, f=f: f(t) * u for f in OF_ONE}
CALLS |= {f.__name__: lambda t, u, f=f: f(t * t + 1.0) for f in (np.log, np.sqrt)}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_a_supported_function_gives_the_numbers_of_the_same_call_with_floatarrays(name, fmt):
    t, u = tensor(fmt=fmt), tensor(OTHER, fmt)
    same(CALLS[name](t, u), CALLS[name](t.value, u.value))


@pytest.mark.parametrize("name", CALLS)
def test_gradients_pass_through_a_supported_function(name):
    def loss(t):
        y = CALLS[name](t["t"], t["u"])
        return (y * y).sum()

    check(loss, {"t": np.array(MATRIX), "u": OTHER})


def test_every_function_of_the_tables_has_a_call_here_or_asks_for_a_shape():
    supported = {*numpy_protocols.UFUNCS, *(function.__name__ for function in numpy_protocols.FUNCTIONS)}
    assert supported - {name.split(",")[0].split(" ")[0] for name in CALLS} == {"shape", "ndim", "size", "einsum"}
    assert (np.shape(tensor()), np.ndim(tensor()), np.size(tensor())) == ((2, 3), 2, 6)


@pytest.mark.parametrize("array", [np.array(OTHER), fs.array(OTHER, "binary16")], ids=["ndarray", "FloatArray"])
def test_an_array_beside_a_tensor_is_data_on_either_side(array):
    t = tensor()
    data = fs.array(OTHER, "binary16")
    same(np.add(array, t), data + t.value)
    same(np.subtract(t, array), t.value - data)
    same(np.where(OTHER > 0, array, t), np.where(OTHER > 0, data, t.value))
    assert gradients(np.sum(np.multiply(array, t)), {"t": t})["t"].codes.tolist() == data.codes.tolist()


def test_a_tensor_has_a_length_and_rows_with_gradients_and_the_sum_of_python_adds_them():
    t = tensor()
    rows = list(t)
    assert len(t) == len(rows) == 2
    same(sum(t), t.value[0] + t.value[1])
    assert gradients(rows[1].sum(), {"t": t})["t"].tolist() == [[0, 0, 0], [1, 1, 1]]


# --- what is refused ------------------------------------------------------------------------------------------------

REFUSED = {
    name: function
    for name, function in public_functions()
    if function not in numpy_protocols.FUNCTIONS and name.removeprefix("numpy.") not in EXEMPT
}


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_function_of_numpy_is_refused_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # should one of them write a file
    function = REFUSED[name]
    with pytest.raises(TypeError, match=rf"numpy\.\S*{function.__name__} is not supported for Tensor.* t\.value"):
        function(*[tensor()] * needed_arguments(function))


@pytest.mark.parametrize("name", UFUNCS)
def test_any_other_ufunc_and_every_method_of_a_ufunc_is_refused_by_name(name):
    ufunc, t = UFUNCS[name], tensor()
    if ufunc.__name__ not in numpy_protocols.UFUNCS:
        with pytest.raises(TypeError, match=rf"numpy\.{ufunc.__name__} is not supported for Tensor"):
            ufunc(*[t] * ufunc.nin)
    if ufunc.nin == 2 and ufunc.nout == 1 and not ufunc.signature:
        for method in ("reduce", "accumulate"):
            with pytest.raises(TypeError, match=rf"numpy\.{ufunc.__name__}\.{method} is not supported for Tensor"):
                getattr(ufunc, method)(t)


CONVERSIONS = {
    **{name: getattr(np, name) for name in CONVERTING.split()},
    "a list of tensors": lambda t: np.array([t, t]),
    "an array of objects": lambda t: np.array([t], object),
    "np.full": lambda t: np.full(3, t),
    "np.testing": lambda t: np.testing.assert_allclose(t, t),
    "fs.array": fs.array,
    "fs.round_to": fs.round_to,
    "fs.sum": lambda t: fs.sum([t, t]),
    "float": float,
    "int": int,
    "complex": complex,
    "bool": bool,
    "not": operator.not_,
    "math.exp": math.exp,
    "in": lambda t: 1.0 in t,
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of np.matrix
@pytest.mark.parametrize("shape", [(2, 2), ()], ids=str)
@pytest.mark.parametrize("name", CONVERSIONS)
def test_no_conversion_takes_numbers_out_of_the_graph_unasked(name, shape):
    with pytest.raises(TypeError, match=r"out of the graph, .*use .*t\.value"):
        CONVERSIONS[name](tensor(np.ones(shape)))


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", sorted({*NO_NUMBERS.split()} - UNCALLED))
def test_what_does_not_ask_for_an_implementation_takes_no_numbers_from_a_tensor(name):
    try:
        y = getattr(np, name, len)(tensor())
    except (TypeError, ValueError, AttributeError, KeyError):
        return
    assert getattr(y, "dtype", None) is None


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: np.sum(t, initial=1.0), "numpy.sum, called like this .*initial"),
        (lambda t: np.max(t, where=OTHER > 0), "numpy.max, called like this .*where"),
        (lambda t: np.einsum("ij", t, optimize=True), "numpy.einsum, called like this .*optimize"),
        (lambda t: np.mean(t, dtype=float), "numpy.mean, called like this .*dtype"),
        (lambda t: np.add(t, t, out=np.ones((2, 3))), "numpy.add with out="),
        (lambda t: np.vstack([fs.array(MATRIX), t]), "numpy.vstack is not supported for Tensor"),
        (lambda t: np.concatenate([t, t], axis=None), "numpy.concatenate with axis=None is not supported"),
        (lambda t: np.less(fs.array(MATRIX), t), "numpy.less is not supported for Tensor"),
        (lambda t: np.where(t.value, t, 0.0), "an array of float32, not of booleans; compare"),
        (lambda t: np.where(t, t, 0.0), "out of the graph"),
        (lambda t: list(t[0, 0]), "no dimensions"),
        (lambda t: np.dot(t, t.cast(fs.learn.Precision(fs.BFLOAT16)).reshape(3, 2)), "astype"),
    ],
)
def test_what_a_supported_function_cannot_do_is_refused_with_a_way_out(call, says):
    with pytest.raises(TypeError, match=says):
        call(tensor())
