"""The file that the script for a GPU writes: its answers to all probes, in their order."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..formats import Format, get_format
from ..wording import quoted
from .probes import LONGEST, Probe, probes

SCHEMA = "fp16sim machine answers 1"
"""What a file says it is."""


@dataclass(frozen=True)
class Answers:
    """A machine that can be asked the probes of its file."""

    factors: Format
    output: Format
    machine: str
    values: dict[Probe, float]

    def ask(self, probe: Probe) -> float:
        """The machine's answer."""
        return self.values[probe]


def read_answers(path: str | Path) -> Answers:
    """The answers in a file.

    Raises
    ------
    ValueError
        If it is not such a file, or not of the probes of this version.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        found: Any = json.loads(text)
        assert found["schema"] == SCHEMA
        factors, output = get_format(found["factors"]), get_format(found["output"])
        values = [float.fromhex(x) for x in found["answers"]]
    except (ValueError, KeyError, TypeError, AssertionError):
        raise ValueError(f"{quoted(str(path))} is not a file of {SCHEMA!r}, which the script writes") from None
    asked = [replace(probe, length=LONGEST) for probe in probes(factors, output)]  # the script adds zeros
    if len(values) != len(asked):
        raise ValueError(f"{quoted(str(path))} has {len(values)} answers and not {len(asked)}; make the script anew")
    return Answers(factors, output, str(found.get("machine", "")), dict(zip(asked, values, strict=True)))
