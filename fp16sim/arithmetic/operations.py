"""add ... fma, ieee_remainder, fmod, log_b: an intermediate that loses nothing, then one rounding.

`intermediates` derives which float64 (or, for speed, float32) computation is safe for which format; where no such
computation is, the exact layer computes element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import exact
from ..conversion import (
    Array,
    Carrier,
    Generator,
    Seed,
    as_generator,
    carrier_for,
    check_hardware,
    lift,
    same_format,
)
from ..flags import PER_ELEMENT, Tally, current_listeners, recording, silent_context
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding
from ..nans import any_signaling, has_nan, quieted
from ..rounding import round_array, round_operand
from ..rounding.exact_numbers import note_exact
from .absorption import note_absorbed
from .intermediates import EXACT_IN_FLOAT64, LIFTED, float64_is_enough
from .native import by_hardware, hardware_of, report_overflow
from .scalars import operate_on_numbers

# --- one operation --------------------------------------------------------------------------------------------------


def operate(
    name: str,
    operands: list[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Carrier,
    label: str | None = None,
    tally: Tally | None = None,
) -> Array:
    """An operation on arrays of values of `fmt`, with the flags reported as those of `label`; in dtype `carrier`."""
    hardware = hardware_of(name, fmt, mode)
    if hardware is not None and _needs_no_comparison(name, tally):
        y, finite = silent_context().run(by_hardware, hardware, operands)
        if finite or _nothing_is_left_to_report(y, name, operands, tally, label):
            return y if y.dtype is carrier else y.astype(carrier, copy=False)
    tally = tally or Tally(current_listeners())
    if name not in EXACT_IN_FLOAT64 and not float64_is_enough(fmt, mode):
        return _operate_exactly(name, operands, fmt, mode, rng, carrier, tally, label or name)
    with np.errstate(all="ignore"):
        wide = [x.astype(np.float64, copy=False) for x in operands]
        lifted = np.asarray(LIFTED[name](mode, *wide))
    _note_invalid(tally, name, operands, lifted)
    out, own = np.empty(lifted.shape, carrier), exact.without_input_flush(fmt)
    note = partial(note_absorbed, tally, name, wide, out) if tally.wants("absorbed") else None
    return round_array(lifted, own, mode, rng, out=out, operation=label or name, tally=tally, note=note)


def _needs_no_comparison(name: str, tally: Tally | None) -> bool:
    """Whether nobody listens for what shows only when each result is compared with the exact one."""
    if tally is None and name in ("add", "subtract") and not recording():
        return True  # a sum below min_normal is a multiple of min_subnormal: exact, so it does not underflow
    return (tally.listeners if tally else current_listeners()).names.isdisjoint(PER_ELEMENT)


def _nothing_is_left_to_report(
    y: Array, name: str, operands: list[Array], tally: Tally | None, label: str | None
) -> bool:
    """Whether nobody listens, or the result is finite, or all that it raised is overflow, which is then reported."""
    tally = tally or Tally(current_listeners())
    if not tally.listeners.names or np.isfinite(y).all():
        return True
    return report_overflow(y, name, operands, tally, label or name)


def round_exact(
    name: str,
    y: Array,
    operands: Sequence[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Carrier,
    tally: Tally | None = None,
) -> Array:
    """An exact result, rounded if it is not a value of the format: ceil(7.5) in e2m3fn, or a flushed subnormal."""
    tally = tally or Tally(current_listeners())
    _note_invalid(tally, name, operands, y)
    out = np.empty(np.shape(y), carrier)
    wide, fmt = quieted(np.asarray(y)), exact.without_input_flush(fmt)
    return round_array(wide, fmt, mode, rng, out=out, operation=name, tally=tally)


def _note_invalid(tally: Tally, name: str, operands: Sequence[Array], lifted: Array) -> None:
    """Note invalid: a signaling operand, a NaN from no NaN, or zero times infinity in any fma; and divide_by_zero."""
    if not tally.wants("invalid", "divide_by_zero"):
        return
    if has_nan(lifted):
        tally.note("invalid", _invalid(name, operands, lifted).reshape(-1))
    if name == "divide":
        a, b = operands
        tally.note("divide_by_zero", ((b == 0) & np.isfinite(a) & (a != 0)).reshape(-1))
    if name == "log_b":
        tally.note("divide_by_zero", (operands[0] == 0).reshape(-1))


def _invalid(name: str, operands: Sequence[Array], lifted: Array) -> Array:
    """Where an operation is invalid."""
    new_nan = np.isnan(lifted)
    for x in operands[:2] if name == "fma" else operands:
        new_nan = new_nan & ~np.isnan(x)
    if name == "fma" and new_nan.any():
        a, b, c = operands
        with np.errstate(all="ignore"):
            new_nan = new_nan & (np.isnan(a * b) | ~np.isnan(c))
    return np.asarray(new_nan | any_signaling(*operands))


def _operate_exactly(
    name: str,
    operands: list[Array],
    fmt: Format,
    mode: Rounding,
    rng: Generator,
    carrier: Carrier,
    tally: Tally,
    label: str,
) -> Array:
    """The same, element by element in the exact layer."""
    arrays = np.broadcast_arrays(*operands)
    out = np.empty(arrays[0].shape, carrier)
    draws = np.zeros(out.size, np.uint32) if rng is None else rng.integers(0, 2**32, out.size, dtype=np.uint32)
    for i, (items, draw) in enumerate(zip(zip(*(a.flat for a in arrays), strict=True), draws, strict=True)):
        for tininess in sorted(tally.listeners.tininess):
            result = exact.operate(name, items, fmt, mode, int(draw), tininess)
            note_exact(tally, result, i, tininess)
            out.flat[i] = result.value
    note_absorbed(tally, name, arrays, out)
    tally.report(label, out.shape)
    return out


def _operation(name: str, values: tuple[Any, ...], fmt: FormatLike, mode: Rounding | str, rng: Seed) -> Any:
    """Round the operands to the format where needed, compute, round once."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    check_hardware()
    y = operate_on_numbers(name, values, fmt, mode)
    if y is not None:
        return y
    sources = [lift(same_format(x, fmt)) for x in values]
    arrays = [s for s, x in zip(sources, values, strict=True) if not isinstance(x, (bool, int, float))]
    carrier = carrier_for(fmt, *(arrays or sources))
    generator = as_generator(mode, rng)
    operands = [round_operand(s, fmt, mode, generator) for s in sources]
    shape = broadcast_shape(name, operands)
    return operate(name, operands, fmt, mode, generator, carrier).reshape(shape)[()]


def broadcast_shape(name: str, operands: list[Array]) -> tuple[int, ...]:
    """The shape that the operands broadcast to, or a ValueError that names the operation."""
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
        the same mode (recorded flags count this as "round_to").
    fmt : Format, str or dtype
    mode : Rounding or str
        It also sets the sign of an exact zero: x - x is +0, but -0 in "toward_negative".
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


def fmod(
    a: Any, b: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None
) -> Any:
    """a - n * b where n is a / b without its fraction, as in C: exact, with the sign of a. Parameters as for `add`.

    `ieee_remainder` takes the nearest n instead (C's `remainder`). NumPy's `remainder`, the next integer below, is the
    operator % of FloatArray.

    >>> import fp16sim as fs
    >>> fs.fmod([5.0, 7.0, -6.0], 4.0, "binary16")
    array([ 1.,  3., -2.])
    >>> fs.ieee_remainder([5.0, 7.0, -6.0], 4.0, "binary16")
    array([ 1., -1.,  2.])
    """
    return _operation("fmod", (a, b), fmt, mode, rng)


def log_b(x: Any, fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, rng: Seed = None) -> Any:
    """The exponent of x, floor(log2(abs(x))), as a number of the format: exact if the format has it, else rounded once.

    It is that of the number, not the stored one: -24 for the smallest subnormal of binary16. -infinity for a zero,
    which raises divide_by_zero; infinity for an infinity (IEEE 754-2019, logB, section 5.3.3). The 3 bits of e5m2 hold
    no 9: there log_b(512) is 8. `frexp` gives integers. Parameters as for `add`.

    >>> import fp16sim as fs
    >>> fs.log_b([1.0, 0.1, 1000.0, 2.0**-24], "binary16")
    array([  0.,  -4.,   9., -24.])
    """
    return _operation("log_b", (x,), fmt, mode, rng)
