"""Puzzles: three lines to fill in, graded at once against hidden cases. A puzzle is a row of data.

    Puzzle(
        "f(code)",                                                    # how it is called; "code" is shown as 0x8000
        "1 if the number with this binary16 code is negative, else 0",
        "codes",                                                      # what the cases are: "right, all 65,536 codes"
        range(2**16),                                                 # the cases, the simplest first
        lambda code: int(exact.is_negative(exact.decode(code, "binary16"))),
        [(0x3C00, 0), (0xC000, 1), (0x8000, 1)],                      # worked out by hand: (argument, result)
    )

A case with several arguments is a tuple. Cases may also be a function that gives them, if there is something to
compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...formats import Format, Rounding
from .inputs import Columns, Given
from .plain import plain
from .results import anything
from .tasks import Task


@dataclass(frozen=True)
class Puzzle:
    """A puzzle.

    Attributes
    ----------
    signature : str
        How the function is called.
    statement : str
        What it returns.
    noun : str
        What its cases are, in the plural: it stands in the verdict.
    cases : iterable or callable
        The arguments of each call, the simplest first; a tuple is several arguments. Or what gives them.
    right : callable
        The right answer for the arguments of one case: by the exact layer where it has one.
    examples : sequence
        (argument or arguments, result), worked out by hand; for tests.
    """

    signature: str
    statement: str
    noun: str
    cases: Iterable[Any] | Callable[[], Iterable[Any]]
    right: Callable[..., Any]
    examples: Sequence[tuple[Any, Any]]

    def task(self) -> Task:
        """The puzzle as the grader takes it."""
        inputs, truth = partial(_inputs, self), partial(_truth, self.right)
        return Task("cases", self.signature, self.statement, "anything", inputs, truth)


def arguments(case: Any) -> tuple[Any, ...]:
    """The arguments of a case: a tuple is several, anything else is one.

    >>> arguments(0x3C00), arguments((1.0, 2.0))
    ((15360,), (1.0, 2.0))
    """
    return case if isinstance(case, tuple) else (case,)


def _inputs(puzzle: Puzzle, fmt: Format, mode: Rounding, every: bool) -> Given:
    rows = puzzle.cases() if callable(puzzle.cases) else puzzle.cases
    columns = tuple(map(list, zip(*map(arguments, rows), strict=True)))
    return columns, [puzzle.noun] * len(columns[0])


def _truth(right: Callable[..., Any], columns: Columns, fmt: Format, mode: Rounding, every: bool) -> list[Any]:
    return [anything(plain(right(*row))) for row in zip(*columns, strict=True)]
