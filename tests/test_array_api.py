"""`fs.array_api`: the functions of the Python array API standard compute as `fs.*` does, and refuse the rest.

The standard's own suite is run outside the tests: tutorials/reference/array_api.md says how, and what it found.
"""

import math
import operator
import pickle
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.namespaces import PlainArray, namespace

from .support import assert_same_codes
from .test_architecture import loaded_by

pytestmark = pytest.mark.usefixtures("quiet")

FORMATS = (fs.BINARY16, fs.BFLOAT16, fs.BINARY32, fs.E4M3FN)
STANDARD = """
arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril triu zeros
zeros_like astype can_cast finfo iinfo isdtype result_type abs acos acosh add asin asinh atan atan2 atanh bitwise_and
bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide
equal exp expm1 floor floor_divide greater greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2
log10 logaddexp logical_and logical_not logical_or logical_xor maximum minimum multiply negative nextafter not_equal
positive pow real reciprocal remainder round sign signbit sin sinh square sqrt subtract tan tanh trunc take
take_along_axis matmul matrix_transpose tensordot vecdot broadcast_arrays broadcast_shapes broadcast_to concat
expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack argmax argmin count_nonzero
nonzero searchsorted where isin unique_all unique_counts unique_inverse unique_values argsort sort cumulative_sum
cumulative_prod max mean min prod std sum var all any diff e inf nan pi newaxis bool int8 int16 int32 int64 uint8 uint16
uint32 uint64 float32 float64 complex64 complex128
"""
LINALG = """
cholesky cross det diagonal eig eigh eigvals eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose
outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
"""
FFT = "fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift"


def values(x):
    """The plain numbers of an array of a namespace."""
    return x.values


def test_a_namespace_has_every_name_of_the_standard_and_lists_it():
    xp = fs.array_api("bfloat16")
    for part, names in ((xp, STANDARD), (xp.linalg, LINALG), (xp.fft, FFT)):
        assert set(names.split()) <= set(dir(part))
        for name in names.split():
            assert hasattr(part, name), name
    with pytest.raises(AttributeError, match=r"fp16sim\.bfloat16 has no 'sums'; did you mean 'sum'"):
        _ = xp.sums


def test_a_namespace_is_one_object_and_an_array_leads_to_it():
    xp = fs.array_api("bfloat16", "toward_zero", accumulator="exact")
    x = xp.asarray([1.0, 2.0])
    assert fs.array_api("bf16", "rtz", accumulator="exact") is xp
    assert x.__array_namespace__() is (x > 1).__array_namespace__() is xp.argmax(x).__array_namespace__() is xp
    assert xp != fs.array_api("bfloat16", "toward_zero")
    assert xp.__name__ == "fp16sim.bfloat16,toward_zero,exact"
    plain = fs.array([1.0], "bfloat16")
    assert plain.__array_namespace__(api_version="2024.12") is fs.array_api("bfloat16")
    assert (plain.dtype, plain.device, plain.to_device("cpu") is plain) == (fs.BFLOAT16, "cpu", True)
    assert plain[None].mT.shape == (1, 1)
    with pytest.raises(ValueError, match=r"api_version='2031\.12'"):
        plain.__array_namespace__(api_version="2031.12")


def test_importing_the_package_and_making_an_array_loads_no_namespace():
    assert "fp16sim.namespaces" not in loaded_by("import fp16sim as fs; fs.array([1.0]) + 1", parts=2)


# --- what is computed -----------------------------------------------------------------------------------------------

SAME_ONE = "cos cosh exp expm1 log log1p log2 log10 sin sinh sqrt tan tanh reciprocal"
SAME_TWO = "add subtract multiply divide hypot logaddexp maximum minimum greater equal"
ARCS = "cos cosh sin sinh tan tanh"
ONE = {f"a{name}": f"arc{name}" for name in ARCS.split()} | {name: name for name in SAME_ONE.split()}
TWO = {"atan2": "arctan2", "pow": "power"} | {name: name for name in SAME_TWO.split()}


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("mode", ["ties_to_even", "toward_positive"])
def test_an_elementwise_function_is_the_one_of_the_library(fmt, mode):
    xp = fs.array_api(fmt, mode)
    x = fs.decode(np.arange(0, 2**fmt.width, 1 + 2 ** (fmt.width - 6)), fmt)
    x = x[np.isfinite(x)]
    y = x[::-1]
    for name, ours in ONE.items():
        got = getattr(xp, name)(xp.asarray(x))
        assert_same_codes(values(got), getattr(fs, ours)(x, fmt, mode), fmt, "array API", [x], function=name)
    for name, ours in TWO.items():
        got = getattr(xp, name)(xp.asarray(x), xp.asarray(y))
        arguments = (fmt,) if values(got).dtype == bool else (fmt, mode)
        expected = getattr(fs, ours)(x, y, *arguments)
        if values(got).dtype == bool:
            assert isinstance(got, PlainArray)
            assert (values(got) == expected).all()
        else:
            assert_same_codes(values(got), expected, fmt, "array API", [x, y], function=name)


@pytest.mark.parametrize("accumulator", [None, "pairwise", "kahan", "exact", "sequential:binary32"])
def test_sums_and_products_are_those_of_the_accumulator(accumulator):
    xp = fs.array_api("bfloat16", accumulator=accumulator)
    x = np.random.default_rng(1).integers(1, 200, (7, 300)) / 4
    a, how = xp.asarray(x), {"fmt": "bfloat16", "accumulator": accumulator}
    x = fs.round_to(x, "bfloat16")
    for got, expected in [
        (xp.sum(a), fs.sum(x, **how)),
        (xp.sum(a, axis=1), fs.sum(x, axis=1, **how)),
        (xp.mean(a, axis=0), fs.mean(x, axis=0, **how)),
        (xp.cumulative_sum(a, axis=1)[:, -1], fs.cumsum(x, axis=1, **how)[:, -1]),
        (a @ a.T, fs.matmul(x, x.T, **how)),
        (xp.matmul(a, a.T), fs.matmul(x, x.T, **how)),
        (xp.tensordot(a, a, axes=((1,), (1,))), fs.matmul(x, x.T, **how)),
        (xp.vecdot(a, a), [fs.dot(row, row, **how) for row in x]),
        (xp.linalg.vector_norm(a, axis=1), fs.norm(x, axis=1, **how)),
        (xp.linalg.trace(a), fs.sum(np.diagonal(x), **how)),
        (a.sum(), fs.sum(x, **how)),
        (a.mean(1), fs.mean(x, axis=1, **how)),
        (a.matmul(a.T), fs.matmul(x, x.T, **how)),
    ]:
        assert_same_codes(values(got), expected, fs.BFLOAT16, "array API")


def test_var_divides_the_sum_of_squares_by_n_less_the_correction():
    xp = fs.array_api("binary16")
    x = xp.asarray([1.0, 2.0, 4.0, 7.0])
    assert (float(xp.var(x)), float(xp.var(x, correction=1)), float(xp.std(x, correction=1))) == (
        5.25,
        7.0,
        2.646484375,
    )


def test_linear_algebra_is_that_of_the_library_on_each_matrix_of_a_stack():
    xp = fs.array_api("binary16")
    a = np.array([[[4.0, 1.0], [1.0, 3.0]], [[2.0, -1.0], [-1.0, 5.0]]])
    stack = xp.asarray(a)
    for k in range(2):
        one = fs.array(a[k], "binary16")
        for name in ("cholesky", "inv", "det"):
            got = getattr(xp.linalg, name)(stack)[k]
            assert values(got).tolist() == getattr(fs.linalg, name)(one).tolist(), name
        for name in ("eigh", "svd", "qr"):
            got = getattr(xp.linalg, name)(stack)
            for part, expected in zip(got, getattr(fs.linalg, name)(one), strict=True):
                assert values(part[k]).tolist() == expected.tolist(), name
        b = xp.asarray([1.0, 2.0])
        assert values(xp.linalg.solve(stack, b)[k]).tolist() == fs.linalg.solve(one, fs.array([1.0, 2.0])).tolist()
    sign, logarithm = xp.linalg.slogdet(xp.asarray([[0.0, 2.0], [1.0, 0.0]]))
    assert (float(sign), float(logarithm)) == (-1.0, float(fs.log(2.0)))
    assert int(xp.linalg.matrix_rank(xp.asarray([[1.0, 2.0], [2.0, 4.0]]))) == 1
    q, r = xp.linalg.qr(xp.asarray([[3.0], [4.0], [0.0]]), mode="complete")
    assert (q.shape, r.shape, float(r[0, 0])) == ((3, 3), (3, 1), -5.0)
    u, s, vh = xp.linalg.svd(xp.asarray([[3.0, 0.0], [4.0, 5.0], [0.0, 1.0]]))
    assert (u.shape, s.shape, vh.shape) == ((3, 3), (2,), (2, 2))


# --- dtypes ---------------------------------------------------------------------------------------------------------


def test_numbers_and_integers_adopt_the_format_and_formats_do_not_mix():
    xp = fs.array_api("bfloat16")
    x = xp.asarray([1.0, 2.0])
    for y in (x + 1, x + 1.0, 1 + x, x + xp.asarray([1, 1]), xp.asarray([1, 1]) + x, xp.add(x, xp.asarray(1))):
        assert (y.dtype, y.tolist()) == (fs.BFLOAT16, [2.0, 3.0])
    assert (x + xp.asarray([257, 0])).tolist() == [256.0, 2.0]  # 257 becomes 256, and so does 256 + 1
    wide = xp.astype(x, fs.BINARY32)
    assert (wide.dtype, (wide * wide).dtype, xp.astype(wide, xp.bfloat16).dtype) == (
        fs.BINARY32,
        fs.BINARY32,
        fs.BFLOAT16,
    )
    for mixed in (lambda: x + wide, lambda: xp.result_type(x, wide), lambda: xp.concat([x, wide])):
        with pytest.raises(TypeError, match=r"astype"):
            mixed()
    mask = x > 1
    for refused in (
        lambda: x + mask,
        lambda: xp.where(mask, x, mask),
        lambda: xp.result_type(x, xp.bool),
        lambda: xp.asarray([1]) + 1.5,
        lambda: xp.asarray([1]) / 2,
    ):
        with pytest.raises(TypeError):
            refused()


def test_float32_and_float64_are_names_of_the_format_and_other_formats_have_their_own():
    for fmt in (fs.BINARY16, fs.BFLOAT16, fs.BINARY32):
        xp = fs.array_api(fmt)
        assert xp.float32 == xp.float64 == xp.asarray(1.0).dtype == xp.ones(1).dtype == fmt
        assert xp.binary64 == fs.BINARY64
        assert hasattr(xp, "float16") == (fmt == fs.BINARY16)
        assert xp.__array_namespace_info__().default_dtypes()["real floating"] == fmt
        info = xp.finfo(xp.float64)
        assert (info.bits, info.eps, info.max, info.min) == (fmt.width, fmt.eps, fmt.max, -fmt.max)
        assert xp.isdtype(fmt, "real floating")
        assert xp.isdtype(xp.int8, ("signed integer", "bool"))
        assert not xp.isdtype(xp.int8, fmt)
        assert xp.can_cast(fs.BINARY16, fs.BINARY32)
        assert not xp.can_cast(fs.BFLOAT16, fs.BINARY16)


def test_integers_and_masks_follow_the_standard():
    xp = fs.array_api("binary16")
    i, j = xp.asarray([7, -7]), xp.asarray([2, 3], dtype=xp.int8)
    assert (i + j).dtype == xp.int64
    assert ((i // j).tolist(), (i % j).tolist(), (i**2).tolist()) == ([3, -3], [1, 2], [49, 49])
    assert xp.sum(j).dtype == xp.int64
    mask = xp.asarray([1.0, 3.0]) > 2
    assert ((~mask & True).tolist(), bool(xp.any(mask)), (mask == mask).tolist()) == ([True, False], True, [True, True])
    with pytest.raises(TypeError, match="int64 and uint64"):
        i + xp.asarray([1], dtype=xp.uint64)
    with pytest.raises(TypeError, match="sum is for arrays of numeric dtype"):
        xp.sum(mask)
    with pytest.raises(TypeError, match="sin is for arrays of floating dtype"):
        xp.sin(i)
    with pytest.raises(TypeError, match="bitwise_and is for arrays of integer or boolean"):
        xp.asarray([1.0]) & 1
    i += 1
    assert (i.tolist(), int(i[0]), operator.index(i[0]), [int(k) for k in i]) == ([8, -6], 8, 8, [8, -6])
    with pytest.raises(TypeError, match="the result is of int64"):
        j += i
    x = xp.asarray([1.0, 2.0, 3.0])
    x[x > 1] = 0
    assert x[xp.asarray([2, 0])].tolist() == [0.0, 1.0]


def test_astype_rounds_once_cuts_to_integers_and_asks_for_zero():
    xp = fs.array_api("bfloat16")
    x = xp.asarray([2.75, -2.75, 0.0])
    assert xp.astype(x, xp.int32).tolist() == [2, -2, 0]
    assert xp.astype(x, xp.bool).tolist() == [True, True, False]
    assert xp.astype(xp.asarray([2**60 + 2**52 + 1]), xp.bfloat16).tolist() == [
        float(fs.round_to(2**60 + 2**52 + 1, "bfloat16"))
    ]
    assert xp.astype(x, xp.bfloat16, copy=False) is x


def test_asarray_takes_what_libraries_give_and_rounds_once():
    xp = fs.array_api("binary16")
    x = xp.asarray([1.0, 2.0])
    assert xp.asarray(np.float64(0.1)).tolist() == float(fs.round_to(0.1))
    assert xp.asarray([x[0], 0.1]).tolist() == [1.0, float(fs.round_to(0.1))]
    assert xp.asarray([Fraction(1, 3)]).tolist() == [float(fs.round_to(Fraction(1, 3)))]
    assert xp.asarray(np.array([1, 2], np.int8)).dtype == xp.int8
    assert xp.asarray([True]).dtype == xp.bool
    assert xp.asarray(x, copy=False).values is x.values
    assert xp.asarray(fs.array([1.0], "binary32")).dtype == fs.BINARY32
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray([1.0], copy=False)
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        xp.asarray(endless)
    with pytest.raises(TypeError, match="ragged"):
        xp.asarray([[1.0], [1.0, 2.0]])
    with pytest.raises(TypeError, match="not numbers"):
        xp.asarray("1.0")
    with pytest.raises(TypeError, match="is not a dtype of this namespace"):
        xp.zeros(3, dtype=np.float64)
    with pytest.raises(ValueError, match="device='cuda'"):
        xp.zeros(3, device="cuda")
    with pytest.raises(TypeError, match=r"use xp\.asarray"):
        xp.sin(np.array([1.0]))


# --- what a format cannot have --------------------------------------------------------------------------------------


def test_complex_numbers_are_refused_by_name():
    xp = fs.array_api("bfloat16")
    x = xp.asarray([1.0, 2.0])
    for call in (
        lambda: xp.asarray(1j),
        lambda: xp.asarray([1j]),
        lambda: x * 1j,
        lambda: xp.add(x, 1j),
        lambda: xp.astype(x, xp.complex64),
        lambda: xp.zeros(2, dtype=xp.complex128),
        lambda: xp.fft.fft(x),
        lambda: xp.fft.irfftn(x),
        lambda: xp.linalg.eig(xp.eye(2)),
        lambda: xp.imag(x),
    ):
        with pytest.raises(TypeError, match="complex"):
            call()
    assert not xp.isdtype(x.dtype, "complex floating")
    assert xp.conj(x).tolist() == xp.real(x).tolist() == x.tolist()


def test_a_strict_namespace_lets_no_number_out_of_the_format():
    x = fs.array_api("binary16").asarray([1.0, 2.0])
    assert np.asarray(x).tolist() == [1.0, 2.0]
    xp = fs.array_api("binary16", strict=True)
    x = xp.asarray([1.0, 2.0])
    for out in (np.asarray, np.from_dlpack, lambda y: np.array([y, y]), lambda y: np.median([y, y])):
        with pytest.raises(TypeError, match="strict=True"):
            out(x)
    assert np.asarray(x > 1).tolist() == [False, True]
    assert float(xp.sum(xp.exp(x) * x)) == 17.5


def test_arrays_go_to_other_libraries_by_dlpack_where_both_know_the_format():
    for fmt, dtype in ((fs.BINARY16, np.float16), (fs.BINARY32, np.float32), (fs.BINARY64, np.float64)):
        xp = fs.array_api(fmt)
        y = np.from_dlpack(xp.asarray([1.0, 0.5]))
        assert (y.dtype, y.tolist()) == (dtype, [1.0, 0.5])
        assert xp.from_dlpack(y).dtype == fmt
    xp = fs.array_api("bfloat16")
    assert np.from_dlpack(xp.asarray([1, 2])).tolist() == [1, 2]
    assert xp.from_dlpack(xp.asarray([0.5])).tolist() == [0.5]
    with pytest.raises(BufferError, match="bfloat16"):
        np.from_dlpack(xp.asarray([0.5]))


def test_stochastic_namespaces_compute_alike_and_share_their_random_numbers():
    draws = [fs.array_api("bfloat16", "stochastic", rng=7) for _ in range(2)]
    x = [xp.asarray(np.linspace(0, 1, 50)) * 0.3 for xp in draws]
    assert draws[0] == draws[1]
    assert hash(draws[0]) == hash(draws[1])
    assert x[0].tolist() == x[1].tolist()
    assert (x[0] * 0.3).tolist() != (x[0] * 0.3).tolist()


def test_namespaces_and_their_arrays_survive_pickling():
    xp = fs.array_api("bfloat16", "toward_zero", accumulator="kahan", strict=True)
    assert pickle.loads(pickle.dumps(xp)) is xp
    for x in (xp.asarray([1.0, 0.5]), xp.asarray([1, 2])):
        y = pickle.loads(pickle.dumps(x))
        assert (type(y), y.tolist(), y.__array_namespace__()) == (type(x), x.tolist(), xp)


def test_sorting_keeps_equal_elements_in_order_also_descending():
    xp = fs.array_api("binary16")
    x = xp.asarray([1.0, 3.0, 1.0, 2.0, 3.0])
    assert xp.argsort(x).tolist() == [0, 2, 3, 1, 4]
    assert xp.argsort(x, descending=True).tolist() == [1, 4, 3, 0, 2]
    assert xp.sort(x, descending=True).tolist() == [3.0, 3.0, 2.0, 1.0, 1.0]
    found = xp.unique_all(x)
    assert [part.tolist() for part in found] == [[1, 2, 3], [0, 3, 1], [0, 2, 0, 1, 2], [2, 1, 2]]


def test_creation_rounds_each_number_once_from_its_exact_value():
    xp = fs.array_api("bfloat16")
    assert xp.linspace(0, 1, 4).tolist() == fs.round_to([Fraction(k, 3) for k in range(4)], "bfloat16").tolist()
    assert xp.arange(0.0, 1, 0.25).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert (xp.arange(3).dtype, xp.arange(3.0).dtype) == (xp.int64, fs.BFLOAT16)
    assert xp.full((2,), 0.1).tolist() == [float(fs.round_to(0.1, "bfloat16"))] * 2
    assert (xp.full(2, 1).dtype, xp.full(2, True).dtype, xp.eye(2).dtype) == (xp.int64, xp.bool, fs.BFLOAT16)
    assert xp.fft.fftfreq(4).tolist() == [0.0, 0.25, -0.5, -0.25]
    assert xp.clip(xp.asarray([1, 100], dtype=xp.int8), 2, 300).tolist() == [2, 100]


def test_array_api_refuses_what_is_not_there():
    for call, words in [
        (lambda: fs.array_api("bfloat17"), "did you mean"),
        (lambda: fs.array_api("binary16", "up"), "mode='up'"),
        (lambda: fs.array_api("binary16", accumulator="kahn"), "did you mean 'kahan'"),
        (lambda: fs.array_api("binary16", strict=1), "strict=1"),
    ]:
        with pytest.raises((ValueError, TypeError), match=words):
            call()
    assert fs.array_api().__array_api_version__ == namespace.VERSION
    assert math.isnan(fs.array_api().nan)
