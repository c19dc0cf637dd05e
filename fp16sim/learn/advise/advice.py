"""Advice: a fact about a run, its evidence, and the options that would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..factors import Factors
from ..precision import Policy


@dataclass(frozen=True)
class Advice:
    """One thing to know about a run, and what to do about it.

    Attributes
    ----------
    topic : str
        What it is about: "epsilon", "beta2", "loss scale", "absorbed updates", ...
    text : str
        The fact, with its evidence.
    change : mapping
        Options of Config that would help; empty if no single option does.
    evidence : mapping
        The numbers in the text.
    """

    topic: str
    text: str
    change: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.text} Try {self.options}." if self.change else self.text

    @property
    def options(self) -> str:
        """The change as options of the command line."""
        return " ".join(_option(name, value) for name, value in self.change.items())


def _option(name: str, value: Any) -> str:
    if isinstance(value, (Policy, Factors)):
        return f'--{name} "{value}"'
    if isinstance(value, bool):
        return f"--{'' if value else 'no-'}{name.replace('_', '-')}"
    return f"--{name.replace('_', '-')} {_number(value) if isinstance(value, float) else value}"


def _number(x: float) -> str:
    """The shortest of the usual forms that reads back as the same number."""
    short = f"{x:g}"
    return short if float(short) == x else str(int(x)) if x.is_integer() else repr(x)
