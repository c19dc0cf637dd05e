"""From anything to an array: the exact values of what is given, and the dtype that carries the result.

float32 and float64 arrays hold most numbers exactly. The others (large integers, Fractions, Decimals, text) stay in an
array of Python objects, which the exact layer rounds.
"""

from __future__ import annotations

import numbers
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from .formats import BINARY32, BINARY64, Format, Rounding, quoted
from .nans import Array as Array
from .nans import widened

Seed: TypeAlias = "int | np.random.Generator | None"
Generator: TypeAlias = "np.random.Generator | None"  # as text, because evaluating it would load numpy.random
Carrier: TypeAlias = "np.dtype[Any] | type[np.float32] | type[np.float64]"
"""float32 or float64: the dtype of an array whose values are those of a narrower format."""


DEEPEST = 32
"""Lists may be nested as deeply as NumPy's iterators can follow."""


def lift(x: Any) -> Array:
    """The exact values of `x` as an array: float32, float64, or objects where those do not hold every element.

    A NaN keeps its sign and payload. Raises TypeError for anything that is not a real number, and ValueError for lists
    that are nested too deeply.
    """
    array = np.asarray(x) if hasattr(x, "__array__") else array_of_objects(x)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size in (4, 8):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if (kind == "f" and size <= 2) or _is_extension_float(array.dtype):
        return widened(array.astype(array.dtype.newbyteorder("="), copy=False))
    if kind == "b" or (kind in "iu" and size <= 4):
        return array.astype(np.float64)
    if kind in "iu":
        exactly = array.astype(np.float64)
        # Every integer up to 2^53 is a float64, and no larger integer rounds to less.
        return exactly if not array.size or np.abs(exactly).max() < 2.0**53 else array.astype(object)
    if kind == "O":
        return _lift_objects(array)
    if kind in "Uf":
        return array.astype(object)
    raise TypeError(
        f"x has dtype {array.dtype}, not real numbers; give floats, integers, booleans, Fractions, Decimals or text"
    )


def _is_extension_float(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is ml_dtypes' bfloat16 or one of its relatives; float64 holds the values of all of them."""
    return dtype.kind == "V" and dtype.names is None and dtype.subdtype is None and "float" in dtype.name


def array_of_objects(x: Any) -> Array:
    """Python's numbers in nested lists, as they are; TypeError for ragged lists."""
    check_nesting(x)
    try:
        return np.array(x, dtype=object)
    except ValueError:  # NumPy refuses some lists of arrays whose shapes differ
        raise ragged(x) from None


def check_nesting(x: Any) -> None:
    """ValueError for lists in lists in lists ... without end. (NumPy goes no deeper than the first elements do.)"""
    inner = x
    for _ in range(DEEPEST):
        if not isinstance(inner, (list, tuple)) or not inner:
            return
        inner = inner[0]
    raise nested_too_deeply(x)


def nested_too_deeply(x: Any) -> ValueError:
    """The error for lists in lists in lists ... without end."""
    return ValueError(
        f"x={quoted(x)} is nested {DEEPEST} deep or more, or contains itself; give an array or flat lists"
    )


def ragged(x: Any, name: str = "x") -> TypeError:
    """The error for lists that are not an array."""
    return TypeError(f"{name}={quoted(x)} is ragged: its lists differ in length or depth; give rows of one length")


def plain_array(x: Any, name: str, dtype: Any = None) -> Array:
    """np.asarray(x), with an error that says so if the lists are ragged."""
    try:
        return np.asarray(x, dtype)
    except ValueError:
        if any(isinstance(item, (list, tuple, np.ndarray)) for item in array_of_objects(x).flat):
            raise ragged(x, name) from None
        raise


def _lift_objects(array: Array) -> Array:
    """Python's own numbers: as float64 if that holds all of them, else as they are."""
    for item in array.flat:
        if isinstance(item, (list, tuple, np.ndarray)) and np.ndim(item):
            raise ragged(array.tolist())
        known = isinstance(item, (numbers.Real, str, np.generic, np.ndarray))
        if not known and not hasattr(item, "as_integer_ratio"):
            raise TypeError(
                f"x contains {quoted(item)} of type {type(item).__name__}, not a real number; "
                "give floats, ints, booleans, Fractions, Decimals or text"
            )
    return array.astype(np.float64) if all(map(_is_held, array.flat)) else array


def _is_held(item: Any) -> bool:
    """Whether a conversion to float64 keeps a number, and the payload of a NaN."""
    if isinstance(item, (float, bool, np.bool_)):
        return True
    if not isinstance(item, np.timedelta64) and isinstance(item, (int, np.integer)):
        return abs(int(item)) <= 2**53
    return isinstance(item, (np.float32, np.float16)) and bool(item == item)


def same_format(x: Any, fmt: Format) -> Any:
    """`x`; TypeError if it is an array of another format, because only astype converts between formats."""
    other = getattr(x, "fmt", None)
    if isinstance(other, Format) and other != fmt:
        raise TypeError(
            f"x is an array of format {other.name}, not {fmt.name}; convert it first with x.astype({fmt.name!r})"
        )
    return x


_TINY, _ONE = 5e-324, 1.0


def check_hardware() -> None:
    """Raise if the processor flushes subnormals: then float32 and float64 would silently carry some wrong results."""
    if _TINY * _ONE == 0.0:
        raise RuntimeError(
            "in this thread the processor flushes subnormal numbers to zero, so float32 and float64 cannot carry "
            "results exactly; some library switched that on (torch.set_flush_denormal, or code built with "
            "-ffast-math): switch it off, for example with torch.set_flush_denormal(False)"
        )


def as_generator(mode: Rounding, rng: Seed) -> np.random.Generator | None:
    """The generator for STOCHASTIC; None for the other modes."""
    if not mode.random:
        return None
    if rng is not None and not isinstance(rng, (int, np.integer, np.random.Generator)):
        raise TypeError(
            f"rng={quoted(rng)} is not a source of random bits; give a seed, a numpy.random.Generator or None"
        )
    if isinstance(rng, (int, np.integer)) and rng < 0:
        raise ValueError(f"rng={quoted(rng)} is negative; a seed is 0 or more")
    return np.random.default_rng(rng)


_FLOAT32 = np.dtype(np.float32)


@lru_cache(maxsize=256)
def _fits(fmt: Format) -> tuple[bool, bool]:
    return fmt.fits_in(BINARY64), fmt.fits_in(BINARY32)


def check_fits(fmt: Format) -> None:
    """Raise ValueError if float64 does not hold all numbers of `fmt`."""
    if not _fits(fmt)[0]:
        raise ValueError(
            f"fmt={fmt.name} (width={fmt.width}, precision={fmt.precision}) does not fit in binary64, which carries "
            "the values of arrays; use the functions of fp16sim.exact for it"
        )


def carrier_for(fmt: Format, *sources: Array) -> type[np.float32] | type[np.float64]:
    """float32 if all sources are float32 and hold `fmt`, else float64; ValueError if float64 does not hold it."""
    fits_in_64, fits_in_32 = _fits(fmt)
    if not fits_in_64:
        check_fits(fmt)  # raises
    if not fits_in_32:
        return np.float64
    for source in sources:  # a plain loop, since this is part of the cost of every call
        if source.dtype != _FLOAT32:
            return np.float64
    return np.float32


def checked_out(out: Array, source: Array, fmt: Format) -> Array:
    """`out`; TypeError or ValueError if it cannot take the results."""
    if not isinstance(out, np.ndarray) or out.dtype.kind != "f" or out.dtype.itemsize not in (4, 8):
        kind = getattr(out, "dtype", type(out).__name__)
        raise TypeError(f"out of type {kind} cannot take results; give a float32 or float64 array")
    if out.shape != source.shape:
        raise ValueError(
            f"out.shape={out.shape} is not the shape of x, {source.shape}; make out with np.empty(x.shape)"
        )
    if out.dtype == np.float32 and not fmt.fits_in(BINARY32):
        raise ValueError(f"out.dtype=float32 does not hold {fmt.name}; use a float64 array")
    if not out.flags.writeable:
        raise ValueError("out is read-only; give an array that can be written to")
    return out
