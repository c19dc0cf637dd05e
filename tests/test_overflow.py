"""Overflow conventions by name: each against the library that it is named after."""

import pickle
from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import Rounding, get_format
from fp16sim.overflow import CONVENTIONS, get_overflow

from .support import count_cases, within_ml_dtypes

pytestmark = pytest.mark.usefixtures("quiet")


def bits(values):
    """The bits of float64 numbers, with one NaN for all: == would take -0 for 0."""
    values = np.asarray(values, np.float64)
    return np.where(np.isnan(values), np.nan, values).view(np.uint64)


STATED = [(name, fmt) for name, convention in CONVENTIONS.items() for fmt in convention.formats]


def around_the_top(fmt):
    """float32 numbers around the end of a format's range and far beyond, both infinities and NaN."""
    top, ulp = float(fmt.max_finite), float(fmt.max_finite) - fs.next_down(float(fmt.max_finite), fmt)
    x = np.float64([top, top + ulp / 4, top + ulp / 2, top + ulp * 3 / 4, top + ulp, top + ulp * 2, 4 * top, 1.0, 0.0])
    x = np.float32(np.minimum(x, np.finfo(np.float32).max))
    x = np.concatenate([x, np.nextafter(x, np.float32(0)), np.nextafter(x, np.float32(np.inf))])
    return np.concatenate([x, -x, np.float32([np.inf, -np.inf, np.nan])])


def assert_same_values(theirs, x, fmt, convention):
    """A NaN is a NaN, of any code; everything else is equal in sign and value."""
    if not get_format(fmt).has_nan and not CONVENTIONS[convention].nan:
        x, theirs = x[~np.isnan(x)], theirs[~np.isnan(x)]
    ours = np.float64(fs.round_to(x, fmt, overflow=convention))
    same = bits(theirs) == bits(ours)
    assert same.all(), (fmt, convention, x[~same], theirs[~same], ours[~same])
    count_cases(x.size, "overflow conventions")


@pytest.mark.parametrize("fmt", CONVENTIONS["ml_dtypes"].formats)
def test_ml_dtypes_does_as_its_convention_says(fmt):
    name = fmt.removesuffix("_ieee")
    dtype = getattr(ml_dtypes, name, None) or getattr(ml_dtypes, f"float{get_format(fmt).width}_{name}")
    x = within_ml_dtypes(around_the_top(get_format(fmt)), get_format(fmt))
    assert_same_values(x.astype(dtype).astype(np.float64), x, fmt, "ml_dtypes")


@pytest.mark.parametrize("fmt", [name for name in CONVENTIONS["pytorch"].formats if name != "binary64"])
def test_pytorch_does_as_its_convention_says(fmt):
    torch = pytest.importorskip("torch")
    usual = {"binary16": "float16", "binary32": "float32", "bfloat16": "bfloat16"}
    dtype = getattr(torch, usual.get(fmt) or f"float8_{fmt}")
    x = around_the_top(get_format(fmt))
    assert_same_values(torch.from_numpy(x).to(dtype).to(torch.float64).numpy(), x, fmt, "pytorch")


ONNX = {"binary16": "FLOAT16", "binary32": "FLOAT", "bfloat16": "BFLOAT16", "e2m1fn": "FLOAT4E2M1"}


@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("fmt", [name for name in CONVENTIONS["onnx-saturate"].formats if name != "binary64"])
def test_onnx_does_as_its_convention_says(fmt, saturate):
    onnx = pytest.importorskip("onnx")
    cast_to = pytest.importorskip("onnx.reference.ops.op_cast").cast_to
    x = around_the_top(get_format(fmt))
    to = getattr(onnx.TensorProto, ONNX.get(fmt) or f"FLOAT8{fmt.upper()}")
    theirs = cast_to(x, to, saturate).astype(np.float64)
    assert_same_values(theirs, x, fmt, "onnx-saturate" if saturate else "onnx-no-saturate")


# What the host functions of CUDA 13.0 (cuda_fp8.hpp, cuda_fp6.hpp, cuda_fp4.hpp) gave for these numbers, as codes.
CUDA_INPUTS = [1e30, -1e30, np.inf, -np.inf, np.nan, 449.0, 464.0, 465.0, 480.0, 61440.0, 61439.0]
CUDA = {
    ("cuda-satfinite", "e4m3fn"): [126, 254, 126, 254, 127, 126, 126, 126, 126, 126, 126],
    ("cuda-satfinite", "e5m2"): [123, 251, 123, 251, 126, 95, 95, 95, 96, 123, 123],
    ("cuda-satfinite", "e2m3fn"): [31, 63, 31, 63, 31, 31, 31, 31, 31, 31, 31],
    ("cuda-satfinite", "e3m2fn"): [31, 63, 31, 63, 31, 31, 31, 31, 31, 31, 31],
    ("cuda-satfinite", "e2m1fn"): [7, 15, 7, 15, 7, 7, 7, 7, 7, 7, 7],
    ("cuda-no-saturate", "e4m3fn"): [127, 255, 127, 255, 127, 126, 126, 127, 127, 127, 127],
    ("cuda-no-saturate", "e5m2"): [124, 252, 124, 252, 126, 95, 95, 95, 96, 124, 123],
}


@pytest.mark.parametrize(("convention", "fmt"), CUDA)
def test_codes_are_those_of_cudas_host_functions(convention, fmt):
    assert fs.encode(CUDA_INPUTS, fmt, overflow=convention).tolist() == CUDA[convention, fmt]
    ocp = "ocp-saturating" if convention == "cuda-satfinite" else "ocp-non-saturating"
    numbers = [x for x in CUDA_INPUTS if not np.isnan(x)]
    assert (fs.encode(numbers, fmt, overflow=ocp) == fs.encode(numbers, fmt, overflow=convention)).all()


@pytest.mark.parametrize(("convention", "fmt"), STATED)
def test_the_exact_layer_and_the_flags_agree_in_every_mode(convention, fmt):
    with_it = get_format(f"{fmt},overflow={convention}")
    if not with_it.fits_in(fs.BINARY64):
        return
    x = around_the_top(with_it)
    x = x[~np.isnan(x)] if not with_it.has_nan and with_it.nan_code is None else x
    for mode in Rounding:
        if mode is Rounding.STOCHASTIC:
            continue
        with fs.record_flags() as raised:
            ours = np.float64(fs.round_to(x, fmt, mode, overflow=convention))
        judged = [exact.round_operand(exact.as_exact(float(one)), with_it, mode) for one in x]
        assert (bits([float(result.value) for result in judged]) == bits(ours)).all()
        assert set(raised.names()) == set().union(*(result.flags for result in judged))


@pytest.mark.parametrize(("convention", "fmt"), STATED)
def test_the_convention_is_in_the_name_which_is_read_back(convention, fmt):
    cast = fs.array([1.0], "binary32").astype(fmt, overflow=convention).fmt
    assert cast.name == f"{fmt},overflow={convention}"
    assert cast.overflow == convention
    for again in (get_format(cast.name), get_format(cast.to_dict()), pickle.loads(pickle.dumps(cast))):
        assert again == cast
        assert again.name == cast.name
    flushing = get_format(f"{fmt}, overflow={convention}, subnormals=flush_to_zero") if cast.zero else cast
    assert get_format(flushing.name) == flushing
    assert flushing.overflow == convention


def test_explanations_say_which_convention_was_used():
    for given in (500, "inf"):
        assert "The overflow convention is pytorch" in str(fs.explain.rounding(given, "e4m3fn", overflow="pytorch"))
    assert "The overflow convention is ml_dtypes" in str(fs.explain.rounding("nan", "e2m1fn", overflow="ml_dtypes"))
    assert "convention" not in str(fs.explain.rounding(1.1, "e4m3fn", overflow="pytorch"))
    assert fs.explain.rounding(500, "e4m3fn", overflow="pytorch").to_dict()["fmt"]["name"] == "e4m3fn,overflow=pytorch"


def test_another_saturate_takes_the_convention_from_the_name():
    plain = fs.explain.rounding(500, "e4m3fn,overflow=pytorch", saturate=False).fmt
    assert (plain, plain.name, plain.overflow) == (fs.E4M3FN, "e4m3fn", "")
    assert replace(fs.E4M3FN, name="mine,overflow=tea").overflow == ""


@pytest.mark.parametrize(
    ("fmt", "given", "fragments"),
    [
        ("e4m3fn", {"overflow": "pytroch"}, ["overflow='pytroch'", "did you mean 'pytorch'", "'cuda-satfinite'"]),
        ("e4m3fn", {"overflow": "pytorch", "saturate": True}, ["saturate=True", "overflow='pytorch'", "leave one out"]),
        ("binary16", {"overflow": "ocp-saturating"}, ["says nothing about binary16", "e4m3fn", "saturate=True"]),
        ("e4m3fn,overflow=tea", {}, ["fmt='e4m3fn,overflow=tea'", "overflow='tea'"]),
        ("e4m3fn,overflow=pytorch,saturate=true", {}, ["overflow=pytorch", "saturate=true", "leave one out"]),
        ("e4m3fn,overflow=pytorch,overflow=ieee", {}, ["given twice"]),
        ("overflow=pytorch", {}, ["must state a format", "e4m3fn,overflow=pytorch"]),
        ("e4m3fn,overflw=pytorch", {}, ["did you mean 'overflow'"]),
    ],
)
def test_what_is_no_convention_is_refused(fmt, given, fragments):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        fs.round_to(1.0, fmt, **given)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match="overflow=3 is not a name"):
        fs.round_to(1.0, "e4m3fn", overflow=3)


def test_every_convention_is_found_by_its_name_and_states_its_source():
    for name, convention in CONVENTIONS.items():
        assert get_overflow(name.upper()) is get_overflow(name.replace("-", "_")) is convention
        assert convention.source
        assert convention.checked
        assert all(get_format(fmt).name == fmt for fmt in convention.formats)
        assert not set(convention.saturates) & set(convention.overflows)


def test_the_page_has_the_same_table():
    page = Path(__file__).parents[1] / "tutorials" / "reference" / "casts.md"
    rows = [line.split("|")[1:4] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = {name.strip(" `"): (tuple(some.split()), tuple(others.split())) for name, some, others in rows}
    assert listed == {name: (one.saturates, one.overflows) for name, one in CONVENTIONS.items()}
