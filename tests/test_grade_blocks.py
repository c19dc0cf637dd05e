"""Graded quantizers of blocks: right ones in three styles pass, and planted faults are called by their names."""

import json
import math

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import faults
from fp16sim.cli import main
from fp16sim.faults.quantizers import RIGHT
from fp16sim.formats import Rounding
from fp16sim.teach import answers, grade
from fp16sim.teach.grading.block_tasks import BLOCK_TASKS, SPECIAL, rows, shown

from . import block_quantizers
from .support import first

EVEN = Rounding.TIES_TO_EVEN
BY_TASK = {"mxfp4": "quantize_mxfp4", "nvfp4": "quantize_nvfp4"}
each_task = pytest.mark.parametrize("task", BY_TASK)


def made(source, name):
    """A function of a source."""
    module = {}
    exec(source, module)
    return module[name]


def solution(task):
    return answers.worked(BY_TASK[task]).code


# --- right answers --------------------------------------------------------------------------------------------------


@each_task
@pytest.mark.parametrize("style", first(2, ["by_arrays", "by frexp", "by_fractions"]))
def test_a_right_quantizer_passes_in_three_styles(task, style):
    own = getattr(block_quantizers, f"{task}_{style}", None) or made(solution(task), BY_TASK[task])
    report = grade.run(own, task)
    assert report.verdict.startswith("passed: all 2"), f"\n{report}"


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", ["toward_zero", "to_odd", "ties_to_away"])
def test_the_quantizer_of_the_library_passes_in_every_mode(mode):
    def quantize(values, size):
        block = fs.blocks.Block("e2m1fn", "e8m0fnu", size)
        q = fs.blocks.quantize(values, block, mode=mode)
        return q.scale_codes, q.pack().elements

    assert grade.run(quantize, "mxfp4", mode=mode).passed


@pytest.mark.parametrize("task", first(0, list(BLOCK_TASKS)))
def test_the_steps_from_which_the_faults_are_made_are_right(task):
    block, rule = faults.SETTINGS[task]
    given = BLOCK_TASKS[task].inputs(block.element, EVEN, False)[0]
    truth = BLOCK_TASKS[task].truth(given, block.element, EVEN, False)
    assert [RIGHT(values, size, block, rule, EVEN) for values, size in zip(*given, strict=True)] == truth


def test_what_a_block_without_numbers_has_beside_its_scale_does_not_matter():
    def careless(values, size):
        scales, packed = block_quantizers.mxfp4_by_fractions(values, size)
        each = size // 2
        return scales, [0x53 if scales[i // each] == 255 else byte for i, byte in enumerate(packed)]

    assert grade.run(careless, "mxfp4").passed


# --- faults in code that somebody could have written ----------------------------------------------------------------

ELEMENTS = [
    ("high_first", "first + 16 * second", "16 * first + second"),
    ("beyond", "min(abs(x), 6.0)", "abs(x)"),
    ("sign_of_zero", "if math.copysign(1, x) < 0", "if x < 0 and code"),
    ("minus_zero", "if math.copysign(1, x) < 0", "if x < 0"),
    ("zero_division", "elif amax == 0:", "elif 1 / amax < 0:"),
    ("truncates", "round(size / step)", "int(size / step)"),
    (
        "ties_to_zero",
        "ELEMENTS.index(round(size / step) * step)",
        "min(range(8), key=lambda code: abs(ELEMENTS[code] - size))",
    ),
]
MXFP4 = [
    ("tensor_amax", "max(map(abs, block))", "max(map(abs, values))"),
    ("log2", "math.frexp(amax)[1] - 3", "math.floor(math.log2(amax)) - 2"),
    ("clamp_126", "-127)", "-126)"),
    ("nan_block", "if not all(map(math.isfinite, block)):", "if False:"),
    ("no_upper_clamp", ", 127)", ", 128)"),
    ("no_emax", "math.frexp(amax)[1] - 3", "math.frexp(amax)[1] - 1"),
    ("floor_half", "round(size / step)", "math.floor(size / step + 0.5)"),
    ("ties_away", "round(size / step)", "(int(size / step) + (size / step % 1 >= 0.5))"),
    *ELEMENTS,
    ("no_clamp", "max(math.frexp(amax)[1] - 3, -127)", "math.frexp(amax)[1] - 3"),
    ("zero_block", "elif amax == 0:", "elif False:"),
    ("inverted", "scales.append(e + 127)", "scales.append(max(127 - e, 0))"),
    ("int_log2", "math.frexp(amax)[1] - 3", "int(math.log2(amax)) - 2"),
    ("rceil", "math.frexp(amax)[1] - 3", "math.frexp(amax)[1] - 3 + (math.frexp(amax)[0] > 0.75)"),
    ("ceil", "math.frexp(amax)[1] - 3", "math.frexp(amax)[1] - 3 + (math.frexp(amax)[0] > 0.5)"),
]
NVFP4 = [
    ("no_tensor_scale", "float(np.float32(largest / 2688)) or 2.0**-149 if largest else 1.0", "1.0"),
    ("inverted_divisor", "largest / 2688", "2688 / largest"),
    ("tensor_amax", "max(map(abs, block))", "largest"),
    ("clamp_normal", "2.0**-9", "2.0**-6"),
    ("nan_block", "if block not in good:", "if False:"),
    ("ties_away", "round(size / step)", "math.floor(size / step + 0.5)"),
    *ELEMENTS,
    ("inverted_tensor", "return tensor,", "return float(np.float32(2688 / largest)) if largest else 1.0,"),
    ("tensor_by_6", "largest / 2688", "largest / 6"),
    ("unrounded_tensor", "np.float32(largest / 2688)", "largest / 2688"),
    (
        "no_clamp",
        "max(math.ldexp(round(math.ldexp(share, 3 - e)), e - 3), 2.0**-9)",
        "math.ldexp(round(math.ldexp(share, 3 - e)), e - 3)",
    ),
    ("unrounded_scale", "x / (scale * tensor)", "x / (amax / 6)"),
    ("zero_tensor_scale", "or 2.0**-149 if largest else 1.0", "or 2.0**-149"),
    ("scale_cut", "round(math.ldexp(share, 3 - e))", "int(math.ldexp(share, 3 - e))"),
]
PLANTED = [("mxfp4", *row) for row in MXFP4] + [("nvfp4", *row) for row in NVFP4]


@pytest.mark.parametrize(("task", "name", "right", "wrong"), first(1, PLANTED, unpack=True))
def test_a_planted_fault_is_called_by_its_name(task, name, right, wrong):
    assert right in solution(task)
    report = grade.run(made(solution(task).replace(right, wrong), BY_TASK[task]), task)
    assert report.misconception == faults.find(name, task).misconception, f"\n{report}"
    assert report.counterexample.shown.endswith(", 2)"), "a block of two numbers reveals it"
    assert len(report.counterexample.arguments[0]) <= 4


def test_there_are_at_least_ten_planted_faults_in_each_format():
    assert min(len({name for name, *_ in some}) for some in (MXFP4, NVFP4)) >= 10


@pytest.mark.exhaustive
@pytest.mark.parametrize("task", BLOCK_TASKS)
def test_every_fault_is_wrong_somewhere_and_no_two_answer_alike(task):
    given, _ = BLOCK_TASKS[task].inputs(BLOCK_TASKS[task].fmt, EVEN, False)
    truth = BLOCK_TASKS[task].truth(given, BLOCK_TASKS[task].fmt, EVEN, False)
    seen = {repr(truth): "the right one"}
    for fault in faults.suspects(task):
        key = repr(fault.answer(task, given, BLOCK_TASKS[task].fmt, EVEN))
        assert key not in seen, f"{fault.name} answers like {seen.get(key)}"
        seen[key] = fault.name


@pytest.mark.exhaustive
def test_two_faults_at_once_are_both_named():
    source = solution("mxfp4").replace("elif amax == 0:", "elif 1 / amax < 0:")
    report = grade.run(made(source.replace("-127)", "-126)"), "quantize_mxfp4"), "mxfp4")
    assert len(report.misconceptions) == 2


# --- lazy answers, and results of the wrong kind --------------------------------------------------------------------


@each_task
def test_no_answer_that_knows_nothing_passes(task):
    head = (1.0,) if task == "nvfp4" else ()
    lazy = [
        lambda values, size: (*head, [127] * (len(values) // size), [0] * (len(values) // 2)),
        lambda values, size: (*head, [], []),
    ]
    for answer in lazy:
        report = grade.run(answer, task)
        assert report.score < 15


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda values, size: 1.0, "returned 1.0, a float; return a tuple (scale codes, bytes)"),
        (lambda values, size: None, "returned None; is a `return` missing?"),
        (lambda values, size: (1, [], []), "returned 3 parts; return a tuple (scale codes, bytes)"),
        (lambda values, size: ([127], [256]), "returned 256 among the bytes; a byte is 0 to 255"),
        (lambda values, size: ([1.0], [0]), "returned 1.0; a code is an integer: return int(...)"),
        (lambda values, size: ([127], 0), "returned 0, a int; return a list of integers as bytes"),
        (lambda values, size: ([300], bytes(1)), "scale codes 0x12C; bytes 00"),
    ],
)
def test_a_result_of_the_wrong_kind_is_told_what_to_return(answer, says):
    assert grade.run(answer, "mxfp4").counterexample.got_text == says


def test_the_format_is_part_of_the_task_and_another_one_is_refused():
    with pytest.raises(ValueError, match="fmt=e4m3fn: the task mxfp4 has e2m1fn elements; leave the format out"):
        grade.run(len, "mxfp4", "e4m3fn")


def test_a_file_is_graded_on_the_command_line(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(solution("mxfp4").replace("-127)", "-126)"))
    assert main(["grade", f"{path}:quantize_mxfp4", "--task", "mxfp4", "--json"]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert report["misconceptions"] == [faults.find("clamp_126", "mxfp4").misconception]
    assert main(["grade", f"{path}:quantize_mxfp4", "--task", "mxfp4", "--format", "bfloat16"]) == 2
    assert "the block has its own" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_bytes_cross_the_pipe_from_the_process_of_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(solution("mxfp4").replace("return scales, pack(codes)", "return scales, bytes(pack(codes))"))
    assert main(["grade", f"{path}:quantize_mxfp4", "--task", "mxfp4"]) == 0


def test_the_cases_come_in_small_blocks_first_and_ordinary_ones_before_special_ones():
    given, labels = BLOCK_TASKS["mxfp4"].inputs(fs.E2M1FN, EVEN, False)
    lengths = [len(values) for values in given[0]]
    assert lengths == sorted(lengths)
    special = [(len(values), label in SPECIAL) for values, label in zip(given[0], labels, strict=True)]
    assert special == sorted(special)
    assert {size for _, _, size in rows(fs.blocks.get_block("nvfp4"))} == {2, 4, 8, 16}
    assert any(not math.isfinite(x) for values in given[0] for x in values)


def test_an_answer_is_shown_with_the_values_that_it_stands_for():
    assert shown((0.5, [56], [0x27]), "nvfp4") == "tensor scale 0.5; scale codes 0x38; bytes 27; values 3, 0.5"
    assert shown(([300, -1], [1]), "mxfp4") == "scale codes 0x12C -1; bytes 01"
    assert shown(([127], [0] * 20), "mxfp8").count("00") == 8
    assert np.float32(0.5) == 0.5
