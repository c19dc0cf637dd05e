"""Operands of kernels: shapes with their data, rows that are hard to add, multiply or normalise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from ...formats import Format, FormatLike, get_format
from ...testing.rows import ROWS, rows_from
from ...wording import did_you_mean, quoted

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def rows(
    fmt: FormatLike = "binary16",
    shape: tuple[int, ...] | None = None,
    kinds: str | Sequence[str] = tuple(ROWS),
    *,
    max_length: int = 64,
) -> st.SearchStrategy[Rows]:
    """float64 arrays of numbers of a format whose rows, the last axis, are hard for a kernel.

    Parameters
    ----------
    fmt : Format, str or dtype
    shape : tuple of int, optional
        By default one to four rows of one to `max_length` terms are drawn, short ones first.
    kinds : str or several
        Of `fp16sim.testing.ROWS`: "plain", "same_sign", "cancelling", "overflowing" (on the way to a finite sum),
        "absorbing", "order_matters", "underflowing", "masked". A failure shrinks to the first of them.
    max_length : int

    Examples
    --------
    >>> from hypothesis import find
    >>> find(rows("binary16", (4,), "cancelling"), lambda x: True)
    array([ 1. ,  1. , -1. , -0.5])
    """
    fmt, names = get_format(fmt), _kinds(kinds)
    shapes = st.tuples(st.integers(1, 4), st.integers(1, _length(max_length))) if shape is None else st.just(_of(shape))
    return st.tuples(shapes, st.sampled_from(names)).flatmap(lambda drawn: _rows(drawn[0], drawn[1], fmt))


def matrix_pairs(
    fmt: FormatLike = "binary16", kinds: str | Sequence[str] = tuple(ROWS), *, max_length: int = 64
) -> st.SearchStrategy[tuple[Rows, Rows]]:
    """Two float64 matrices of numbers of a format that can be multiplied; the rows of a and the columns of b are hard.

    Parameters
    ----------
    fmt, kinds, max_length
        As for `rows`; `max_length` is of what is summed.

    Examples
    --------
    >>> from hypothesis import find
    >>> [x.shape for x in find(matrix_pairs("binary16"), lambda pair: pair[0].shape[1] > 2)]
    [(1, 3), (3, 1)]
    """
    fmt, names = get_format(fmt), _kinds(kinds)
    sides = st.tuples(st.integers(1, 4), st.integers(1, _length(max_length)), st.integers(1, 4))

    def pair(drawn: tuple[tuple[int, int, int], str, str]) -> st.SearchStrategy[tuple[Rows, Rows]]:
        (m, n, columns), first, second = drawn
        return st.tuples(_rows((m, n), first, fmt), _rows((columns, n), second, fmt).map(np.transpose))

    return st.tuples(sides, st.sampled_from(names), st.sampled_from(names)).flatmap(pair)


def _rows(shape: tuple[int, ...], kind: str, fmt: Format) -> st.SearchStrategy[Rows]:
    """Two bytes for each number: all zero bytes are the simplest row."""
    size = 2 * math.prod(shape)
    drawn = st.binary(min_size=size, max_size=size)
    return drawn.map(lambda data: rows_from(kind, np.frombuffer(data, ">u2").reshape(shape), fmt))


def _kinds(kinds: str | Sequence[str]) -> tuple[str, ...]:
    names = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for name in names:
        if name not in tuple(ROWS):
            known = f"{did_you_mean(name, ROWS)}use one of {', '.join(map(repr, ROWS))}"
            raise InvalidArgument(f"kinds has {quoted(name)}, which is not a kind of rows; {known}")
    if not names:
        raise InvalidArgument("kinds=() permits nothing; name one such as 'cancelling', or leave it out")
    return names


def _length(n: int) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise InvalidArgument(f"max_length={quoted(n)} is not a length; use an integer of 1 or more")
    return int(n)


def _of(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(_length, shape))
