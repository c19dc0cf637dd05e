"""Deliberately wrong rounders and operations, a table: a suspect whose outputs equal one of them is named by it.

Four users: the grader names a learner's misconception, an audit classifies a library's fault, the strategies' shrinking
is tested on them, and so are our own tests: a fault that survives is a hole.

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
from .basic_operations import OPERATIONS, Answer
from .encodings import DECODINGS, ENCODINGS, NEIGHBOURS
from .lists import LISTS, softmax
from .roundings import ROUNDINGS, right

__all__ = ["FAULTS", "Fault", "find", "softmax", "suspects", "wrong_rounders"]

ROUNDED = ("rounding", "parse", "encode", "add", "subtract", "multiply", "divide", "sqrt", "fma")
"""Tasks that end in one rounding, so that every wrong rounder makes a wrong answer of each."""


def _text_to_odd(text: str) -> float:
    """The value of a text in float64, rounded to odd: rounding it to at most 51 bits is rounding the text."""
    return float(round_to(parse(text), BINARY64, Rounding.TO_ODD))


def unrounded(task: str, operands: Sequence[Any], mode: Rounding) -> Any:
    """The exact result of a task, or one in float64 that decides every rounding as it does."""
    if task == "parse":
        return np.array([_text_to_odd(text) for text in operands[0]])
    arrays = [np.asarray(x, np.float64) for x in operands]
    with np.errstate(all="ignore"):
        return LIFTED[task](mode, *arrays) if task in LIFTED else arrays[0]


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
        What it can be mistaken for: "rounding", "add", "decode", ...
    rounder : callable, optional
        x, fmt, mode -> values: the wrong rounding that ends each of the tasks.
    function : callable, optional
        operands, fmt, mode -> answers, where the whole operation is wrong.
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
        """What this fault makes of columns of operands; exactly as wrong as it says.

        Returns
        -------
        ndarray or list
            float64 values (codes for "encode"); for tasks on lists a list.

        Raises
        ------
        ValueError
            For a task that is none of its own.
        """
        if task not in self.tasks:
            raise ValueError(f"task={task!r} is none of {self.name}'s; use one of {', '.join(self.tasks)}")
        fmt, mode = get_format(fmt), get_rounding(mode)
        with np.errstate(all="ignore"):
            if self.function is not None:
                columns = operands if isinstance(operands[0], list) else [np.asarray(x) for x in operands]
                return self.function(tuple(columns), fmt, mode)
            assert self.rounder is not None
            values = np.asarray(self.rounder(unrounded(task, operands, mode), fmt, mode), np.float64)
            return encode_held(right(values, fmt, mode), fmt) if task == "encode" else values

    def __call__(self, x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even") -> Any:
        """The first of its tasks on one operand: a wrong `round_to` that can be called like it."""
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
)
"""Every fault; where two answer alike, the one that says it best comes first."""


def suspects(task: str) -> tuple[Fault, ...]:
    """The faults of a task; those of the operation itself before those of its rounding.

    >>> len(suspects("rounding")) >= 30, suspects("fma")[0].misconception
    (True, 'rounds twice: the product, and then the sum')
    """
    own = [fault for fault in FAULTS if task in fault.tasks]
    return tuple(sorted(own, key=lambda fault: fault.rounder is not None))


def wrong_rounders(fmt: Format, mode: Rounding) -> tuple[Fault, ...]:
    """The faults whose answers in this format and mode are not all right."""
    x = cases.roundable(fmt)
    truth = right(x, fmt, mode)

    def errs(fault: Fault) -> bool:
        y = np.asarray(fault.answer("rounding", (x,), fmt, mode))
        alike = ((y == truth) & (np.signbit(y) == np.signbit(truth))) | (np.isnan(y) & np.isnan(truth))
        return not bool(alike.all())

    return tuple(fault for fault in suspects("rounding") if errs(fault))


def find(name: str, task: str = "rounding") -> Fault:
    """The fault of a task with a name.

    Raises
    ------
    ValueError
        For a name that none has.
    """
    for fault in suspects(task):
        if fault.name == name:
            return fault
    known = ", ".join(fault.name for fault in suspects(task))
    raise ValueError(f"name={name!r} is no fault of {task}; known: {known}")
