"""One term after the other, with products rounded on their own or fused."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..arithmetic.intermediates import hardware_for
from ..conversion import Array
from ..formats import BINARY16, BINARY32, BINARY64, Format, Rounding
from . import chain, floats
from .base import Accumulator, Start, Steps
from .by_hardware import dot_by_hardware, sum_by_hardware

_NUMPY_TYPES = {BINARY16: np.float16, BINARY32: np.float32, BINARY64: np.float64}

# --- the chains -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _adding(fmt: Format, mode: Rounding) -> chain.Runner | None:
    """NumPy for its own formats, to nearest. (It adds two float16 as float32, rounded: correct for binary16.)"""
    if mode is Rounding.TIES_TO_EVEN and fmt in _NUMPY_TYPES:
        return chain.by_numpy(_NUMPY_TYPES[fmt])
    add, c = floats.adder(fmt, mode), floats.shifter(fmt, mode)
    quick = None if c is None else floats.quick_sums(c)
    most_results = 32 if hardware_for(fmt, mode) else 64
    return None if add is None else chain.by_floats(quick, _careful(mode)(add), float(fmt.max_finite), most_results)


def _careful(mode: Rounding) -> Callable[[floats.Add], floats.Loop]:
    return floats.random_sums if mode.random else floats.sums


@lru_cache(maxsize=256)
def _adding_products(fmt: Format, mode: Rounding) -> chain.Runner | None:
    """The addition of an exact product, rounded once: the loop to nearest would round twice."""
    add = floats.adder(fmt, mode)
    if add is None or fmt.precision > BINARY32.precision:
        return None
    return chain.by_floats(None, _careful(mode)(add), float(fmt.max_finite))


@lru_cache(maxsize=256)
def _adding_random_products(fmt: Format, mode: Rounding) -> chain.Runner | None:
    """Products and sums in turn, because each of them takes the next draw."""
    add = floats.adder(fmt, mode) if mode.random else None
    return None if add is None else chain.by_floats(None, floats.random_sums_of_products(add), float(fmt.max_finite))


def _product(a: Array, b: Array) -> Array:
    return a.astype(np.float64) * b.astype(np.float64)


ADDITIONS = chain.Recurrence(
    first=lambda steps, x: (x,),
    step=lambda steps, state, x: (steps.add(state[0], x),),
    runner=_adding,
)
FUSED_ADDITIONS = chain.Recurrence(
    first=lambda steps, a, b: (steps.multiply(a, b),),
    step=lambda steps, state, a, b: (steps.fma(a, b, state[0]),),
    runner=_adding_products,
    value=_product,
)
RANDOM_SUMS_OF_PRODUCTS = chain.Recurrence(
    first=lambda steps, a, b: (steps.multiply(a, b),),
    step=lambda steps, state, a, b: (steps.add(state[0], steps.multiply(a, b)),),
    runner=_adding_random_products,
    value=_product,
    draws=2,
)

# --- the accumulators -----------------------------------------------------------------------------------------------


class Sequential(Accumulator):
    """One term after the other, every product and every partial sum rounded: more terms can mean more error.

    Defined by the loop, which starts from the first term, or from c where given::

        s = x[0]                              s = c, or multiply(a[0], b[0])
        for k in range(1, n):                 for k in ...:
            s = add(s, x[k])                      s = add(s, multiply(a[k], b[k]))

    Examples
    --------
    >>> Sequential("binary16").sum([2048.0, 1.0, 1.0, 1.0])
    np.float64(2048.0)
    >>> Sequential("binary32").dot([2048.0, 1.0], [1.0, 1.0])
    np.float64(2049.0)
    """

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """The loop over add."""
        return _sum(terms, steps)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """The loop over multiply and add; the products are never all in memory."""
        if not len(left):
            return super().reduce_products(left, right, start, steps)
        results = math.prod(np.broadcast_shapes(left.shape, right.shape)[1:])
        if not chain.runner_for(ADDITIONS, steps, results):
            y = dot_by_hardware(left, right, start, steps)
            if y is not None:
                return y.astype(steps.carrier, copy=False)
        state: chain.State | None = None if start is None else (start,)
        if steps.mode.random:
            return np.array(chain.run(RANDOM_SUMS_OF_PRODUCTS, steps, state, [left, right])[0])
        at_once = max(1, 4 * chain.AT_ONCE // max(1, results))
        for k in range(0, len(left), at_once):
            products = steps.on_rows(results).multiply(left[k : k + at_once], right[k : k + at_once])
            state = chain.run(ADDITIONS, steps, state, [products])
        assert state is not None
        return np.array(state[0])

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The partial sums of the loop."""
        out = np.empty(terms.shape, steps.carrier)
        if len(terms):
            _sum(terms, steps, out)
        return out


def _sum(terms: Array, steps: Steps, sums: Array | None = None) -> Array:
    """The sum over the first axis; `sums` takes the sum after each term."""
    few = chain.runner_for(ADDITIONS, steps, math.prod(terms.shape[1:]))
    y = None if few else sum_by_hardware(terms, steps, sums)
    return chain.run(ADDITIONS, steps, None, [terms], sums)[0] if y is None else y


class Fused(Sequential):
    """A chain of fused multiply-adds: products are not rounded on their own.

    Defined by the loop, which starts from the first product, or from c where given (a sum of plain terms has no
    products, and is Sequential's)::

        s = multiply(a[0], b[0])
        for k in range(1, n):
            s = fma(a[k], b[k], s)

    Examples
    --------
    >>> Fused("binary16").dot([3.0], [683.0], 2.0**-24)  # the product alone would round to 2048
    np.float64(2050.0)
    """

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """The loop over fma."""
        if not len(left):
            return super().reduce_products(left, right, start, steps)
        state = None if start is None else (start,)
        return np.array(chain.run(FUSED_ADDITIONS, steps, state, [left, right])[0])
