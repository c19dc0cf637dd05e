"""Guesses: asked where somebody can answer, kept, compared as people write, scored by confidence."""

import builtins
import json
import math
import os
import re
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.teach import guess, guesses
from fp16sim.teach.guessing import answers, asking, calls, kept, scoring


@pytest.fixture(autouse=True)
def a_lesson(tmp_path, monkeypatch):
    """A fresh process in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calls, "_asked", {})


@pytest.fixture
def typing(monkeypatch):
    """A person at a terminal, who types these lines."""

    def typed(*lines):
        waiting = list(lines)
        monkeypatch.setattr(asking, "_at_a_terminal", lambda: True)
        monkeypatch.setattr(builtins, "input", lambda prompt: waiting.pop(0))
        return waiting

    return typed


def in_the_file(folder):
    return json.loads((folder / "guesses.json").read_text(encoding="utf-8"))["guesses"]


# --- asking and keeping ---------------------------------------------------------------------------------------------


def test_what_is_typed_is_kept_compared_and_not_asked_again(tmp_path, typing, capsys):
    typing(" 2050 ", "very", "s")  # a typing error asks for the confidence again
    tie = guess("What does 2049 become?")
    assert capsys.readouterr().out == ""
    tie.compare(fs.round_to(2049, "binary16"))
    assert capsys.readouterr().out == (
        "What does 2049 become? You said 2050 (sure). The answer is 2048. You were sure, so find out why.\n"
    )
    expected = {"question": "What does 2049 become?", "answer": "2050", "confidence": "sure"}
    assert in_the_file(tmp_path) == [{**expected, "result": "2048", "right": False}]
    typing()
    assert "2050 (sure)" in repr(guess("What does 2049 become?"))
    assert capsys.readouterr().out == "You said 2050 (sure).\n"


def test_enter_skips_and_the_question_is_asked_again_next_time(tmp_path, typing, capsys):
    typing("")
    guess("?").compare(1)
    assert capsys.readouterr().out == "? The answer is 1.\n"
    assert not list(tmp_path.iterdir())
    typing("1", "")
    guess("?").compare(1)
    assert capsys.readouterr().out == "? You said 1 (think so). Right.\n"


@pytest.mark.parametrize("refusal", [EOFError, NotImplementedError, OSError])
def test_where_nobody_can_type_nothing_is_asked_and_nothing_fails(tmp_path, monkeypatch, capsys, refusal):
    def refuse(prompt):
        raise refusal

    monkeypatch.setattr(asking, "_in_a_notebook", lambda: True)
    monkeypatch.setattr(builtins, "input", refuse)
    guess("?").compare(2048.0)
    assert capsys.readouterr().out == (
        'No guess yet. You can write it in the call: guess("...", 7, "sure")\n? The answer is 2048.\n'
    )
    assert not list(tmp_path.iterdir())


def test_an_answer_in_the_call_needs_no_keyboard(capsys):
    guess("?", 2050, "sure").compare(2050)
    assert capsys.readouterr().out == (
        "You said 2050 (sure). To change it: guess(..., again=True)\n? You said 2050 (sure). Right.\n"
    )
    guess("!", [1, True], "d").compare([1.0, True])
    assert "You said 1, yes (don't know). Right, by chance or not." in capsys.readouterr().out
    with pytest.raises(ValueError, match=re.escape("sure='very' is unknown; use 'sure', 'think so', \"don't know\"")):
        guess("?", 1, "very")


def test_a_guess_can_be_changed_until_it_is_compared(tmp_path, typing, capsys):
    typing("1", "s")
    guess("?")
    typing("2", "t")
    tie = guess("?", again=True)
    assert [entry["answer"] for entry in in_the_file(tmp_path)] == ["2"]
    tie.compare(3)
    typing()
    guess("?", 3, "sure").compare(3)  # now that the answer is known
    assert "the first guess counts" in capsys.readouterr().out
    assert in_the_file(tmp_path)[0] | {"question": ""} == {
        "question": "", "answer": "2", "confidence": "think so", "result": "3", "right": False
    }  # fmt: skip


def test_after_a_changed_line_the_first_result_counts(tmp_path, capsys):
    tie = guess("?", 1, "sure")
    tie.compare(1)
    capsys.readouterr()
    tie.compare(5)
    assert capsys.readouterr().out == "? You said 1 (sure). Right.\nNow it is 5.\n"
    assert in_the_file(tmp_path)[0]["result"] == "1"


def test_an_answer_that_cannot_be_read_is_not_scored_and_can_be_given_again(tmp_path, capsys):
    guess("?", "2O48", "sure").compare(2048)
    assert "Your answer cannot be compared; answer with a number, such as 0.25" in capsys.readouterr().out
    guess("?", "2048", "sure").compare(2048)
    assert in_the_file(tmp_path)[0]["right"] is True


def test_choices_are_shown_and_answered_by_letter_or_word(typing, capsys):
    typing("b", "s")
    guess("Which?", choices=("half up", "cut off")).compare("cut off")
    assert capsys.readouterr().out.endswith("You said cut off (sure). Right.\n")


# --- the file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[]",
        b"[" * 10**5,
        b'{"guesses": 1}',
        b'{"guesses": [1]}',
        b'{"guesses": [{"question": "?"}]}',
        b'{"guesses": [{"question": "?", "answer": "1", "confidence": []}]}',
        b'{"guesses": [{"question": "?", "answer": "1", "confidence": "sure", "right": 7}]}',
    ],
    ids=lambda content: content[:30].decode(errors="replace"),
)
def test_a_file_that_is_none_is_a_line_and_nothing_in_it_is_lost(tmp_path, capsys, content):
    (tmp_path / "guesses.json").write_bytes(content)
    tie = guess("?")
    assert capsys.readouterr().out.startswith("guesses.json cannot be read: ")
    assert (tmp_path / "guesses.json").read_bytes() == content
    tie = guess("?", 1, "sure")
    tie.compare(1)
    assert "renamed to guesses-unreadable.json" in capsys.readouterr().out
    assert (tmp_path / "guesses-unreadable.json").read_bytes() == content
    assert len(in_the_file(tmp_path)) == 1
    guesses()
    assert main(["tutorials", "--guesses", str(tmp_path)]) == 0


def test_a_folder_that_cannot_be_written_to_is_a_line(tmp_path, capsys):
    (tmp_path / "guesses.json").mkdir()
    guess("?", 1, "sure").compare(1)
    assert "cannot be read" in capsys.readouterr().out


def test_each_lesson_keeps_the_guesses_of_the_others(tmp_path):
    guess("one", 1)
    guess("two", 2)
    assert [entry["question"] for entry in in_the_file(tmp_path)] == ["one", "two"]


# --- comparing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "right", "wrong", "unreadable"),
    [
        (2.0**-10, ["2^-10", "1/1024", "0.0009765625", "2**-10", "0x1p-10"], ["2^-9", "0.00098"], ["small", "?"]),
        (2048.0, ["2048", " 2048.0 ", "2,048", "2^11"], ["2050"], [""]),
        (-0.0, ["-0"], ["0"], []),
        (0.25, ["25%", "1/4", "0,25"], ["25"], []),
        (90, ["90 %", "90"], ["0.9"], []),
        (math.inf, ["inf", "Infinity"], ["-inf", "65504"], []),
        (math.nan, ["nan", "NaN"], ["0"], []),
        (True, ["yes", "Y", "true"], ["no"], ["perhaps"]),
        ("toward zero", ["Toward  zero."], ["up"], []),
        ([2048.0, math.inf], ["2048, inf", "2048 inf", "[2048; inf]", "2048 and inf"], ["2048, 1"], ["2048"]),
        (Fraction(1, 3), ["1/3"], ["0.333"], []),
        (np.float16(2049), ["2048"], ["2049"], []),
        (np.array([1.0, 2.0]), ["1, 2"], ["2, 1"], []),
        (fs.array([1.0, 2.0]), ["1 2"], [], []),
        (np.bool_(False), ["no"], ["yes"], []),
    ],
)
def test_answers_are_compared_as_people_write_them(result, right, wrong, unreadable):
    result = answers.plain(result)
    assert [answers.is_right(text, result) for text in right] == [True] * len(right)
    assert [answers.is_right(text, result) for text in wrong] == [False] * len(wrong)
    assert [answers.is_right(text, result) for text in unreadable] == [None] * len(unreadable)


def test_a_tolerance_is_relative_and_only_where_the_lesson_gives_one():
    assert answers.is_right("about 1000", 1024.0, within=0.1)
    assert answers.is_right("~1e3", 1024.0, within=0.1)
    assert not answers.is_right("900", 1024.0, within=0.1)
    assert not answers.is_right("1000", 1024.0)
    assert answers.is_right("0", -0.0, within=0.1)
    assert answers.is_right("0.05", 0.0, within=0.1)  # nothing is relative to 0
    assert not answers.is_right("nan", 1.0, within=0.1)
    assert not answers.is_right("1", math.inf, within=0.1)


def test_a_result_that_cannot_be_compared_is_refused():
    with pytest.raises(TypeError, match="result=None cannot be compared; give a number"):
        guess("?").compare(None)


# --- scoring --------------------------------------------------------------------------------------------------------


def test_the_score_counts_by_confidence_and_names_what_was_sure_and_wrong(tmp_path, monkeypatch, capsys):
    guess("earlier lesson", 1, "sure").compare(1)
    monkeypatch.setattr(calls, "_asked", {})
    guess("a", 1, "sure").compare(1)
    guess("b", 1, "sure").compare(2)
    guess("c", 1, "don't know").compare(2)
    guess("d", "?", "sure").compare(2)  # cannot be read, so it does not count
    guess("e", 1, "sure")  # was not compared
    capsys.readouterr()
    guesses()
    assert capsys.readouterr().out == (
        "how sure    right in this lesson  in all lessons\n"
        "sure                      1 of 2          2 of 3\n"
        "think so                       -               -\n"
        "don't know                0 of 1          0 of 1\n"
        "\nSure and wrong, so worth a second look:\n- b You said 1; it is 2.\n"
    )
    assert main(["tutorials", "--guesses", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^sure +2 of 3$", printed, re.M)
    assert "- b You said 1; it is 2." in printed
    assert main(["tutorials", "--guesses", str(tmp_path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6


def test_the_terminal_shows_guesses_by_lesson(tmp_path, capsys):
    from fp16sim.teach import course

    question = course.questions("rounding")[0]
    kept.write(tmp_path, kept.Kept(question, "1", "sure", "2", False))
    assert main(["tutorials", "--guesses", str(tmp_path)]) == 0
    asked = len(course.questions("rounding"))
    assert re.search(rf"^rounding +1 of {asked} +0 of 1 +- +-", capsys.readouterr().out, re.M)
    assert main(["tutorials", "--guesses", str(tmp_path / "none")]) == 0
    assert "no guesses in" in capsys.readouterr().out


def test_nothing_guessed_is_said():
    assert [str(score) for score in scoring.scores([])] == ["-", "-", "-"]


# --- the places where a lesson runs ---------------------------------------------------------------------------------

LESSON = """\
from fp16sim.teach import guess, guesses
tie = guess("What does 2049 become?")
tie.compare(2048.0)
guesses()
"""


def test_a_script_keeps_its_guesses_beside_itself_wherever_it_is_started(tmp_path):
    (tmp_path / "course").mkdir()
    lesson = tmp_path / "course" / "lesson.py"
    lesson.write_text(LESSON.replace('?")', "?\", 2048, 'sure')"), encoding="utf-8")
    done = subprocess.run([sys.executable, lesson], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "You said 2048 (sure). Right." in done.stdout
    assert [path.name for path in tmp_path.rglob("*.json")] == ["guesses.json"]
    assert (tmp_path / "course" / "guesses.json").is_file()


def test_a_script_in_a_pipe_asks_nothing(tmp_path):
    (tmp_path / "lesson.py").write_text(LESSON, encoding="utf-8")
    command = [sys.executable, tmp_path / "lesson.py"]
    done = subprocess.run(command, capture_output=True, text=True, input="2048\ns\n", check=True)
    assert done.stdout.startswith("No guess yet.")
    assert not (tmp_path / "guesses.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_script_in_a_terminal_asks(tmp_path):
    import pty

    (tmp_path / "lesson.py").write_text(LESSON, encoding="utf-8")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, tmp_path / "lesson.py"], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"2050\ns\n")
    printed, end = b"", time.monotonic() + 60
    while b"- What does 2049" not in printed and time.monotonic() < end:
        try:
            printed += os.read(ours, 4096)
        except OSError:  # the process has ended
            break
    process.wait()
    os.close(ours)
    assert b"What does 2049 become? Your guess (Enter skips): " in printed
    assert b"You said 2050 (sure). The answer is 2048." in printed
    assert b"- What does 2049 become? You said 2050; it is 2048." in printed


def test_a_notebook_in_an_editor_that_tells_its_file_keeps_its_guesses_beside_it(tmp_path):
    (tmp_path / "course").mkdir()
    names = {"__name__": "__main__", "__vsc_ipynb_file__": str(tmp_path / "course" / "lesson.ipynb")}
    exec("from fp16sim.teach import guess; guess('?', 1)", names)
    assert (tmp_path / "course" / "guesses.json").is_file()
