"""What to give a quantizer of blocks: largest magnitudes where a scale rule changes, ties, zeros, small numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from ...blocks import Block, get_block
from ...blocks.block import BlockLike
from ...conversion import Array
from .from_bytes import below

MOST = 64
"""Elements of a row, if the block is larger or has the size of an axis."""
REACH = 100
"""The exponents of the largest magnitudes are from -REACH to REACH, and a few at the ends of binary32."""


def blocks(block: BlockLike = "mxfp8", *, allow_specials: bool = False) -> st.SearchStrategy[Array]:
    """The elements of one block, in float32: at most 64, the first of them the largest.

    The largest magnitude is where a scale rule changes, or the float32 beside: a power of two, the largest element
    times one, half a quantum above that. Others are multiples of half a quantum, so that many are ties, or far smaller;
    or zeros of both signs. Rows shrink to zeros beside one simple number.

    Parameters
    ----------
    block : Block or str
        As for `fs.blocks.quantize`.
    allow_specials : bool
        Whether a row may hold one NaN or infinity.

    Examples
    --------
    >>> from hypothesis import find
    >>> import fp16sim as fs
    >>> def saturates(x):
    ...     return fs.blocks.statistics(x, fs.blocks.quantize(x, "mxfp4")).saturated.any()
    >>> float(find(blocks("mxfp4"), saturates)[0])
    7.0
    """
    what = get_block(block)
    size = min(what.size, MOST) if isinstance(what.size, int) else 8
    points = _points(what)
    largest = st.builds(_beside, below(len(points)).map(points.__getitem__), _exponents(), st.sampled_from([0, 1, -1]))
    parts = st.lists(_parts(what), max_size=size - 1)
    special = st.sampled_from([math.nan, math.inf, -math.inf]) if allow_specials else st.none()
    return st.builds(_row, largest, parts, st.just(size), st.one_of(st.none(), special))


def _points(what: Block) -> list[float]:
    """Magnitudes at which a scale rule changes, or a saturation begins; the first is the one to shrink to."""
    largest, half_quantum = Fraction(what.element.max_finite), Fraction(1, 2**what.element.precision)
    above = largest + half_quantum * Fraction(2) ** what.element.emax
    points = [above, largest, Fraction(1), 2 - half_quantum, Fraction(3, 2)]
    return [float(x) for x in points]


def _exponents() -> st.SearchStrategy[int]:
    return st.one_of(st.just(0), st.integers(-REACH, REACH), st.sampled_from([-149, -127, -126, 110, 118]))


def _beside(point: float, e: int, step: int) -> np.float32:
    with np.errstate(over="ignore", under="ignore"):
        x = np.float32(math.ldexp(point, e))
        x = np.nextafter(x, np.float32(math.inf * step)) if step else x
    return np.float32(x) if np.isfinite(x) else np.finfo(np.float32).max


def _parts(what: Block) -> st.SearchStrategy[float]:
    """Other elements as shares of the largest: k half quanta, some divided by a power of two; with a sign."""
    halves = 2 ** (what.element.precision + 1)
    return st.builds(
        lambda k, shift, sign: sign * math.ldexp(k / halves, -shift),
        st.integers(0, halves),
        st.sampled_from([0, 1, 2, 8, 40]),
        st.sampled_from([1.0, -1.0]),
    )


def _row(largest: np.float32, parts: list[float], size: int, special: float | None) -> Array:
    x = np.zeros(size, np.float32)
    with np.errstate(under="ignore"):
        x[1 : 1 + len(parts)] = (np.array(parts) * float(largest)).astype(np.float32)
    x[0] = largest
    if special is not None:
        x[-1] = special
    return x
