"""Functions that move elements, find them, sort them or pick them: no number changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..wording import quoted
from .arrays import Namespace, unwrapped_key
from .dtypes import DEFAULT_INTEGER
from .operands import is_array, operand, operands

# --- shapes ---------------------------------------------------------------------------------------------------------


def _moved(name: str, move: Callable[..., Any], x: Any, *how: Any, **named: Any) -> Any:
    return x._like(np.asarray(move(x.values, *how, **named)))


def broadcast_arrays(xp: Namespace, *arrays: Any) -> Any:
    """Arrays repeated to one shape."""
    given = [operand(xp, "broadcast_arrays", x) for x in arrays]
    shape = np.broadcast_shapes(*(x.shape for x in given))
    return tuple(broadcast_to(xp, x, shape) for x in given)


def broadcast_shapes(xp: Namespace, *shapes: Any) -> Any:
    """The shape to which arrays of these shapes are repeated."""
    return np.broadcast_shapes(*shapes)


def broadcast_to(xp: Namespace, x: Any, /, shape: Any) -> Any:
    """An array repeated to a shape, as a copy: writing to it changes nothing else."""
    return _moved("broadcast_to", lambda values: np.broadcast_to(values, shape).copy(), operand(xp, "broadcast_to", x))


def concat(xp: Namespace, arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Arrays joined along an axis; flat ones joined if it is None."""
    given = operands(xp, "concat", *arrays)
    return given[0]._like(np.concatenate([x.values for x in given], axis))


def expand_dims(xp: Namespace, x: Any, /, axis: Any = 0) -> Any:
    """An array with axes of length 1 put in."""
    y = operand(xp, "expand_dims", x)
    return y._like(np.expand_dims(y.values, axis))


def flip(xp: Namespace, x: Any, /, *, axis: Any = None) -> Any:
    """The elements in reverse order along axes."""
    y = operand(xp, "flip", x)
    return y._like(np.flip(y.values, axis))


def moveaxis(xp: Namespace, x: Any, source: Any, destination: Any, /) -> Any:
    """Axes moved to other places."""
    y = operand(xp, "moveaxis", x)
    return y._like(np.moveaxis(y.values, source, destination))


def permute_dims(xp: Namespace, x: Any, /, axes: Any) -> Any:
    """The axes in another order."""
    y = operand(xp, "permute_dims", x)
    if sorted(axis % max(y.ndim, 1) for axis in axes) != list(range(y.ndim)):
        raise ValueError(f"axes={quoted(axes)} is not an order of the {y.ndim} axes of x; name each axis once")
    return y._like(y.values.transpose(axes))


def matrix_transpose(xp: Namespace, x: Any, /) -> Any:
    """The last two axes exchanged."""
    y = operand(xp, "matrix_transpose", x)
    if y.ndim < 2:
        raise ValueError(f"x.shape={y.shape} has no rows and columns; give at least two axes")
    return y._like(y.values.swapaxes(-1, -2))


def repeat(xp: Namespace, x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element, several times."""
    y = operand(xp, "repeat", x)
    return y._like(np.repeat(y.values, unwrapped_key(repeats), axis))


def reshape(xp: Namespace, x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The elements in another shape."""
    y = operand(xp, "reshape", x)
    values = y.values.copy() if copy else y.values
    moved = values.reshape(shape)
    if copy is False and moved.size and not np.shares_memory(moved, values):
        raise ValueError("copy=False: this shape needs a copy; leave copy out")
    return y._like(moved)


def roll(xp: Namespace, x: Any, /, shift: Any, *, axis: Any = None) -> Any:
    """The elements moved along axes, the last ones to the front."""
    y = operand(xp, "roll", x)
    return y._like(np.roll(y.values, shift, axis))


def squeeze(xp: Namespace, x: Any, /, axis: Any) -> Any:
    """An array without axes of length 1."""
    y = operand(xp, "squeeze", x)
    return y._like(np.squeeze(y.values, axis))


def stack(xp: Namespace, arrays: Any, /, *, axis: int = 0) -> Any:
    """Arrays joined along a new axis."""
    given = operands(xp, "stack", *arrays)
    return given[0]._like(np.stack([x.values for x in given], axis))


def tile(xp: Namespace, x: Any, repetitions: Any, /) -> Any:
    """An array repeated along its axes."""
    y = operand(xp, "tile", x)
    return y._like(np.tile(y.values, repetitions))


def unstack(xp: Namespace, x: Any, /, *, axis: int = 0) -> Any:
    """The parts of an array along an axis."""
    y = operand(xp, "unstack", x)
    return tuple(y._like(np.asarray(part)) for part in np.moveaxis(y.values, axis, 0))


# --- searching, sorting ---------------------------------------------------------------------------------------------


def argmax(xp: Namespace, x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The indices of the largest elements."""
    return xp.wrap(np.argmax(operand(xp, "argmax", x, "numeric").values, axis, keepdims=keepdims))


def argmin(xp: Namespace, x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The indices of the smallest elements."""
    return xp.wrap(np.argmin(operand(xp, "argmin", x, "numeric").values, axis, keepdims=keepdims))


def count_nonzero(xp: Namespace, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements along axes are not zero."""
    return xp.wrap(np.count_nonzero(operand(xp, "count_nonzero", x).values, axis=axis, keepdims=keepdims))


def nonzero(xp: Namespace, x: Any, /) -> Any:
    """The indices of the elements that are not zero, an array for each axis."""
    y = operand(xp, "nonzero", x)
    if not y.ndim:
        raise ValueError("an array of no dimensions has no indices; use xp.reshape(x, (1,))")
    return xp.wrap(np.nonzero(y.values))


def searchsorted(xp: Namespace, x1: Any, x2: Any, /, *, side: Any = "left", sorter: Any = None) -> Any:
    """Where numbers belong in a sorted array."""
    sorted_, found = operands(xp, "searchsorted", x1, x2, category="numeric")
    return xp.wrap(np.searchsorted(sorted_.values, found.values, side, unwrapped_key(sorter)))


def where(xp: Namespace, condition: Any, x1: Any, x2: Any, /) -> Any:
    """Elements of x1 where the condition is true, else of x2."""
    mask = operand(xp, "where", condition, "boolean")
    if not (is_array(x1) or is_array(x2)):
        x1 = xp.asarray(x1)  # two numbers
    a, b = operands(xp, "where", x1, x2)
    return a._like(np.where(mask.values, a.values, b.values))


def argsort(xp: Namespace, x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices that sort the elements along an axis."""
    values = operand(xp, "argsort", x, "numeric").values
    if not descending:
        return xp.wrap(np.argsort(values, axis, stable=True))
    # Equal elements keep their order: sort the array in reverse, and reverse the result.
    last = values.shape[axis] - 1
    return xp.wrap(last - np.flip(np.argsort(np.flip(values, axis), axis, stable=True), axis))


def sort(xp: Namespace, x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements in order along an axis."""
    y = operand(xp, "sort", x, "numeric")
    order = argsort(xp, y, axis=axis, descending=descending)
    return y._like(np.take_along_axis(y.values, order.values, axis))


# --- sets -----------------------------------------------------------------------------------------------------------


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: Any
    inverse_indices: Any


def unique_all(xp: Namespace, x: Any, /) -> UniqueAll:
    """The different elements, where each is first, which each one is, and how often. Each NaN is different."""
    y = operand(xp, "unique_all", x)
    values, first, inverse, counts = np.unique(
        y.values, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    return UniqueAll(y._like(values), *xp.wrap((first, inverse.reshape(y.shape), counts)))


def unique_counts(xp: Namespace, x: Any, /) -> UniqueCounts:
    """The different elements, and how often each is there."""
    found = unique_all(xp, x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(xp: Namespace, x: Any, /) -> UniqueInverse:
    """The different elements, and which of them each element is."""
    found = unique_all(xp, x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(xp: Namespace, x: Any, /) -> Any:
    """The different elements."""
    return unique_all(xp, x).values


def isin(xp: Namespace, x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """Which elements of x1 are elements of x2."""
    a, b = operands(xp, "isin", x1, x2)
    return xp.wrap(np.isin(a.values, b.values, invert=invert))


# --- indexing -------------------------------------------------------------------------------------------------------


def take(xp: Namespace, x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The parts at these indices along an axis."""
    y, places = operand(xp, "take", x), operand(xp, "take", indices, "integer")
    if axis is None and y.ndim != 1:
        raise ValueError(f"take: x.shape={y.shape} has {y.ndim} axes; name one by axis=")
    return y._like(np.asarray(np.take(y.values, places.values, 0 if axis is None else axis)))


def take_along_axis(xp: Namespace, x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """The elements at these indices, which are given for each line along an axis."""
    y, places = operand(xp, "take_along_axis", x), operand(xp, "take_along_axis", indices, "integer")
    return y._like(np.take_along_axis(y.values, places.values.astype(DEFAULT_INTEGER), axis))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(broadcast_arrays, broadcast_shapes, broadcast_to, concat, expand_dims, flip, moveaxis, permute_dims),
        *(matrix_transpose, repeat, reshape, roll, squeeze, stack, tile, unstack),
        *(argmax, argmin, count_nonzero, nonzero, searchsorted, where, argsort, sort),
        *(unique_all, unique_counts, unique_inverse, unique_values, isin, take, take_along_axis),
    )
}
