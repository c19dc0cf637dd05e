"""The quiz: numbers for a pencil, answers as people write them, a session, its report, and files that Moodle reads."""

import io
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from fp16sim import exact
from fp16sim.cli import main
from fp16sim.teach import exercises
from fp16sim.teach.quiz.words import WORDS, used_in
from fp16sim.teach.quiz.written import number_spellings

from .gift import read

each_kind = pytest.mark.parametrize("kind", exercises.KINDS)


def many(n, level, kind="mixed", rng=0, solve=False):
    source = exercises.endless(kind, rng, level, solve=solve)
    return [next(source) for _ in range(n)]


# --- what a pencil can do -------------------------------------------------------------------------------------------


def numbers_in(question):
    """The numbers of a prompt and its answer, without codes, bits, names of formats and their fields."""
    text = re.sub(
        r"\(\w+: 1 sign bit.*?\)|bits [01_]+|code 0x\w+|[a-z]+\d\w*|\(24 significand bits\)", "", question.prompt
    )
    return re.findall(r"(?<![\^\w.-])-?[\d.]+", text + (f" {question.answer}" if question.form == "number" else ""))


@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_number_of_a_question_has_more_than_five_digits(level):
    for seed in range(4):
        for question in many(700, level, rng=seed):
            for number in numbers_in(question):
                digits = number.strip("-.").replace(".", "").lstrip("0")
                assert len(digits) <= 5, question.prompt
                assert len(number.partition(".")[2].rstrip(".")) <= 5, question.prompt


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("kind", ["add", "multiply", "divide", "round-it", "absorbed", "rounding-twice"])
def test_exponents_stay_near_0_where_a_question_is_not_about_the_ends_of_a_format(kind, level):
    for question in many(600, level, kind):
        powers = [int(e) for e in re.findall(r"2\^(-?\d+)", re.sub(r"\(1 \+ 2\^-\d+\)", "", question.prompt))]
        assert all(-26 <= e <= 15 for e in powers), question.prompt


def test_the_second_operand_of_a_product_or_a_quotient_has_few_bits():
    for level, most in ((1, 7), (2, 31)):
        for kind in ("multiply", "divide"):
            for question in many(400, level, kind):
                second = re.search(r" [*/] (\(.*?\)|[\d.]+) in ", question.prompt)[1].strip("()")
                value = abs(exact.parse(second))
                assert value.numerator // (value.numerator & -value.numerator) <= most, question.prompt


def test_a_level_asks_different_answers_and_most_sums_are_rounded():
    for kind in ("absorbed", "representable", "rounding-twice"):
        answers = [question.answer for question in many(100, 2, kind)]
        assert 20 <= answers.count("yes") <= 80, kind
    inexact = [question for question in many(100, 2, "add", solve=True) if "inexact:" in question.solution]
    assert len(inexact) >= 60


@each_kind
@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_answer_is_that_of_the_solution(kind, level):
    """The question writes its numbers in its own way; the explanation works them out again."""
    for question in many(25, level, kind, solve=True):
        if kind in ("add", "multiply", "divide", "round-it", "overflow"):
            shown = re.search(r"  = (\S+)", question.solution[question.solution.index("\nresult") :])[1]
            if "..." not in shown:
                assert exact.encode(exact.parse(shown), "binary64") == exact.encode(
                    exact.parse(question.answer), "binary64"
                ), question.prompt
        if kind == "flags":
            raised = [flag for flag in exact.FLAGS if f"{flag}:" in question.solution.partition("\nresult")[2]]
            assert question.answer == (", ".join(raised) or "none"), question.prompt


@each_kind
def test_the_next_number_and_the_ulp_are_those_of_the_library(kind):
    import fp16sim as fs

    if kind not in ("ulp", "next-number"):
        return
    function = fs.ulp if kind == "ulp" else fs.next_up
    for level in (1, 3):
        for question in many(300, level, kind):
            x, name = re.search(
                r"(?:above|of) (-?[\d.]+(?: \* 2\^-?\d+)?|-?2\^-?\d+) in (\w+)\?", question.prompt
            ).groups()
            fmt = {"toy6": fs.Format("toy6", width=6, precision=3)}.get(name, name)
            right = float(function(float(exact.parse(x)), fmt))
            assert exact.encode(exact.parse(question.answer), "binary64") == exact.encode(right, "binary64")


# --- answers as people write them -----------------------------------------------------------------------------------

QUARTER = (
    "0.25",
    ".25",
    "1/4",
    "2^-2",
    "2**-2",
    "2^(-2)",
    "2⁻²",
    "0,25",
    "25e-2",
    "2.5E-1",
    "0x1p-2",
    "+0.25",
    "= 1/4",
)


@pytest.mark.parametrize(
    ("form", "answer", "right", "wrong", "unread"),
    [
        ("number", "0.25", QUARTER, ("-0.25", "4", "25"), ("", "?", "a quarter", "1/0", "2^^-2", "0x40")),
        ("number", "-2^-10", ("−1/1024", "-2^-10", "–2^-10", "-2**-10", "-2⁻¹⁰"), ("2^-10",), ("minus",)),
        ("number", "11 * 2^-6", ("11*2^-6", "11x2^-6", "11 × 2⁻⁶", "0.171875", "11/64"), ("11*2^6",), ("eleven",)),
        ("number", "129 * 2^-7", ("1 + 2^-7", "1+1/128", "1.0078125"), ("1 - 2^-7", "1 + 2^7"), ("1 +",)),
        ("number", "1125", ("1,125", "1125.0", "1_125"), ("1,126",), ("1,12,5",)),
        ("number", "inf", ("+inf", "Infinity", "INF", "∞", "+infinity"), ("-inf", "-∞"), ("in",)),
        ("number", "-0", ("-0", "−0.0"), ("0", "+0"), ("-",)),
        (
            "code",
            "0x3C00",
            ("0X3c00", "3C00", "3c00h", "0_01111_0000000000", "0 01111 0000000000"),
            ("3c01",),
            ("3c00000",),
        ),
        ("code", "0x15", ("15", "010101", "0_101_01", "0b010101"), ("0x16", "010100"), ("0xGG", "0101010101")),
        (
            "choice",
            "subnormal",
            ("b", "B", "b)", "(b)", "b.", "SUBNORMAL", "Sub"),
            ("a", "normal"),
            ("asdf", "e", "b2"),
        ),
        (
            "flags",
            "overflow, inexact",
            ("Inexact and overflow", "overflow inexact", "over, inex"),
            ("none",),
            ("x", "in"),
        ),
        ("flags", "divide_by_zero", ("divide by zero", "division by zero", "Divide-by-zero"), ("invalid",), ("zero",)),
        ("flags", "none", ("None", "no flags", "nothing"), ("invalid",), ("none, inexact",)),
    ],
)
def test_answers_are_read_as_people_write_them_and_typos_are_no_answers(form, answer, right, wrong, unread):
    question = exercises.Question("k", 1, "?", answer, "", form, ("normal", "subnormal", "zero") * (form == "choice"))
    for text in right:
        assert question.check(text), text
    for text in wrong:
        assert question.understands(text), text
        assert not question.check(text), text
    for text in unread:
        assert not question.understands(text), text


def test_yes_and_no_may_be_written_in_any_case():
    question = exercises.Question("k", 1, "?", "yes", "", "choice", ("yes", "no"))
    assert all(question.check(text) for text in ("yes", "Yes", "YES", "y", "Y", "yes!", "a", "true"))
    assert all(question.understands(text) and not question.check(text) for text in ("no", "N", "b", "NO."))


# --- a session ------------------------------------------------------------------------------------------------------


def session(capsys, monkeypatch, typed, *options):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(typed) + "\n"))
    assert main(["quiz", "--rng", "3", *options]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_every_kind_has_a_hint_that_does_not_tell_the_answer(capsys, monkeypatch):
    for question in many(100, 1):
        assert len(question.hint) > 40
    printed = session(capsys, monkeypatch, ["hint", "quit"], "--kind", "ulp")
    assert exercises.KINDS["ulp"].hint in printed


def test_enter_alone_says_what_it_does_before_it_shows_the_answer(capsys, monkeypatch):
    (question,) = exercises.generate("ulp", rng=3, n=1)
    once = session(capsys, monkeypatch, ["", "hint", ""], "--kind", "ulp", "-n", "1")
    assert "Press Enter again" in once
    assert "skipped; the answer" not in once
    twice = session(capsys, monkeypatch, ["", ""], "--kind", "ulp", "-n", "1")
    assert f"skipped; the answer is {question.answer}" in twice


def test_confidence_is_set_against_what_was_right(capsys, monkeypatch):
    questions = exercises.generate("ulp", rng=3, n=5)
    typed = [questions[0].answer, "maybe", "s", "12345", "sure", questions[2].answer, "D", "skip", "quit"]
    printed = session(capsys, monkeypatch, typed, "--kind", "ulp", "-n", "6")
    assert "Please type s, t or d." in printed
    assert "right; this is why:" in printed  # it was right without knowing
    assert "2 of 3 right; skipped: 4; not asked: 5 to 6" in printed
    assert re.search(r"sure 1 1 think so 0 0 don't know 1 0", printed)
    assert "You were sure and wrong in question 2 (ulp)." in printed
    assert "To practise: ulp (2 of 4 right)." in printed


def test_enter_alone_is_think_so_in_the_quiz_as_in_a_guess(capsys, monkeypatch):
    (question,) = exercises.generate("ulp", rng=3, n=1)
    printed = session(capsys, monkeypatch, [question.answer, ""], "--kind", "ulp", "-n", "1")
    assert "Enter: think so" in printed
    assert "sure 0 0 think so 1 0" in printed


def test_without_confidence_nobody_is_asked(capsys, monkeypatch):
    (question,) = exercises.generate("ulp", rng=3, n=1)
    printed = session(capsys, monkeypatch, [question.answer], "--kind", "ulp", "-n", "1", "--no-confidence")
    assert printed.endswith("1 of 1 right")
    assert "How sure" not in printed
    assert "confidence" not in printed


def test_an_answer_counts_when_the_session_ends_at_the_confidence(capsys, monkeypatch):
    (question, _) = exercises.generate("ulp", rng=3, n=2)
    for end in (["quit"], []):
        assert "1 of 1 right; not asked: 2" in session(
            capsys, monkeypatch, [question.answer, *end], "--kind", "ulp", "-n", "2"
        )


def test_words_explains_the_words_of_the_last_solution(capsys, monkeypatch):
    printed = session(capsys, monkeypatch, ["skip", "words"], "--kind", "round-it", "-n", "2")
    assert f"midpoint: {WORDS['midpoint']}" in printed


def test_kinds_are_listed_where_somebody_asks_for_them(capsys):
    for arguments in (["--list"], ["--kind", "list"], ["--kind", "help"]):
        assert main(["quiz", *arguments]) == 0
        printed = capsys.readouterr().out
        assert all(kind in printed for kind in exercises.KINDS)
    assert main(["quiz", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == list(exercises.KINDS)
    assert main(["quiz", "--kind", "devide"]) == 2
    assert "did you mean 'divide'?" in capsys.readouterr().err


# --- the words of solutions -----------------------------------------------------------------------------------------

EVERYDAY = set(
    """
    a above abs added all already also always an and any are as at away b be become becomes before below
    between beyond binary bit bits both but by cancel cannot change changes chosen class codes computed count
    cut differ digit divided digits does down drops e end ends error even every everywhere exact exactly farther field
    finite first follows format from further g give given gives go grow grows had half has have here if
    ignores in inf infinite infinity integers is it its keeps larger largest last leaves left less lies limit
    loses lost m makes max means modes more moves multiples nan nearer needed negative never next no none not
    nothing now number numbers odd of off on once one ones only or other others place places positive power
    probability r raised raises range reached reaches relatively remark remarks represents result right round
    rounded rounding rule runs s same sees sets show shows shrinks signs small smallest so some stay stays
    stop sum than that the there they this those through tiny to too topmost toward two undefined up value
    were which whose with without would x zero zeros
    """.split()  # noqa: SIM905
)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_solutions_use_everyday_words_and_words_that_are_explained(level):
    explained = {part for word in WORDS for part in re.findall(r"[a-z_]+", word.lower())}
    known = explained | {f"{word}s" for word in explained} | EVERYDAY
    for question in many(500, level, rng=level, solve=True):
        text = re.sub(
            r"0x\w+|\b[se t]+$|[a-z]+\d\w*|\b[01]_\S+|\d+e[+-]\d+", " ", question.solution.lower(), flags=re.M
        )
        for word in re.findall(r"[a-z_]+", text.replace("'s", "")):
            if not re.fullmatch(r"[set_]+|_", word):
                assert word in known, (word, question.solution)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_line_of_a_solution_has_dozens_of_decimals(level):
    for question in many(500, level, rng=level, solve=True):
        decimals = re.findall(r"\d*\.?\d+", question.solution)
        assert max(map(len, decimals), default=0) <= 60, question.solution


def test_the_glossary_begins_with_what_the_quiz_says_of_the_same_word():
    """The glossary may go on where the quiz ends; it writes the mode ties_to_even as lessons say it."""
    text = (Path(__file__).parents[1] / "tutorials" / "glossary.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^### (.+)\n\n((?:.+\n)+)", text, re.M))
    both = {
        word: entries[name]
        for word in WORDS
        if (name := word.replace("_", " ")) in entries or (name := word) in entries
    }
    assert len(both) >= 22
    for word, said in both.items():
        plain = " ".join(re.sub(r"\*(\w+)\*", r"\1", said).split())
        assert plain[: len(WORDS[word])].lower() == WORDS[word].lower(), word
        assert plain[len(WORDS[word])] in ".;,", word


def test_a_question_writes_format_and_mode_as_the_explanation_of_its_answer_does():
    for question in many(60, 3, "add", solve=True):
        assert question.solution.partition(":")[0] in question.prompt.replace("(", "").replace(")", ""), question.prompt


def test_the_words_are_in_alphabetical_order_and_each_is_found():
    assert list(WORDS) == sorted(WORDS, key=str.lower)
    for word in WORDS:
        assert word in used_in(f"The {word.partition(',')[0]}s here."), word


# --- files ----------------------------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("level", [1, 3])
def test_moodle_reads_the_file_and_takes_every_spelling_that_the_text_permits(kind, level):
    questions = exercises.generate(kind, rng=7, n=12, level=level)
    category, found = read(exercises.to_gift(questions, "Week 3/quiz: {a}"))
    assert category == "Week 3/quiz: {a}"
    assert len(found) == len(questions)
    for question, theirs in zip(questions, found, strict=True):
        assert theirs.text.startswith(question.prompt)
        assert theirs.feedback.split() == question.solution.split()
        if question.choices:
            assert not theirs.typed
            assert [a for a, right in theirs.answers.items() if right] == [question.answer]
            assert list(theirs.answers) == list(question.choices)
            continue
        assert theirs.typed
        assert theirs.mark(question.answer)
        assert all(question.check(answer.replace("\\*", "*")) for answer in theirs.answers), theirs.answers
        if question.form == "number" and "inf" not in question.answer:
            value = exact.parse(question.answer)
            short = [str(Fraction(value))] * (abs(value) < 2**64)
            permitted = [*short, *number_spellings(value)]
            assert all(
                map(theirs.mark, permitted if value else ["0", "0.0", "-0", "-0.0"][2 * exact.is_negative(value) :])
            )
            assert not theirs.mark(f"3{question.answer}")
        if question.form == "code":
            assert all(map(theirs.mark, (question.bits, question.answer.lower(), question.answer[2:])))


def test_a_star_in_an_answer_is_a_star_and_not_any_text():
    question = exercises.Question("k", 1, "?", "3 * 2^-9", "", "number")
    (theirs,) = read(exercises.to_gift([question]))[1]
    assert theirs.mark("3*2^-9")
    assert theirs.mark("3 × 2^-9")
    assert not theirs.mark("37 * 2^-9")
    assert not theirs.mark("3*2^2^-9")


def test_backslashes_in_a_category_arrive():
    assert read(exercises.to_gift([], r"a\:b\n\\c"))[0] == r"a\:b\n\\c"


def test_the_key_explains_its_words_and_the_sheet_has_a_title(tmp_path, capsys):
    sheet, key = tmp_path / "sheet.md", tmp_path / "key.md"
    assert main(["quiz", "--rng", "1", "--export", str(sheet), "--key", str(key), "--title", "Week *3*", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"export": str(sheet), "key": str(key), "questions": 10}
    assert sheet.read_text(encoding="utf-8").startswith(r"# Week \*3\*")
    assert f"- **ulp**: {WORDS['ulp']}" in key.read_text(encoding="utf-8")
    questions = exercises.generate(rng=1)
    assert sheet.read_text(encoding="utf-8") == exercises.markdown(questions, "Week *3*")
    assert main(["quiz", "--title", "x"]) == 2
    assert "add --export" in capsys.readouterr().err


def test_a_file_that_was_interrupted_is_not_there(tmp_path, monkeypatch):
    (question,) = exercises.generate(n=1)

    def endless(*arguments, **options):
        yield question
        raise KeyboardInterrupt

    monkeypatch.setattr(exercises, "endless", endless)
    assert main(["quiz", "--export", str(tmp_path / "sheet.md"), "--key", str(tmp_path / "key.md")]) == 130
    assert not list(tmp_path.iterdir())


# --- as many as one likes -------------------------------------------------------------------------------------------


@each_kind
def test_questions_repeat_only_when_a_kind_has_no_others(kind):
    questions = many(400, 1, kind)
    distinct = {question.prompt for question in questions}
    first = next((i for i, q in enumerate(questions) if q.prompt in {p.prompt for p in questions[:i]}), 400)
    assert first == len(distinct)


def test_a_small_kind_asks_every_question_before_it_repeats_one():
    """toy6 and e4m3_ieee, with seven terms, or with five distances and two signs."""
    assert len({question.prompt for question in many(40, 1, "stagnation")}) == 2 * 7
    assert len({question.prompt for question in many(60, 1, "overflow")}) == 2 * 5 * 2


def test_the_time_for_a_question_does_not_grow_with_their_number(monkeypatch):
    """Draws, not seconds, are counted."""
    draws = []
    kind = exercises.KINDS["add"]
    counted = type(kind)(lambda s: draws.append(1) or kind.ask(s), kind.summary, kind.hint)
    monkeypatch.setitem(exercises.KINDS, "add", counted)
    many(300, 2, "add")
    few = len(draws)
    many(3000, 2, "add", rng=1)
    assert len(draws) - few <= 14 * few
