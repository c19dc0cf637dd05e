"""Operations that move numbers, and their vjps: axes, pieces, rows by number; where two cotangents meet, their sum.

Moving is exact. Only sums round: a row that was taken twice gets the sum of both cotangents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...accumulators import Accumulator
from ...arrays import FloatArray
from ...conversion import Array, plain_array
from ...wording import quoted
from .operation import Axes, Operation, spread
from .windows import kept, like

# --- axes -----------------------------------------------------------------------------------------------------------


def _transpose(x: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    return like(x.values.transpose(axes), x)


def _transpose_vjp(g: FloatArray, y: FloatArray, x: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    return like(g.values.transpose(np.argsort(axes)), g)


def broadcast(x: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """The numbers of x, repeated to a shape: exact."""
    return like(np.broadcast_to(x.values, shape), x)


# --- pieces ---------------------------------------------------------------------------------------------------------


def _concatenate(*parts: FloatArray, axis: int) -> FloatArray:
    joined: Any = np.concatenate(parts, axis)
    return like(joined.values, parts[0])


def _concatenate_vjp(k: int, g: FloatArray, y: FloatArray, *parts: FloatArray, axis: int) -> FloatArray:
    start = sum(part.shape[axis] for part in parts[:k])
    piece = np.arange(start, start + parts[k].shape[axis])
    return g.take(piece, axis)


# --- rows by number -------------------------------------------------------------------------------------------------


def row_numbers(indices: npt.ArrayLike, rows: int, what: str = "indices") -> Array:
    """Numbers of rows from 0 on, from integers that may count from the end; ValueError for others."""
    given = plain_array(indices, what)
    if given.dtype.kind not in "iu" and given.size:
        raise TypeError(f"{what}={quoted(indices)} has dtype={given.dtype}; give integers")
    if given.size and not (given.min() >= -rows and given.max() < rows):
        wrong = given[(given < -rows) | (given >= rows)][0]
        raise ValueError(f"{what} contain {wrong}, but the axis has {rows} elements; use {-rows} to {rows - 1}")
    found = given.astype(np.int64)
    return np.where(found < 0, found + rows, found)


def sum_rows_by_number(
    rows: FloatArray,
    numbers: Array,
    count: int,
    start: FloatArray | None = None,
    accumulator: Accumulator | None = None,
) -> FloatArray:
    """For each of `count` places: the rounded sum of the rows with its number, in their order; 0 where there are none.

    With `start` each sum begins with the row that is there. Places with equally many terms are summed together, as one
    sum along the first axis.

    >>> import fp16sim as fs
    >>> sum_rows_by_number(fs.array([2048.0, 1.0, 1.0, 5.0], "binary16"), np.array([0, 0, 0, 2]), 3)
    FloatArray([2048, 0, 5], binary16)
    """
    order, terms = np.argsort(numbers, kind="stable"), np.bincount(numbers, minlength=count)
    first = np.cumsum(terms) - terms
    values = np.zeros((count, *rows.shape[1:]), rows.values.dtype) if start is None else start.values.copy()
    for n in np.unique(terms[terms > 0]):
        places = np.flatnonzero(terms == n)
        given = like(rows.values[order[first[places] + np.arange(n)[:, None]]], rows)
        given = given if start is None else _concatenate(like(start.values[places][None], start), given, axis=0)
        values[places] = given.sum(axis=0, accumulator=accumulator).values
    return like(values, rows)


def _take(x: FloatArray, indices: Array, axis: int, accumulator: Accumulator | None = None) -> FloatArray:
    return x.take(indices, axis)


def _take_vjp(
    g: FloatArray, y: FloatArray, x: FloatArray, indices: Array, axis: int, accumulator: Accumulator | None = None
) -> FloatArray:
    kept_axes = (*x.shape[:axis], *x.shape[axis + 1 :])
    first = np.moveaxis(g.values, range(axis, axis + indices.ndim), range(indices.ndim))
    rows = like(first.reshape(indices.size, *kept_axes), g)
    sums = sum_rows_by_number(rows, indices.reshape(-1), x.shape[axis], accumulator=accumulator)
    return like(np.moveaxis(sums.values, 0, axis), g)


def _scatter_add(x: FloatArray, rows: FloatArray, indices: Array, accumulator: Accumulator | None = None) -> FloatArray:
    terms = broadcast(rows, (*indices.shape, *x.shape[1:])).reshape(indices.size, *x.shape[1:])
    return sum_rows_by_number(terms, indices.reshape(-1), len(x), x, accumulator)


def _scattered_vjp(
    g: FloatArray,
    y: FloatArray,
    x: FloatArray,
    rows: FloatArray,
    indices: Array,
    accumulator: Accumulator | None = None,
) -> FloatArray:
    return g.take(indices, 0)


def _masked(x: FloatArray, mask: Array) -> FloatArray:
    return like(x.values[mask], x)


def _masked_vjp(g: FloatArray, y: FloatArray, x: FloatArray, mask: Array) -> FloatArray:
    values = np.zeros(x.shape, g.values.dtype)
    values[mask] = g.values
    return like(values, g)


# --- the largest and the smallest -----------------------------------------------------------------------------------


def _extreme(name: str) -> Operation:
    """The largest or the smallest number over axes. The first of equal ones gets the cotangent, or the first NaN."""

    def forward(x: FloatArray, axis: Axes = None, keepdims: bool = False) -> FloatArray:
        y: FloatArray = getattr(x, name)(axis=axis, keepdims=keepdims)
        return y

    def vjp(g: FloatArray, y: FloatArray, x: FloatArray, axis: Axes = None, keepdims: bool = False) -> FloatArray:
        return like(kept(spread(g, x, axis, keepdims).values, _first(name, x.values, axis)), g)

    return Operation(forward, (vjp,))


def _first(name: str, x: Array, axis: Axes) -> Array:
    """Where the first of the largest or the smallest elements over some axes is."""
    over = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    last = range(-len(tuple(over)), 0)
    moved = np.moveaxis(x, tuple(over), tuple(last))
    rows = moved.reshape(-1, int(np.prod(moved.shape[moved.ndim - len(tuple(over)) :])))
    chosen = np.zeros(rows.shape, bool)
    chosen[np.arange(len(rows)), getattr(rows, f"arg{name}")(axis=1)] = True
    return np.moveaxis(chosen.reshape(moved.shape), tuple(last), tuple(over))


def names_axes(axes: Sequence[int] | int | None) -> Axes:
    """Axes as a setting of an operation: an integer, a tuple, or None."""
    return axes if axes is None or isinstance(axes, int) else tuple(axes)


MOVES: dict[str, Operation] = {
    "transpose": Operation(_transpose, (_transpose_vjp,)),
    "broadcast": Operation(broadcast, (lambda g, y, x, shape: g,)),  # the caller sums it back
    "concatenate": Operation(_concatenate, (_concatenate_vjp,), any_number=True),
    "take": Operation(_take, (_take_vjp,)),
    "scatter_add": Operation(_scatter_add, (lambda g, y, x, rows, **how: g, _scattered_vjp)),
    "masked": Operation(_masked, (_masked_vjp,)),
    "max": _extreme("max"),
    "min": _extreme("min"),
}
"""All are exact, but for the sums of rows."""
