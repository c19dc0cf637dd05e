"""The log that `recorder` wrote on another machine, as records: what was counted, and what was not finite.

Nobody knows who wrote a file. Each line is compared with the fields that the recorder writes. A line that is cut off,
as a killed run leaves one, is left out and counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...formats import Format, get_format
from ...wording import count, printable, quoted, shortened
from ..observe.binades import Binade
from ..observe.exponents import Survey
from ..observe.telemetry import Telemetry
from ..recorder import SCHEMA
from ..records import from_plain

LONGEST_LINE, MOST_LINES = 1 << 22, 1 << 21
"""Longer lines and logs are refused."""
LONGEST_NAME = 300


# --- the lines ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """The first line, and that of each part of a run that went on."""

    schema: str
    time: float
    every: int
    python: str
    torch: str | None
    parameters: dict[str, tuple[str, int]]
    optimizer: dict[str, float | str | list[float]]


@dataclass(frozen=True)
class StepLine:
    """A step that was examined or skipped, or in which something was not finite, or whose loss scale changed."""

    step: int
    loss: float | str | None
    scale: float | str | None
    skipped: bool
    finite_weights: bool


@dataclass(frozen=True)
class Counted:
    """The numbers of one tensor in one step, by exponent."""

    step: int
    kind: str
    name: str
    dtype: str
    total: int
    zeros: int
    infinities: int
    nans: int
    amax: float | str
    lowest: int
    counts: list[int]

    def survey(self) -> Survey:
        """The same as a Survey of its own format: its numbers are in it, so no place of a binade matters."""
        highest = self.lowest + len(self.counts)
        finite = self.total - self.zeros - self.infinities - self.nans
        if not -1100 <= self.lowest <= highest <= 1100 or min([*self.counts, self.zeros, finite]) < 0:
            raise ValueError("it has exponents or counts that no tensor has")
        if sum(self.counts) != finite or self.total > 1 << 62:
            raise ValueError(f"it counts {sum(self.counts):,} finite nonzero numbers, and there are {finite:,}")
        binades = tuple(Binade(n) for n in self.counts)
        return Survey(format_of(self.dtype), self.total, self.zeros, self.nans, self.infinities, self.lowest, binades)


@dataclass(frozen=True)
class Updated:
    """What an optimizer's step did to one parameter: how many elements had a gradient, and how many of them stayed."""

    step: int
    kind: str
    name: str
    dtype: str
    total: int
    moving: int
    unchanged: int


@dataclass(frozen=True)
class Event:
    """What was first not finite in a step.

    Attributes
    ----------
    kind, name : str
        "activation", "activation gradient", "weight gradient", "weight", "loss", or a kind of the user's own.
    value : float or str
        "inf" or "nan".
    operation : str
        The class of the module.
    dtype : str
    elements : int
    operands : list of float
        The largest magnitudes of its inputs.
    weights : dict of str to float
        Those of its own parameters, before the step.
    before : tuple of (str, float) or None
        The tensor of this kind that was computed before it, with its largest magnitude.
    recent : list of (int, float)
        Steps before, and its largest magnitude there.
    """

    kind: str
    name: str
    value: float | str
    operation: str
    dtype: str
    elements: int
    operands: list[float | str]
    weights: dict[str, float | str]
    before: tuple[str, float | str] | None
    recent: list[tuple[int, float | str]]


@dataclass(frozen=True)
class _EventLine:
    step: int
    event: Event


def number(x: float | str | None) -> float | None:
    """A number of a line; infinity and NaN stand there as texts."""
    if isinstance(x, str):
        if x not in ("inf", "-inf", "nan"):
            raise ValueError(f"{quoted(x)} is not a number")
        return float(x)
    return x


def format_of(dtype: str) -> Format:
    """The format of a dtype of PyTorch or NumPy."""
    return get_format({"float8_e4m3": "e4m3_ieee"}.get(dtype, dtype))


# --- the log --------------------------------------------------------------------------------------------------------


@dataclass
class Log:
    """A log as read.

    Attributes
    ----------
    path : str
    headers : list of Header
    steps : list of StepLine
    counted : dict of (kind, name) to list of Counted
        Of each tensor, one for each examined step.
    updates : list of Updated
    events : dict of int to Event
        By step.
    telemetry : Telemetry
        The same counts as those of a run here.
    cut : int
        Lines that were cut off and are left out.
    """

    path: str
    headers: list[Header] = field(default_factory=list)
    steps: list[StepLine] = field(default_factory=list)
    counted: dict[tuple[str, str], list[Counted]] = field(default_factory=dict)
    updates: list[Updated] = field(default_factory=list)
    events: dict[int, Event] = field(default_factory=dict)
    telemetry: Telemetry = field(default_factory=Telemetry)
    cut: int = 0

    @property
    def last(self) -> int:
        """The last step of which a line tells."""
        return self.steps[-1].step if self.steps else 0

    def gradients(self) -> dict[tuple[str, str], Survey]:
        """The surveys of gradients, in the order in which they are computed."""
        return {key: seen for key, seen in self.telemetry.surveys.items() if "gradient" in key[0]}

    @property
    def summary(self) -> str:
        """What was read, in a sentence."""
        first, formats = self.headers[0], dict.fromkeys(str(seen.fmt) for seen in self.telemetry.surveys.values())
        by = f"PyTorch {first.torch}" if first.torch else f"Python {first.python}"
        examined = len({row.step for row in self.telemetry.rows})
        steps = f"steps {self.steps[0].step} to {self.last}" if self.steps else "no step"
        said = f"{steps} of a run with {by}"
        kinds = f"{count(len(self.counted), 'tensor')} in {', '.join(formats)}" if formats else "no tensor"
        cut = (
            " 1 line that was cut off is left out." if self.cut == 1 else f" {self.cut} lines are cut off and left out."
        )
        return f"{said}, {examined} of them examined; {kinds}.{cut if self.cut else ''}"

    def add(self, line: dict[str, Any]) -> None:
        """One line; ValueError if the recorder does not write such a one."""
        if "schema" in line:
            self.headers.append(from_plain(Header, line, "header"))
        elif "event" in line:
            told = from_plain(_EventLine, line, "line")
            numbers = (told.event.value, *told.event.operands, *told.event.weights.values())
            for x in (*numbers, *(x for _, x in told.event.recent)):
                number(x)
            self.events.setdefault(told.step, told.event)
        elif line.get("kind") == "update":
            self.updates.append(from_plain(Updated, line, "line"))
        elif "kind" in line:
            self._add_counted(from_plain(Counted, line, "line"))
        else:
            self._add_step(from_plain(StepLine, line, "line"))

    def _add_counted(self, row: Counted) -> None:
        seen, name = row.survey(), row.name
        known = self.telemetry.surveys.get((row.kind, name))
        if known is not None and known.fmt != seen.fmt:
            name = f"{name} ({row.dtype})"
        number(row.amax)
        self.telemetry.add(row.step, row.kind, name, seen)
        self.counted.setdefault((row.kind, name), []).append(row)

    def _add_step(self, line: StepLine) -> None:
        scale = number(line.scale)
        number(line.loss)
        if line.step < 0 or (scale is not None and not 0 < scale < math.inf):
            raise ValueError(f"step={line.step} has scale={quoted(line.scale)}; a loss scale is positive and finite")
        self.steps.append(line)
        if line.skipped:
            self.telemetry.skipped.append(line.step)
        scales = self.telemetry.scales
        if scale is not None and (not scales or scales[-1][1] != scale):
            scales.append((line.step, scale))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "summary": self.summary,
            "steps": [asdict(line) for line in self.steps],
            "events": {str(step): asdict(event) for step, event in self.events.items()},
            "tensors": [asdict(row) for rows in self.counted.values() for row in rows],
            "updates": [asdict(row) for row in self.updates],
        }


def read_log(path: str | Path) -> Log:
    """The log of a recorder, with the older part beside it (`path.1`) if there is one.

    Raises
    ------
    ValueError
        If it is not such a log, with the number of the line.
    """
    path = Path(path)
    log = Log(str(path))
    older = path.with_name(f"{path.name}.1")
    for part in [*([older] if older.is_file() else []), path]:
        _read(log, part)
    if not log.headers:
        raise ValueError(f"{path} is empty; give a log that a Recorder wrote")
    return log


def _read(log: Log, path: Path) -> None:
    for place, text in enumerate(_lines(path), start=1):
        where = f"{path}, line {place}"
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            if place == 1:
                raise ValueError(
                    f"{path} is not a log of a Recorder: its first line is not JSON; give such a log (.jsonl) or a "
                    "checkpoint (.npz)"
                ) from None
            log.cut += 1
            continue
        if not isinstance(line, dict) or (place == 1 and line.get("schema") != SCHEMA):
            first = "its first line" if place == 1 else f"line {place}"
            raise ValueError(f"{path} is not a log of a Recorder: {first} does not say so")
        try:
            log.add(_shown(line))
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{where} is not as a Recorder writes it: {error}") from None


def _shown(x: Any) -> Any:
    """The same with texts that may be printed: no control characters, and of a bearable length."""
    if isinstance(x, str):
        return shortened(printable(x), LONGEST_NAME)
    if isinstance(x, dict):
        return {_shown(name): _shown(value) for name, value in x.items()}
    return [_shown(one) for one in x] if isinstance(x, list) else x


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for place, text in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), start=1):
            if len(text) > LONGEST_LINE or place > MOST_LINES:
                raise ValueError(f"{path}, line {place}: the log is too long; give one of a Recorder")
            if text.strip():
                yield text


def amax_by_step(rows: Sequence[Counted]) -> list[tuple[int, float]]:
    """The largest magnitudes of a tensor, step by step."""
    return [(row.step, number(row.amax) or 0.0) for row in rows]
