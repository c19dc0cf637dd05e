"""The faults: each wrong in its own way, frozen, and right but for that way."""

import dataclasses

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import cases, faults
from fp16sim.faults.roundings import right
from fp16sim.formats import Rounding
from fp16sim.teach.grading.results import same
from fp16sim.teach.grading.running import as_list
from fp16sim.teach.grading.tasks import TASKS, prepared

from .support import bit_patterns

pytestmark = pytest.mark.usefixtures("quiet")
EVEN = Rounding.TIES_TO_EVEN
ROUNDERS = [fault for fault in faults.suspects("rounding") if fault.rounder]
SHOWN_IN_NEAREST = [fault for fault in ROUNDERS if fault.name not in ("ties_to_even", "log2")]


def answers(fault, fmt="binary16", mode=EVEN):
    return bit_patterns(fault.answer("rounding", (cases.roundable(fmt),), fmt, mode))


def test_there_are_more_than_twenty_and_they_are_frozen_with_names_of_their_own():
    assert len(ROUNDERS) >= 30
    with pytest.raises(dataclasses.FrozenInstanceError):
        ROUNDERS[0].name = "right"
    for task in TASKS:
        names = [fault.name for fault in faults.suspects(task)]
        assert len(set(names)) == len(names), task


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_no_two_rounders_answer_alike_and_none_is_right(fmt):
    seen = {bit_patterns(right(cases.roundable(fmt), fs.get_format(fmt), EVEN)).tobytes(): "the right one"}
    for fault in SHOWN_IN_NEAREST:
        key = answers(fault, fmt).tobytes()
        assert key not in seen, f"{fault.name} answers like {seen.get(key)}"
        seen[key] = fault.name


@pytest.mark.parametrize(
    ("name", "x", "wrong"),
    [
        ("ties_up", -2051.0, -2050.0),
        ("ties_up", 2049.0, 2050.0),
        ("ties_away", -2049.0, -2050.0),
        ("truncates", 2051.0, 2050.0),
        ("floor_half", 0.49999999999999994 * 2**-24, 2.0**-24),
        ("drops_sign_of_zero", -0.0, 0.0),
        ("sign_of_underflow", -(2.0**-30), 0.0),
        ("flushes", 2.0**-15, 0.0),
        ("flushes_first", np.nextafter(2.0**-14, 0), 0.0),
        ("flushes_to_nearest", 1.5 * 2**-15, 2.0**-14),
        ("no_emin", 1.5 * 2**-25, 1.5 * 2**-25),
        ("subnormal_half", 1.125 * 2.0**-25, 2.0**-25),
        ("float32", 1 + 2.0**-11 + 2.0**-40, 1.0),
        ("late_overflow", 65520.0, 65504.0),
        ("early_overflow", 65505.0, np.inf),
        ("saturates", 70000.0, 65504.0),
        ("wraps", 65536.0, 65536.0 * 2.0**-31),
        ("never_overflows", 65520.0, 65536.0),
        ("int_log2", 0.75 + 2.0**-11, 0.75),
        ("no_sticky", 1 + 2.0**-11 + 2.0**-14, 1.0),
        ("loses_carry", 2 - 2.0**-11, 1.0),
        ("nan_to_inf", np.nan, np.inf),
        ("inf_to_max", -np.inf, -65504.0),
    ],
)
def test_a_fault_errs_in_the_way_that_it_says(name, x, wrong):
    fault = faults.find(name)
    assert bit_patterns(fault(x)) == bit_patterns(wrong)
    assert bit_patterns(fs.round_to(x)) != bit_patterns(wrong)


def test_log2_errs_just_below_powers_of_two_where_the_mode_truncates():
    x = np.nextafter(1024.0, 0)
    assert faults.find("log2")(x, "binary16", "toward_zero") == 1024 - 1.0
    assert fs.round_to(x, "binary16", "toward_zero") == 1024 - 0.5


@pytest.mark.parametrize("task", [name for name in TASKS if faults.suspects(name)])
def test_every_fault_of_a_task_gives_an_answer_for_each_case_and_most_show(task):
    given = prepared(TASKS[task], fs.BINARY16, EVEN, False)
    step = 1 + len(given.labels) // 900
    columns = [column[::step] for column in given.columns]
    expected = [tuple(y) if isinstance(y, (list, tuple)) else float(y) for y in as_list(given.expected)[::step]]
    shows = 0
    for fault in faults.suspects(task):
        wrong = as_list(fault.answer(task, columns, "binary16"))
        found = [tuple(y) if isinstance(y, list) else float(y) for y in wrong]
        assert len(found) == len(expected)
        shows += not all(map(same, expected, found))
    assert shows >= len(faults.suspects(task)) // 3


def test_a_name_or_task_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="name='ties' is not a fault of rounding; known: unrounded, truncates"):
        faults.find("ties")
    with pytest.raises(ValueError, match="task='decode' is not a task of ties_up"):
        faults.find("ties_up").answer("decode", ([0],))
