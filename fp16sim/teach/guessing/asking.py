"""To ask the person at the keyboard: in a notebook, in a terminal, or not at all where nobody can answer."""

from __future__ import annotations

import sys

from ..quiz.results import CONFIDENCE, HOW_SURE, read_confidence

SURE, DONT_KNOW = CONFIDENCE["s"], CONFIDENCE["d"]


def ask(prompt: str) -> str | None:
    """The line that was typed, without blanks at its ends; None where nobody can type."""
    if not (_in_a_notebook() or _at_a_terminal()):
        return None
    try:
        return input(prompt).strip()
    except (EOFError, NotImplementedError, OSError):  # a notebook that a program runs takes no input
        return None


def ask_confidence() -> str:
    """How sure the person is; a typing error asks again, and Enter alone means "think so"."""
    while True:
        typed = ask(f"{HOW_SURE}: ") or ""
        if (found := read_confidence(typed)) is not None:
            return found


def _in_a_notebook() -> bool:
    """Whether this process is a Jupyter kernel. IPython is loaded in one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def _at_a_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
