"""Every public function of NumPy that is not supported for FloatArray says so: nothing falls back to float64."""

import inspect

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.arrays import numpy_functions

# Of NumPy's public functions these do not ask their arguments for an implementation. Converting is what some are for;
# the others take no arrays of numbers: shapes, dtypes, files, text, options.
CONVERTING = "array asarray asanyarray ascontiguousarray asfortranarray asarray_chkfinite asmatrix require"
NO_NUMBERS = (
    "arange bartlett base_repr binary_repr blackman bmat broadcast_shapes datetime_data diag_indices empty eye "
    "format_float_positional format_float_scientific frombuffer fromfile fromfunction fromiter frompyfunc fromregex "
    "fromstring full genfromtxt get_include get_printoptions getbufsize geterr geterrcall hamming hanning identity "
    "indices info isdtype isfortran isscalar issubdtype iterable kaiser load loadtxt mask_indices mintypecode "
    "nested_iters ones promote_types row_stack set_printoptions setbufsize seterr seterrcall show_config show_runtime "
    "test tri tril_indices triu_indices typename zeros printoptions choose savez savez_compressed from_dlpack "
    "fft.fftfreq fft.rfftfreq"
)
NO_FUNCTIONS = {"_get_promotion_state", "_set_promotion_state", "_no_nep50_warning", "trapz"}
"""What else stands in the `__all__` of old versions: private functions, and another name of trapezoid."""

EXEMPT = {*CONVERTING.split(), *NO_NUMBERS.split()}
UNCALLED = {"test", "savez", "savez_compressed", "fft.fftfreq", "fft.rfftfreq"}


def public_functions():
    for module, names in ((np, np.__all__), (np.linalg, np.linalg.__all__), (np.fft, np.fft.__all__)):
        for name in sorted(names):
            function = getattr(module, name)
            if callable(function) and not isinstance(function, (type, np.ufunc)) and name not in NO_FUNCTIONS:
                yield f"{module.__name__}.{name}", function


def needed_arguments(function):
    """How many arguments a function needs, one at least; before NumPy 2.4 those written in C do not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return 3 if function is np.putmask else 2 if function.__name__ in OF_TWO.split() else 1
    needed = [p for p in parameters if p.kind < p.VAR_POSITIONAL]
    return max(1, sum(p.default is p.empty for p in needed) if needed else 1)


OF_TWO = "busday_count busday_offset can_cast copyto inner may_share_memory ravel_multi_index shares_memory vdot"
OF_TWO += " unravel_index"

UNSUPPORTED = {
    name: function
    for name, function in public_functions()
    if function not in numpy_functions.FUNCTIONS and name.removeprefix("numpy.") not in EXEMPT
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_any_other_function_of_numpy_is_refused_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # should one of them write a file
    function = UNSUPPORTED[name]
    x = fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16")
    with pytest.raises(TypeError, match=rf"numpy\.\S*{function.__name__} .*np\.asarray\(x, np\.float64\)"):
        function(*[x] * needed_arguments(function))


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")
def test_what_does_not_ask_for_an_implementation_converts_or_takes_no_numbers():
    x = fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16")
    for name in CONVERTING.split():
        assert np.asarray(getattr(np, name)(x)).tolist() == x.tolist(), name
    for name in sorted({*NO_NUMBERS.split()} - UNCALLED):
        try:
            y = getattr(np, name, len)(x)
        except (TypeError, ValueError, AttributeError):
            continue
        assert not isinstance(getattr(y, "dtype", None), np.dtype), name


def test_creation_like_a_floatarray_and_unknown_keywords_are_refused_by_name():
    x = fs.array([1.0, 2.0], "binary16")
    for call, words in [
        (lambda: np.zeros(3, like=x), r"numpy\.zeros"),
        (lambda: np.array([1.0], like=x), r"numpy\.array"),
        (lambda: np.sum(x, dtype=float), r"numpy\.sum with dtype="),
        (lambda: np.sum(x, 0, float), r"numpy\.sum, called like this"),
        (lambda: np.mean(x, where=[True, False]), r"numpy\.mean with where="),
        (lambda: np.sum(x, where=[1, 0]), r"where=\[1, 0\] is not a mask; give booleans"),
        (lambda: np.sum(x, initial=np.ones(2)), "ndarray has no format"),
        (lambda: np.var(x, dtype=float), r"numpy\.var with dtype="),
        (lambda: np.std(x, mean=x), r"numpy\.std, called like this"),
        (lambda: np.std(x, where=True), r"numpy\.std with where="),
        (lambda: np.arange(3, like=x, dtype=int), r"numpy\.arange with dtype="),
        (lambda: np.arange(like=x), r"stop is missing|requires stop"),
        (lambda: np.linspace(x, np.ones(2)), "ndarray has no format"),
        (lambda: np.linspace(x[0], 1, 2.5), r"num=2\.5 is not an integer"),
        (lambda: np.average(x, weights=np.ones(2)), "ndarray has no format"),
        (lambda: np.isclose(x, np.ones(2)), "ndarray has no format"),
        (lambda: np.max(x, initial=3.3), r"numpy\.max with initial="),
        (lambda: np.zeros_like(x, dtype=int), r"numpy\.zeros_like with dtype="),
        (lambda: np.concatenate([x, x], dtype=np.float16), r"numpy\.concatenate with dtype="),
        (lambda: np.round(x, 1), r"numpy\.round with decimals=1"),
        (lambda: np.linalg.norm(x, 1), r"numpy\.linalg\.norm with ord=1"),
        (lambda: np.pad(x, 1, mode="mean"), r"numpy\.pad with mode='mean'"),
        (lambda: np.pad(x, 1, mode="reflect", reflect_type="odd"), r"numpy\.pad, called like this"),
        (lambda: np.tensordot(a=x, b=np.ones(2), axes=1), "ndarray has no format"),
    ]:
        with pytest.raises(TypeError, match=words):
            call()
