"""No layout, chunk size, thread or way to draw changes a result, a flag or a warning; and none takes much memory."""

import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim.formats import Rounding
from fp16sim.rounding import dispatch
from fp16sim.rounding import threads as thread_count
from fp16sim.rounding.kernels import buffers
from fp16sim.rounding.random_bits import draws_from
from fp16sim.rounding.reference import round_float64

from .support import MODES
from .test_kernels import FLUSHING, SATURATING, SIXTEEN, WIDE, assert_same_bits, by_general_path, words

pytestmark = pytest.mark.usefixtures("quiet")

# --- layouts, threads, chunks ---------------------------------------------------------------------------------------


@st.composite
def layouts(draw):
    """(x, what it is a view of): numbers of all sizes in any shape, stride, alignment, byte order and dtype."""
    shape = tuple(draw(st.lists(st.integers(0, 9), max_size=3)))
    dtype = np.dtype(draw(st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<f2"])))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    steps = [draw(st.sampled_from([1, 2, -1, -3])) for _ in shape]
    room = [n * abs(s) for n, s in zip(shape, steps, strict=True)]
    shift = draw(st.sampled_from([0, 0, 1, 4]))
    buffer = np.zeros(int(np.prod(room, dtype=int)) * dtype.itemsize + shift, np.uint8)
    base = np.ndarray(room, dtype, buffer, offset=shift, order=draw(st.sampled_from("CF")))
    scale = 2.0 ** rng.integers(-40, 30, room)
    base[...] = np.where(rng.random(room) < 0.1, rng.choice([np.inf, -np.inf, np.nan, -0.0, 0.0], room), scale)
    base[...] *= np.where(rng.random(room) < 0.5, rng.normal(size=room), rng.integers(-9, 9, room))
    return base[(..., *(slice(None, None, s) for s in steps))]


@given(
    x=layouts(),
    fmt=st.sampled_from([*SIXTEEN, fs.E4M3FN, SATURATING, FLUSHING, fs.TF32, WIDE]),
    mode=st.sampled_from(MODES),
    out=st.sampled_from([None, "fresh", "strided", "wide", "itself", "misaligned"]),
    threads=st.sampled_from([None, 1, 3]),
    recording=st.booleans(),
)
def test_no_layout_changes_a_result(x, fmt, mode, out, threads, recording):
    lifted = np.array(x, x.dtype.newbyteorder("=") if x.itemsize > 2 else np.float64, order="C")
    draws = None
    if mode is Rounding.STOCHASTIC:
        draws = np.random.default_rng(5).integers(0, 2**32, x.size, dtype=np.uint32).reshape(x.shape)
    with np.errstate(all="ignore"):
        expected = round_float64(lifted.astype(np.float64), fmt, mode, draws)
    narrow = x.itemsize == 4 and fmt.fits_in(fs.BINARY32)
    dtype = np.float32 if narrow else np.float64
    target = {
        None: lambda: None,
        "fresh": lambda: np.empty(x.shape, dtype),
        "strided": lambda: np.empty((*x.shape, 2), dtype)[..., 1],
        "wide": lambda: np.empty(x.shape),
        "itself": lambda: x if x.itemsize > 2 and (narrow or x.itemsize == 8) else None,
        "misaligned": lambda: np.ndarray(x.shape, dtype, np.zeros(x.size * 8 + 1, np.uint8), offset=1),
    }[out]()
    with np.errstate(all="ignore"):
        if recording:
            with fs.record_flags():
                got = fs.round_to(x, fmt, mode, rng=5, out=target, threads=threads)
        else:
            got = fs.round_to(x, fmt, mode, rng=5, out=target, threads=threads)
    assert target is None or got is target
    got = np.asarray(got)
    assert_same_bits(got.astype(np.float64), expected, fmt, lifted, mode=mode, out=out)


@pytest.mark.parametrize("shift", [-3, -1, 1, 5])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_out_that_overlaps_the_input_elsewhere_sees_the_input_as_it_was(shift, threads):
    memory = np.float32(np.random.default_rng(0).normal(size=300_000))
    x = memory[8:-8]
    expected = fs.round_to(x.copy(), "bfloat16")
    out = memory[8 + shift : memory.size - 8 + shift]
    assert_same_bits(fs.round_to(x, "bfloat16", out=out, threads=threads), expected, fs.BFLOAT16, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fmt", [*SIXTEEN, fs.E4M3FN, replace(fs.BINARY16, subnormals="flush_to_nearest")], ids=str)
def test_neither_threads_nor_chunks_change_a_result_or_a_flag(fmt, mode, monkeypatch):
    rng = np.random.default_rng(1)
    x = np.float32(rng.normal(size=(37, 2003)) * 2.0 ** rng.integers(-30, 18, (37, 2003)))
    results = []
    for size, threads in ((None, None), (1 << 14, 3), (1 << 12, 2), (999 * 4, 1), (1 << 22, 8)):
        if size:
            monkeypatch.setattr(buffers, "CHUNK_BYTES", size)
            monkeypatch.setattr(dispatch, "CHUNK", size // 8)
        for x_or_wide in (x, x.astype(np.float64)):
            with fs.record_flags() as raised:
                recorded = fs.round_to(x_or_wide, fmt, mode, rng=8, threads=threads)
            with fs.record_flags(only=["overflow"]) as overflowed:
                fs.round_to(x_or_wide, fmt, mode, rng=8, threads=threads)
            assert overflowed.overflow == raised.overflow
            quiet = fs.round_to(x_or_wide, fmt, mode, rng=8, threads=threads)
            assert (words(quiet) == words(recorded)).all()
            results.append((quiet.astype(np.float64), raised))
    for values, raised in results[1:]:
        assert_same_bits(values, results[0][0], fmt, x, mode=mode)
        assert raised == results[0][1]


def test_a_warning_comes_once_from_threads_too_and_points_here():
    x = np.float32(np.random.default_rng(1).normal(size=1 << 19))
    fs.round_to(x, threads=2)  # nothing to warn of, or this fails
    x[-1] = x[5] = 1e6
    for threads in (1, 2):
        with np.errstate(over="warn"), pytest.warns(RuntimeWarning, match="overflow encountered in round_to") as seen:
            fs.round_to(x, threads=threads)
        assert len(seen) == 1
        assert seen[0].filename == __file__
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            fs.round_to(x, threads=threads)


def test_an_error_in_a_thread_reaches_the_caller():
    x = np.zeros(1 << 20, np.float32)
    x[-1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fs.round_to(x, "e2m1fn", threads=3)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "2"])
def test_a_wrong_number_of_threads_is_refused(bad):
    with pytest.raises((ValueError, TypeError), match=f"threads={bad!r}"):
        fs.round_to([1.0], threads=bad)


# --- the default number of threads ----------------------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch):
    """machine(cores, load, variable): what the system says, for `default_threads`."""

    def tell(cores, load, variable=None):
        monkeypatch.setattr(thread_count, "cores", lambda: cores)
        monkeypatch.setattr(thread_count, "load", lambda: load)
        monkeypatch.delenv("FP16SIM_THREADS", raising=False)
        if variable is not None:
            monkeypatch.setenv("FP16SIM_THREADS", variable)

    return tell


def test_two_threads_share_a_large_array_if_a_core_is_free_unless_the_environment_says_otherwise(machine):
    large = thread_count.LARGE
    for cores, load, variable, size, expected in (
        (2, 0.0, None, large, 2),
        (2, 0.0, None, large - 1, 1),
        (1, 0.0, None, large, 1),
        (2, 2.5, None, large, 1),
        (8, 2.5, "", large, 2),
        (8, 0.0, "1", large, 1),
        (8, 0.0, " 3 ", large, 3),
        (8, 0.0, "3", large - 1, 1),
    ):
        machine(cores, load, variable)
        assert thread_count.default_threads(size) == expected
        assert thread_count.checked_threads(5, size) == 5
    for wrong in ("0", "-1", "two", "1.5"):
        machine(2, 0.0, wrong)
        with pytest.raises(ValueError, match=f"FP16SIM_THREADS='{wrong}' .* set it to 1"):
            fs.round_to(np.zeros(large, np.float32), "bfloat16")
        assert fs.round_to(np.zeros(2), "bfloat16").size == 2


def test_the_default_number_of_threads_changes_no_bit_and_no_flag(machine, monkeypatch):
    x = np.float32(np.random.default_rng(2).normal(size=thread_count.LARGE + 5) * 2.0**13)
    started, start = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (started.append(self), start(self)))
    found = []
    for load in (0.0, 9.0):
        machine(2, load)
        with fs.record_flags(only=["overflow"]) as raised:
            found.append((fs.round_to(x, "binary16"), raised.overflow, len(started)))
    (shared, flag, two), (alone, flag_alone, one) = found
    assert (two, one) == (1, 1)
    assert flag == flag_alone
    assert (words(shared) == words(alone)).all()


def test_where_no_thread_can_be_started_the_caller_does_all_the_work(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    x = np.float32(np.random.default_rng(1).normal(size=1 << 20))
    expected = fs.round_to(x, "bfloat16", threads=1)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert (words(fs.round_to(x, "bfloat16", threads=4)) == words(expected)).all()


# --- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.exhaustive), 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mode", MODES)
def test_a_call_needs_at_most_two_mebibytes_a_thread_beside_input_and_output(mode, dtype, threads):
    x = np.random.default_rng(0).normal(size=1 << 20).astype(dtype)
    for numbers in (x, x * dtype(1e6), np.full_like(x, np.nan)):
        for fmt in (*SIXTEEN, fs.E4M3FN, FLUSHING, replace(fs.E5M2, subnormals="flush_to_nearest")):
            out = np.empty_like(numbers)
            for memory in (buffers._memory.slots, buffers._memory.views):
                memory.clear()  # so that what is kept from call to call is counted as well
            tracemalloc.start()
            try:
                fs.round_to(numbers, fmt, mode, out=out, rng=1, threads=threads)
                assert tracemalloc.get_traced_memory()[1] <= threads * 2**21, (fmt, mode)
            finally:
                tracemalloc.stop()


def test_an_out_of_a_subclass_and_an_input_that_is_read_only():
    x = np.float32(np.random.default_rng(0).normal(size=(300, 500)))
    x.flags.writeable = False
    out = np.empty_like(x).view(np.matrix)
    assert fs.round_to(x, out=out) is out
    assert_same_bits(np.asarray(out), by_general_path(x, fs.BINARY16, Rounding.TIES_TO_EVEN), fs.BINARY16, x)


def test_a_memory_map_is_rounded_chunk_by_chunk_into_another(tmp_path):
    shape = (1000, 333)
    x = np.memmap(tmp_path / "x", np.float32, "w+", shape=shape)
    y = np.memmap(tmp_path / "y", np.float32, "w+", shape=shape)
    x[...] = np.random.default_rng(0).normal(size=shape)
    assert fs.round_to(x, "bfloat16", out=y, threads=2) is y
    expected = by_general_path(np.array(x), fs.BFLOAT16, Rounding.TIES_TO_EVEN)
    assert_same_bits(np.array(y), expected, fs.BFLOAT16, np.array(x))
    fs.round_to(x, "bfloat16", out=x)
    assert_same_bits(np.array(x), expected, fs.BFLOAT16, np.array(x))


# --- draws ----------------------------------------------------------------------------------------------------------

GENERATORS = (np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64, np.random.MT19937)


@given(
    source=st.sampled_from(GENERATORS),
    before=st.integers(0, 3),
    sizes=st.lists(st.integers(0, 9), max_size=8),
    after=st.integers(0, 3),
)
def test_draws_are_those_of_numpys_generator_however_they_are_asked_for(source, before, sizes, after):
    ours, numpys = (np.random.Generator(source(4)) for _ in range(2))
    n = before + sum(sizes) + after
    expected = numpys.integers(0, 2**32, n, dtype=np.uint32)
    drawn = [ours.integers(0, 2**32, before, dtype=np.uint32)]
    draw = draws_from(ours)
    drawn += [draw(size) for size in sizes]
    drawn.append(ours.integers(0, 2**32, after, dtype=np.uint32))
    assert (np.concatenate(drawn) == expected).all()
    assert all(part.dtype == np.uint32 for part in drawn)
    assert ours.integers(0, 2**60) == numpys.integers(0, 2**60)
