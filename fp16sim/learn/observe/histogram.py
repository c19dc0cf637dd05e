"""The histogram of exponents against the range of a format: which binades become 0, subnormal, normal, or overflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...formats import Format
from ...wording import percent, share
from .binades import Binade
from .exponents import Survey

ZONES = ("becomes 0", "subnormal", "normal", "overflows")
"""In the order of the fields of Fate."""


def zone(exponent: int, fmt: Format, shift: int = 0) -> str:
    """What a binade's numbers become, multiplied by 2^shift. Where those at its ends differ, it is said of the others.

    >>> from fp16sim import BINARY16
    >>> zone(-26, BINARY16), zone(-25, BINARY16), zone(-25, BINARY16, shift=11), zone(16, BINARY16)
    ('becomes 0', 'subnormal', 'normal', 'overflows')
    """
    return ZONES[Survey(fmt, 1, lowest=exponent, binades=(Binade(1),)).fate(shift).index(1)]


class Bar(NamedTuple):
    """How many numbers lie from 2^low to below 2^(high + 1), all in one zone."""

    low: int
    high: int
    zone: str
    numbers: int


def bars(seen: Survey, most: int = 20, shift: int = 0) -> tuple[Bar, ...]:
    """The histogram in about `most` bars or fewer, from the smallest exponents to the largest.

    If there are too many exponents, neighbours are counted in one bar, but only within a zone.

    >>> from fp16sim.learn.observe.exponents import survey
    >>> for bar in bars(survey([1e-8, 3e-6, 3e-6], "binary16"), most=3):
    ...     print(bar)
    Bar(low=-27, high=-26, zone='becomes 0', numbers=1)
    Bar(low=-25, high=-25, zone='subnormal', numbers=0)
    Bar(low=-24, high=-19, zone='subnormal', numbers=2)
    """
    binades = [(e, n, zone(e, seen.fmt, shift)) for e, n in seen.exponents.items()]
    step, found = 1, tuple(_grouped(binades, 1))
    while len(found) > most and step < len(binades):
        step *= 2
        found = tuple(_grouped(binades, step))
    return found


def _grouped(binades: list[tuple[int, int, str]], step: int) -> Iterator[Bar]:
    """Bars that start at multiples of `step` and at the edges of zones."""
    bar: Bar | None = None
    for exponent, n, here in binades:
        if bar is not None and bar.zone == here and exponent % step:
            bar = bar._replace(high=exponent, numbers=bar.numbers + n)
            continue
        if bar is not None:
            yield bar
        bar = Bar(exponent, exponent, here, n)
    if bar is not None:
        yield bar


def bar_chart(seen: Survey, width: int = 40, shift: int = 0) -> str:
    """The histogram as lines of text: exponents, what the numbers become, their share, and a bar.

    >>> from fp16sim.learn.observe.exponents import survey
    >>> print(bar_chart(survey([1e-8, 3e-8, 1e-7, 1e-7, 2e-5, 1e-4], "binary16"), width=10))
    2^-27  becomes 0   16.7%  #####
    2^-26  becomes 0      0%
    2^-25  subnormal   16.7%  #####
    2^-24  subnormal   33.3%  ##########
    2^-23  subnormal      0%
    2^-22  subnormal      0%
    2^-21  subnormal      0%
    2^-20  subnormal      0%
    2^-19  subnormal      0%
    2^-18  subnormal      0%
    2^-17  subnormal      0%
    2^-16  subnormal   16.7%  #####
    2^-15  subnormal      0%
    2^-14  normal      16.7%  #####
    """
    found = bars(seen, shift=shift)
    longest = max((bar.numbers for bar in found), default=1) or 1
    labels = [f"2^{bar.low}" + (f"..2^{bar.high}" if bar.high > bar.low else "") for bar in found]
    wide = max(map(len, labels), default=0)
    lines = []
    for label, bar in zip(labels, found, strict=True):
        signs = "#" * -(-bar.numbers * width // longest)  # at least one # for any number
        lines.append(f"{label:{wide}}  {bar.zone:9}  {percent(share(bar.numbers, seen.finite)):>6}  {signs}".rstrip())
    return "\n".join(lines)
