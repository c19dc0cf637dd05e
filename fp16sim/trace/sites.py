"""Where an operation stands in the user's source, and what is counted for it: bounded, however often it is run."""

from __future__ import annotations

import linecache
import math
import os
import sys
import sysconfig
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import numpy as np

HOME = str(Path(__file__).resolve().parent.parent)
_FOLDERS = (HOME, str(Path(np.__file__).parent), *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib")))
FOREIGN = tuple({os.path.join(folder, "") for folder in _FOLDERS})
"""Folders of code that is not the user's, each with the separator after it."""


@lru_cache(maxsize=4096)
def is_foreign(filename: str) -> bool:
    """Whether a file belongs to Python, to a library or to fp16sim."""
    return filename.startswith(("<frozen", "<__array_function__")) or filename.startswith(FOREIGN)


@dataclass(frozen=True)
class Place:
    """An expression in a source file.

    Attributes
    ----------
    file : str
    line : int
    function : str
    expression : str
        The text of the operation; that of the whole line where Python does not tell more.
    """

    file: str
    line: int
    function: str
    expression: str

    @property
    def source(self) -> str:
        """The line."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}"


def place_of(code: CodeType, instruction: int) -> Place:
    """Where an instruction of some code stands."""
    positions = list(code.co_positions())
    line, last, first_column, last_column = (
        positions[instruction // 2] if instruction // 2 < len(positions) else [None] * 4
    )
    number = line or code.co_firstlineno
    text = linecache.getline(code.co_filename, number)
    if line and line == last and first_column is not None:
        encoded = text.encode()
        text = encoded[first_column:last_column].decode(errors="replace")
    return Place(code.co_filename, number, code.co_name, text.strip())


class Caller(NamedTuple):
    """Where a wrapped function was first called; what it has of a frame has the same names."""

    f_code: CodeType
    f_lasti: int
    f_lineno: int


def calling(depth: int) -> Caller:
    """The frame so many calls above."""
    frame = sys._getframe(depth + 1)
    return Caller(frame.f_code, frame.f_lasti, frame.f_lineno)


called: ContextVar[Caller | None] = ContextVar("fp16sim_trace_called", default=None)
"""Where the function was called that is traced now. If it is one of a library, such as np.cumsum, no line of the user's
stands between it and the trace; and when it is run again, for a cure, it is called from another line."""
RUNNING = str(Path(__file__).with_name("running.py"))


def user_frame(known: set[str]) -> FrameType | Caller:
    """The innermost frame of the user's code: of a file that is traced, or of one that no library has."""
    frame: FrameType | None = sys._getframe(1)
    last = frame
    while frame is not None:
        name = frame.f_code.co_filename
        if name in known or not is_foreign(name):
            return frame
        if name == RUNNING and frame.f_code.co_name == "_run" and (caller := called.get()) is not None:
            return caller
        last, frame = frame, frame.f_back
    assert last is not None
    return last


@dataclass
class Witness:
    """The element of an operation where the most bits were lost."""

    operation: str
    number: int
    operands: tuple[float, ...]
    shadows: tuple[float, ...]
    result: float
    shadow: float
    index: tuple[int, ...]
    lost: float
    gained: float
    amplification: float
    cancelled: float


EVENTS = ("absorbed", "overflow", "underflow", "subnormal", "nan", "branches", "shadow_lost")
"""What is counted: an addend that left the sum as it was; an infinity, a zero, a subnormal or a NaN that the exact
result is not; a comparison that went the other way than the shadow's; elements of which the shadow is not known."""


@dataclass
class Site:
    """What all runs of one operation at one place did.

    Attributes
    ----------
    made, inherited : float
        The worst relative error that the operation committed itself, and that it had from its operands.
    worst, worst_ulp : float
        The worst relative error of a result against its shadow, and the worst in ulp.
    made_ulp : float
        The worst error that the operation committed itself, in ulp.
    gained : float
        The most bits that a result had lost and its operands had not.
    amplification : float
        There: the relative error inherited, by the relative error of the operands.
    cancelled : float
        The most leading bits that a sum or difference cancelled.
    witness : Witness or None
        The element that gained most.
    passed_on, passed_to : Witness or None, Place or None
        The element that gained most in a function of a result of this operation, and where that function is.
    """

    place: Place
    operation: str
    runs: int = 0
    elements: int = 0
    made: float = 0.0
    made_ulp: float = 0.0
    inherited: float = 0.0
    worst: float = 0.0
    worst_ulp: float = 0.0
    gained: float = 0.0
    amplification: float = 0.0
    cancelled: float = 0.0
    events: Counter[str] = field(default_factory=Counter)
    exponents: Counter[int] = field(default_factory=Counter)
    witness: Witness | None = None
    passed_on: Witness | None = None
    passed_to: Place | None = None

    @property
    def typical(self) -> float:
        """The median relative error of a sample of the results, to half a binade; 0 if most are exact."""
        total, seen = sum(self.exponents.values()), 0
        for exponent in sorted(self.exponents):
            seen += self.exponents[exponent]
            if 2 * seen >= total:
                return SPECIAL.get(exponent, min(math.ldexp(0.75, min(exponent, 1023)), self.worst))
        return 0.0


LEAST, NOT_FINITE = -2000, 2000
"""Stand for the exponents of an error of 0, and of one that is not finite."""
SPECIAL = {LEAST: 0.0, NOT_FINITE: math.inf}
