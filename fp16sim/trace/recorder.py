"""The recorder: what every operation of a traced program is measured by, kept line by line in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Generator
from ..formats import Format, Rounding
from . import marks
from .corrections import CHUNK, Corrected
from .marks import CLEAN, Marks
from .pairs import Pair
from .sites import LEAST, NOT_FINITE, Place, Site, Witness, place_of, user_frame
from .wide import Wide, as_float

BEYOND = 4
"""A result that is not finite although its shadow is has lost 4 p bits: more than all digits."""
NOT_BLAMED = frozenset(
    {"sin", "cos", "tan", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "arccos", "arcsin"}
)
"""Functions whose condition belongs to the problem. Where one of them amplifies an error, its argument was not accurate
enough: the line that computed the argument can be changed, the function cannot."""
SAMPLE = 64
RECENT = 20000
SHOWN = 4096


class Step(NamedTuple):
    """One operation in the order of time: for the picture, and for comparisons."""

    number: int
    site: int
    error: float
    lost: float


class Escape(NamedTuple):
    """A number that left the trace, or came into it from a computation that was not traced."""

    place: Place
    how: str


class Measured(NamedTuple):
    """An operation on its way through the measures."""

    name: str
    values: Array
    exact: Wide | Pair
    shadow: Wide | Pair
    operands: Sequence[Any]
    carried: Marks


@dataclass
class Recorder:
    """What a traced run collects.

    Attributes
    ----------
    fmt, mode, rng, accumulator
        Of the emulated computation.
    ufunc, function
        What NumPy's protocols call for traced values: see `dispatch`.
    islands : dict of (file, line) -> Format
        Lines whose operations are computed in another format.
    line_accumulators : dict of (file, line) -> accumulator
        Lines whose sums are added in another way.
    held_constants : bool
        Whether constants that the format does not hold are replaced by its smallest normal or largest number.
    log : list, optional
        Where all operations are kept, for a comparison of two runs.
    shown : deque
        Values that were printed, turned into text or into plain numbers: the results of a script.
    unused : dict, optional
        Values that no operation has used yet, by identity: the results of a block.
    rewrite : callable, optional
        Computes an operation in another way, or gives None: see `cures`. Then values remember what they are made of.
    """

    fmt: Format
    mode: Rounding
    ufunc: Callable[..., Any]
    function: Callable[..., Any]
    rng: Generator = None
    accumulator: AccumulatorLike | None = None
    islands: dict[tuple[str, int], Format] = field(default_factory=dict)
    line_accumulators: dict[tuple[str, int], AccumulatorLike] = field(default_factory=dict)
    rewrite: Callable[..., Any] | None = None
    held_constants: bool = False
    constants: dict[Any, Any] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    sites: list[Site] = field(default_factory=list)
    escapes: dict[Escape, int] = field(default_factory=dict)
    recent: deque[Step] = field(default_factory=lambda: deque(maxlen=RECENT))
    operations: int = 0
    log: list[Any] | None = None
    shown: deque[Any] = field(default_factory=lambda: deque(maxlen=SHOWN))
    unused: dict[int, Any] | None = None
    _places: dict[tuple[CodeType, int, str], int] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether the program does not run as it is, because a cure is tried."""
        return bool(self.rewrite or self.islands or self.line_accumulators or self.held_constants)

    # --- places -----------------------------------------------------------------------------------------------------

    def site(self, operation: str) -> int:
        """The number of the site of an operation that the user's code is at."""
        frame = user_frame(self.files)
        key = (frame.f_code, frame.f_lasti, operation)
        if key not in self._places:
            self._places[key] = len(self.sites)
            self.sites.append(Site(place_of(frame.f_code, frame.f_lasti), operation))
        return self._places[key]

    def here(self) -> tuple[str, int]:
        """The file and the line that the user's code is at."""
        frame = user_frame(self.files)
        return frame.f_code.co_filename, frame.f_lineno

    def escape(self, how: str) -> None:
        """A number leaves the trace here."""
        frame = user_frame(self.files)
        found = Escape(place_of(frame.f_code, frame.f_lasti), how)
        self.escapes[found] = self.escapes.get(found, 0) + 1

    def format_here(self) -> Format | None:
        """The format of the island that the user's code is in."""
        return self.islands.get(self.here()) if self.islands else None

    def accumulator_here(self) -> AccumulatorLike | None:
        """How the user's code adds here."""
        return self.line_accumulators.get(self.here(), self.accumulator) if self.line_accumulators else self.accumulator

    # --- measures ---------------------------------------------------------------------------------------------------

    def measure(self, step: Measured, fmt: Format) -> tuple[Marks, int]:
        """Measure an operation: the marks of its result, and its site."""
        number = self.site(step.name)
        site = self.sites[number]
        self._begin(site, step.values.size, step.operands)
        if not step.values.size:
            return CLEAN, number
        with np.errstate(all="ignore"):
            worst, marks_ = _measured(step, site, number, fmt, self._unit(fmt))
        self.recent.append(Step(self.operations, number, worst.error, worst.lost))
        self._witnessed(step, site, worst)
        return marks_, number

    def measure_corrected(self, name: str, y: Any, operands: Sequence[Any], found: Corrected) -> int:
        """The same for a large array whose corrections are known; only elements that lost bits are looked at."""
        number = self.site(name)
        site, fmt = self.sites[number], y.value.fmt
        self._begin(site, y.size, operands)
        _count_corrected(site, y, found)
        lost = _lost_of(found.worst, self._unit(fmt))
        few = []
        for start in range(0, found.sick.size, CHUNK):
            k = slice(start, start + CHUNK)
            sick = found.sick[k]
            part = _of_elements(name, y, operands, found.correction, sick)
            with np.errstate(all="ignore"):
                worst, marks_ = _ledger(part, number, self._unit(fmt), -found.correction[sick], found.relative[k], None)
            self._witnessed(part, site, worst, sick, y.shape)
            few.append(marks_)
        if few:
            y.marks_of_few(found.sick, marks.joined(few))
        self.recent.append(Step(self.operations, number, found.worst, lost))
        return number

    def _unit(self, fmt: Format) -> Format:
        """In whose bits losses count: the traced format's, so that a cast to a wider one loses nothing."""
        return min(fmt, self.fmt, key=lambda one: one.precision)

    def _begin(self, site: Site, elements: int, operands: Sequence[Any]) -> None:
        self.operations += 1
        if self.unused is not None:
            for operand in operands:
                self.unused.pop(id(operand), None)
        site.runs += 1
        site.elements += elements

    def _witnessed(self, step: Measured, site: Site, worst: Worst, sick: Any = None, shape: Any = None) -> None:
        """Keep the element that gained most, if none gained more before."""
        if worst.gained > max(site.gained, 0.5) or (site.witness is None and worst.gained > 0):
            site.gained = max(site.gained, worst.gained)
            site.witness = _witness(step, self.operations, worst, sick, shape)
            site.amplification = site.witness.amplification
            self._pass_on(step, site)

    def _pass_on(self, step: Measured, site: Site) -> None:
        """Tell the operation that computed the argument of a function what became of its error there."""
        if step.name not in NOT_BLAMED or not step.operands or step.operands[0].origin < 0:
            return
        source = self.sites[step.operands[0].origin]
        assert site.witness is not None
        if source.passed_on is None or source.passed_on.gained < site.witness.gained:
            source.passed_on, source.passed_to = site.witness, site.place

    def branch(self, operation: str, differing: int) -> None:
        """Comparisons whose results differ from the shadow's."""
        if differing:
            self.sites[self.site(operation)].events["branches"] += differing


class Worst(NamedTuple):
    """Of one operation: the largest relative error, and where most bits were gained."""

    error: float
    lost: float
    gained: float
    element: int


def _measured(step: Measured, site: Site, number: int, fmt: Format, unit: Format) -> tuple[Worst, Marks]:
    """Add an operation to its site, and find the marks of its result."""
    u = float(unit.unit_roundoff)
    error = marks.difference(step.values, step.shadow)
    own = error if step.exact is step.shadow else marks.difference(step.values, step.exact)
    size = marks.magnitude(step.shadow)
    relative = _relative(error, size)
    worst = float(relative.max())
    _count(step, site, fmt, own, error, size, relative, worst)
    trusted = _trusted(step, site, error, size, fmt)
    if worst <= 2 * u and trusted is None and step.carried.clean:
        return Worst(worst, _lost_of(worst, unit), 0.0, 0), CLEAN
    return _ledger(step, number, unit, error, relative, trusted)


def _lost_of(relative: float, fmt: Format) -> float:
    return max(0.0, math.log2(relative) + fmt.precision) if relative else 0.0


def _ledger(
    step: Measured, number: int, fmt: Format, error: Array, relative: Array, trusted: Array | None
) -> tuple[Worst, Marks]:
    """The bits that elements have lost, and who is to blame."""
    lost = np.clip(np.log2(relative / float(fmt.unit_roundoff)), 0.0, float(fmt.precision))
    lost = np.where(np.isfinite(error), lost, float(BEYOND * fmt.precision))
    if trusted is not None:
        lost = np.where(trusted, lost, step.carried.lost)
    gained = lost - step.carried.lost
    k = int(gained.argmax())
    worst = float(relative.max())
    found = Worst(worst, float(lost.reshape(-1)[k]), float(gained.reshape(-1)[k]), k)
    return found, _credited(step, number, error, lost, gained)


def _of_elements(name: str, y: Any, operands: Sequence[Any], correction: Array, sick: Array) -> Measured:
    """An operation on some elements alone."""
    parts = [_Part(x, _source(sick, y.shape, x.shape)) for x in operands]
    values = _some(y.value.values, sick)
    truth = Pair(values + correction[sick])
    a = parts[0].marks
    carried = a if len(parts) == 1 else marks.of_two(name, a, parts[1].marks, parts[0].plain, parts[1].plain)
    return Measured(name, values, truth, truth, parts, carried)


def _source(elements: Array, shape: tuple[int, ...], own: tuple[int, ...]) -> Array:
    """The elements of an operand of the shape `own` from which elements of a result are computed."""
    if own == shape or not own:
        return elements
    index = np.unravel_index(elements, shape)[len(shape) - len(own) :]
    return np.ravel_multi_index(tuple(np.where(n == 1, 0, k) for n, k in zip(own, index, strict=True)), own)


class _Part:
    """Some elements of an operand."""

    def __init__(self, x: Any, sick: Array) -> None:
        self.origin = x.origin
        self.plain, own = _some(x.value.values, sick), _some(x.correction[0], sick)
        self.shadow = Pair(self.plain + own)
        self.marks = x.marks_at(sick, -own)


def _some(x: Any, elements: Array) -> Array:
    return np.full(elements.shape, float(x)) if np.ndim(x) == 0 else np.asarray(x.reshape(-1)[elements], np.float64)


def _count_corrected(site: Site, y: Any, found: Corrected) -> None:
    """Errors and events of an operation on a large array."""
    fmt = y.value.fmt
    site.made, site.worst = max(site.made, found.made), max(site.worst, found.worst)
    ulps = 2.0 ** (fmt.precision - 1)  # at the lower end of a binade; at the upper end twice as many
    site.made_ulp, site.worst_ulp = max(site.made_ulp, found.made * ulps), max(site.worst_ulp, found.worst * ulps)
    site.inherited = max(site.inherited, found.worst if found.worst > 2 * found.made else 0.0)
    _sample(site, found.sample)
    if found.absorbed:
        site.events["absorbed"] += found.absorbed
    if found.least < float(fmt.min_normal):
        size, own = np.abs(y.plain), found.correction.reshape(y.shape) != 0
        site.events["underflow"] += int(np.count_nonzero((size == 0) & own))
        site.events["subnormal"] += int(np.count_nonzero((size > 0) & (size < float(fmt.min_normal)) & own))


def _relative(error: Array, size: Array) -> Array:
    """Relative errors; of a shadow that is 0 infinite, unless the error is 0."""
    relative = np.abs(error) / size
    return np.where(error == 0, 0.0, relative) if not size.all() or not np.isfinite(relative).all() else relative


def _trusted(step: Measured, site: Site, error: Array, size: Array, fmt: Format) -> Array | None:
    """Where the shadow is known well enough; None: everywhere."""
    radius = marks.radius(step.shadow)
    if type(radius) is float and radius == 0.0:
        return None
    known = marks.is_known(radius, error, size, fmt) | np.isnan(size)
    if known.all():
        return None
    site.events["shadow_lost"] += int(known.size - np.count_nonzero(known))
    return known


def _credited(step: Measured, number: int, error: Array, lost: Array, gained: Array) -> Marks:
    """The marks of a result: bits gained here go to the one operation that an element remembers, if they are most."""
    carried = step.carried
    here = _blamed(step, number)
    bits = np.where(np.asarray(carried.site) == here, np.asarray(carried.bits) + np.maximum(gained, 0.0), carried.bits)
    more = (gained > bits) & (gained > 0)
    if step.name == "divide" and not np.isfinite(error).all():
        more &= ~_by_lost_divisor(step, error)
    site = np.where(more, here, carried.site)
    bits = np.minimum(np.where(more, gained, bits), lost)
    return Marks(error, lost, np.where(lost > 0, site, marks.NOWHERE), bits)


def _blamed(step: Measured, number: int) -> Any:
    """Who is to blame for bits gained: the operation, or the one that computed the argument of a function."""
    if step.name not in NOT_BLAMED or not step.operands or step.operands[0].origin < 0:
        return number
    return np.where(np.isfinite(step.values), step.operands[0].origin, number)


def _by_lost_divisor(step: Measured, error: Array) -> Array:
    """Where a divisor became 0 by an underflow: that is to blame for an infinite quotient."""
    divisor = step.operands[1]
    zero = (divisor.plain == 0) & (np.asarray(divisor.marks.lost) > 0) & (np.asarray(divisor.marks.bits) > 0)
    return np.asarray(~np.isfinite(error) & zero & (np.asarray(step.carried.site) >= 0))


def _count(
    step: Measured, site: Site, fmt: Format, own: Array, error: Array, size: Array, relative: Array, worst: float
) -> None:
    """Errors and events of one operation."""
    truth = size if step.exact is step.shadow else marks.magnitude(step.exact)
    made = worst if own is error else float(_relative(own, truth).max())
    site.made = max(site.made, made)
    site.made_ulp = max(site.made_ulp, _ulps(own, truth, fmt))
    site.worst = max(site.worst, worst)
    site.worst_ulp = max(site.worst_ulp, site.made_ulp if own is error else _ulps(error, size, fmt))
    if own is not error:
        site.inherited = max(site.inherited, float(_relative(error - own, size).max()))
    _sample(site, relative)
    if step.name in ("add", "subtract"):
        _absorbed(step, site, own)
        site.cancelled = max(site.cancelled, _cancelled(step))
    _births(step, site, fmt, truth, own)


def _ulps(error: Array, size: Array, fmt: Format) -> float:
    """The worst error in units of the last place of the true value."""
    # The exponent bits of a float64 alone are the largest power of two that is not above it.
    floor = (np.ascontiguousarray(size).view(np.int64) & 0x7FF0000000000000).view(np.float64)
    worst = float(np.max(np.abs(error) / np.maximum(floor, float(fmt.min_normal))))
    return math.ldexp(worst, fmt.precision - 1) if math.isfinite(worst) else worst


def _sample(site: Site, relative: Array) -> None:
    """A few of the errors, for the typical one."""
    flat = relative.reshape(-1)
    some = flat[:: max(1, flat.size // SAMPLE)]
    exponents = np.where(some == 0, LEAST, np.where(np.isfinite(some), np.frexp(some)[1], NOT_FINITE))
    site.exponents.update(exponents.tolist())


def _absorbed(step: Measured, site: Site, own: Array) -> None:
    a, b = (operand.plain for operand in step.operands)
    absorbed = (own != 0) & (((step.values == a) & (b != 0)) | ((np.abs(step.values) == np.abs(b)) & (a != 0)))
    if absorbed.any():
        site.events["absorbed"] += int(np.count_nonzero(absorbed))


def _cancelled(step: Measured) -> float:
    """The leading bits that a sum or difference cancelled: log2 of the larger operand by the result."""
    larger = np.maximum(*(np.abs(operand.plain) for operand in step.operands))
    result = np.abs(marks.magnitude(step.exact))
    ratio = float(np.max(np.where(result > 0, larger / np.where(result > 0, result, 1.0), 1.0)))
    return math.log2(ratio) if ratio > 1 and math.isfinite(ratio) else 0.0


def _births(step: Measured, site: Site, fmt: Format, truth: Array, own: Array) -> None:
    """Infinities, NaN, zeros and subnormals that the exact result of the operation is not."""
    values = step.values
    if not np.isfinite(values).all():
        fresh = np.isfinite(truth)
        site.events["overflow"] += int(np.count_nonzero(np.isinf(values) & fresh))
        finite = np.ones((), bool)
        for operand in step.operands:
            if operand.plain.size and not np.isnan(operand.plain).all():
                finite = finite & ~np.isnan(operand.plain) if operand.plain.shape == values.shape else finite
        site.events["nan"] += int(np.count_nonzero(np.isnan(values) & finite))
    size = np.abs(values)
    if size.min() < float(fmt.min_normal):
        site.events["underflow"] += int(np.count_nonzero((size == 0) & (own != 0)))
        site.events["subnormal"] += int(np.count_nonzero((size > 0) & (size < float(fmt.min_normal)) & (own != 0)))


# --- what is shown --------------------------------------------------------------------------------------------------


def _element(x: Any, k: int, shape: tuple[int, ...]) -> float:
    """An element of an operand that goes with element k of the result; NaN where shapes do not tell which."""
    x = np.asarray(x)
    if x.ndim == 0:
        return float(x)
    try:
        return float(np.broadcast_to(x, shape).reshape(-1)[k])
    except ValueError:
        return math.nan


def _plain(shadow: Wide | Pair) -> Any:
    return as_float(shadow) if isinstance(shadow, Wide) else shadow.hi


PRODUCTS = frozenset({"matmul", "vecdot", "dot", "vdot", "inner", "outer", "tensordot"})
"""Operations whose results are not computed from one element of each operand."""


def _witness(step: Measured, number: int, worst: Worst, sick: Any = None, whole: Any = None) -> Witness:
    """The element where most bits were gained."""
    shape, k = step.values.shape, worst.element
    place, around = (k, shape) if sick is None else (sick[k], whole)
    index = tuple(int(i) for i in np.unravel_index(place, around)) if around else ()
    given = () if step.name in PRODUCTS else step.operands
    operands = tuple(_element(operand.plain, k, shape) for operand in given)
    shadows = tuple(_element(_plain(operand.shadow), k, shape) for operand in given)
    result, shadow = (_element(x, k, shape) for x in (step.values, _plain(step.shadow)))
    exact = _element(_plain(step.exact), k, shape)
    brought = max((abs(a - b) / abs(b) for a, b in zip(operands, shadows, strict=True) if b), default=0.0)
    inherited = abs(exact - shadow) / abs(shadow) if shadow else math.nan
    amplification = inherited / brought if brought and math.isfinite(inherited) else math.nan
    larger = max((abs(x) for x in operands), default=0.0)
    cancelled = (
        math.log2(larger / abs(exact)) if step.name in ("add", "subtract") and exact and larger > abs(exact) else 0.0
    )
    return Witness(
        step.name, number, operands, shadows, result, shadow, index, worst.lost, worst.gained, amplification, cancelled
    )
