"""What a lesson calls: `guess` asks, `compare` tells, `guesses` sums up."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...wording import printable, quoted
from ..quiz.results import CONFIDENCE, THINK_SO, read_confidence
from . import answers, scoring
from .asking import DONT_KNOW, SURE, ask, ask_confidence
from .kept import Kept, Unreadable, read, write

_asked: dict[str, Guess] = {}
"""The questions of this process, in order: those of the lesson that runs."""


class Guess:
    """A question, and what was said; `compare` tells whether it was right."""

    def __init__(self, question: str, folder: Path, kept: Kept | None, choices: Sequence[str] = ()) -> None:
        self.question, self.folder, self.kept, self.choices = question, folder, kept, tuple(choices)

    def __repr__(self) -> str:
        return f"Guess({self.question!r}, {_said(self.kept) if self.kept else 'no answer'})"

    def compare(self, result: Any, within: float = 0.0) -> None:
        """Print the result beside what was said, and keep whether that was right.

        Parameters
        ----------
        result : number, bool, str, or a list or array of those
            What the lesson computed. Answers to a list have commas between them.
        within : float
            The relative error that is still right, where the question says "about". Without it, only the exact value
            is right; the sign of a zero counts.

        Raises
        ------
        TypeError
            If the result is something else.

        Examples
        --------
        >>> tie = Guess("What does 2049 become?", Path(), None)
        >>> tie.compare(2048.0)
        What does 2049 become? The answer is 2048.
        """
        result = answers.plain(result)
        text = answers.shown(result)
        if self.kept is None:
            print(f"{self.question} The answer is {text}.")
            return
        kept = self.kept
        if kept.right is None:  # later, with a changed line, the result may be another; the first one counts
            kept = replace(kept, result=text, right=answers.is_right(kept.answer, result, within, self.choices))
            self._keep(kept)
        print(f"{self.question} You said {_said(kept)}. {_verdict(kept)}")
        if kept.right is None:
            print(f"Your answer cannot be compared; answer with {answers.how_to_answer(result, self.choices)}.")
        elif kept.result != text:
            print(f"Now it is {text}.")

    def _keep(self, kept: Kept) -> None:
        self.kept = kept
        if trouble := write(self.folder, kept):
            print(trouble)


def guess(
    question: str, answer: Any = None, sure: str | None = None, *, choices: Sequence[str] = (), again: bool = False
) -> Guess:
    """Ask for a guess, and how sure one is; keep both in `guesses.json`, in the folder of the lesson.

    In a notebook and in a terminal the question is asked once; after that, what was said is shown. Enter skips it.
    Where nobody can type, nothing is asked. An answer can also stand in the call, which works everywhere.

    Parameters
    ----------
    question : str
        What is asked; it is also the name under which the answer is kept.
    answer : number, bool, str or list, optional
        The guess, to answer in the cell instead of being asked.
    sure : {"sure", "think so", "don't know"}, optional
        How sure you are of `answer`; "think so" if you say nothing. The first letter is enough.
    choices : sequence of str
        The answers to choose from, where a word is asked for.
    again : bool
        Ask again. What was compared with the result already stays as it is: the first guess counts.

    Returns
    -------
    Guess
        Call its `compare` in a later cell.

    Raises
    ------
    ValueError
        If `sure` is none of the three.

    Examples
    --------
    Where nobody can type:

    >>> tie = guess("What does 2049 become in binary16?")
    No guess yet. You can write it in the call: guess("...", 7, "sure")
    """
    confidence = _confidence(sure)
    folder = _folder(sys._getframe(1).f_globals)
    known, trouble = _known(folder, question)
    made = _asked[question] = Guess(question, folder, known, choices)
    if trouble:
        print(trouble)
    settled = known is not None and known.right is not None
    if answer is not None and not settled:
        made._keep(Kept(question, answers.given(answer, choices), confidence))
    elif not settled and (known is None or again):
        _ask(made)
        return made
    elif known is not None and (again or answer is not None) and answers.given(answer or "", choices) != known.answer:
        print("It was compared with the result already, so the first guess counts.")
    print(_status(made))
    return made


def guesses() -> None:
    """Print how sure you were against how often you were right, in this lesson and in all, and what was sure and wrong.

    "This lesson" is what was asked since Python was started.

    Examples
    --------
    >>> guesses()
    You have made no guesses yet.
    """
    here = [made.kept for made in _asked.values() if made.kept is not None]
    folder = next(iter(_asked.values())).folder if _asked else Path()
    try:
        everywhere = list(read(folder).values())
    except Unreadable:
        everywhere = here
    if not any(kept.right is not None for kept in here):
        print("You have made no guesses yet.")
        return
    columns = [("right in this lesson", here)] + (
        [("in all lessons", everywhere)] if len(everywhere) > len(here) else []
    )
    print(scoring.table(columns))
    if wrong := scoring.sure_and_wrong(here):
        print(f"\nSure and wrong, so worth a second look:\n{scoring.named(wrong)}")


# --- the parts of a guess -------------------------------------------------------------------------------------------


def _folder(caller: dict[str, Any]) -> Path:
    """The folder of the lesson: of a script, of a notebook where the editor tells it, else where the kernel runs."""
    if caller.get("__name__") == "__main__":
        for name in ("__vsc_ipynb_file__", "__file__"):
            if isinstance(file := caller.get(name), str) and Path(file).parent.is_dir():
                return Path(file).resolve().parent
    return Path.cwd()


def _known(folder: Path, question: str) -> tuple[Kept | None, str]:
    """What was said before, and a line about a file that cannot be read."""
    try:
        return read(folder).get(question), ""
    except Unreadable as error:
        return None, f"guesses.json cannot be read: {error}. Earlier guesses are not shown."


def _ask(made: Guess) -> None:
    for letter, choice in zip("abcdefghij", made.choices, strict=False):
        print(f"{letter}) {choice}")
    typed = ask(f"{made.question} Your guess (Enter skips): ")
    if typed is None:
        print('No guess yet. You can write it in the call: guess("...", 7, "sure")')
    elif typed:
        made._keep(Kept(made.question, answers.given(typed, made.choices), ask_confidence()))


def _confidence(sure: str | None) -> str:
    found = THINK_SO if sure is None else read_confidence(sure) if isinstance(sure, str) else None
    if found is None:
        raise ValueError(f"sure={quoted(sure)} is unknown; use {', '.join(map(repr, CONFIDENCE.values()))}")
    return found


def _said(kept: Kept) -> str:
    return f"{printable(kept.answer)} ({kept.confidence})"


def _status(made: Guess) -> str:
    """What was said, and how to change it while that is fair."""
    if made.kept is None:
        return "No guess yet."
    change = "" if made.kept.right is not None else " To change it: guess(..., again=True)"
    return f"You said {_said(made.kept)}.{change}"


def _verdict(kept: Kept) -> str:
    if kept.right:
        return "Right, by chance or not." if kept.confidence == DONT_KNOW else "Right."
    sure = " You were sure, so find out why." if kept.right is False and kept.confidence == SURE else ""
    return f"The answer is {kept.result}.{sure}"
