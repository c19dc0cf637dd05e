"""Dask arrays: rounding and blocks of any chunks are those of the whole array, to the last bit."""

import numpy as np
import pytest

import fp16sim as fs

from . import support

da = pytest.importorskip("dask.array")

SHAPE = (5, 4, 6)
CHUNKS = [SHAPE, (2, 3, 6), (3, 4, 4), (2, 1, 1), (5, 2, 5)]
RANDOM = {"mode": "stochastic", "rng": 5}
MODES = ["ties_to_even", "stochastic", "stochastic_8_half", "toward_zero"]


def seeded(mode):
    return {"mode": mode, "rng": 3} if "stochastic" in mode else {"mode": mode}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", support.first(2, [np.float32, np.int16, np.float64]))
def test_rounding_does_not_depend_on_the_chunks(mode, dtype):
    x = (np.random.default_rng(0).normal(size=SHAPE) * 100).astype(dtype)
    whole = fs.round_to(x, "e4m3fn", **seeded(mode))
    for chunks in CHUNKS:
        found = fs.dask_arrays.round_to(da.from_array(x, chunks=chunks), "e4m3fn", **seeded(mode))
        assert found.dtype == whole.dtype
        np.testing.assert_array_equal(found.compute(scheduler="synchronous"), whole, strict=True)


@pytest.mark.parametrize("chunks", [(3, 5001), (3, 100_000), (1, 300_000), (2, 7)])
def test_long_rows_take_their_own_draws(chunks):
    x = np.random.default_rng(0).random((4, 300_000 if chunks[1] > 10 else 21), dtype=np.float32)
    whole = fs.round_to(x, "bfloat16", "stochastic", rng=9)
    found = fs.dask_arrays.round_to(da.from_array(x, chunks=chunks), "bfloat16", "stochastic", rng=9)
    np.testing.assert_array_equal(found.compute(scheduler="synchronous"), whole)


@pytest.mark.parametrize("block", support.first(2, ["nvfp4", "mxint8", "mxfp8"]))
@pytest.mark.parametrize("settings", support.first(2, [{}, RANDOM, {"axis": 0}, {"axis": 0, **RANDOM}]))
def test_blocks_do_not_depend_on_the_chunks(block, settings):
    x = np.random.default_rng(1).normal(size=(40, 50))
    x[0, 0], x[3, 3] = 1000.0, np.inf  # the largest finite magnitude shares no block with what is not finite
    whole = fs.blocks.quantize(x, block, pad="zeros", **settings)
    for chunks in [(40, 50), (10, 10), (40, 7), (1, 50)]:
        found = fs.dask_arrays.quantize(da.from_array(x, chunks=chunks), block, pad="zeros", **settings)
        for name in ("values", "codes", "scale_codes"):
            part, expected = getattr(found, name), getattr(whole, name)
            assert (part.shape, part.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_array_equal(part.compute(scheduler="synchronous"), expected)
        scale = found.tensor_scale
        assert (None if scale is None else float(scale.compute(scheduler="synchronous"))) == whole.tensor_scale


def test_the_steps_of_a_library_have_their_tensor_scale_too():
    x = np.random.default_rng(1).normal(size=(8, 64))
    whole = fs.blocks.quantize(x, "nvfp4", scale_rule="torchao")
    found = fs.dask_arrays.quantize(da.from_array(x, chunks=(3, 20)), "nvfp4", scale_rule="torchao")
    np.testing.assert_array_equal(found.codes.compute(scheduler="synchronous"), whole.codes)


def test_a_part_of_a_tensor_is_quantized_as_in_the_whole_when_it_is_told_the_largest_magnitude():
    x = np.random.default_rng(1).normal(size=64)
    whole = fs.blocks.quantize(x, "nvfp4")
    part = fs.blocks.quantize(x[:16], "nvfp4", amax=float(np.abs(x).max()))
    np.testing.assert_array_equal(part.codes, whole.codes[:16])
    assert part.tensor_scale == whole.tensor_scale
    saturated = fs.blocks.quantize(x, "nvfp4", amax=1e-3)
    assert np.abs(saturated.values).max() == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fs.dask_arrays.round_to(np.ones(3)), r"x=array.* is not a Dask array"),
        (lambda: fs.dask_arrays.quantize([1.0], "mxfp4"), "is not a Dask array"),
        (lambda: fs.dask_arrays.round_to(da.ones(3), "no-such"), "no-such"),
        (
            lambda: fs.dask_arrays.round_to(da.ones(3), "half", "stochastic", rng=np.random.default_rng(0)),
            "give a seed",
        ),
        (lambda: fs.dask_arrays.round_to(da.ones(3), "half", "stochastic", rng=-1), "rng=-1 is negative"),
        (
            lambda: fs.dask_arrays.round_to((x := da.arange(9))[x > 3], "half", "stochastic", rng=0),
            "unknown size; call x.compute_chunk_sizes",
        ),
        (lambda: fs.dask_arrays.quantize(da.ones((4, 33)), "mxfp4"), r"x.shape=\(4, 33\) is no multiple"),
        (lambda: fs.dask_arrays.quantize(da.ones((4, 32)), "mxfp4", scale_rule="best"), "scale_rule='best' is unknown"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp4", amax=1.0), "amax=1.0 has no effect"),
        (lambda: fs.blocks.quantize(np.ones(32), "nvfp4", amax=-1.0), "amax=-1.0 is not a magnitude"),
        (lambda: fs.blocks.quantize(np.ones(32), "nvfp4", amax="1"), "amax='1' is not a number"),
    ],
)
def test_what_cannot_be_rounded_in_chunks_is_refused_before_anything_is_computed(call, said):
    with pytest.raises((ValueError, TypeError), match=said):
        call()
