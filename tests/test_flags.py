"""record_flags and errstate: counts, first offenders, nesting, threads, warnings that point at the user's line."""

import contextvars
import io
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.flags import Flag

FLAGS = ("invalid", "divide_by_zero", "overflow", "underflow", "inexact", "absorbed")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: fs.round_to([1.0, 0.1, 0.2]), {"inexact": (2, "round_to", (1,))}),
        (lambda: fs.round_to(1e-9), {"inexact": (1, "round_to", ()), "underflow": (1, "round_to", ())}),
        (
            lambda: fs.round_to([[1, 2], [3, 1e9]]),
            {"inexact": (1, "round_to", (1, 1)), "overflow": (1, "round_to", (1, 1))},
        ),
        (lambda: fs.round_to(["1/3", 10**30]), {"inexact": (2, "round_to", (0,)), "overflow": (1, "round_to", (1,))}),
        (lambda: fs.round_to([np.inf, np.nan, -0.0, 2.0**-24]), {}),
        (lambda: fs.round_to(np.inf, "e4m3fn"), {"inexact": (1, "round_to", ()), "overflow": (1, "round_to", ())}),
        (lambda: fs.add([1, 2048], 1), {"inexact": (1, "add", (1,)), "absorbed": (1, "add", (1,))}),
        (
            lambda: fs.divide([[1.0], [0.0]], [0.0, 2.0]),
            {"divide_by_zero": (1, "divide", (0, 0)), "invalid": (1, "divide", (1, 0))},
        ),
        (lambda: fs.divide(np.inf, 0), {}),
        (lambda: fs.sqrt([4, -4]), {"invalid": (1, "sqrt", (1,))}),
        (lambda: fs.subtract([np.inf, np.nan], np.inf), {"invalid": (1, "subtract", (0,))}),
        (lambda: fs.multiply(np.inf, [1.0, 0.0]), {"invalid": (1, "multiply", (1,))}),
        (lambda: fs.fma(np.inf, 0, np.nan), {"invalid": (1, "fma", ())}),
        (lambda: fs.fma(np.inf, 1, np.nan), {}),
        (lambda: fs.fma(np.nan, 1, [np.nan, 1]), {}),
        (lambda: fs.ieee_remainder([1, np.inf, 3], [0, 1, np.inf]), {"invalid": (2, "ieee_remainder", (0,))}),
        (lambda: fs.multiply(2.0**-14, 2.0**-14), {"inexact": (1, "multiply", ()), "underflow": (1, "multiply", ())}),
        (lambda: fs.multiply(2.0**-14, 0.5), {}),  # subnormal, but exact
        (lambda: fs.add(0.1, 1.0), {"inexact": (2, "round_to", ())}),  # the operand first, then the sum
        (lambda: fs.less([1, np.nan], 1, signaling=True), {"invalid": (1, "less", (1,))}),
        (lambda: fs.less([1, np.nan], 1), {}),
        (lambda: fs.next_up([0.1, 65504.0]), {}),
    ],
)
def test_each_exception_is_counted_and_its_first_offender_named(call, expected):
    with np.errstate(all="ignore"), fs.record_flags() as raised:
        call()
    found = {name: getattr(raised, name) for name in FLAGS if getattr(raised, name)}
    assert found == {name: Flag(*facts) for name, facts in expected.items()}
    assert raised.names() == tuple(name for name in FLAGS if name in expected and name != "absorbed")


def test_a_number_that_rounds_up_to_min_normal_is_tiny_before_rounding_only():
    x = 2.0**-14 * (1 - 2.0**-13)
    with fs.record_flags() as after, fs.record_flags(tininess="before") as before:
        assert fs.round_to(x) == 2.0**-14
        fs.round_to(str(x) if str(x) != x else x)  # and by way of the exact layer
    assert after.names() == ("inexact",)
    assert before.names() == ("underflow", "inexact")
    assert before.underflow.count == 2


def test_an_outer_recorder_records_what_an_inner_one_does_and_not_the_other_way_round():
    with fs.record_flags() as outer:
        fs.round_to(0.1)
        with fs.record_flags() as inner:
            fs.round_to([0.1, 0.2])
        fs.round_to(0.1)
    fs.round_to(0.1)
    assert (outer.inexact.count, inner.inexact.count) == (4, 2)


def test_a_recorder_closes_when_the_block_raises():
    with pytest.raises(ZeroDivisionError), fs.record_flags() as raised:
        raise ZeroDivisionError
    fs.round_to(0.1)
    assert not raised.names()


def test_only_the_exceptions_asked_for_are_collected():
    with np.errstate(all="ignore"), fs.record_flags(only=["overflow"]) as raised:
        fs.round_to([1e9, 0.1, 1e-9])
    assert raised.names() == ("overflow",)
    with np.errstate(all="ignore"), fs.record_flags(only=[]) as none, fs.record_flags(only=["underflow"]) as under:
        fs.round_to([1e9, 0.1, 1e-9])
        fs.multiply(1e-4, 1e-5)
    assert none.names() == ()
    assert under.underflow.count == 3  # 1e-9, the operand 1e-5 rounded among the subnormals, and the product


def test_flags_of_chunks_add_up_and_the_index_counts_from_the_start():
    x = np.zeros((3, 50_000))
    x[1, 49_999] = x[2, 17] = x[2, 18] = 0.1
    with fs.record_flags() as raised:
        fs.round_to(x)
    assert raised.inexact == Flag(3, "round_to", (1, 49_999))
    with fs.record_flags() as raised:
        fs.round_to(np.asfortranarray(x))
    assert raised.inexact == Flag(3, "round_to", (1, 49_999))


@pytest.mark.parametrize(
    ("bad", "fragments"),
    [
        ({"tininess": "during"}, ["tininess='during'", "'after'"]),
        ({"only": ["overflw"]}, ["overflw", "use some of", "overflow"]),
    ],
)
def test_a_wrong_option_is_refused(bad, fragments):
    with pytest.raises(ValueError, match=".*".join(fragments)), fs.record_flags(**bad):
        pass


# --- threads --------------------------------------------------------------------------------------------------------


def test_each_thread_has_its_own_recorders():
    heard = {}

    def work(n):
        with fs.record_flags() as mine:
            for _ in range(n):
                fs.round_to([0.1, 0.2])
        heard[n] = mine.inexact.count

    with fs.record_flags() as main:
        threads = [threading.Thread(target=work, args=(n,)) for n in (5, 50, 500)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert heard == {5: 10, 50: 100, 500: 1000}
    assert not main.inexact


def test_threads_that_are_given_the_context_share_a_recorder_and_the_counts_are_right():
    with fs.record_flags() as shared, ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(contextvars.copy_context().run, fs.round_to, [0.1, 1.0, 0.3]) for _ in range(400)]
        assert all(job.result()[1] == 1.0 for job in jobs)
    assert shared.inexact == Flag(800, "round_to", (0,))


# --- NumPy's errstate -----------------------------------------------------------------------------------------------

SITUATIONS = {
    "overflow": (lambda: fs.round_to(1e9), "over", "overflow encountered in round_to", 2),
    "underflow": (lambda: fs.round_to(1e-9), "under", "underflow encountered in round_to", 4),
    "divide_by_zero": (lambda: fs.divide(1.0, 0.0), "divide", "divide by zero encountered in divide", 1),
    "invalid": (lambda: fs.sqrt(-1.0), "invalid", "invalid value encountered in sqrt", 8),
}
situations = pytest.mark.parametrize(("call", "key", "message", "number"), SITUATIONS.values(), ids=SITUATIONS)


@situations
def test_errstate_can_raise_or_warn_or_call_or_log_or_print_or_ignore(call, key, message, number, capsys):
    with np.errstate(all="ignore"):
        call()
    with np.errstate(all="ignore", **{key: "raise"}), pytest.raises(FloatingPointError, match=message):
        call()
    with np.errstate(all="ignore", **{key: "warn"}), pytest.warns(RuntimeWarning, match=message):
        call()
    heard, log = [], io.StringIO()
    with np.errstate(all="ignore", **{key: "call"}, call=lambda *args: heard.append(args)):
        call()
    assert heard == [(message.split(" encountered")[0], number)]
    with np.errstate(all="ignore", **{key: "log"}, call=log):
        call()
    assert log.getvalue() == f"Warning: {message}\n"
    with np.errstate(all="ignore", **{key: "print"}):
        call()
    assert capsys.readouterr().out == f"Warning: {message}\n"


@situations
def test_a_warning_does_not_depend_on_a_recorder(call, key, message, number):
    with fs.record_flags() as raised, np.errstate(**{key: "warn"}), pytest.warns(RuntimeWarning, match=message):
        call()
    assert raised.names()


def test_numpys_defaults_warn_of_overflow_and_ignore_underflow_and_inexact():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fs.round_to([0.1, 1e-9])
        fs.add(np.inf, 1.0)
        fs.multiply(np.nan, 0.0)
        for call, key, message, _ in SITUATIONS.values():
            if key != "under":
                with pytest.raises(RuntimeWarning, match=message):
                    call()


@pytest.mark.parametrize(
    "call", [lambda: fs.round_to(1e9), lambda: fs.encode("1e9"), lambda: fs.multiply(60000, 2), lambda: fs.divide(1, 0)]
)
def test_a_warning_points_at_the_line_of_the_user(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert [w.filename for w in caught] == [__file__]


def test_the_exact_layer_and_the_fast_path_warn_alike():
    for fmt, mode in (("binary64", "ties_to_even"), ("binary64", "toward_positive"), ("binary32", "ties_to_even")):
        big = fs.get_format(fmt).max_finite
        with pytest.warns(RuntimeWarning, match="overflow encountered in multiply"):
            fs.multiply(big, 2, fmt, mode)
        with pytest.warns(RuntimeWarning, match="invalid value encountered in multiply"):
            fs.multiply(np.inf, 0, fmt, mode)


def test_a_raising_errstate_still_tells_the_recorder():
    with fs.record_flags() as raised, np.errstate(over="raise"), pytest.raises(FloatingPointError):
        fs.round_to(1e9)
    assert raised.names() == ("overflow", "inexact")


def test_making_a_table_raises_no_flags_in_the_call_that_needs_it_first():
    from fp16sim.elementary import evaluation

    evaluation._table.cache_clear()
    x = fs.array(np.full(evaluation.ELEMENTS_FOR_A_TABLE, 0.5, np.float32), "binary16")
    with fs.record_flags(only=("overflow", "invalid", "divide_by_zero")) as raised:
        x.exp()
    assert not raised.names()


@pytest.mark.parametrize("name", ["add", "multiply", "divide"])
def test_overflows_by_hardware_are_counted_as_those_of_the_clear_path(name):
    x = np.array([65504.0, 65504.0, np.inf, np.nan, 1.0, -65504.0, 0.0], np.float32)
    y = np.array([65504.0, 0.0, 1.0, 2.0, 0.0, -65504.0, 0.0], np.float32)
    y = y if name != "divide" else y * np.float32(2.0**-24)
    with np.errstate(all="ignore"):
        with fs.record_flags(only=("overflow",)) as fast:
            getattr(fs, name)(x, y, "binary16")
        with fs.record_flags() as clear:
            getattr(fs, name)(x, y, "binary16")
    assert (fast.overflow.count, fast.overflow.index) == (clear.overflow.count, clear.overflow.index)
