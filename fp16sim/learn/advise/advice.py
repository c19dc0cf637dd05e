"""Advice: a fact about a run, its evidence, and the options that would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
        Options of Config that would help; empty where there is no single cure.
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
    if isinstance(value, Policy):
        return f'--policy "{value}"'
    if isinstance(value, bool):
        return f"--{'' if value else 'no-'}{name.replace('_', '-')}"
    return f"--{name.replace('_', '-')} {_number(value) if isinstance(value, float) else value}"


def _number(x: float) -> str:
    """As few digits as give the same number again."""
    short = f"{x:g}"
    return short if float(short) == x else str(int(x)) if x.is_integer() else repr(x)


def power(scale: float) -> str:
    """A power of two as people write it.

    >>> power(1024.0), power(3.0)
    ('2^10', '3')
    """
    mantissa, exponent = scale.hex().split("p")
    return f"2^{int(exponent)}" if float.fromhex(f"{mantissa}p0") == 1 else f"{scale:g}"


def percent(share: float) -> str:
    """A share for a sentence: no more digits than it needs.

    >>> percent(0.3134), percent(0.00123), percent(0.0)
    ('31 %', '0.12 %', '0 %')
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"
