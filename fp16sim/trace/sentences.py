"""What happened at a line, in sentences: the one place for the words of all reports."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..formats import Format
from ..wording import count, shortened
from .cures import Cure, best
from .ranking import Line, Result
from .records import Record
from .sites import Witness

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "power": "**", "remainder": "%"}


def percentage(error: float) -> str:
    """A relative error.

    >>> percentage(0.085), percentage(1.2e-7), percentage(math.inf), percentage(0.0), percentage(31.0)
    ('8.5%', '1.2e-05%', 'not finite', '0', '3,100%')
    """
    if error == 0:
        return "0"
    if not math.isfinite(error):
        return "not finite"
    rounded = float(f"{100 * error:.2g}")
    return f"{rounded:.2g}%" if rounded < 100 or rounded >= 1e6 else f"{rounded:,.0f}%"


def short(x: float) -> str:
    """A number with at most seven digits."""
    return f"{x:.7g}"


def title(run: Record) -> str:
    """What ran, and how."""
    how = "" if run.mode == "ties_to_even" else f", {run.mode.value}"
    adding = f", {run.accumulator}" if run.accumulator else ""
    return f"{run.name} in {run.fmt.name}{how}{adding}: {count(run.operations, 'operation')}"


def outcome(result: Result, traced: Format) -> str:
    """A result beside its shadow; the bits lost are those of the traced format, or of a narrower one."""
    fmt = min(result.values.fmt, traced, key=lambda one: one.precision)
    if not result.known:
        undefined = bool(np.isnan(result.shadow).any())
        why = "the shadow is NaN" if undefined else "the shadow was lost on the way"
        return f"{_value(result)}: {why}, so the error is not known"
    if result.values.size == 1:
        return f"{_value(result)}, should be {short(float(_first(result.shadow)))}: {_error(result, fmt)}"
    if not result.error:
        return f"{result.values.size:,} numbers: exact"
    return f"{result.values.size:,} numbers: {_error(result, fmt)} at worst, {percentage(result.norm_error)} by norms"


def _first(x: object) -> float:
    return float(getattr(x, "flat", [x])[0])


def _value(result: Result) -> str:
    return str(result.values) if result.values.size == 1 else f"{result.values.size:,} numbers"


def _error(result: Result, fmt: Format) -> str:
    if not math.isfinite(result.error):
        return "not finite"
    if not result.error:
        return "exact"
    digits = f"{result.lost:.1f} of {fmt.precision} bits lost" if result.lost else "no bit lost"
    ulps = f"{result.ulp:,.0f}" if result.ulp >= 10 else f"{result.ulp:.2g}"
    return f"relative error {percentage(result.error)} ({ulps} ulp, {digits})"


def turned(run: Record) -> Iterator[str]:
    """That the emulated program went another way than it would without rounding."""
    places = [site.place for site in run.sites if site.events["branches"]]
    if places:
        times = sum(site.events["branches"] for site in run.sites)
        what = count(times, "comparison goes", "comparisons go")
        first = f" ({shortened(places[0].expression, 40)})" if places[0].expression else ""
        yield (
            f"{what} another way than without rounding, first at {places[0]}{first}: "
            "what results should be is told for the way that the rounded program takes"
        )


def blameless(run: Record) -> str:
    """Why no line is to blame; results that are not known to be good are not called good."""
    if not all(result.known for result in run.results):
        return "no line is to blame as far as the shadow is known"
    if run.escapes:
        return "no line that was traced is to blame; what left the trace is not measured"
    return "no line is to blame: the results are as good as rounded numbers"


def place(line: Line) -> str:
    """The file and the number of a line, and its function."""
    inside = "" if line.function == "<module>" else f" in {line.function}"
    return f"{Path(line.file).name}:{line.line}{inside}"


def blame(line: Line, fmt: Format) -> str:
    """How many bits of the results were lost at a line."""
    if line.blamed > fmt.precision:
        return "made a result that is not finite"
    if not line.blamed:
        return "not to blame"
    return f"lost {line.blamed:.1f} of {fmt.precision} bits of the results"


# --- what happened --------------------------------------------------------------------------------------------------

EVENTS = {
    "overflow": ("result is infinite, and should not be", "results are infinite, and should not be"),
    "nan": ("result is NaN, and no operand was", "results are NaN, and no operand was"),
    "underflow": ("result is 0, and should not be", "results are 0, and should not be"),
    "subnormal": ("result is subnormal: it has fewer digits", "results are subnormal: they have fewer digits"),
    "absorbed": ("addend changed nothing (absorption)", "addends changed nothing (absorption)"),
    "branches": ("comparison went the other way than the shadow's", "comparisons went the other way than the shadow's"),
    "shadow_lost": ("shadow lost here", "shadows lost here"),
}


def happened(line: Line, run: Record) -> Iterator[str]:
    """What was measured at a line, each as a sentence without its full stop."""
    if line.witness is not None:
        yield witnessed(line.witness, line.expression)
    yield from _lost_constants(line, run)
    if line.passed_on is not None and line.passed_on.gained > line.gained:
        there = line.passed_to
        yield f"its error grows in {there.expression if there else 'a function'} ({there}): {_computed(line.passed_on)}"
    if line.cancelled >= 2:
        yield f"up to {line.cancelled:.0f} leading bits cancel"
    if math.isfinite(line.amplification) and line.amplification >= 4:
        yield f"there, the error of the operands becomes {line.amplification:,.0f} times as large"
    for name, (one, many) in EVENTS.items():
        if name in line.events:
            yield f"{count(line.events[name], one, many)}"


def _lost_constants(line: Line, run: Record) -> Iterator[str]:
    """Constants that are 0 or infinite in the format, if another operation lost more."""
    for site in (run.sites[k] for k in line.sites):
        witness = site.witness if site.operation == "constant" and site.worst >= 1 else None
        if witness is not None and witness is not line.witness:
            yield _computed(witness)


def witnessed(w: Witness, expression: str) -> str:
    """The operation that lost most, with its numbers."""
    where = f" (element {', '.join(map(str, w.index))})" if w.index else ""
    what = f"{shortened(expression, 60)}{where}"  # without source, or the lines of a REPL, there is none
    return f"{what}: {_computed(w)}" if what else _computed(w)


def _computed(w: Witness) -> str:
    """An operation with its numbers, and what the result should be."""
    sign = SIGNS.get(w.operation)
    numbers = [short(x) for x in w.operands if not math.isnan(x)]
    if w.operation == "constant":
        return f"the constant {short(w.shadow)} becomes {short(w.result)}"
    if sign and len(w.operands) == 2:
        computed = f"{short(w.operands[0])} {sign} {short(w.operands[1])} = {short(w.result)}"
    else:
        computed = (
            f"{w.operation}({', '.join(numbers)}) = {short(w.result)}"
            if numbers
            else f"{w.operation} = {short(w.result)}"
        )
    return f"{computed}, should be {short(w.shadow)}"


def cured(tried: tuple[Cure, ...], run: Record) -> Iterator[str]:
    """The cures that help, or that none is known."""
    helping = best(tried)
    for cure in helping[:4]:
        worst = "" if cure.worst_after == cure.after else f" (worst element {percentage(cure.worst_after)})"
        yield f"cure: {cure.advice}: error {percentage(cure.before)} before, {percentage(cure.after)} after{worst}"
    if tried and not helping:
        names = ", ".join(dict.fromkeys(cure.name for cure in tried))
        yield f"no cure that is known here helps; tried: {names}"
        if run.lines[0].gained and 0.5 <= run.error < math.inf:
            yield "the computation itself may be unstable: then only another method, or more digits, helps"
