"""Adam's arithmetic, up to 13 rounded operations for each element: clear, and fast on tiles with the same bits.

`clear` is the definition. It takes one operation after the other on all arrays, and each makes a new array. `on_tiles`
takes a tile of an array through all operations before the next tile, so that it stays in the processor's cache; and it
joins small arrays, such as biases. That changes no element: each is computed from the same element of the other arrays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...arithmetic.native import Hardware, hardware_of, overflowed
from ...arrays import FloatArray
from ...conversion import Array
from ...flags import PER_ELEMENT, Listeners, Tally, current_listeners
from ...formats import Format, Rounding
from .constants import Constant, over, plus, times
from .layers import Params
from .windows import like


class Rates(NamedTuple):
    """The constants of a step."""

    beta1: Constant
    rest1: Constant
    """1 - beta1"""
    beta2: Constant
    rest2: Constant
    left1: Constant | None
    """1 - beta1^t, by which the bias is corrected; None without correction."""
    left2: Constant | None
    rate: Constant
    """The learning rate, negative."""
    epsilon: Constant


Moved: TypeAlias = tuple[Params, Params, Params]
"""The steps, and both moments after them."""


def adam_steps(grads: Params, m: Params, v: Params, c: Rates) -> Moved:
    """The steps and the next moments: on tiles where that gives the same, else as `clear` has it."""
    return on_tiles(grads, m, v, c) or clear(grads, m, v, c)


def clear(grads: Params, m: Params, v: Params, c: Rates) -> Moved:
    """m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; step = -lr (m / left1) / (sqrt(v / left2) + epsilon).

    Every operation is rounded.
    """
    m = {name: times(m[name], c.beta1) + times(g, c.rest1) for name, g in grads.items()}
    v = {name: times(v[name], c.beta2) + times(g * g, c.rest2) for name, g in grads.items()}
    steps = {}
    for name in grads:
        first = m[name] if c.left1 is None else over(m[name], c.left1)
        second = v[name] if c.left2 is None else over(v[name], c.left2)
        steps[name] = times(first, c.rate) / plus(second.sqrt(), c.epsilon)
    return steps, m, v


# --- on tiles -------------------------------------------------------------------------------------------------------

TILE = 1 << 16
"""Elements of a tile."""

SMALL = 1 << 14
"""Arrays of up to this size are joined: an operation on the ten numbers of a bias takes as long as one on thousands."""

JOINED = ""
"""The name of the joined array, which no parameter has."""


class Place(NamedTuple):
    """An array's number among all, its shape, and where it starts and stops in the array to which it is joined."""

    number: int
    shape: tuple[int, ...]
    start: int
    stop: int


class _Operations:
    """Rounded operations that write to memory which they are given, and collect overflows as `clear` reports them."""

    def __init__(self, hardware: dict[str, Hardware], listeners: Listeners) -> None:
        self.hardware, self.listeners, self.finite = hardware, listeners, True
        self.places: list[Place] = []
        """The arrays that the tile is of."""
        self.start = self.done = 0
        """The place of the tile's first element, and the operations that are done with it."""
        self.overflows: dict[tuple[int, int, int], tuple[str, Tally, tuple[int, ...]]] = {}
        """By stage (`clear` has three, each for all arrays), array and operation."""

    def __call__(self, name: str, *operands: Array, out: Array) -> Array:
        """The operation of that name, rounded."""
        ufunc, _, kernel = self.hardware[name]
        ufunc(*operands, out=out)
        in_doubt = kernel is None or kernel(out, out)
        if in_doubt and self.listeners.names and not np.isfinite(out).all():
            self._note(name, overflowed(out, name, operands))
        self.done += 1
        return out

    def _note(self, name: str, raised: Array) -> None:
        self.finite, stage = False, (self.done >= 3) + (self.done >= 7)
        for number, shape, start, stop in self.places:
            part = raised[max(start - self.start, 0) : max(stop - self.start, 0)]
            if part.any():
                new = (name, Tally(self.listeners), shape)
                _, tally, _ = self.overflows.setdefault((stage, number, self.done), new)
                tally.note("overflow", part, max(self.start - start, 0))

    def report(self) -> None:
        """Report what `clear` would, in the same order."""
        for _, (name, tally, shape) in sorted(self.overflows.items()):
            tally.report(name, shape)


def on_tiles(grads: Params, m: Params, v: Params, c: Rates) -> Moved | None:
    """The same as `clear`, bit for bit. None where it is not, and then nothing has been reported.

    That is where an operation is not the processor's own with one rounding after it, where somebody listens for
    inexact or underflow, and where somebody listens for other exceptions than overflow and a result is not finite.
    """
    first, listeners = next(iter(grads.values())), current_listeners()
    hardware = _hardware(first.fmt, first.mode)
    if hardware is None or isinstance(c.beta1, float) or not listeners.names.isdisjoint(PER_ELEMENT):
        return None
    ordered = [{name: arrays[name] for name in grads} for arrays in (grads, m, v)]
    if not all(_match(x, grads[name], hardware) for arrays in ordered for name, x in arrays.items()):
        return None
    given, rates = [_together(arrays) for arrays in ordered], Rates._make(getattr(x, "values", None) for x in c)
    operations, places = _Operations(hardware, listeners), _places(grads, given[0])
    moved = {}
    with np.errstate(all="ignore"):
        for name in given[0]:
            operations.places = places[name]
            moved[name] = _moved(operations, rates, *(arrays[name] for arrays in given))
    if not operations.finite and listeners.names != {"overflow"}:
        return None
    operations.report()
    steps, m, v = (_apart({name: parts[k] for name, parts in moved.items()}, grads) for k in range(3))
    return steps, m, v


@lru_cache(maxsize=64)
def _hardware(fmt: Format, mode: Rounding) -> dict[str, Hardware] | None:
    found = {name: hardware_of(name, fmt, mode) for name in ("add", "multiply", "divide", "sqrt")}
    return {name: h for name, h in found.items() if h} if all(found.values()) else None


def _match(x: FloatArray, g: FloatArray, hardware: dict[str, Hardware]) -> bool:
    """Whether x can be combined with the gradient g element by element."""
    return x.fmt == g.fmt and x.mode is g.mode and x.shape == g.shape and x.values.dtype == hardware["add"].dtype


def _moved(operations: _Operations, rates: Any, *given: FloatArray) -> list[FloatArray]:
    """The step of one array and its next moments, from its gradient and its moments, tile by tile."""
    flat, size = [x.values.reshape(-1) for x in given], given[0].size
    results = [np.empty(size, x.dtype) for x in flat]
    spare = np.empty((3, min(size, TILE)), flat[0].dtype)
    for start in range(0, size, TILE):
        operations.start, operations.done = start, 0
        tiles = [x[start : start + TILE] for x in (*flat, *results)]
        _move(operations, rates, spare[:, : tiles[0].size], *tiles)
    return [like(y.reshape(given[0].shape), given[0]) for y in results]


def _move(
    do: _Operations, c: Any, spare: Array, g: Array, m: Array, v: Array, step: Array, next_m: Array, next_v: Array
) -> None:
    """`clear` for a tile, with the same operations in the same order, and the rates as plain numbers.

    No operation writes over its operands: they say whether an infinity is an overflow.
    """
    x, y, z = spare
    do("multiply", m, c.beta1, out=x)
    do("multiply", g, c.rest1, out=y)
    do("add", x, y, out=next_m)

    do("multiply", v, c.beta2, out=x)
    do("multiply", g, g, out=y)
    do("multiply", y, c.rest2, out=z)
    do("add", x, z, out=next_v)

    first = next_m if c.left1 is None else do("divide", next_m, c.left1, out=x)
    second = next_v if c.left2 is None else do("divide", next_v, c.left2, out=y)
    do("multiply", first, c.rate, out=z)
    do("sqrt", second, out=x)
    do("add", x, c.epsilon, out=y)
    do("divide", z, y, out=step)


def _places(originals: Params, joined: Params) -> dict[str, list[Place]]:
    """For each array of `_together`: the originals in it."""
    places: dict[str, list[Place]] = {name: [] for name in joined}
    for number, (name, x) in enumerate(originals.items()):
        found = places[name if name in joined else JOINED]
        start = found[-1].stop if found else 0
        found.append(Place(number, x.shape, start, start + x.size))
    return places


def _together(arrays: Params) -> Params:
    """The large arrays, and the small ones as one."""
    small = [x for x in arrays.values() if x.size <= SMALL]
    if len(small) < 2 or JOINED in arrays:
        return arrays
    values = np.concatenate([x.values.reshape(-1) for x in small])
    return {JOINED: like(values, small[0]), **{name: x for name, x in arrays.items() if x.size > SMALL}}


def _apart(joined: Params, originals: Params) -> Params:
    """The arrays of a result under their own names, in the order and shapes of the originals."""
    found, start = {}, 0
    for name, x in originals.items():
        if name in joined:
            found[name] = joined[name]
        else:
            part = joined[JOINED].values[start : start + x.size]
            found[name], start = like(part.reshape(x.shape), x), start + x.size
    return found
