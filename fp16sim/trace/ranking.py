"""Which line is to blame: the record of a run, and its lines in order.

Every element of a result remembers the operation that gained most of its lost bits. A line is blamed for the root of
the mean square of these bits, over all elements of the results: one element that became infinite counts more than many
that lost a digit. Lines that no result blames follow, those that lost most bits on the way first.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..formats import Format
from . import marks
from .corrections import CHUNK, LEAST_SIZE
from .recorder import Recorder
from .sites import EVENTS, Place, Site, Witness
from .traced import Traced
from .wide import Wide, as_float


@dataclass(frozen=True)
class Line:
    """A source line of a traced run, with all its operations.

    Attributes
    ----------
    rank : int
        1 for the line to blame.
    file, line, function, source
        Where it is, and its text.
    blamed : float
        The bits of the results that were lost here: the root of the mean square over their elements. A result that is
        not finite although the shadow is counts as four times the precision.
    gained : float
        The most bits that one operation here lost beyond those that its operands had lost.
    made, inherited : float
        The worst relative error that an operation here committed itself, and that it had from its operands.
    worst, worst_ulp, typical : float
        Relative errors of results here against their shadows: the worst, the worst in ulp, the median of a sample.
    amplification, cancelled : float
        At the witness, the relative error inherited by that of the operands; the most leading bits that cancelled.
    events : dict
        Counts of what happened, by name: absorbed, overflow, underflow, subnormal, nan, branches, shadow_lost.
    runs : int
        Operations.
    witness : Witness or None
        The element that lost most: operands, result, and their shadows.
    passed_on, passed_to : Witness or None, Place or None
        The same in a function whose argument was computed here, such as a sine, and where that function is.
    """

    rank: int
    file: str
    line: int
    function: str
    source: str
    blamed: float
    gained: float
    made: float
    made_ulp: float
    inherited: float
    worst: float
    worst_ulp: float
    typical: float
    amplification: float
    cancelled: float
    events: dict[str, int]
    runs: int
    elements: int
    expression: str
    witness: Witness | None
    passed_on: Witness | None
    passed_to: Place | None
    sites: tuple[int, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Result:
    """A number or array that a run gave.

    Attributes
    ----------
    values : FloatArray
        The emulated values.
    shadow : float or ndarray
        What they should be, in float64.
    error, ulp : float
        The worst error of an element: relative to its shadow, and in ulp. Infinite where an element is not finite
        although its shadow is.
    norm_error : float
        The root of the sum of the squared errors, by that of the squared shadows: for results whose small elements do
        not matter.
    lost : float
        The bits that the worst element has lost.
    known : bool
        Whether the shadow is known well enough to tell all that; if not, the numbers above are not to be trusted.
    sites : frozenset of int
        The operations that its elements blame for lost bits.
    """

    values: Any
    shadow: Any
    error: float
    ulp: float
    norm_error: float
    lost: float
    known: bool
    sites: frozenset[int] = field(repr=False, default=frozenset())


def outputs(*things: Any) -> list[Traced]:
    """The traced values in a result: also in lists, tuples, dicts and objects with attributes."""
    found: list[Traced] = []
    _collect(things, found, 0)
    return found


def _collect(x: Any, found: list[Traced], depth: int) -> None:
    if isinstance(x, Traced):
        found.append(x)
    elif depth > 6:
        return
    elif isinstance(x, dict):
        _collect(list(x.values()), found, depth + 1)
    elif isinstance(x, (list, tuple, set, deque)):
        for part in x:
            _collect(part, found, depth + 1)
    elif hasattr(x, "__dict__") and not isinstance(x, type) and not callable(x):
        _collect(list(vars(x).values()), found, depth + 1)


def worst_of(x: Any) -> float:
    """The largest element."""
    return float(np.max(x, initial=0.0))


def result_of(x: Traced) -> Result:
    """The errors of a result."""
    shadow, parts = _parts_of(x)
    with np.errstate(all="ignore"):
        found = [_errors(*part, x.value.fmt) for part in parts]
    worst, ulp, squares, lengths, known = (
        zip(*found, strict=True) if found else ((0.0,), (0.0,), (0.0,), (0.0,), (True,))
    )
    length = math.sqrt(sum(lengths))
    norm_error = math.sqrt(sum(squares)) / length if length else max(worst)
    return Result(x.value, shadow, max(worst), max(ulp), norm_error, worst_of(x.marks.lost), all(known), _to_blame(x))


def _to_blame(x: Traced) -> frozenset[int]:
    sites = np.unique(x.marks.site)
    return frozenset(sites[sites >= 0].tolist())


def _errors(error: Any, size: Any, radius: Any, fmt: Format) -> tuple[float, float, float, float, bool]:
    """Of some elements: the worst errors, relative and in ulp, two sums of squares, and whether all is known."""
    relative = np.where(error == 0, 0.0, error / size)
    # The exponent bits of a float64 alone are the largest power of two that is not above it.
    floor = (np.ascontiguousarray(size).view(np.int64) & 0x7FF0000000000000).view(np.float64)
    ulp = error / np.maximum(floor, float(fmt.min_normal)) * 2.0 ** (fmt.precision - 1)
    known = bool(np.all(marks.is_known(radius, error, size, fmt)))
    return worst_of(relative), worst_of(ulp), float((error**2).sum()), float((size**2).sum()), known


def _parts_of(x: Traced) -> tuple[Any, list[tuple[Any, Any, Any]]]:
    """The shadow in float64; and sizes of errors and shadows, and radii, of a large array in chunks."""
    if x.size < LEAST_SIZE or not np.isfinite(x.plain).all():
        shadow = as_float(x.shadow) if isinstance(x.shadow, Wide) else x.shadow.hi
        error = np.abs(marks.difference(x.plain, x.shadow))
        return shadow, [(error, marks.magnitude(x.shadow), np.asarray(marks.radius(x.shadow)))] if x.size else []
    correction, radius = (np.broadcast_to(part, x.shape).reshape(-1) for part in x.correction)
    shadow = x.plain + correction.reshape(x.shape)
    flat = shadow.reshape(-1)
    chunks = [slice(k, k + CHUNK) for k in range(0, x.size, CHUNK)]
    return shadow, [(np.abs(correction[k]), np.abs(flat[k]), radius[k]) for k in chunks]


def _scores(results: Sequence[Traced], sites: Sequence[Site]) -> dict[tuple[str, int], float]:
    """The mean square of the bits lost, by line."""
    total: dict[tuple[str, int], float] = defaultdict(float)
    count = sum(x.size for x in results)
    for x in results:
        if x.marks.clean:
            continue
        where, bits = (np.broadcast_to(part, x.shape).reshape(-1) for part in (x.marks.site, x.marks.bits))
        for number in np.unique(where[where >= 0]).tolist():
            place = sites[number].place
            total[place.file, place.line] += float((bits[where == number] ** 2).sum()) / count
    return total


def rank(recorder: Recorder, results: Sequence[Traced]) -> tuple[Line, ...]:
    """The lines of a run, the one to blame first."""
    scores = _scores(results, recorder.sites)
    by_line: dict[tuple[str, int], list[int]] = {}
    for number, site in enumerate(recorder.sites):
        by_line.setdefault((site.place.file, site.place.line), []).append(number)
    lines = [_line(recorder, numbers, math.sqrt(scores[key])) for key, numbers in by_line.items()]
    lines.sort(key=lambda one: (one.blamed, one.gained, _finite(one.worst)), reverse=True)
    return tuple(_ranked(lines))


def _finite(x: float) -> float:
    return x if math.isfinite(x) else 1e300


def _ranked(lines: Iterable[Line]) -> Iterable[Line]:
    for number, one in enumerate(lines, 1):
        yield Line(**{**vars(one), "rank": number})


def _passed(site: Site) -> float:
    return 0.0 if site.passed_on is None else site.passed_on.gained


def _line(recorder: Recorder, numbers: list[int], blamed: float) -> Line:
    sites = [recorder.sites[k] for k in numbers]
    most = max(sites, key=lambda site: (site.gained, _finite(site.worst)))
    place = most.place
    events = {name: sum(site.events[name] for site in sites) for name in EVENTS}
    return Line(
        rank=0,
        file=place.file,
        line=place.line,
        function=place.function,
        source=place.source,
        blamed=blamed,
        gained=most.gained,
        made=max(site.made for site in sites),
        made_ulp=max(site.made_ulp for site in sites),
        inherited=max(site.inherited for site in sites),
        worst=max(site.worst for site in sites),
        worst_ulp=max(site.worst_ulp for site in sites),
        typical=most.typical,
        amplification=most.amplification,
        cancelled=max(site.cancelled for site in sites),
        events={name: n for name, n in events.items() if n},
        runs=sum(site.runs for site in sites),
        elements=sum(site.elements for site in sites),
        expression=place.expression,
        witness=most.witness,
        passed_on=(passing := max(sites, key=_passed)).passed_on,
        passed_to=passing.passed_to,
        sites=tuple(numbers),
    )
