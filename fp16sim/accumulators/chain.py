"""Sums that take one term after the other: the state after a term and the next term give the next state.

There are two ways to run such a chain. The clear way takes one step after the other, by the operations of `Steps`, for
all results at once. For a few results the calls of NumPy would take most of the time. There a loop over Python's floats
or NumPy's own `add.accumulate` first finds all states; then, if someone listens for exceptions that may have been
raised, the clear operations repeat all steps at once, each from its own state. Both ways give the same results and
record the same exceptions.

In a stochastic mode the fast way makes all draws of some terms at once, in the order of the steps. Such steps cannot be
repeated all at once. If someone listens for exceptions that may have been raised, the clear way takes the steps
instead, with the same draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..conversion import Array
from ..flags import PER_ELEMENT, current_listeners
from ..formats import Format, Rounding
from ..rounding import draws_from
from . import floats
from .base import Steps

State: TypeAlias = tuple[Array, ...]
"""The sum so far, then what else is kept from term to term: arrays of the shape of the results."""

Draws: TypeAlias = Array | None

AT_ONCE = 1 << 13
"""Terms that a loop takes at once. As Python's floats, all states need less than 2 MiB."""


class Paths(NamedTuple):
    """For a few results, the states before the first of some terms and after each of them."""

    states: Sequence[Array]
    """Each of shape (terms + 1, results)."""
    bounded: bool
    """Whether it is certain that no step raised overflow or invalid."""


class Runner(NamedTuple):
    """A fast way to find the states of a chain."""

    run: Callable[[State, Array, Draws], Paths]
    """run(state, values, draws), of shapes (results,), (terms, results) and (terms, draws of a step, results). Draws
    are None if the mode is not stochastic."""
    most_results: int
    """For more results than these the clear way is faster."""
    terms: int = 1
    """How many times AT_ONCE terms it takes at once."""


class Recurrence(NamedTuple):
    """The definition of a chain, and how it can run fast. A term is one array, or two whose product is added."""

    first: Callable[..., State]
    """first(steps, *term): the state after the first term."""
    step: Callable[..., State]
    """step(steps, state, *term): the state after the next term."""
    runner: Callable[[Format, Rounding], Runner | None]
    """The fast way for a format and a mode; None if there is none."""
    value: Callable[..., Array] = lambda x: x
    """value(*term): the number that is added, without an error."""
    draws: int = 1
    """How many draws a step makes for each result in a stochastic mode."""


def runner_for(chain: Recurrence, steps: Steps, results: int) -> Runner | None:
    """The fast way for this number of results, if there is one."""
    runner = chain.runner(steps.fmt, steps.mode)
    return runner if runner is not None and 0 < results <= runner.most_results else None


def run(
    chain: Recurrence, steps: Steps, state: State | None, terms: Sequence[Array], sums: Array | None = None
) -> State:
    """The state after all terms, from a state or (None) from the first term; `sums` takes the sum after each term."""
    n, shape = len(terms[0]), np.broadcast_shapes(*(x.shape[1:] for x in terms))
    results, start = math.prod(shape), 0
    if state is None:
        state, start = chain.first(steps, *(x[0] for x in terms)), 1
        if sums is not None:
            sums[0] = state[0]
    runner = runner_for(chain, steps, results)
    draws = chain.draws if steps.mode.random else 1
    at_once = max(1, runner.terms * AT_ONCE // (results * draws)) if runner else n

    def place(k: int) -> Steps:
        """The steps on the k-th term, and on those after it."""
        return steps.on_rows(results) if sums is None else steps.from_row(k, results)

    for k in range(start, n, at_once):
        part = [x[k : k + at_once] for x in terms]
        after = _run_fast(chain, runner, steps, partial(place, k), state, part) if runner else None
        if after is None:
            for i, term in enumerate(zip(*part, strict=True), start=k):
                state = chain.step(place(i), state, *term)
                if sums is not None:
                    sums[i] = state[0]
            continue
        state = tuple(x[-1].astype(steps.carrier, copy=False) for x in after)
        if sums is not None:
            sums[k : k + at_once] = after[0]
    return state


def _run_fast(
    chain: Recurrence,
    runner: Runner,
    steps: Steps,
    place: Callable[[], Steps],
    state: State,
    terms: Sequence[Array],
) -> list[Array] | None:
    """The states after each of some terms; None, and no draw is made, if the clear way has to take the steps."""
    names, rng = current_listeners().names, steps.rng if steps.mode.random else None
    listened = not names.isdisjoint(PER_ELEMENT)
    if rng is not None and listened:
        return None
    generator_before: Any = None if rng is None else rng.bit_generator.state
    with np.errstate(all="ignore"):
        values = chain.value(*terms)
        rows = values.reshape(len(values), -1)
        draws = None if rng is None else draws_from(rng)(rows.size * chain.draws).reshape(len(rows), chain.draws, -1)
        paths, bounded = runner.run(tuple(x.reshape(-1) for x in state), rows, draws)
    after = [path[1:].reshape(values.shape) for path in paths]
    if rng is not None and names and not bounded:
        rng.bit_generator.state = generator_before
        return None
    if listened or (names and not bounded):
        before = [np.concatenate([x[None], y[:-1]], dtype=steps.carrier) for x, y in zip(state, after, strict=True)]
        chain.step(place(), tuple(before), *terms)
    return after


# --- fast ways ------------------------------------------------------------------------------------------------------


def by_numpy(dtype: Any) -> Runner:
    """NumPy's cumulative sums, taken from left to right. An overflow leaves an infinity or a NaN at the end."""

    def find(state: State, values: Array, draws: Draws) -> Paths:
        path = np.empty((len(values) + 1, values.shape[1]), dtype)
        path[0], path[1:] = state[0], values
        np.add.accumulate(path, axis=0, out=path)
        return Paths([path], bool(np.isfinite(path[-1]).all()))

    return Runner(find, 128, terms=4)


def by_floats(quick: floats.Loop | None, careful: floats.Loop, limit: float, most_results: int = 64) -> Runner:
    """A loop over Python's floats. `quick` is right if values and states are below `limit`; else `careful` repeats it.

    Below the limit no step overflows, either.
    """

    def find(state: State, values: Array, draws: Draws) -> Paths:
        paths = _columns(quick or careful, state, values, draws)
        bounded = all(bool(np.abs(x).max() < limit) for x in (values, *paths))  # False for NaN
        if quick and not bounded:
            paths = _columns(careful, state, values, draws)
        return Paths(paths, bounded)

    return Runner(find, most_results)


def _columns(loop: floats.Loop, state: State, values: Array, draws: Draws) -> list[Array]:
    """The paths that a loop gives for each of the results."""
    n = len(values)
    paths = [np.empty((n + 1, values.shape[1])) for _ in state]
    for path, first in zip(paths, state, strict=True):
        path[0] = first
    for j, column in enumerate(values.T):
        terms = column.tolist() if draws is None else zip(column.tolist(), *draws[:, :, j].T.tolist(), strict=True)
        found = loop(terms, *(float(first[j]) for first in state))
        for path, numbers in zip(paths, found, strict=True):
            path[1:, j] = np.fromiter(numbers, np.float64, n)
    return paths
