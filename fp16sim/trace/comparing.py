"""Two runs side by side: the first operation whose results differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import explain
from ..conversion import Array
from ..formats import Format, Rounding
from ..wording import count, quoted
from .records import Record
from .sentences import short
from .sites import Place

EXPLAINED = ("add", "subtract", "multiply", "divide", "sqrt")


@dataclass(frozen=True)
class Divergence:
    """Where two runs differ first.

    Attributes
    ----------
    number : int
        Of the operation (from 1), or of the recorded tensor; None if all are equal.
    operation : str
        Its name, or that of the tensor.
    places : tuple of Place or None
        Where it stands in each run.
    index : tuple of int
        The element that differs most.
    results, operands : tuple
        Of both runs, at that element.
    ulp : float
        How far the results are apart, in ulp of the less precise format.
    differing, elements : int
        How many elements differ there, and how many there are.
    equal : int
        Operations before it, which are all equal.
    explanations : tuple of str
        Why each run has its result, for one rounded operation.
    reason : str
        In words, if the runs do not even execute the same operation.
    """

    number: int | None
    operation: str
    places: tuple[Place | None, Place | None]
    index: tuple[int, ...]
    results: tuple[float, ...]
    operands: tuple[tuple[float, ...], ...]
    ulp: float
    differing: int
    elements: int
    equal: int
    explanations: tuple[str, ...]
    reason: str = ""

    def __bool__(self) -> bool:
        return self.number is not None

    def __str__(self) -> str:
        if self.number is None:
            return f"no difference: {count(self.equal, 'operation')} with equal results"
        if self.reason:
            return (
                f"operation {self.number}: {self.reason}; {count(self.equal, 'operation')} before it with equal results"
            )
        return "\n".join([self._headline(), *map(self._side, (0, 1)), *self.explanations])

    def _headline(self) -> str:
        return (
            f"operation {self.number}, {self.operation}: {self.differing:,} of {count(self.elements, 'result')} "
            f"differ, by up to {self.ulp:g} ulp; {self._before()}"
        )

    def _before(self) -> str:
        return f"{count(self.equal, 'operation')} before it with equal results"

    def _side(self, k: int) -> str:
        place, operands = self.places[k], ", ".join(short(x) for x in self.operands[k])
        where = f" at {place}, {place.expression}" if place else ""
        element = f" (element {', '.join(map(str, self.index))})" if self.index else ""
        given = f" of {operands}" if operands else ""
        return f"  run {'ab'[k]}{where}{element}: {short(self.results[k])}{given}"


@dataclass(frozen=True)
class _Entry:
    """An operation, or a recorded tensor."""

    operation: str
    place: Place | None
    values: Array
    operands: tuple[Array, ...]
    fmt: Format | None
    mode: Rounding | None


def compare(run_a: Any, run_b: Any) -> Divergence:
    """The first operation whose results differ between two runs.

    Parameters
    ----------
    run_a, run_b : Run, or mapping or sequence of arrays
        Runs of one function in two formats, modes or accumulators, or of two versions of it: each is repeated, and all
        its operations are kept. Or tensors recorded elsewhere, such as on two machines, in the order of time: a dict of
        names, or a list.

    Returns
    -------
    Divergence
        Falsy if nothing differs. Printed, it names the operation, the operands, both results, and how far they are
        apart in ulp.

    Raises
    ------
    TypeError, ValueError
        For something else, and for a run that cannot be repeated: a recorded block.

    Examples
    --------
    >>> import fp16sim as fs
    >>> def total(x):
    ...     return np.sum(x) / 3
    >>> runs = [fs.trace.wrap(total, accumulator=how)([2048.0, 1.0, 1.0]) for how in ("sequential", "exact")]
    >>> print(fs.trace.compare(*runs))  # doctest: +ELLIPSIS
    operation 1, sum: 1 of 1 result differ, by up to 1 ulp; 0 operations before it with equal results
      run a at ..., np.sum(x): 2048...
      run b at ..., np.sum(x): 2050...
    """
    a, b = _entries(run_a), _entries(run_b)
    for k, (one, other) in enumerate(zip(a, b, strict=False)):
        found = _difference(k, one, other)
        if found is not None:
            return found
    if len(a) == len(b):
        return Divergence(None, "", (None, None), (), (), (), 0.0, 0, 0, len(a), ())
    longer, name = (a, "a") if len(a) > len(b) else (b, "b")
    extra = longer[min(len(a), len(b))]
    reason = f"only run {name} executes {extra.operation}{_at(extra.place)}"
    return _apart(min(len(a), len(b)), extra, extra, reason)


def _entries(run: Any) -> list[_Entry]:
    if isinstance(run, Record):
        return _of_run(run)
    if isinstance(run, Mapping):
        return [_Entry(str(name), None, np.asarray(x, np.float64), (), None, None) for name, x in run.items()]
    if isinstance(run, Sequence) and not isinstance(run, str):
        return [_Entry(f"tensor {k}", None, np.asarray(x, np.float64), (), None, None) for k, x in enumerate(run, 1)]
    raise TypeError(
        f"run of type {type(run).__name__}: give what a traced function returned, or tensors in a dict or list"
    )


def _of_run(run: Record) -> list[_Entry]:
    if run.again is None:
        raise ValueError(
            f"run={quoted(run.name)} is a block, which cannot be repeated; put the code into a function for wrap"
        )
    repeated = run.again(prepare=_keeping)
    assert repeated.recorder.log is not None
    return [_entry(repeated, site, step) for site, step in repeated.recorder.log]


def _keeping(recorder: Any) -> None:
    recorder.log = []


def _entry(run: Record, site: int, step: Any) -> _Entry:
    operands = tuple(operand.plain for operand in step.operands)
    return _Entry(step.name, run.sites[site].place, step.values, operands, run.fmt, run.mode)


def _at(place: Place | None) -> str:
    return f" at {place}" if place else ""


def _apart(k: int, a: _Entry, b: _Entry, reason: str) -> Divergence:
    return Divergence(k + 1, a.operation, (a.place, b.place), (), (), (), 0.0, 0, 0, k, (), reason)


def _difference(k: int, a: _Entry, b: _Entry) -> Divergence | None:
    if a.operation != b.operation or a.values.shape != b.values.shape:
        shapes = "" if a.operation != b.operation else f" of shape {a.values.shape} and {b.values.shape}"
        reason = f"run a executes {a.operation}{_at(a.place)}, run b {b.operation}{_at(b.place)}{shapes}"
        return _apart(k, a, b, reason)
    differs = (a.values != b.values) & ~(np.isnan(a.values) & np.isnan(b.values))
    if not differs.any():
        return None
    ulps = _ulps(a, b, differs)
    element = int(np.argmax(ulps))
    index = tuple(int(i) for i in np.unravel_index(element, a.values.shape)) if a.values.ndim else ()
    results = tuple(float(x.values.reshape(-1)[element]) for x in (a, b))
    operands = tuple(_operands(x, element) for x in (a, b))
    return Divergence(
        k + 1, a.operation, (a.place, b.place), index, results, operands, float(ulps.reshape(-1)[element]),
        int(np.count_nonzero(differs)), differs.size, k, _explanations(a, b, operands),
    )  # fmt: skip


def _ulps(a: _Entry, b: _Entry, differs: Array) -> Array:
    """The distance in units of the last place of the less precise format; of plain tensors, of float32."""
    formats = [x.fmt for x in (a, b) if x.fmt is not None]
    precision = min((fmt.precision for fmt in formats), default=24)
    least = max((float(fmt.min_normal) for fmt in formats), default=2.0**-126)
    with np.errstate(all="ignore"):
        size = np.maximum(np.maximum(np.abs(a.values), np.abs(b.values)), least)
        quantum = np.exp2(np.floor(np.log2(size)) + 1 - precision)
        distance = np.abs(a.values - b.values) / quantum
    return np.where(differs, np.where(np.isfinite(distance), distance, np.inf), 0.0)


def _operands(x: _Entry, element: int) -> tuple[float, ...]:
    """The operands of that element, where their shapes tell which they are."""
    found = []
    for operand in x.operands:
        if operand.ndim and operand.size > 1 and x.values.size == 1:
            continue
        try:
            found.append(float(np.broadcast_to(operand, x.values.shape).reshape(-1)[element]))
        except ValueError:
            continue
    return tuple(found)


def _explanations(a: _Entry, b: _Entry, operands: Sequence[tuple[float, ...]]) -> tuple[str, ...]:
    """Why each run has its result, if it is that of one rounding."""
    if a.operation not in EXPLAINED or a.fmt is None or b.fmt is None or a.mode is None or b.mode is None:
        return ()
    if a.mode.random or b.mode.random or not all(map(np.isfinite, np.concatenate(operands))):
        return ()
    function = getattr(explain, a.operation)
    return tuple(str(function(*given, x.fmt, x.mode)) for x, given in zip((a, b), operands, strict=True))
