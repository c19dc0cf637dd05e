"""Accumulators by name: one vocabulary for `fs.sum` and its sisters, the command line, and training policies."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..conversion import Generator, Seed
from ..formats import BINARY32, Format, FormatLike, Rounding, get_format, get_rounding, quoted
from ..wording import did_you_mean
from .base import Accumulator
from .blas import Blas
from .blocked import Blocked, Pairwise
from .compensated import Kahan
from .exact_sum import Exact
from .machines import MACHINES
from .sequential import Fused, Sequential
from .tensorcore import TensorCore

AccumulatorLike: TypeAlias = Accumulator | str
"""An accumulator, or its name as `parse` reads it."""

IN_ANY_FORMAT: dict[str, type[Accumulator]] = {
    "sequential": Sequential,
    "pairwise": Pairwise,
    "blocked": Blocked,
    "kahan": Kahan,
    "fused": Fused,
}
IN_NO_FORMAT = {
    "exact": "an exact sum is rounded once, at the end",
    "blas": "BLAS always adds in binary32, ties to even",
}
NAMES = (*IN_ANY_FORMAT, *IN_NO_FORMAT, *MACHINES)
SHORTHANDS = {"binary32": "sequential:binary32"}


def parse(
    text: str, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", rng: Seed = None
) -> Accumulator:
    """The accumulator that a name stands for, for operands of `fmt`.

    Parameters
    ----------
    text : str
        NAME, NAME:FORMAT or NAME:FORMAT:MODE, in upper or lower case. The names are "sequential", "pairwise",
        "blocked", "kahan", "fused", "exact", "blas", and the matrix units "volta", "turing", "ampere", "ada", "hopper",
        "blackwell", "cdna1", "cdna2" and "cdna3".
        "binary32" is short for "sequential:binary32".

        FORMAT is what the steps are rounded to, as in "pairwise:binary32". A FORMAT without a MODE means ties to even;
        without both, the steps have the format and mode of the operands. Tensor cores add in binary32, or in binary16
        ("volta:binary16"), and have no MODE. "exact" and "blas" have neither.
    fmt, mode, rng
        As for `round_to`: of the operands, and of the steps where the text does not say otherwise.

    Raises
    ------
    TypeError
        If it is not text.
    ValueError
        For an unknown name, and for a format or mode that the accumulator cannot have.

    Examples
    --------
    >>> parse("kahan", "bfloat16") == Kahan("bfloat16")
    True
    >>> parse("pairwise:binary32:toward_zero") == Pairwise("binary32", "toward_zero")
    True
    """
    if not isinstance(text, str):
        raise TypeError(f"text={quoted(text)} of type {type(text).__name__} is not a name; use one such as 'kahan'")
    key = text.strip().lower()
    name, *own = SHORTHANDS.get(key, key).split(":")
    if name not in NAMES or len(own) > 2:
        raise ValueError(_unknown(text, name))
    try:
        return _make(name, own, get_format(fmt), get_rounding(mode), rng)
    except ValueError as error:
        raise ValueError(f"accumulator={quoted(text)}: {error}") from None


def _unknown(text: str, name: str) -> str:
    known = ", ".join(map(repr, (*NAMES, *SHORTHANDS)))
    return (
        f"accumulator={quoted(text)} is unknown; {did_you_mean(name, NAMES)}use one of {known}, "
        "or NAME:FORMAT or NAME:FORMAT:MODE, such as 'pairwise:binary32'"
    )


def _make(name: str, own: list[str], fmt: Format, mode: Rounding, rng: Seed) -> Accumulator:
    if name in IN_ANY_FORMAT:
        if own:
            fmt, mode = get_format(own[0]), get_rounding(own[1] if len(own) > 1 else "ties_to_even")
        return IN_ANY_FORMAT[name](fmt, mode=mode, rng=rng if mode.random else None)
    if name in MACHINES:
        if len(own) > 1:
            raise ValueError(f"tensor cores have no choice of mode; use '{name}:{own[0]}'")
        core = TensorCore(name, output=own[0] if own else BINARY32)
        return core.for_format(fmt, mode, None) if core.accepts(fmt) else core
    if own:
        raise ValueError(f"{IN_NO_FORMAT[name]}, so it takes no format; use {name!r}")
    return Exact(fmt, mode, rng) if name == "exact" else Blas()


def unit_for_blocks(accumulator: AccumulatorLike | None, a: Any, b: Any) -> TensorCore | None:
    """The matrix unit that multiplies two BlockArrays as blocks, by scales of its own; None if there is none."""
    if isinstance(accumulator, str):
        name, *own = accumulator.strip().lower().split(":")
        accumulator = TensorCore(name, output=own[0] if own else BINARY32) if name in MACHINES else None
    return accumulator if isinstance(accumulator, TensorCore) and accumulator.has_blocks_of(a, b) else None


def resolve(accumulator: AccumulatorLike | None, fmt: Format, mode: Rounding, rng: Generator) -> Accumulator:
    """The accumulator of a call for operands of `fmt`; `Sequential(fmt, mode)` for None."""
    if accumulator is None:
        return Sequential(fmt, mode, rng)
    if isinstance(accumulator, str):
        accumulator = parse(accumulator, fmt, mode, rng)
    if not isinstance(accumulator, Accumulator):
        raise TypeError(
            f"accumulator={quoted(accumulator)} is not an accumulator; use one of fp16sim.accumulators, such as "
            f"Pairwise({fmt.name!r}), or a name such as 'pairwise'"
        )
    return accumulator.for_format(fmt, mode, rng)
