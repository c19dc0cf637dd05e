"""What a failed assertion says: how many results differ, the worst, and the simplest example with its explanation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from .. import cases, exact
from ..conversion import Array
from ..formats import Format
from ..wording import count, number, percent

WIDTH = 100


def place(shape: tuple[int, ...], flat: int) -> str:
    """Where an element is, as an index."""
    return f"[{', '.join(str(int(i)) for i in np.unravel_index(flat, shape))}]"


def shown(value: float, fmt: Format) -> str:
    """A number with its code, if the format has it."""
    x = float(value)
    if not np.isfinite(x):
        known = fmt.has_nan if np.isnan(x) else fmt.has_infinity
        return repr(x) if known else f"{x!r} (not in {fmt.name})"
    if exact.round_to(x, fmt) != x:
        return f"{x!r} (not a number of {fmt.name})"
    return f"{x!r} ({fmt.hex_code(exact.encode(x, fmt))})"


def mismatches(wrong: Array) -> str:
    """NumPy's line: how many of all."""
    bad = int(np.count_nonzero(wrong))
    return f"Mismatched elements: {bad:,} / {wrong.size:,} ({percent(bad / wrong.size)})"


def largest(differences: Array, wrong: Array, got: Array, expected: Array, fmt: Format) -> str:
    """The worst of the wrong results, in ulp; those that are NaN or infinite alone are counted."""
    away = np.where(wrong, differences, -1.0).reshape(-1)
    apart = int(np.count_nonzero(np.isinf(away)))
    lines = [f"NaN or infinite on one side only: {count(apart, 'element')}"] if apart else []
    finite = np.where(np.isinf(away), -1.0, away)
    if finite.max(initial=-1.0) > 0:
        worst = int(np.argmax(finite))
        where = place(wrong.shape, worst)
        got_there, right_there = shown(got.reshape(-1)[worst], fmt), float(expected.reshape(-1)[worst])
        lines.append(f"Largest difference: {number(finite[worst])} ulp, at {where}: got {got_there}, {right_there!r}")
        lines[-1] = lines[-1].replace(f", {right_there!r}", f", expected {right_there!r}")
    elif not apart:
        lines.append("Only signs of zero differ")
    return "\n".join(lines)


def simplest(wrong: Array, columns: Sequence[Array]) -> int:
    """The flat index of the wrong result with the simplest operands."""
    at = np.flatnonzero(wrong.reshape(-1))
    return int(at[cases.simplest_first(*(column.reshape(-1)[at] for column in columns))[0]])


def said(text: str) -> str:
    """A sentence, wrapped."""
    return textwrap.fill(text, WIDTH)


def indented(text: str) -> str:
    """An explanation, below an example."""
    return textwrap.indent(text.rstrip(), "    ")
