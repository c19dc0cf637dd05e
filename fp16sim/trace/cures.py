"""Cures, each measured: the same program runs again with one change, and its results are compared with the shadow.

A better formula (see `patterns`) takes the place of operations that look like the known trouble. Three cures need no
formula: the line in binary32 (an island), other accumulators, and Kahan's compensation of a running sum. Errors are
those of the results that the line spoiled. What does not halve them, or leaves no digit right, is not suggested; nor is
a formula that computes something else, because its results are compared with the shadow of the program as it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..formats import BINARY32, BINARY64
from .patterns import PATTERNS, Pattern
from .ranking import Line, Result, worst_of
from .recorder import Recorder
from .records import Record
from .traced import Traced

SHORT = 20_000
"""Operations of a run that is short enough to be repeated for each cure."""
SMALL = 20_000_000
"""Elements of all its results."""


MISFITS = (ArithmeticError, TypeError, ValueError, IndexError)
"""What a formula raises that does not fit the shapes here."""


@dataclass(frozen=True)
class Cure:
    """A change that was tried, and the worst error of the results before and after it.

    Attributes
    ----------
    name, advice : str
        What it is called, and what to write.
    line : Line
        The line that it is for.
    before, after : float
        Relative errors of the results that the line spoiled, by norms; infinite where one is not finite although its
        shadow is.
    worst_before, worst_after : float
        Of the worst element.
    """

    name: str
    advice: str
    line: Line
    before: float
    after: float
    worst_before: float
    worst_after: float

    @property
    def helps(self) -> bool:
        """Whether it at least halves the error, and leaves a result of which some digits are right."""
        return self._halves(self.before, self.after) or (
            self._halves(self.worst_before, self.worst_after) and self.after <= self.before
        )

    @staticmethod
    def _halves(before: float, after: float) -> bool:
        return after <= min(before / 2, 0.5) and after < before


class _Rewriter:
    """A pattern at work in a run: it is asked for each operation, but not for those that it computes itself."""

    def __init__(self, rewrite: Callable[..., Any]) -> None:
        self.rewrite, self.busy, self.fired = rewrite, False, 0

    def __call__(self, recorder: Recorder, name: str, operands: list[Traced], how: dict[str, Any]) -> Any:
        if self.busy:
            return None
        self.busy = True
        try:
            y = self.rewrite(name, operands, how)
        finally:
            self.busy = False
        self.fired += y is not None
        return y


def _kahan(recorder: Recorder, line: Line) -> Callable[..., Any]:
    """Of a running sum at a line: what an addition lost is added to the next addend."""

    def rewrite(name: str, operands: list[Traced], how: dict[str, Any]) -> Any:
        if name not in ("add", "subtract") or recorder.here() != (line.file, line.line):
            return None
        total, addend = operands if operands[0].origin == recorder.site(name) else (operands[0], operands[1])
        if total.value.fmt != addend.value.fmt:
            return None
        sign = 1 if name == "add" else -1
        step: Any = sign * addend if total.carry is None else sign * addend + total.carry
        y: Any = total + step
        y.carry = step - (y - total)
        y.origin = recorder.site(name)
        return y

    return rewrite


def _patterns(run: Record) -> list[Pattern]:
    """The patterns that are there: where several may be, one run looks for all of them and changes nothing."""
    found = {site.operation for site in run.sites}
    likely = [pattern for pattern in PATTERNS if pattern.needs <= found]
    if len(likely) < 2 or run.again is None:
        return likely
    seen = set()

    def look(name: str, operands: list[Traced], how: dict[str, Any]) -> None:
        for pattern in likely:
            if pattern.name not in seen and _rewritten(pattern, name, operands, how) is not None:
                seen.add(pattern.name)

    run.again(rewrite=_Rewriter(look))
    return [pattern for pattern in likely if pattern.name in seen]


def _rewritten(pattern: Pattern, name: str, operands: list[Traced], how: dict[str, Any]) -> Any:
    try:
        return pattern.rewrite(name, operands, how)
    except MISFITS:
        return None


Candidate: TypeAlias = tuple[str, str, dict[str, Any], _Rewriter | None]
"""What to try: name, advice, the change to the run, and the pattern that has to be found in it."""


def _candidates(run: Record, line: Line) -> Iterator[Candidate]:
    """What to try for a line."""
    for pattern in _patterns(run):
        rewriter = _Rewriter(pattern.rewrite)
        yield pattern.name, pattern.advice, {"rewrite": rewriter}, rewriter
    operations = {run.sites[k].operation for k in line.sites}
    here = (line.file, line.line)
    if operations & {"sum", "mean", "dot", "matmul", "norm", "cumsum", "var", "std"}:
        for name, advice in ACCUMULATORS.items():
            if name == "pairwise" and "cumsum" in operations:
                continue  # it would add up each partial sum anew
            yield f"{name} accumulator", advice, {"line_accumulators": {here: name}}, None
    if operations & {"add", "subtract"} and line.runs > 2 * len(operations):
        yield "Kahan", "keep what each addition lost, and add it to the next addend", {"kahan": line}, None
    yield from _constants(run)
    yield from _islands(run, line)


def _constants(run: Record) -> Iterator[Candidate]:
    """A constant that is 0 or infinite in the format, such as 1e-8 or 1e10."""
    if any(site.operation == "constant" and site.worst >= 1 for site in run.sites):
        advice = (
            f"a constant that {run.fmt.name} holds: at least {run.fmt.min_normal:.2g}, at most {run.fmt.max_finite:g}"
        )
        yield "other constant", advice, {"held_constants": True}, None


def _islands(run: Record, line: Line) -> Iterator[Candidate]:
    """The line, or all lines of its function, in a wider format."""
    wider = BINARY32 if run.fmt.precision < BINARY32.precision else BINARY64
    here = (line.file, line.line)
    yield (
        f"{wider.name} island",
        f"compute this line in {wider.name}, and round its result",
        {"islands": {here: wider}},
        None,
    )
    lines = {(one.file, one.line) for one in run.lines if (one.file, one.function) == (line.file, line.function)}
    if len(lines) > 1:
        advice = f"compute all of {line.function} in {wider.name}, and round its results"
        yield f"{line.function} in {wider.name}", advice, {"islands": dict.fromkeys(lines, wider)}, None


ACCUMULATORS = {
    "binary32": "add in binary32, as matrix units do",
    "pairwise": "add in another order: pairs, then pairs of pairs",
    "kahan": "keep what each addition lost (Kahan)",
}


def tried(run: Record, line: Line | None = None) -> tuple[Cure, ...]:
    """All cures that apply to a line, by default the one to blame, each with the errors before and after.

    The run is repeated for each of them. A run of more than 20,000 operations or 20 million results, or one that cannot
    be repeated, such as a recorded block, gives none.
    """
    line = run.lines[0] if line is None and run.lines else line
    if line is None or run.again is None or not run.error:
        return ()
    if run.operations > SHORT or sum(site.elements for site in run.sites) > SMALL:
        return ()
    return tuple(_measured(run, line))


def _measured(run: Record, line: Line) -> Iterator[Cure]:
    spoiled = [k for k, result in enumerate(run.results) if result.sites & set(line.sites)]
    before = _errors(run, run, spoiled, False)
    for name, advice, change, rewriter in _candidates(run, line):
        try:
            after = _again(run, change)
        except MISFITS:
            continue
        if after is not None and (rewriter is None or rewriter.fired):
            found = _errors(run, after, spoiled, rewriter is not None or "held_constants" in change)
            yield Cure(name, advice, line, before[0], found[0], before[1], found[1])


def _errors(run: Record, after: Record, spoiled: list[int], rewritten: bool) -> tuple[float, float]:
    """The worst errors, by norms and of an element, of the results that a line spoiled: of all, if none is known."""
    if not spoiled or len(after.results) != len(run.results):
        return after.norm_error, after.error
    pairs = [(run.results[k], after.results[k]) for k in spoiled]
    found = [_beside_the_shadow(*pair) if rewritten else (pair[1].norm_error, pair[1].error) for pair in pairs]
    return max(norm for norm, _ in found), max(worst for _, worst in found)


def _beside_the_shadow(before: Result, after: Result) -> tuple[float, float]:
    """The errors of a result beside what the program as it was should give."""
    shadow, values = np.asarray(before.shadow), np.asarray(after.values.values, np.float64)
    if not before.known or shadow.shape != values.shape:
        return after.norm_error, after.error
    with np.errstate(all="ignore"):
        error = np.where(values == shadow, 0.0, np.abs(values - shadow))
        error = np.where(np.isnan(error), math.inf, error)
        worst = worst_of(np.where(error == 0, 0.0, error / np.abs(shadow)))
        length = float(np.linalg.norm(shadow))
        return (float(np.linalg.norm(error)) / length if length else worst), worst


def _again(run: Record, change: dict[str, Any]) -> Record | None:
    assert run.again is not None
    if "kahan" in change:
        line = change["kahan"]
        return run.again(prepare=lambda recorder: setattr(recorder, "rewrite", _Rewriter(_kahan(recorder, line))))
    return run.again(**change)


def best(tried: tuple[Cure, ...]) -> tuple[Cure, ...]:
    """The cures that at least halve the error: better formulas first, a whole function in another format last."""
    helping = [cure for cure in tried if cure.helps]
    return tuple(sorted(helping, key=lambda cure: (_effort(cure.name), cure.after, cure.worst_after)))


def _effort(name: str) -> int:
    """How far a cure changes a program, from a formula to the format of a function."""
    if name in FORMULAS:
        return 0
    return 2 if name.endswith("island") else 3 if " in " in name else 1


FORMULAS = frozenset(pattern.name for pattern in PATTERNS) | {"Kahan"}
