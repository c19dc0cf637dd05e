"""What a kernel needs to know about a way to round."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...conversion import Array


class Method(NamedTuple):
    """A way to round a chunk. It keeps its intermediates in buffers and writes to x only if x is `out`."""

    prepare: Callable[[Array], Array]
    """prepare(x): what the other two functions need from x."""
    may_overflow: Callable[[Array], bool]
    """may_overflow(prepared): whether some number is NaN, or 2^emax or more."""
    round: Callable[[Array, Array, Array, Array | None, bool], None]
    """round(x, prepared, out, draws, may_overflow): rounds the numbers below 2^emax. `out` may be x or RESULT."""
    overflows_to_infinity: bool
    """Whether `round` also rounds the numbers from 2^emax on: beyond max_finite, to infinity."""
    keeps_order: bool
    """Whether numbers that round beyond max_finite become numbers beyond it, and infinity and NaN stay."""
