"""The explanation of one operation with one rounding, as data; and how it shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..exact import OPERATIONS
from ..formats import Format, Rounding
from .alternatives import Detour, ModeResult, detours, mode_results
from .document import Document
from .html import html_of
from .layout import document_of
from .lessons import lessons
from .records import ExactStep, Number, Operand, Record, RoundingStep, plain
from .rendering import text_of


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
    tininess : str
        The definition of underflow, "after" or "before" rounding.
    """

    operation: str
    fmt: Format
    mode: Rounding
    operands: tuple[Operand, ...]
    exact: ExactStep
    rounding: RoundingStep
    result: Number
    flags: tuple[str, ...]
    tininess: str = "after"

    @cached_property
    def modes(self) -> tuple[ModeResult, ...]:
        """What each mode gives from what was given, this one included; computed when first asked for."""
        given = [self.rounding.exact] if self._rounds_only else [x.exact for x in self.operands]
        return mode_results(self._operation, given, self.fmt, self.tininess)

    @cached_property
    def detours(self) -> tuple[Detour, ...]:
        """What a wider intermediate would have given; for an fma, two roundings too; computed when first asked for."""
        held = [self.rounding.exact] if self._rounds_only else [x.number.value for x in self.operands]
        return detours(self._operation, held, self.fmt, self.mode, self.result.value, self.operands)

    @property
    def _rounds_only(self) -> bool:
        return self.operation not in OPERATIONS

    @property
    def _operation(self) -> str:
        return "round" if self._rounds_only else self.operation

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
        """The fields, modes, detours and remarks, JSON-able."""
        more = {"modes": plain(self.modes), "detours": plain(self.detours), "remarks": list(self.remarks)}
        return super().to_dict() | more
