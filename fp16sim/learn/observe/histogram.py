"""The histogram of exponents against the window of a format: which binades become 0, subnormal, normal, or overflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...formats import Format
from .binades import Binade
from .exponents import Survey

ZONES = ("becomes 0", "subnormal", "normal", "overflows")
"""In the order of Fate."""


def zone(exponent: int, fmt: Format, shift: int = 0) -> str:
    """What becomes of a binade's numbers, multiplied by 2^shift: of those within, should those at its ends differ.

    >>> from fp16sim import BINARY16
    >>> zone(-26, BINARY16), zone(-25, BINARY16), zone(-25, BINARY16, shift=11), zone(16, BINARY16)
    ('becomes 0', 'subnormal', 'normal', 'overflows')
    """
    return ZONES[Survey(fmt, 1, lowest=exponent, binades=(Binade(1),)).fate(shift).index(1)]


class Row(NamedTuple):
    """Numbers from 2^low to below 2^(high + 1), all of one zone."""

    low: int
    high: int
    zone: str
    numbers: int


def rows(seen: Survey, most: int = 20, shift: int = 0) -> tuple[Row, ...]:
    """The histogram in about `most` rows or fewer, from the smallest exponents to the largest.

    Where there are too many exponents, neighbours share a row, but never across an edge of the window.

    >>> from fp16sim.learn.observe.exponents import survey
    >>> for row in rows(survey([1e-8, 3e-6, 3e-6], "binary16"), most=3):
    ...     print(row)
    Row(low=-27, high=-26, zone='becomes 0', numbers=1)
    Row(low=-25, high=-25, zone='subnormal', numbers=0)
    Row(low=-24, high=-19, zone='subnormal', numbers=2)
    """
    binades = [(e, n, zone(e, seen.fmt, shift)) for e, n in seen.exponents.items()]
    step, found = 1, tuple(_grouped(binades, 1))
    while len(found) > most and step < len(binades):
        step *= 2
        found = tuple(_grouped(binades, step))
    return found


def _grouped(binades: list[tuple[int, int, str]], step: int) -> Iterator[Row]:
    """Rows that start at multiples of `step` and at the edges of zones."""
    row: Row | None = None
    for e, n, here in binades:
        if row is not None and row.zone == here and e % step:
            row = row._replace(high=e, numbers=row.numbers + n)
            continue
        if row is not None:
            yield row
        row = Row(e, e, here, n)
    if row is not None:
        yield row


def percent(count: int, total: int, digits: int = 2) -> str:
    """A share that says 0 only of none, and 100 only of all.

    >>> percent(0, 9), percent(1, 10**6), percent(1, 3), percent(999999, 10**6, digits=1), percent(0, 0)
    ('0', '<0.01%', '33.33%', '>99.9%', '-')
    """
    if count == 0 or total == 0:
        return "0" if total else "-"
    if count == total:
        return "100%"
    share, least = count / total, 10.0 ** -(digits + 2)
    if share < least / 2:
        return f"<{least:.{digits}%}"
    return f">{1 - least:.{digits}%}" if share >= 1 - least / 2 else f"{share:.{digits}%}"


def bars(seen: Survey, width: int = 40, shift: int = 0) -> str:
    """The histogram as lines of text: exponents, what becomes of them, their share, and a bar.

    >>> from fp16sim.learn.observe.exponents import survey
    >>> print(bars(survey([1e-8, 3e-8, 1e-7, 1e-7, 2e-5, 1e-4], "binary16"), width=10))
    2^-27  becomes 0  16.67%  #####
    2^-26  becomes 0       0
    2^-25  subnormal  16.67%  #####
    2^-24  subnormal  33.33%  ##########
    2^-23  subnormal       0
    2^-22  subnormal       0
    2^-21  subnormal       0
    2^-20  subnormal       0
    2^-19  subnormal       0
    2^-18  subnormal       0
    2^-17  subnormal       0
    2^-16  subnormal  16.67%  #####
    2^-15  subnormal       0
    2^-14  normal     16.67%  #####
    """
    found = rows(seen, shift=shift)
    longest = max((row.numbers for row in found), default=1) or 1
    labels = [f"2^{row.low}" + (f"..2^{row.high}" if row.high > row.low else "") for row in found]
    wide = max(map(len, labels), default=0)
    lines = []
    for label, row in zip(labels, found, strict=True):
        bar = "#" * -(-row.numbers * width // longest)  # at least one # for what is there
        lines.append(f"{label:{wide}}  {row.zone:9}  {percent(row.numbers, seen.finite):>6}  {bar}".rstrip())
    return "\n".join(lines)
