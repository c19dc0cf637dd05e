"""The explanation of one operation with one rounding, as data; and how it shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..exact import Value
from ..formats import Format, Rounding
from .document import Document
from .html import html_of
from .layout import document_of
from .lessons import lessons
from .records import ExactStep, Number, Operand, Record, RoundingStep
from .rendering import text_of


@dataclass(frozen=True)
class Outcome(Record):
    """One result that a mode may give, and its probability (1 but for stochastic)."""

    code: int
    value: Value
    probability: Fraction


@dataclass(frozen=True)
class ModeResult(Record):
    """What the whole operation gives in a mode, operands rounded in it too; flags are None for stochastic."""

    mode: Rounding
    outcomes: tuple[Outcome, ...]
    flags: tuple[str, ...] | None


@dataclass(frozen=True)
class Detour(Record):
    """The same operation, computed in a wider format to nearest, as hardware does, and rounded a second time.

    Attributes
    ----------
    via : str
        "binary32" or "binary64"; or "two roundings" for an fma that rounds its product.
    between : Value
        The intermediate result.
    code, value
        What it becomes.
    differs : bool
        Whether that is another code than the result.
    """

    via: str
    between: Value
    code: int
    value: Value
    differs: bool


@dataclass(frozen=True)
class Explanation(Record):
    """Why an operation gives what it gives: every step, from exact integers.

    `str` shows it as text of at most 80 columns, a notebook as HTML, `to_dict` gives JSON-able data.

    Attributes
    ----------
    operation : str
        "add", "subtract", "multiply", "divide", "sqrt", "fma"; "round", "convert" and "parse" round what is given.
    fmt : Format
    mode : Rounding
    operands : tuple of Operand
    exact : ExactStep
    rounding : RoundingStep
        Of the exact result.
    result : Number
    flags : tuple of str
        Of all steps, those of operands included, as `record_flags` would have them.
    modes : tuple of ModeResult
        What each mode gives, this one included.
    detours : tuple of Detour
        What a wider intermediate would have given; for an fma, two roundings too.
    """

    operation: str
    fmt: Format
    mode: Rounding
    operands: tuple[Operand, ...]
    exact: ExactStep
    rounding: RoundingStep
    result: Number
    flags: tuple[str, ...]
    modes: tuple[ModeResult, ...]
    detours: tuple[Detour, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What this is an example of, in sentences: absorption, cancellation, double rounding, ..."""
        return lessons(self)

    @property
    def document(self) -> Document:
        """The layout that text, terminal and HTML share."""
        return document_of(self)

    def __str__(self) -> str:
        return text_of(self.document)

    def _repr_html_(self) -> str:
        return html_of(self.document)

    def to_dict(self) -> dict[str, Any]:
        """The fields and the remarks, JSON-able."""
        return super().to_dict() | {"remarks": list(self.remarks)}
