"""The table of machines as data, as text and as Markdown."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from ..accumulators.machines import DATAPATHS, MACHINES, SOURCES, STEPS, Datapath
from ..wording import did_you_mean, quoted

HEADINGS = ("machine", "factors", "sums", "at once", "bits", "step", "source: evidence")


@dataclass(frozen=True)
class Row:
    """What one machine does with factors of one format, and who says so.

    Attributes
    ----------
    machine, factors, output, scales : str
        `scales` is the format of block scales, or "".
    group : int
        Products added at once.
    bits : int or None
        Fraction bits that alignment keeps; None if the step aligns nothing.
    precision : int
        Significant bits of a sum.
    rounding : str
    step, source, evidence : str
        `step` and `source` are names that `Table` explains.
    """

    machine: str
    factors: str
    output: str
    scales: str
    group: int
    bits: int | None
    precision: int
    rounding: str
    step: str
    source: str
    evidence: str

    def cells(self) -> tuple[str, ...]:
        """The row in the columns of HEADINGS; the last one is two, source and evidence."""
        factors = f"{self.factors} x {self.scales}" if self.scales else self.factors
        sums = self.output if self.precision in (11, 24) else f"{self.output} ({self.precision} bits)"
        bits = "" if self.bits is None else str(self.bits)
        return self.machine, factors, sums, str(self.group), bits, self.step, self.source, self.evidence


@dataclass(frozen=True)
class Table:
    """Rows, those with the most evidence first; `str` gives text of 80 columns.

    Attributes
    ----------
    rows : tuple of Row
    steps, sources : dict of str to str
        What the names in the rows mean.
    """

    rows: tuple[Row, ...]
    steps: dict[str, str]
    sources: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {"rows": [asdict(row) for row in self.rows], "steps": self.steps, "sources": self.sources}

    def markdown(self) -> str:
        """The table for a page; rows that differ only in their source are one line."""
        alike: dict[tuple[str, ...], list[str]] = {}
        for row in self.rows:
            alike.setdefault(row.cells()[:6], []).append(f"{row.source}: {row.evidence}")
        lines = [(*cells, "; ".join(said)) for cells, said in alike.items()]
        rows = [HEADINGS, tuple("---" for _ in HEADINGS), *lines]
        return "".join(f"| {' | '.join(line)} |\n" for line in rows)

    def __str__(self) -> str:
        lines: list[str] = []
        for machine in dict.fromkeys(row.machine for row in self.rows):
            lines += [*([""] if lines else []), machine]
            rows = [row for row in self.rows if row.machine == machine]
            for what in dict.fromkeys(map(_what, rows)):
                alike = [f"{row.source} ({row.evidence})" for row in rows if _what(row) == what]
                lines += [f"  {what}", *textwrap.wrap("; ".join(alike), 80, **_indented(4, 4))]
        for title, names in (("steps", self.steps), ("sources", self.sources)):
            lines += ["", title]
            for name, meaning in names.items():
                lines += textwrap.wrap(f"{name:<17} {meaning}", 80, **_indented(2, 20))
        return "\n".join(lines)


def _what(row: Row) -> str:
    """What a machine does in a row, in one line; rows that differ in details have the same one."""
    _, factors, sums, group, bits, step, *_ = row.cells()
    return f"{factors} to {sums}: {group} at once, {step}" + (f", {bits} bits" if bits else "")


def _indented(first: int, then: int) -> dict[str, Any]:
    return {"initial_indent": " " * first, "subsequent_indent": " " * then, "break_on_hyphens": False}


def table(machine: str | None = None) -> Table:
    """What matrix units do, with the source and the evidence of each row: data, text, Markdown.

    Parameters
    ----------
    machine : str, optional
        "volta", "turing", "ampere", "ada", "hopper", "blackwell", "cdna1", "cdna2" or "cdna3"; None: all of them.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For another machine.

    Examples
    --------
    >>> [(row.factors, row.group, row.bits, row.evidence) for row in table("volta").rows][:1]
    [('binary16', 4, 23, '5,000 rows of a V100')]
    """
    if machine is not None and machine not in MACHINES:
        known = ", ".join(map(repr, MACHINES))
        raise ValueError(f"machine={quoted(machine)} is unknown; {did_you_mean(machine, MACHINES)}use one of {known}")
    rows = tuple(_row(path) for path in DATAPATHS if machine in (None, path.machine))
    steps = {row.step for row in rows}
    sources = {row.source for row in rows}
    return Table(
        rows,
        {name: text for name, text in STEPS.items() if name in steps},
        {name: text for name, text in SOURCES.items() if name in sources},
    )


def _row(path: Datapath) -> Row:
    aligns = path.step not in ("exact", "pairwise")
    return Row(
        path.machine,
        path.factors,
        path.output.name,
        path.scales,
        path.group,
        path.bits if aligns else None,
        path.rounds_to.precision,
        path.mode.value,
        path.step,
        path.model,
        path.evidence,
    )
