"""Judging what somebody computed for the vectors: answers are compared, and the table of faults names the causes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import arithmetic
from ..codes import decode
from ..conversion import Array
from ..faults import SETTINGS, suspects
from ..faults.matching import explained
from ..faults.roundings import differs
from ..formats import Format, Rounding, get_format, get_rounding
from ..rounding import round_to
from ..wording import count, percent, quoted
from .making import OPERATIONS, SCHEMA, block_answers, numbers

MOST_CODES = 1 << 64


@dataclass(frozen=True)
class Cause:
    """Wrong answers of one kind: a fault of the table, or none ("")."""

    fault: str
    words: str
    rows: int
    example: str


@dataclass(frozen=True)
class SectionResult:
    """How one section went; `compared` is 0 if it was not computed."""

    name: str
    compared: int
    wrong: int
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What was computed right and what was not; `str` shows it.

    Attributes
    ----------
    format, mode : str
    sections : tuple of SectionResult
    """

    format: str
    mode: str
    sections: tuple[SectionResult, ...]

    @property
    def wrong(self) -> int:
        """Wrong answers of all sections."""
        return sum(section.wrong for section in self.sections)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.format}, {self.mode}"]
        for one in self.sections:
            said = f"{one.compared:,} answers, {one.wrong:,} wrong" if one.compared else "not computed"
            if one.wrong:
                said += f" ({percent(one.wrong / one.compared)})"
            lines.append(f"  {one.name:<14} {said}")
            for cause in one.causes:
                lines += [f"    {count(cause.rows, 'answer')}: {cause.words}", f"      {cause.example}"]
        return "\n".join(lines)


def check(results: str | Path | dict[str, Any]) -> Judgement:
    """Judge what somebody computed: the file of `make`, with a list "computed" in each section that was computed.

    The right answers are computed anew from the operands of the file. All NaN codes are the same; +0 and -0 differ.

    Parameters
    ----------
    results : str, Path or dict

    Returns
    -------
    Judgement

    Raises
    ------
    ValueError
        For a file of another kind or without an answer, a list of another length, and an answer that is no code or
        number.

    Examples
    --------
    >>> from .making import make
    >>> vectors = make("e2m1fn")
    >>> vectors["sections"][2]["computed"] = vectors["sections"][2]["expected"]
    >>> check(vectors).sections[2]
    SectionResult(name='add', compared=484, wrong=0, causes=())
    """
    found = results if isinstance(results, dict) else _read(Path(results))
    given = f"results={quoted(results if isinstance(results, dict) else str(results))}"
    try:
        if found["schema"] != SCHEMA:
            raise KeyError
        fmt, mode = get_format(found["format"]), get_rounding(found["mode"])
        sections = [(str(one["name"]), one["operands"], one.get("computed")) for one in found["sections"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{given} does not follow the schema {SCHEMA!r}") from None
    if all(computed is None for _, _, computed in sections):
        raise ValueError(f"{given} has nothing to judge: give a section a list named computed, one answer a row")
    with np.errstate(all="ignore"):
        judged = tuple(_judged(name, operands, computed, fmt, mode) for name, operands, computed in sections)
    return Judgement(str(fmt), mode.value, judged)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"results={quoted(str(path))} is not JSON") from None


def _judged(name: str, operands: Any, computed: Any, fmt: Format, mode: Rounding) -> SectionResult:
    if computed is None:
        return SectionResult(name, 0, 0)
    if not isinstance(operands, list) or not operands or not isinstance(computed, list):
        raise ValueError(f"section {quoted(name)}: operands and computed must be lists")
    if len(computed) != len(operands[0]):
        raise ValueError(
            f"section {quoted(name)} has {len(operands[0])} rows and {len(computed)} computed answers; give one a row"
        )
    if name in SETTINGS:
        return _judged_blocks(name, operands[0], computed, fmt)
    columns = [_column(name, x, fmt) for x in operands]
    truth = _truth(name, columns, fmt, mode)
    try:
        got = numbers(computed) if name == "decode" else _values(computed, fmt)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"section {quoted(name)}: a computed answer is not one ({error})") from None
    wrong = differs(got, truth)
    return SectionResult(
        name, len(truth), int(wrong.sum()), tuple(_causes(name, columns, truth, got, fmt, mode)) if wrong.any() else ()
    )


def _column(name: str, given: Any, fmt: Format) -> Array:
    try:
        if name == "decode":
            return np.array(given, np.uint64)
        return numbers(given) if name == "rounding" else _values(given, fmt)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"section {quoted(name)}: an operand is not one ({error})") from None


def _values(codes: list[Any], fmt: Format) -> Array:
    return np.asarray(decode([int(code, 0) if isinstance(code, str) else code for code in codes], fmt), np.float64)


def _truth(name: str, columns: list[Array], fmt: Format, mode: Rounding) -> Array:
    if name == "decode":
        return np.asarray(decode(columns[0], fmt), np.float64)
    if name == "rounding":
        return np.asarray(round_to(columns[0], fmt, mode), np.float64)
    if name not in OPERATIONS:
        raise ValueError(f"section {quoted(name)} is unknown; use decode, rounding, {', '.join(OPERATIONS)} or blocks")
    return np.asarray(getattr(arithmetic, name)(*columns, fmt, mode), np.float64)


def _causes(name: str, columns: list[Array], truth: Array, got: Array, fmt: Format, mode: Rounding) -> Iterator[Cause]:
    for fault, rows in explained(name, columns, truth, got, fmt, mode):
        if not rows.any():
            continue
        first = int(np.flatnonzero(rows)[0])
        operands = ", ".join(_shown(column[first]) for column in columns)
        example = f"{name}({operands}): {_shown(got[first])}, and {_shown(truth[first])} is right"
        label, words = (fault.name, fault.misconception) if fault else ("", "no known fault gives these answers")
        yield Cause(label, words, int(rows.sum()), example)


def _shown(x: Any) -> str:
    return f"0x{int(x):X}" if isinstance(x, np.integer) else repr(float(x))


# --- blocks ---------------------------------------------------------------------------------------------------------


def _judged_blocks(task: str, given: Any, computed: list[Any], fmt: Format) -> SectionResult:
    try:
        x = np.array([numbers(row) for row in given])
        got = [([int(s) for s in scales], [int(code) for code in codes]) for scales, codes in computed]
    except (TypeError, ValueError) as error:
        raise ValueError(f"section {quoted(task)}: a block is not one ({error})") from None
    truth = [(scales, codes) for scales, codes in block_answers(x, task)]
    wrong = [k for k, (one, other) in enumerate(zip(got, truth, strict=True)) if one != other]
    return SectionResult(task, len(truth), len(wrong), tuple(_block_causes(task, x, truth, got, wrong, fmt)))


SOME = 20
"""Wrong blocks, and right ones, on which each fault is tried first."""


def _block_causes(
    task: str, x: Array, truth: list[Any], got: list[Any], wrong: list[int], fmt: Format
) -> Iterator[Cause]:
    """The fault that gives every answer; or by what is wrong, the scale or the elements."""
    if not wrong:
        return
    right = [k for k in range(len(truth)) if got[k] == truth[k]]
    some = [*wrong[:SOME], *right[:: max(1, len(right) // SOME)]]
    for fault in suspects(task):
        if all(
            _block_answer(fault, task, x, chosen, fmt) == [got[k] for k in chosen]
            for chosen in (some, list(range(len(x))))
        ):
            yield Cause(fault.name, fault.misconception, len(wrong), _block_example(task, wrong[0], truth, got))
            return
    scales = [k for k in wrong if got[k][0] != truth[k][0]]
    elements = [k for k in wrong if got[k][0] == truth[k][0]]
    for words, rows in (("the scale is wrong", scales), ("the scale is right and an element is wrong", elements)):
        if rows:
            words = f"no known fault gives these answers: {words}"
            yield Cause("", words, len(rows), _block_example(task, rows[0], truth, got))


def _block_answer(fault: Any, task: str, x: Array, chosen: list[int], fmt: Format) -> list[Any]:
    block, _ = SETTINGS[task]
    rows = [[float(v) for v in x[k]] for k in chosen]
    found = fault.answer(task, (rows, [block.size] * len(rows)), fmt)
    return [(list(one[0]), list(one[1])) if isinstance(one, tuple) and len(one) >= 2 else one for one in found]


def _block_example(task: str, k: int, truth: list[Any], got: list[Any]) -> str:
    for what, one, other in zip(("scale", "element"), got[k], truth[k], strict=True):
        for place, (a, b) in enumerate(zip(one, other, strict=False)):
            if a != b:
                return f"{task}, block {k}: {what} {place} has code 0x{a:X}, and 0x{b:X} is right"
    return f"{task}, block {k}: {len(got[k][1])} elements, and {len(truth[k][1])} are right"
