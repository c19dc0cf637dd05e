"""add, subtract, multiply, divide, sqrt, fma, ieee_remainder: an intermediate that loses nothing, then one rounding.

`intermediates` derives which float64 (or, for speed, float32) computation is safe for which format; where none is, the
exact layer computes element by element.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from . import exact, kernels
from .flags import CLOSE, Listening, Tally, listening
from .formats import BINARY32, BINARY64, Format, FormatLike, Rounding, get_format, get_rounding
from .intermediates import LIFTED, UFUNCS, float64_will_do, hardware_for
from .lifting import Array, Generator, Seed, as_generator, carrier_for, check_hardware, lift, same_format
from .rounding import held, note_exact, round_array

PIECE = 1 << 17
"""Elements computed and rounded at a time."""


class _Hardware(NamedTuple):
    """A ufunc that computes an operation in `dtype`, and the kernel that rounds what it gives (None: nothing to do)."""

    ufunc: np.ufunc
    dtype: np.dtype[Any]
    kernel: kernels.Kernel | None
    tells: bool
    """Whether the kernel looks at a piece (with its `look`) if that has a number that is not finite."""


@lru_cache(maxsize=1024)
def _hardware(name: str, fmt: Format, mode: Rounding) -> _Hardware | None:
    dtype = hardware_for(fmt, mode)
    if dtype is None or name not in UFUNCS:
        return None
    kernel = None if fmt in (BINARY32, BINARY64) else kernels.find(fmt, mode, "float32")
    return _Hardware(UFUNCS[name], np.dtype(dtype), kernel, fmt.emax < BINARY32.emax)


def _by_hardware(hardware: _Hardware, operands: list[Array], listeners: Listening) -> tuple[Array, bool]:
    """The result, and whether there is nothing to tell the listeners: all is finite, or nobody listens.

    A finite result has raised neither invalid, nor divide_by_zero, nor (in ties to even) overflow.
    """
    operands = [x if x.dtype == hardware.dtype else x.astype(hardware.dtype) for x in operands]
    if not listeners.names:
        return _piecewise(hardware, operands, None), True
    large: list[int] = []
    with np.errstate(all="ignore") if listeners.announced else nullcontext():
        y = _piecewise(hardware, operands, lambda piece, start: large.append(start))  # None: once is enough
    return y, (hardware.tells and not large) or bool(np.isfinite(y).all())


def _piecewise(hardware: _Hardware, operands: list[Array], look: Any) -> Array:
    """The operation and its rounding, a piece at a time, so that what is rounded is still in the cache."""
    ufunc, _, kernel, _ = hardware
    if kernel is None or max(operands[0].size, operands[-1].size) <= PIECE or not _alike(operands):
        y = np.asarray(ufunc(*operands))
        if kernel is not None:
            y = y if y.flags.c_contiguous else np.ascontiguousarray(y)
            kernel(y, y, None, look)
        return y
    shape = next(x.shape for x in operands if x.ndim)
    y = np.empty(shape, hardware.dtype)
    flat, out = [x.reshape(-1) if x.ndim else x for x in operands], y.reshape(-1)
    for start in range(0, out.size, PIECE):
        part = out[start : start + PIECE]
        ufunc(*(x[start : start + PIECE] if x.ndim else x for x in flat), out=part)
        kernel(part, part, None, look)
    return y


def _alike(operands: list[Array]) -> bool:
    """Whether all are contiguous and of one shape, or scalars."""
    shapes = {x.shape for x in operands if x.ndim}
    return len(shapes) == 1 and all(x.flags.c_contiguous for x in operands)


# --- one operation --------------------------------------------------------------------------------------------------


def operate(
    name: str,
    operands: list[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Any,
    label: str | None = None,
) -> Array:
    """An operation on arrays whose values `fmt` holds, flags reported as those of `label`; the result in `carrier`."""
    listeners = listening()
    if listeners.names.isdisjoint(CLOSE):
        hardware = _hardware(name, fmt, mode)
        if hardware is not None:
            y, finite = _by_hardware(hardware, operands, listeners)
            if finite or _heard(y, name, operands, listeners, label or name):
                return y if y.dtype == carrier else y.astype(carrier)
    tally = Tally(listeners)
    if not float64_will_do(fmt, mode):
        return _operate_exactly(name, operands, fmt, mode, rng, carrier, tally, label or name)
    with np.errstate(all="ignore"):
        wide = [x.astype(np.float64, copy=False) for x in operands]
        lifted = np.asarray(LIFTED[name](mode, *wide))
    _note_invalid(tally, name, wide, lifted)
    out = np.empty(lifted.shape, carrier)
    return round_array(lifted, exact.without_input_flush(fmt), mode, rng, out=out, operation=label or name, tally=tally)


def _heard(y: Array, name: str, operands: list[Array], listeners: Listening, label: str) -> bool:
    """Whether all that listeners want to hear of a result by hardware, not all finite, is known, and told to them.

    An infinite result of finite operands, and no division by zero, has raised overflow.
    """
    if listeners.names != {"overflow"}:
        return False
    raised = np.isinf(y)
    for x in operands:
        raised = raised & np.isfinite(x)
    if name == "divide":
        raised &= operands[1] != 0
    tally = Tally(listeners)
    tally.note("overflow", raised.reshape(-1))
    tally.report(label, y.shape)
    return True


def _note_invalid(tally: Tally, name: str, operands: list[Array], lifted: Array) -> None:
    """invalid: a NaN that no operand brought, or zero times infinity in any fma; divide_by_zero: x / 0 for finite x."""
    if not tally.wants("invalid", "divide_by_zero"):
        return
    born = np.isnan(lifted)
    for x in operands[:2] if name == "fma" else operands:
        born = born & ~np.isnan(x)
    if name == "fma" and born.any():
        a, b, c = operands
        with np.errstate(all="ignore"):
            born = born & (np.isnan(a * b) | ~np.isnan(c))
    tally.note("invalid", born.reshape(-1))
    if name == "divide":
        a, b = operands
        tally.note("divide_by_zero", ((b == 0) & np.isfinite(a) & (a != 0)).reshape(-1))


def _operate_exactly(
    name: str,
    operands: list[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Any,
    tally: Tally,
    label: str,
) -> Array:
    """Element by element in the exact layer."""
    arrays = np.broadcast_arrays(*operands)
    out = np.empty(arrays[0].shape, carrier)
    draws = np.zeros(out.size, np.uint32) if rng is None else rng.integers(0, 2**32, out.size, dtype=np.uint32)
    for i, (items, draw) in enumerate(zip(zip(*(a.flat for a in arrays), strict=True), draws, strict=True)):
        for tininess in sorted(tally.listeners.tininess):
            result = exact.operate(name, items, fmt, mode, int(draw), tininess)
            note_exact(tally, result, i, tininess)
            out.flat[i] = result.value
    tally.report(label, out.shape)
    return out


def _operation(name: str, values: tuple[Any, ...], fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Any:
    """Round the operands to the format where it does not hold them, compute, round once."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    sources = [lift(same_format(x, fmt)) for x in values]
    arrays = [s for s, x in zip(sources, values, strict=True) if not isinstance(x, (bool, int, float))]
    carrier = carrier_for(fmt, *(arrays or sources))
    generator = as_generator(mode, rng)
    operands = [held(s, fmt, mode, generator) for s in sources]
    shape = _broadcast_shape(name, operands)
    return operate(name, operands, fmt, mode, generator, carrier).reshape(shape)[()]


def _broadcast_shape(name: str, operands: list[Array]) -> tuple[int, ...]:
    shapes = [x.shape for x in operands]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(map(str, shapes))
        raise ValueError(
            f"{name}: operands of shapes {listed} do not broadcast together; make their trailing dimensions equal or 1"
        ) from None


# --- the public functions -------------------------------------------------------------------------------------------


def add(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a + b, correctly rounded once, in every mode.

    Parameters
    ----------
    a, b : array_like
        Anything that `round_to` takes; they broadcast. Operands that `fmt` does not hold are first rounded to it, in
        the same mode (recorded flags count that under "round_to").
    fmt : Format, str or dtype
    mode : Rounding or str
        Sets the sign of an exact zero, too: x - x is +0, but -0 toward negative.
    rng : int or numpy.random.Generator, optional
        For "stochastic", as in `round_to`.

    Returns
    -------
    ndarray or scalar
        float32 if all arrays are float32 and the format fits in it, else float64.

    Raises
    ------
    ValueError, TypeError
        As `round_to` does, and for shapes that do not broadcast.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.add(2048, 1, "binary16"), fs.add(1, "1p-60", "bfloat16", "toward_positive")
    (np.float64(2048.0), np.float64(1.0078125))
    """
    return _operation("add", (a, b), fmt, mode, rng)


def subtract(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a - b, correctly rounded once, in every mode; parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.subtract(1, "0.9995", "binary16")
    np.float64(0.00048828125)
    """
    return _operation("subtract", (a, b), fmt, mode, rng)


def multiply(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a * b, correctly rounded once, in every mode; parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.multiply([0.1, 300.0], [0.1, 200.0], "binary16")
    array([9.99450684e-03, 6.00000000e+04])
    """
    return _operation("multiply", (a, b), fmt, mode, rng)


def divide(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a / b, correctly rounded once, in every mode; parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.divide(1, 3, "binary16"), fs.divide(1, 3, "binary16", "toward_positive")
    (np.float64(0.333251953125), np.float64(0.33349609375))
    """
    return _operation("divide", (a, b), fmt, mode, rng)


def sqrt(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The square root, correctly rounded once, in every mode; sqrt(-0) is -0. Parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.sqrt([2.0, -0.0], "bfloat16")
    array([ 1.4140625, -0.       ])
    """
    return _operation("sqrt", (x,), fmt, mode, rng)


def fma(
    a: Any, b: Any, c: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a * b + c with a single rounding, correct in every mode; parameters as for `add`.

    Infinity times zero is invalid whatever c is, a NaN included.

    >>> import fp16sim as fs
    >>> fs.fma(3, 683, 2.0**-24, "binary16")  # float32 in between would say 2048
    np.float64(2050.0)
    """
    return _operation("fma", (a, b, c), fmt, mode, rng)


def ieee_remainder(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a - n * b for the integer n nearest to a / b, ties to even: exact. Parameters as for `add`.

    A zero result has the sign of a.

    >>> import fp16sim as fs
    >>> fs.ieee_remainder([5.0, 7.0, -6.0], 2.0, "binary16")
    array([ 1., -1., -0.])
    """
    return _operation("ieee_remainder", (a, b), fmt, mode, rng)
