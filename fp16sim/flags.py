"""The five IEEE 754 exceptions and absorption: who listens for them, and how they are told.

There are two kinds of listeners. Recorders, opened with `record_flags`, keep a count and the first offender for each
exception, and for absorption, which is no exception of IEEE 754. NumPy's `errstate` says whether invalid, divide by
zero, overflow and underflow warn, raise or are ignored; nobody wants a warning for inexact. Recorders live in a context
variable, so each thread and task has its own. They nest: an outer recorder records what an inner one records.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from .wording import quoted

FLAGS = ("invalid", "divide_by_zero", "overflow", "underflow", "inexact")
"""The exceptions of IEEE 754."""
EVENTS = (*FLAGS, "absorbed")
"""All that is recorded: the exceptions, and addends that left a sum as it was."""

# Our name -> NumPy's key in errstate, and NumPy's words.
_ERRSTATE = {
    "divide_by_zero": ("divide", "divide by zero", 1),
    "overflow": ("over", "overflow", 2),
    "underflow": ("under", "underflow", 4),
    "invalid": ("invalid", "invalid value", 8),
}


@dataclass
class Flag:
    """One exception or event as recorded: truthy when raised.

    Attributes
    ----------
    count : int
        Elements that raised it; in a reduction, such as a sum, elements of all its steps.
    operation : str or None
        The operation that raised it first.
    index : tuple of int or None
        The first element of that operation's result, in C order, that raised it; () for a scalar. An element of a
        reduction raises what any step of its computation raises.
    """

    count: int = 0
    operation: str | None = None
    index: tuple[int, ...] | None = None

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(repr=False)
class Flags:
    """What `record_flags` collects: one Flag for each exception of IEEE 754, and `absorbed`, an event of our own."""

    invalid: Flag = field(default_factory=Flag)
    divide_by_zero: Flag = field(default_factory=Flag)
    overflow: Flag = field(default_factory=Flag)
    underflow: Flag = field(default_factory=Flag)
    inexact: Flag = field(default_factory=Flag)
    absorbed: Flag = field(default_factory=Flag)
    tininess: str = "after"
    only: frozenset[str] = frozenset(EVENTS)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def __repr__(self) -> str:
        return f"Flags({', '.join(f'{name}={seen}' for name in EVENTS if (seen := getattr(self, name)))})"

    def names(self) -> tuple[str, ...]:
        """The names of the raised exceptions; `absorbed` is not among them, because it is none of IEEE 754.

        >>> import fp16sim as fs
        >>> with fs.record_flags() as raised:
        ...     _ = fs.divide(1, 3, "binary16")
        ...     _ = fs.add(2048, 1, "binary16")
        >>> raised.names(), bool(raised.absorbed)
        (('inexact',), True)
        """
        return tuple(name for name in FLAGS if getattr(self, name))

    def _add(self, name: str, event: Event, operation: str, shape: tuple[int, ...]) -> None:
        with self._lock:
            flag = getattr(self, name)
            if not flag:
                flag.operation = operation
                flag.index = tuple(int(i) for i in np.unravel_index(event.first, shape)) if shape else ()
            flag.count += event.count


@dataclass(frozen=True)
class Event:
    """How many elements raised an exception in one operation, and the first of them in C order."""

    count: int
    first: int


class Listeners(NamedTuple):
    """What all listeners together want to know."""

    names: frozenset[str]
    """The exceptions that someone listens for."""
    tininess: frozenset[str]
    """The definitions of tiny that they use."""
    counted: frozenset[str] = frozenset()
    """The exceptions that a recorder counts."""
    errstate: bool = True
    """Whether NumPy's errstate is among the listeners; if not, it need not be silenced."""


PER_ELEMENT = frozenset({"inexact", "underflow", "absorbed"})
"""What shows only when every element is compared with its exact value, or with its operands."""

_AFTER = frozenset({"after"})


class _Recorders(NamedTuple):
    """The recorders of a context, and the exceptions and the definition of tiny that each of them asks for."""

    flags: tuple[Flags, ...] = ()
    requests: tuple[tuple[frozenset[str], str], ...] = ()


_NOBODY = _Recorders()
_recorders: ContextVar[_Recorders] = ContextVar("fp16sim_flags", default=_NOBODY)


@contextmanager
def record_flags(
    *, tininess: Literal["after", "before"] = "after", only: Iterable[str] | None = None
) -> Iterator[Flags]:
    """Record the IEEE 754 exceptions raised inside the block, and absorption; exact, element by element.

    Parameters
    ----------
    tininess : {"after", "before"}
        Underflow means tiny and inexact. A result is tiny when, rounded as if there were no smallest exponent, it is
        below min_normal ("after", as in x86 and RISC-V), or when the exact result is ("before", as in Arm).
    only : iterable of str, optional
        What to record; the others then cost nothing. All five exceptions and "absorbed" by default.

    Yields
    ------
    Flags
        With attributes invalid, divide_by_zero, overflow, underflow and inexact, and with absorbed: each truthy when
        raised, with `.count`, `.operation` and `.index` of the first offender. It does not change warnings:
        `np.errstate` does.

    Raises
    ------
    ValueError
        For another `tininess`, or an unknown name in `only`.

    Notes
    -----
    The index is that of an element of the operation's result, the first one in C order. A sum or a dot product is one
    element, which raises what any of its steps raises: the index tells which sum it was, not which term. In `cumsum`
    each partial sum is an element, so the index tells the term, too.

    `absorbed` is no exception of IEEE 754. It says that an addend changed nothing: the addend is not zero, and the
    result of add, subtract or fma equals the other addend (the exact product is one in fma). So a sum, a weight or a
    moving average that stands still shows. Every such event is inexact too. In sums it is counted for each addition,
    also for those of Kahan's loop, which adds later what was absorbed; for a matrix unit, for each group of products
    that leaves the sum so far as it was. Exact() adds all terms at once, so nothing is absorbed. Blas records nothing.

    Examples
    --------
    >>> import fp16sim as fs
    >>> with fs.record_flags() as raised:
    ...     _ = fs.add([1.0, 2048.0], [1.0, 1.0], "binary16")
    >>> bool(raised.overflow), raised.inexact
    (False, Flag(count=1, operation='add', index=(1,)))
    >>> with fs.record_flags() as raised, np.errstate(over="ignore"):
    ...     _ = fs.cumsum([60000.0, 1.0, 60000.0, 1.0], "binary16")
    >>> raised.overflow
    Flag(count=1, operation='cumsum', index=(2,))
    >>> with fs.record_flags(only=["absorbed"]) as raised:
    ...     _ = fs.cumsum([2046.0, 1.0, 1.0, 1.0, 0.0], "binary16")  # 2046, 2047, 2048, 2048, 2048
    >>> raised.absorbed
    Flag(count=1, operation='cumsum', index=(3,))
    """
    if tininess not in ("after", "before"):
        raise ValueError(f"tininess={quoted(tininess)} is unknown; use 'after' or 'before' (rounding)")
    wanted = frozenset(EVENTS if only is None else only)
    if not wanted <= set(EVENTS):
        raise ValueError(f"only={quoted(only)}: not an exception; use some of {', '.join(EVENTS)}")
    flags = Flags(tininess=tininess, only=wanted)
    others = _recorders.get()
    token = _recorders.set(_Recorders((*others.flags, flags), (*others.requests, (wanted, tininess))))
    try:
        yield flags
    finally:
        _recorders.reset(token)


@contextmanager
def without_flags() -> Iterator[None]:
    """No flag is raised inside the block: for tables that serve more than the call that made them."""
    token = _recorders.set(_NOBODY)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _recorders.reset(token)


@lru_cache(maxsize=256)
def _errstate_alone(*actions: str) -> Listeners:
    """NumPy's errstate as the only listener, given the values of np.geterr() in order."""
    state = dict(zip(np.geterr(), actions, strict=True))
    names = frozenset(name for name, (key, _, _) in _ERRSTATE.items() if state[key] != "ignore")
    return Listeners(names, _AFTER, errstate=bool(names))


@lru_cache(maxsize=1024)
def _with_recorders(errstate: Listeners, requests: tuple[tuple[frozenset[str], str], ...]) -> Listeners:
    counted = frozenset[str]().union(*(only for only, _ in requests))
    return Listeners(errstate.names | counted, _AFTER | {t for _, t in requests}, counted, errstate.errstate)


def current_listeners() -> Listeners:
    """The recorders of this context, and NumPy's errstate."""
    errstate, requests = _errstate_alone(*np.geterr().values()), _recorders.get().requests
    return _with_recorders(errstate, requests) if requests else errstate


_silent = copy_context()
_silent.run(np.seterr, all="ignore")
silent_context = _silent.copy
"""A context in which NumPy's errstate ignores everything: `silent_context().run(call, ...)` takes a tenth of the time
of `with np.errstate(all="ignore")`. No other context variable has its value there, so `call` asks for no listeners."""


def recording() -> bool:
    """Whether there is a recorder in this context."""
    return _recorders.get() is not _NOBODY


def ignored(name: str) -> bool:
    """Whether nobody listens for an exception."""
    return name not in current_listeners().names


class Tally:
    """The events of one operation, collected chunk by chunk, then reported once."""

    def __init__(self, listeners: Listeners) -> None:
        self.listeners = listeners
        self.events: dict[tuple[str, str], Event] = {}

    def wants(self, *names: str) -> bool:
        """Whether anyone listens for one of these."""
        return not self.listeners.names.isdisjoint(names)

    def lacks(self, name: str) -> bool:
        """Whether someone listens for `name` who has not heard it yet, or counts how often it is raised."""
        return name in self.listeners.names and ((name, "") not in self.events or name in self.listeners.counted)

    def note_at(self, name: str, indices: np.ndarray[Any, Any], offset: int = 0) -> None:
        """Add the elements at these indices, in ascending order."""
        if indices.size:
            self.merge((name, ""), Event(indices.size, offset + int(indices[0])))

    def note_element(self, name: str, index: int, tininess: str = "") -> None:
        """Add the element with this index."""
        self.merge((name, tininess), Event(1, index))

    def note(self, name: str, mask: np.ndarray[Any, Any], offset: int = 0, tininess: str = "") -> None:
        """Add the true elements of `mask`, whose first element is number `offset` of the operation."""
        count = int(np.count_nonzero(mask))
        if count:
            self.merge((name, tininess), Event(count, offset + int(np.argmax(mask))))

    def merge(self, key: tuple[str, str], event: Event) -> None:
        """Add an event of another chunk."""
        old = self.events.get(key)
        self.events[key] = Event(event.count + old.count, min(event.first, old.first)) if old else event

    def report(self, operation: str, shape: tuple[int, ...]) -> None:
        """Tell the recorders, then do what NumPy's errstate says."""
        if not self.events:
            return
        for (name, tininess), event in self.events.items():
            for recorder in _recorders.get().flags:
                if name in recorder.only and tininess in ("", recorder.tininess):
                    recorder._add(name, event, operation, shape)
        state: dict[str, Any] = dict(np.geterr())
        for name, (key, words, number) in _ERRSTATE.items():
            if state[key] != "ignore" and ((name, "") in self.events or (name, "after") in self.events):
                _warn_as_numpy(state[key], words, operation, number)


Indices: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"


class StepTally(Tally):
    """The events of all steps of a reduction, reported once, at the end, as those of one operation.

    Each step is an operation on arrays. `place` gives, for flat indices of elements of a step, the flat indices of the
    elements of the reduction's result that these are computed for.
    """

    def __init__(self, listeners: Listeners, place: Callable[[Indices], Indices] = lambda indices: indices) -> None:
        super().__init__(listeners)
        self.place = place
        self.elements: dict[tuple[str, str], list[int]] = {}

    def part(self, place: Callable[[Indices], Indices]) -> StepTally:
        """The same tally for steps whose elements `place` maps to those of this tally's steps."""
        part = StepTally(self.listeners, lambda indices: self.place(place(indices)))
        part.events = self.events
        return part

    def note_at(self, name: str, indices: Indices, offset: int = 0, tininess: str = "") -> None:
        """Add the elements of a step at these indices."""
        if indices.size:
            self.merge((name, tininess), Event(indices.size, int(self.place(indices + offset).min())))

    def note_element(self, name: str, index: int, tininess: str = "") -> None:
        """Add the element of a step with this index, when the step ends."""
        self.elements.setdefault((name, tininess), []).append(index)

    def note(self, name: str, mask: np.ndarray[Any, Any], offset: int = 0, tininess: str = "") -> None:
        """Add the true elements of `mask`, whose first element is number `offset` of a step."""
        self.note_at(name, np.flatnonzero(mask), offset, tininess)

    def report(self, operation: str, shape: tuple[int, ...]) -> None:
        """End a step. Nothing is reported yet, because the reduction goes on."""
        for (name, tininess), indices in self.elements.items():
            self.note_at(name, np.array(indices), 0, tininess)
        self.elements.clear()

    def finish(self, operation: str, shape: tuple[int, ...]) -> None:
        """Report the events of all steps; `shape` is that of the reduction's result."""
        super().report(operation, shape)


def _warn_as_numpy(action: str, words: str, operation: str, number: int) -> None:
    """Do what NumPy does for the same errstate, in NumPy's words."""
    message = f"{words} encountered in {operation}"
    if action == "raise":
        raise FloatingPointError(message)
    if action == "warn":
        warnings.warn(message, RuntimeWarning, stacklevel=_callers_level())
    elif action == "print":
        print(f"Warning: {message}")
    elif action == "call":
        handler: Any = np.geterrcall()
        handler(words, number)
    elif action == "log":
        log: Any = np.geterrcall()
        log.write(f"Warning: {message}\n")


def _callers_level() -> int:
    """The stacklevel of the first frame outside this package, so that a warning points at the user's line."""
    home = os.path.dirname(__file__) + os.sep
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(home):
        level, frame = level + 1, frame.f_back
    return level
