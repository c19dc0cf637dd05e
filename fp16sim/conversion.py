"""From anything to an array: the exact value of what is given, and who may carry the result.

float32 and float64 arrays hold most numbers exactly. What they do not (large integers, Fractions, Decimals, text) stays
an array of Python objects, for the exact layer to round.
"""

from __future__ import annotations

import numbers
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from .formats import BINARY32, BINARY64, Format, Rounding

Array: TypeAlias = np.ndarray[Any, Any]
Seed: TypeAlias = "int | np.random.Generator | None"
Generator: TypeAlias = "np.random.Generator | None"  # as text, since evaluating it would load numpy.random


def lift(x: Any) -> Array:
    """The exact value of `x` as an array: float32, float64, or objects where those do not hold every element.

    Raises TypeError for what is not a real number.
    """
    array = np.asarray(x) if hasattr(x, "__array__") else np.array(x, dtype=object)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size in (4, 8):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if kind == "b" or (kind in "iu" and size <= 4) or (kind == "f" and size == 2) or _is_extension_float(array.dtype):
        return array.astype(np.float64)
    if kind in "iu":
        exactly = array.astype(np.float64)
        # Up to 2^53 every integer is a float64, and beyond it no integer rounds to less.
        return exactly if not array.size or np.abs(exactly).max() < 2.0**53 else array.astype(object)
    if kind == "O":
        return _lift_objects(array)
    if kind in "Uf":
        return array.astype(object)
    raise TypeError(
        f"x of dtype {array.dtype} is not real; give floats, integers, booleans, Fractions, Decimals or text"
    )


def _is_extension_float(dtype: np.dtype[Any]) -> bool:
    """ml_dtypes' bfloat16 and friends, all of which float64 holds."""
    return dtype.kind == "V" and dtype.names is None and dtype.subdtype is None and "float" in dtype.name


def _lift_objects(array: Array) -> Array:
    """Python's own numbers; float64 where that is exact for all of them."""
    for item in array.flat:
        if not isinstance(item, (numbers.Real, Decimal, str, np.generic)) and not hasattr(item, "as_integer_ratio"):
            raise TypeError(
                f"x contains {item!r} of type {type(item).__name__}, not a real number; "
                "give floats, ints, booleans, Fractions, Decimals or text"
            )
    if all(
        isinstance(item, (float, np.float32, np.float16, bool, np.bool_))
        or (isinstance(item, (int, np.integer)) and abs(int(item)) <= 2**53)
        for item in array.flat
    ):
        return array.astype(np.float64)
    return array


def same_format(x: Any, fmt: Format) -> Any:
    """`x`, refused if it is an array of another format: conversions are asked for by name, with astype."""
    other = getattr(x, "fmt", None)
    if isinstance(other, Format) and other != fmt:
        raise TypeError(
            f"x is an array of format {other.name}, not {fmt.name}; convert it first with x.astype({fmt.name!r})"
        )
    return x


_TINY, _ONE = 5e-324, 1.0


def check_hardware() -> None:
    """Raise if the processor flushes subnormals: binary64 would then carry some results wrongly, without a word."""
    if _TINY * _ONE == 0.0:
        raise RuntimeError(
            "this thread's processor is set to flush subnormal numbers to zero, so that float32 and float64 no longer "
            "carry results exactly; some library switched that on (torch.set_flush_denormal, or code built with "
            "-ffast-math): switch it off, for example with torch.set_flush_denormal(False)"
        )


def as_generator(mode: Rounding, rng: Seed) -> np.random.Generator | None:
    """The generator for STOCHASTIC; None for the modes that need none."""
    if mode is not Rounding.STOCHASTIC:
        return None
    if rng is not None and not isinstance(rng, (int, np.integer, np.random.Generator)):
        raise TypeError(f"rng={rng!r} is no source of randomness; give a seed, a numpy.random.Generator or None")
    return np.random.default_rng(rng)


_FLOAT32 = np.dtype(np.float32)


@lru_cache(maxsize=256)
def _fits(fmt: Format) -> tuple[bool, bool]:
    return fmt.fits_in(BINARY64), fmt.fits_in(BINARY32)


def carrier_for(fmt: Format, *sources: Array) -> Any:
    """float32 where all sources are and `fmt` fits in it, else float64; ValueError where not even that holds `fmt`."""
    fits_in_64, fits_in_32 = _fits(fmt)
    if not fits_in_64:
        raise ValueError(
            f"fmt={fmt.name} (width={fmt.width}, precision={fmt.precision}) does not fit in binary64, which carries "
            "the values of arrays; use the functions of fp16sim.exact for it"
        )
    if not fits_in_32:
        return np.float64
    for source in sources:  # a plain loop, since this is part of the cost of every call
        if source.dtype != _FLOAT32:
            return np.float64
    return np.float32


def checked_out(out: Array, source: Array, fmt: Format) -> Array:
    """`out`, refused if it cannot take the results."""
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
