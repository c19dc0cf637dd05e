"""Deliberately wrong rounders and operations, a table: a function that gives the same outputs has the same fault.

Three users: the grader names a learner's misconception, the quiz asks for it, and our tests must find every fault.

    >>> find("late_overflow").answer("rounding", ([65519.0, 65520.0, 65536.0],), "binary16").tolist()
    [65504.0, 65504.0, inf]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import cases
from ..arithmetic.intermediates import LIFTED
from ..codes import encode_held
from ..exact import parse, round_to
from ..formats import BINARY64, Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import did_you_mean, quoted
from .basic_operations import OPERATIONS
from .encodings import DECODINGS, ENCODINGS, NEIGHBOURS
from .heads import HEADS, head, tiled
from .kernels import KERNELS
from .lists import LISTS, softmax
from .quantizers import ANYTHING, BLOCKS, RAISES, SETTINGS
from .roundings import ROUNDINGS, STOCHASTIC_ROUNDINGS, Answer, differs, right

__all__ = [
    "ANYTHING",
    "FAULTS",
    "RAISES",
    "SETTINGS",
    "SLOW",
    "Fault",
    "find",
    "head",
    "softmax",
    "suspects",
    "tiled",
    "wrong_rounders",
]

ROUNDED = ("rounding", "parse", "encode", "add", "subtract", "multiply", "divide", "sqrt", "fma")
"""Tasks that end in one rounding: every wrong rounder makes each of them wrong."""


def _text_to_odd(text: str) -> float:
    """The value of a text in float64, rounded to odd; rounding that to at most 51 bits gives the same as the text."""
    return float(round_to(parse(text), BINARY64, Rounding.TO_ODD))


def unrounded(task: str, operands: Sequence[Any], mode: Rounding) -> Any:
    """The exact result of a task, or a float64 that rounds to every format as the exact result does."""
    if task == "parse":
        return np.array([_text_to_odd(text) for text in operands[0]])
    arrays = [np.asarray(x, np.float64) for x in operands]
    with np.errstate(all="ignore"):
        return LIFTED[task](mode, *arrays) if task in LIFTED else arrays[0]


SLOW = frozenset({*SETTINGS, "attention", "online_attention"})
"""Tasks whose faults take long to answer: they are tried on a few cases first."""


@dataclass(frozen=True)
class Fault:
    """A wrong way to do something.

    Parameters
    ----------
    name : str
        Unique among the faults of a task.
    misconception : str
        What it does, in words that complete "your function ...".
    tasks : tuple of str
        The tasks that it does wrongly: "rounding", "add", "decode", ...
    rounder : callable, optional
        x, fmt, mode -> values: a wrong rounding at the end of each task.
    function : callable, optional
        operands, fmt, mode -> answers: a whole operation that is wrong.
    """

    name: str
    misconception: str
    tasks: tuple[str, ...]
    rounder: Callable[..., Any] | None = None
    function: Answer | None = None

    def answer(
        self,
        task: str,
        operands: Sequence[Any],
        fmt: FormatLike = "binary16",
        mode: Rounding | str = "ties_to_even",
    ) -> Any:
        """The wrong answers of this fault for columns of operands.

        Returns
        -------
        ndarray or list
            float64 values, or codes for "encode"; a list for tasks on lists.

        Raises
        ------
        ValueError
            For a task that is not one of its own.
        """
        if task not in self.tasks:
            known = f"{did_you_mean(task, self.tasks)}use one of {', '.join(self.tasks)}"
            raise ValueError(f"task={quoted(task)} is not a task of {self.name}; {known}")
        fmt, mode = get_format(fmt), get_rounding(mode)
        with np.errstate(all="ignore"):
            if self.function is not None:
                columns = operands if isinstance(operands[0], list) else [np.asarray(x) for x in operands]
                return self.function(tuple(columns), fmt, mode)
            assert self.rounder is not None
            values = np.asarray(self.rounder(unrounded(task, operands, mode), fmt, mode), np.float64)
            return encode_held(right(values, fmt, mode), fmt) if task == "encode" else values

    def __call__(self, x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even") -> Any:
        """Its first task on one operand; a fault of "rounding" can be called like `round_to`."""
        shape = np.shape(x)
        return np.asarray(self.answer(self.tasks[0], (np.atleast_1d(x),), fmt, mode)).reshape(shape)[()]


def _float64_text(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> Any:
    return right(np.array([float(parse(text)) for text in operands[0]]), fmt, mode)


_PARSING = Fault("float64_text", "rounds twice: reads the text as a float64 first", ("parse",), None, _float64_text)

FAULTS: tuple[Fault, ...] = (
    *(Fault(name, words, ROUNDED, rounder) for name, (words, rounder) in ROUNDINGS.items()),
    _PARSING,
    *(Fault(name, words, (task,), None, function) for name, task, words, function in OPERATIONS),
    *(Fault(name, words, ("decode",), None, function) for name, words, function in DECODINGS),
    *(Fault(name, words, ("encode",), None, function) for name, words, function in ENCODINGS),
    *(Fault(name, words, (task,), None, function) for name, task, words, function in NEIGHBOURS),
    *(Fault(name, words, (task,), None, function) for name, task, words, function in LISTS),
    *(Fault(name, words, (task,), None, function) for name, task, words, function in HEADS),
    *(Fault(name, words, ("stochastic",), None, function) for name, words, function in STOCHASTIC_ROUNDINGS),
    *(Fault(name, words, (task,), None, function) for name, task, words, function in BLOCKS),
    *(Fault(name, words, (task,), None, function) for name, task, words, function in KERNELS),
)
"""Every fault; if two give the same answers, the one with the better description comes first."""


def suspects(task: str) -> tuple[Fault, ...]:
    """The faults of a task; faults of the operation itself come before faults of its rounding.

    >>> len(suspects("rounding")) >= 30, suspects("fma")[0].misconception
    (True, 'rounds twice: the product, and then the sum')
    """
    own = [fault for fault in FAULTS if task in fault.tasks]
    return tuple(sorted(own, key=lambda fault: fault.rounder is not None))


def wrong_rounders(fmt: Format, mode: Rounding) -> tuple[Fault, ...]:
    """The faults of "rounding" that give some wrong answer in this format and mode."""
    x = cases.roundable(fmt)
    truth = right(x, fmt, mode)

    def is_wrong(fault: Fault) -> bool:
        return bool(differs(np.asarray(fault.answer("rounding", (x,), fmt, mode)), truth).any())

    return tuple(fault for fault in suspects("rounding") if is_wrong(fault))


def find(name: str, task: str = "rounding") -> Fault:
    """The fault of a task by its name.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    for fault in suspects(task):
        if fault.name == name:
            return fault
    known = ", ".join(fault.name for fault in suspects(task))
    raise ValueError(f"name={quoted(name)} is not a fault of {task}; known: {known}")
