"""The audit: planted faults are named, right functions are cleared, sums show their order, crashes cost a line."""

import json
import math
import random
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import audit
from fp16sim.audit import report, summation
from fp16sim.audit.auditing import measure, parts
from fp16sim.audit.block_probe import judge_blocks
from fp16sim.audit.inputs import columns_of, numbers
from fp16sim.audit.judge import judge
from fp16sim.audit.subject import Accuracy, BlockCheck, Check
from fp16sim.audit.subjects import SUBJECTS
from fp16sim.cli import main
from fp16sim.faults import find
from tests.support import first

PLANTED = [
    # task, fault, format: none of these formats is used in another test of the table of faults
    ("rounding", "truncates", "e4m5"),
    ("rounding", "ties_away", "e5m4"),
    ("rounding", "ties_to_odd", "e4m6"),
    ("rounding", "drops_sign_of_zero", "e6m3"),
    ("rounding", "flushes", "e3m5"),
    ("rounding", "late_overflow", "e4m4"),
    ("rounding", "float32", "e5m6"),
    ("rounding", "no_sticky", "e3m6"),
    ("rounding", "loses_carry", "e6m4"),
    ("rounding", "nan_to_zero", "e4m7"),
    ("rounding", "flushes_to_nearest", "e5m3"),
    ("rounding", "no_emin", "e4m5"),
    ("rounding", "subnormal_double", "e3m6"),
    ("rounding", "early_overflow", "e6m5"),
    ("rounding", "saturates", "e5m5"),
    ("rounding", "int_log2", "e5m4"),
    ("add", "no_guard_bits", "e4m5"),
    ("divide", "by_reciprocal", "e5m3"),
    ("fma", "two_roundings", "e4m4"),
    ("parse", "float64_text", "e5m6"),
]


def faulty(task, name, fmt):
    """A function with that fault alone."""
    fault = find(name, task)

    def function(*columns):
        answers = fault.answer(task, [np.atleast_1d(column) for column in columns], fmt)
        return np.reshape(answers, np.shape(columns[0]))

    return function


@pytest.mark.parametrize(("task", "name", "fmt"), first(6, PLANTED, unpack=True))
def test_a_planted_fault_is_named_and_its_example_is_wrong(task, name, fmt):
    found = audit.check(faulty(task, name, fmt), fmt, task=task)
    assert [cause.name for cause in found.causes] == [name]
    assert found.causes[0].count == found.wrong > 0
    check_example(found.causes[0].example)


def check_example(example):
    """Its line gives what it says is right, and that is not what the function gave."""
    with np.errstate(all="ignore"):
        value = eval(example.line, {"fs": fs})
    assert repr(float(value)) == example.right != example.got


PAIRS = [("ties_away", "flushes"), ("drops_sign_of_zero", "late_overflow"), ("nan_to_zero", "ties_to_zero")]


@pytest.mark.parametrize(("one", "other"), first(2, PAIRS, unpack=True))
def test_two_faults_are_two_causes_with_an_example_of_each(one, other):
    fmt = fs.get_format("e4m6")

    def both(x):
        right, by_one, by_other = fs.round_to(x, fmt), find(one)(x, fmt), find(other)(x, fmt)
        return np.where(by_one.view(np.uint64) != right.view(np.uint64), by_one, by_other)

    with np.errstate(all="ignore"):
        found = audit.check(both, fmt)
    assert {cause.name for cause in found.causes} == {one, other}
    assert found.several
    assert sum(cause.count for cause in found.causes) == found.wrong
    assert "several causes: 2" in report.to_text(audit.Audit((audit.Findings("x", verdicts=(found,)),), {}))
    for cause in found.causes:
        check_example(cause.example)


def test_what_no_known_fault_gives_is_said_by_what_is_seen():
    found = audit.check(lambda x: np.where(x == 3.0, 5.0, fs.round_to(x, "e4m3_ieee")), "e4m3_ieee")
    assert [(cause.name, cause.words, cause.example.given) for cause in found.causes] == [
        ("", "is off by more than one ulp", "3.0")
    ]
    assert (found.wrong, found.worst) == (1, 8.0)


def test_a_fault_that_shows_at_one_tie_of_many_is_not_named():
    tie = 1 + 2.0**-5
    found = audit.check(lambda x: np.where(x == tie, 1 + 2.0**-4, fs.round_to(x, "e4m4")), "e4m4")
    assert [(cause.name, cause.count) for cause in found.causes] == [("", 1)]
    assert "a tie" in found.causes[0].example.why


def test_the_line_of_a_format_of_ones_own_says_all_about_it():
    mine = fs.Format("mine", width=9, precision=4)
    (cause,) = audit.check(lambda x: fs.round_to(x, mine, "toward_zero"), mine).causes
    check_example(cause.example)
    assert cause.name == "truncates"


# --- right functions ------------------------------------------------------------------------------------------------


def by_fractions(x, p=5, emin=-6, emax=7):
    """e4m4 by exact arithmetic, a number at a time: written here from IEEE 754, without a line of fp16sim."""
    if math.isnan(x) or math.isinf(x) or x == 0:
        return x
    q = max(math.frexp(x)[1] - 1, emin) - (p - 1)
    n = Fraction(x) / Fraction(2) ** q
    y = round(n) * Fraction(2) ** q  # Python rounds ties to even
    return math.copysign(float(y), x) if abs(y) < 2 ** (emax + 1) else math.copysign(math.inf, x)


def by_bits(x):
    """bfloat16 from float32 by integers, as hardware does it."""
    bits = x.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), np.nan, rounded.view(np.float32))


CORRECT = [
    (by_fractions, {"fmt": "e4m4"}),
    (lambda x: x.astype(np.float16), {"fmt": "binary16"}),
    (by_bits, {"fmt": "bfloat16", "source": "float32"}),
    (lambda a, b: np.float16(a) * np.float16(b), {"fmt": "binary16", "task": "multiply"}),
    (lambda code: code.view(np.float16), {"fmt": "binary16", "task": "decode"}),
]


@pytest.mark.parametrize(("function", "setting"), first(1, CORRECT, unpack=True))
def test_a_right_function_has_no_wrong_answer(function, setting):
    with np.errstate(all="ignore"):
        found = audit.check(function, **setting)
    assert (found.wrong, found.causes, found.failure) == (0, (), "")
    assert found.compared > 1000


def test_the_probe_has_every_code_every_midpoint_and_their_neighbours():
    fmt = fs.get_format("e4m4")
    x = numbers(fmt, "binary64")
    values = fs.all_values(fmt)
    lower = np.unique(np.abs(values[np.isfinite(values)]))
    middle = np.append((lower[1:] + lower[:-1]) / 2, float(fmt.max_finite) + 4.0)
    wanted = np.concatenate([lower, middle, np.nextafter(middle, 0), np.nextafter(middle, np.inf)])
    single = [np.nextafter(middle.astype(np.float32), np.float32(to)) for to in (0, np.inf)]
    assert np.isin(np.concatenate([wanted, -wanted, *single]), x).all()
    assert np.isnan(x).sum() == 1
    assert np.isinf(x).sum() == 2
    assert np.signbit(x[x == 0]).tolist() == [True, False]


def test_what_is_documented_is_counted_apart_and_is_not_wrong():
    def saturating(x):
        return fs.round_to(x, "e4m3fn", overflow="pytorch")

    intended = audit.check(saturating, "e4m3fn,overflow=pytorch")
    assert intended.wrong == 0 < intended.by_convention
    assert intended.beyond == "1000 -> 448.0"
    found = audit.check(saturating, "e4m3fn")
    assert [cause.name for cause in found.causes] == ["saturates"]
    assert "overflow=pytorch" in report.to_text(audit.Audit((audit.Findings("x", verdicts=(found,)),), {}))


def test_libraries_that_overflow_differently_are_shown_beside_each_other():
    verdicts = {
        name: audit.Verdict("", "rounding", "e4m3fn", "ties_to_even", beyond=f"1000 -> {got}")
        for name, got in (("a", "448.0"), ("b", "nan"), ("c", "nan"))
    }
    made = audit.Audit(tuple(audit.Findings(name, verdicts=(one,)) for name, one in verdicts.items()), {})
    assert report.conventions(made) == [("1000 to e4m3fn", "448.0 in a; nan in b and c")]


def test_functions_of_numbers_codes_and_texts_are_called_as_they_want_it():
    half = fs.get_format("e4m4")
    assert audit.check(lambda x: fs.encode(x, half), half, codes=True).wrong == 0
    assert audit.check(lambda x: float(fs.round_to(x, half)), half).wrong == 0
    assert audit.check(lambda text: fs.round_to(text, half), half, task="parse").wrong == 0
    assert audit.check(lambda n: fs.round_to(float(n), half), half, task="integer").wrong == 0
    failed = audit.check(lambda x: 1 / 0, half)
    assert (failed.compared, failed.failure) == (0, "raised ZeroDivisionError: division by zero")


def test_integers_and_extended_numbers_that_pass_through_float64_are_said_so():
    found = audit.check(lambda n: fs.round_to(float(n), "e8m20"), "e8m20", task="integer")
    assert [cause.words for cause in found.causes] == ["rounds twice: converts the integer to a float64 first"]
    check_example(found.causes[0].example)
    if np.finfo(np.longdouble).nmant > 60:
        one = Check("x", "longdouble", fs.BINARY16, lambda x: x.astype(np.float16))
        (cause,) = judge(one).causes
        assert cause.words == "rounds twice: converts the number to a float64 first"
        check_example(cause.example)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"task": "roundin"}, "did you mean 'rounding'"),
        ({"source": "bf16"}, "not the format of an array"),
        ({"mode": "stochastic"}, "random"),
        ({"fmt": "float61"}, "float61"),
        ({"fmt": "binary64"}, "precision is 53"),
        ({"fmt": "tf32", "task": "decode"}, "width is 19"),
    ],
)
def test_a_wrong_setting_is_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        audit.check(lambda x: x, **setting)


# --- the order of sums ------------------------------------------------------------------------------------------------


FEW = 10


def random_tree(rng, places):
    if len(places) == 1:
        return places[0]
    k = rng.randrange(1, len(places))
    return random_tree(rng, places[:k]), random_tree(rng, places[k:])


def canonical(tree):
    """A tree without the order of the two sides of an addition."""
    return frozenset(map(canonical, tree)) if isinstance(tree, tuple) else tree


@pytest.mark.parametrize("seed", first(3, range(60)))
@pytest.mark.parametrize("inner", [fs.BINARY16, fs.BINARY32])
def test_the_probes_show_a_random_tree_and_the_format_of_its_sums(seed, inner):
    rng = random.Random(seed)
    places = list(range(FEW))
    rng.shuffle(places)
    tree = random_tree(rng, places)

    def total(x):
        return float(fs.round_to(summation.evaluate(tree, x[None], inner)[0], "binary16"))

    assert canonical(summation.reveal(total, fs.BINARY16, FEW)) == canonical(tree)
    assert summation.precision_of(total, fs.BINARY16, FEW, tree) == inner.precision


@pytest.mark.parametrize(
    ("name", "kind", "intermediate", "ones"),
    [
        ("sequential", "one after the other", "bfloat16", "256"),
        ("pairwise", "pairwise: a tree of the least depth", "bfloat16", "4096"),
        ("binary32", "one after the other", "binary32", "4096"),
    ],
)
def test_our_accumulators_are_recognised(name, kind, intermediate, ones):
    found = audit.order(lambda x: fs.sum(x, "bfloat16", accumulator=name), "bfloat16")
    assert (found.kind, found.intermediate, found.ones) == (kind, intermediate, ones)
    assert found.explained == found.rows


def test_partial_sums_side_by_side_and_in_blocks_are_described():
    def by_four(x):
        return np.add.reduce(x.reshape(-1, 4), axis=0, dtype=np.float32).sum(dtype=np.float32)

    def in_blocks(x):
        total = np.float32(0)
        for part in x.reshape(-1, 16):
            total += by_four(part)
        return total

    assert audit.order(by_four).kind == "4 interleaved partial sums"
    assert audit.order(in_blocks).kind == "4 interleaved partial sums in blocks of 16"


def test_more_than_two_terms_at_once_are_one_node():
    def by_four(x):  # four products at once, as a matrix unit adds them
        total = 0.0
        for k in range(0, x.size, 4):
            terms = [total, *x[k : k + 4].tolist()]
            large = max(map(abs, terms))
            total = sum(t for t in terms if abs(t) >= large * 2.0**-30)
        return total

    tree = summation.reveal(by_four, fs.BINARY16, 8)
    assert canonical(tree) == frozenset([frozenset(range(4)), 4, 5, 6, 7])


def test_a_sum_that_loses_nothing_and_what_is_no_sum_are_not_guessed():
    exact = audit.order(lambda x: float(np.float16(math.fsum(x))))
    assert (exact.kind, exact.tree) == ("", "")
    assert "no term is lost" in exact.failure
    assert "not a sum" in audit.order(lambda x: float(x[0])).failure
    assert "raised ZeroDivisionError" in audit.order(lambda x: 1 / 0).failure


def test_a_mean_shows_its_sum():
    found = audit.order(lambda x: np.float16(np.float32(np.cumsum(x, dtype=np.float32)[-1]) / x.size), mean=True)
    assert (found.kind, found.intermediate) == ("one after the other", "binary32")


# --- processes and the command ----------------------------------------------------------------------------------------

OWN = """
import os, time
import numpy as np

def twice(x):
    print("noise")
    return x.astype(np.float32).astype(np.float16)

def crash(x):
    os._exit(7)

def hang(x):
    time.sleep(60)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "castsofmine.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_fault(monkeypatch):
    """An audit whose only subject rounds ties away, computed here."""
    order = audit.order(lambda x: fs.sum(x, "e4m4"), "e4m4")
    verdict = audit.check(faulty("rounding", "ties_away", "e4m4"), "e4m4")
    made = audit.Audit((audit.Findings("mine_own", "1.0", (verdict,), (order,)),), {"Python": "3"})
    monkeypatch.setattr(audit, "run", lambda *names, **settings: made)
    return verdict


def test_the_report_says_the_same_in_every_form(monkeypatch, tmp_path, capsys):
    verdict = one_fault(monkeypatch)
    example = verdict.causes[0].example
    for ending in ("html", "md", "txt", "json"):
        file = tmp_path / f"report.{ending}"
        assert main(["audit", "-o", str(file)]) == 1
        text = file.read_text(encoding="utf-8").replace("&#x27;", "'").replace("\\_", "_")
        assert "rounds ties away from zero" in text
        assert example.line in text
        assert example.given in text
        assert "mine_own" in text
        assert "&lt;br" not in text
    capsys.readouterr()
    assert main(["audit"]) == 1
    printed = capsys.readouterr().out
    assert f"{verdict.wrong:,} of {verdict.compared:,} wrong" in printed
    assert main(["audit", "--brief"]) == 1
    assert example.line not in capsys.readouterr().out


def test_a_page_with_the_two_marks_keeps_all_else(monkeypatch, tmp_path):
    one_fault(monkeypatch)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- fp16sim audit -->\nold\n<!-- end of fp16sim audit -->\nafter\n", encoding="utf-8")
    assert main(["audit", "--brief", "-o", str(page)]) == 1
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- fp16sim audit -->\n")
    assert text.endswith("\n<!-- end of fp16sim audit -->\nafter\n")
    assert "old" not in text
    assert "| mine\\_own: sum | e4m4 | one after the other | e4m4 |" in text


def test_documented_zeros_for_subnormal_numbers_are_counted_apart():
    fmt = fs.get_format("e4m4")
    flush = Check(
        "x", "multiply", fmt, lambda a, b: fs.round_to(fs.multiply(a, b, fmt), fmt, subnormals="flush_to_zero")
    )
    assert judge(flush).wrong > 0
    found = judge(replace(flush, flushes=True))
    assert found.wrong == 0 < found.by_convention
    worse = replace(flush, function=lambda a, b: 2 * np.asarray(flush.function(a, b)), flushes=True)
    assert judge(worse).wrong > 1000
    tiny = replace(
        worse, function=lambda a, b: np.where(abs(flush.function(a, b)) < 2.0**-6, 2.0**-8, flush.function(a, b))
    )
    assert judge(tiny).wrong > 100


def test_the_error_of_a_function_of_rows_is_measured_and_what_is_not_finite_is_said():
    half = Accuracy("x", fs.BINARY16, lambda x: -x.astype(np.float16), np.negative)
    assert measure(half).worst == 0.0
    off = measure(replace(half, function=lambda x: np.nextafter((-x).astype(np.float16), np.float16(9))))
    assert off.worst == 1.0
    assert "not finite" in measure(replace(half, function=lambda x: x * np.inf)).failure


def test_blocks_are_compared_at_the_boundaries_of_their_scales():
    def quantize(rule):
        def function(x):
            made = fs.blocks.quantize(x, "mxfp4", scale_rule=rule)
            return made.codes, made.scale_codes[:, 0]

        return function

    assert judge_blocks(BlockCheck("x", "mxfp4", "rceil", quantize("rceil"))).wrong == 0
    found = judge_blocks(BlockCheck("x", "mxfp4", "rceil", quantize("floor")))
    (cause,) = found.causes
    assert cause.words == "chooses a scale that is one step too small"
    assert str(int(eval(cause.example.line, {"fs": fs})[0])) == cause.example.right != cause.example.got


def test_the_names_of_the_parts_of_a_subject_are_all_different():
    subject = SUBJECTS["numpy"].subject(np)
    names = [name for name, _ in parts(subject)]
    assert len(set(names)) == len(names) > 40


@pytest.mark.exhaustive
def test_a_function_that_is_named_is_audited_in_a_process_and_decides_the_exit_code(own, capsys):
    words = ["audit", "--function", "castsofmine:twice", "--format", "half"]
    assert main([*words, "-o", "report.html"]) == 1
    page = (own / "report.html").read_text(encoding="utf-8")
    assert "rounds twice: to float32 first" in page
    assert "http" not in page
    capsys.readouterr()
    assert main([*words, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["subjects"]
    assert found["wrong"] == found["verdicts"][0]["causes"][0]["count"] == 63488
    assert main([*words, "--source", "float32"]) == 0
    assert "63,488" not in capsys.readouterr().out


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [("crash", [], "ended with exit code 7"), ("hang", ["--time-limit", "0.5"], "did not answer within 0.5 seconds")],
)
def test_a_crash_or_a_hang_costs_a_line(name, options, said, own, capsys):
    assert main(["audit", "--function", f"castsofmine.py:{name}", *options]) == 1
    assert re.search(f"not compared: binary16 from float64: the process {said}", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nump"], "did you mean 'numpy'"),
        (["--function", "nothing"], "write module:function"),
        (["numpy", "--function", "a:b"], "not both"),
        (["numpy", "--format", "bf16"], "--format has no effect"),
        (["-o", "x.pdf"], "must end in"),
        (["--time-limit", "0"], "not a positive number"),
    ],
)
def test_bad_words_are_one_line_and_exit_code_2(words, said, capsys):
    assert main(["audit", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_library_that_is_not_installed_is_skipped_with_a_line(monkeypatch, capsys):
    skipped = audit.Findings("x", skipped="No module named 'x'")
    monkeypatch.setattr(audit, "run", lambda *names, **settings: audit.Audit((skipped,), {}))
    assert main(["audit"]) == 0
    assert "x was skipped: No module named 'x'" in capsys.readouterr().out


def test_the_list_names_all_subjects(capsys):
    assert main(["audit", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(audit.SUBJECTS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["fp16sim", "struct", "gfloat", "softfloatpy", "gmpy2"])
def test_a_library_that_is_right_is_cleared(name):
    (found,) = audit.run([name]).subjects
    if found.skipped:
        pytest.skip(found.skipped)
    assert (found.wrong, found.failures) == (0, ())
    assert found.compared > 500_000


@pytest.mark.exhaustive
def test_what_is_known_of_numpy_and_ml_dtypes_is_found():
    numpy, ml = audit.run(["numpy", "ml_dtypes"]).subjects
    by_name = {verdict.name: verdict for verdict in numpy.verdicts + ml.verdicts}
    assert by_name["binary16 from text"].causes[0].name == "float64_text"
    assert any(by_name[f"binary16 {name}"].wrong for name in ("exp", "sin", "tan", "arctan"))
    if ml.skipped:
        pytest.skip(ml.skipped)
    twice = by_name["bfloat16 from float64"]
    assert (twice.wrong, twice.causes[0].name) == (65280, "float32")
    assert by_name["e4m3fn from float64"].beyond == "1000 -> nan"
    assert [order.ones for order in ml.orders if order.name == "np.sum"] == ["256"]
    for one in (*numpy.verdicts, *ml.verdicts):
        for cause in one.causes:
            check_example(cause.example)


def test_the_inputs_of_every_kind_of_check_have_the_same_length():
    for task in ("rounding", "parse", "integer", "decode", "add", "fma", "exp", "print"):
        columns = columns_of(Check("x", task, fs.get_format("e4m4"), lambda *x: x))
        assert len({len(column) for column in columns}) == 1
