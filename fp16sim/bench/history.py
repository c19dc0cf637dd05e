"""Measurements as files, and what changed between two of them.

Ratios are compared, not seconds: another load of the machine affects both sides alike. A row has changed beyond noise
if the quartiles of the two ratios do not overlap, and the ratios differ by more than a tenth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ..files import first_free, write_text
from ..learn.data.sources import cache_folder
from ..wording import quoted
from .measure import Measured

KIND = "fp16sim bench"
LARGEST = 10**7
"""Bytes of a file; those of a run are about 20,000."""
LONGEST = 1e12
"""Seconds, and ratios: no measurement is beyond this or below its inverse."""
NOISE = 0.1
"""Ratios that differ by less than this share have not changed."""


@dataclass(frozen=True)
class Run:
    """What was measured at a time, on a machine; `quick` if with smaller arrays, which have other ratios."""

    time: str
    quick: bool
    machine: dict[str, Any]
    rows: tuple[Measured, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        rows = [row.to_dict() for row in self.rows]
        return {"kind": KIND, "time": self.time, "quick": self.quick, "machine": self.machine, "rows": rows}


@dataclass(frozen=True)
class Change:
    """A row that two runs measured."""

    before: Measured
    now: Measured

    @property
    def share(self) -> float:
        """How much the ratio grew, as a share of the old one; below 0 if we became faster than the rival."""
        return _known(self.now.ratio) / _known(self.before.ratio) - 1

    @property
    def beyond_noise(self) -> bool:
        """Whether the quartiles do not overlap, and the ratios differ by more than a tenth."""
        apart = _known(self.now.high) < _known(self.before.low) or _known(self.before.high) < _known(self.now.low)
        return apart and abs(math.log1p(self.share)) > math.log1p(NOISE)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "name": self.now.name,
            "before": self.before.ratio,
            "now": self.now.ratio,
            "change": self.share,
            "beyond_noise": self.beyond_noise,
        }


def changes(before: Iterable[Measured], now: Iterable[Measured]) -> list[Change]:
    """The rows that were measured both times, in the order of the second."""
    old = {row.name: row for row in before if row.ratio is not None}
    return [Change(old[row.name], row) for row in now if row.ratio is not None and row.name in old]


def _known(x: float | None) -> float:
    if x is None:
        raise ValueError("a row that was not measured cannot be compared")
    return x


# --- files ----------------------------------------------------------------------------------------------------------


def folder() -> Path:
    """The history: the folder `bench` in the user's cache folder."""
    return cache_folder() / "bench"


def save(run: Run, path: Path | None = None) -> Path:
    """Write a run to a file, or to a new file of the history; which one."""
    if path is None:
        folder().mkdir(parents=True, exist_ok=True)
        path = first_free(folder() / f"{run.time.replace(':', '-')}.json")
    write_text(path, json.dumps(run.to_dict(), indent=2) + "\n")
    return path


def load(path: Path) -> Run:
    """Read a run.

    Raises
    ------
    ValueError
        If `fp16sim bench` of this version did not write the file.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("kind") != KIND:
            raise ValueError("it is of another kind, or of an older version")
        rows = tuple(_row(row) for row in found["rows"])
        run = Run(found["time"], found["quick"], found["machine"], rows)
        _check(run)
    except OSError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{str(path)!r} is not a file that fp16sim bench can compare ({_why(error)}); "
            f"make one with fp16sim bench --save FILE"
        ) from None
    return run


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {quoted(error.args[0])}"
    return str(error) if type(error) is ValueError else "it has another form"


def _row(given: dict[str, Any]) -> Measured:
    row = Measured(**{field.name: given[field.name] for field in fields(Measured)})
    texts = (row.group, row.name, row.work, row.rival, row.note)
    numbers = [x for x in (row.ratio, row.low, row.high, row.ours, row.theirs) if x is not None]
    if not all(isinstance(text, str) for text in texts) or len(numbers) not in (0, 5):
        raise TypeError("row")
    if not all(isinstance(x, float) and 0 < x < LONGEST for x in numbers) or (numbers and min(numbers) < 1 / LONGEST):
        raise TypeError("row")
    return row


def _check(run: Run) -> None:
    if not isinstance(run.time, str) or not isinstance(run.quick, bool) or not isinstance(run.machine, dict):
        raise TypeError("run")
    if len({row.name for row in run.rows}) < len(run.rows):
        raise ValueError("it has a row twice")


def latest(*, quick: bool) -> Path:
    """The newest file of the history of the same kind.

    Raises
    ------
    ValueError
        If there is none.
    """
    for path in sorted(folder().glob("*.json"), reverse=True):
        try:
            if load(path).quick == quick:
                return path
        except (ValueError, OSError):  # a file of an older version
            continue
    what = "a quick run" if quick else "a run"
    raise ValueError(f"compare: the history {str(folder())!r} has no earlier file of {what}; name a file")


def now() -> str:
    """The time of a run."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def differences(before: Run, after: Run) -> Sequence[str]:
    """What differs between the machines of two runs, such as a new version of a library."""
    old, new = ({**run.machine, **_versions(run)} for run in (before, after))
    names = [name for name in new if name != "versions"]
    none = "not installed"
    return [f"{x} {old.get(x) or none} -> {new[x] or none}" for x in names if old.get(x) != new[x]]


def _versions(run: Run) -> dict[str, Any]:
    versions = run.machine.get("versions", {})
    return versions if isinstance(versions, dict) else {}
