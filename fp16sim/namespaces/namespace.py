"""The namespace: functions of the Python array API standard on arrays of one format, mode and accumulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from types import MethodType
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike, resolve
from ..accumulators.base import Steps
from ..arrays import FloatArray
from ..conversion import Array, Generator, Seed, as_generator, carrier_for
from ..formats import (
    BINARY16,
    BINARY32,
    BINARY64,
    NAMED_FORMATS,
    Format,
    FormatLike,
    Rounding,
    get_format,
    get_rounding,
)
from ..version import __version__
from ..wording import did_you_mean, quoted
from . import creation, dtypes, elementwise, factorizations, fourier, places, products, statistics
from .arrays import CPU, PlainArray, RealArray, check_device
from .operands import of_dtype, operand

VERSION = "2025.12"
"""The newest version of the standard that the namespace follows."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **creation.FUNCTIONS,
    **elementwise.FUNCTIONS,
    **statistics.FUNCTIONS,
    **places.FUNCTIONS,
    **products.MAIN,
}
PLAIN_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (dtypes.isdtype, dtypes.can_cast, dtypes.result_type, dtypes.finfo, dtypes.iinfo)
}
"""Those that need to know nothing of the namespace."""
EXTENSIONS = {"linalg": products.LINALG | factorizations.FUNCTIONS, "fft": fourier.FUNCTIONS}

CONSTANTS = {"e": math.e, "inf": math.inf, "nan": math.nan, "pi": math.pi, "newaxis": None}
FORMATS = {fmt.name: fmt for fmt in NAMED_FORMATS}
STANDARD_FLOATS = ("float32", "float64")
"""The standard's names of its real dtypes: here both mean the format of the namespace."""


class Extension:
    """A part of a namespace, such as `xp.linalg`."""

    def __init__(self, xp: Namespace, name: str) -> None:
        self.__name__ = f"{xp.__name__}.{name}"
        self._functions = EXTENSIONS[name]
        for function in self._functions:
            setattr(self, function, MethodType(self._functions[function], xp))

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def __dir__(self) -> list[str]:
        return sorted(self._functions)


class Inspection:
    """What `xp.__array_namespace_info__()` tells."""

    def __init__(self, xp: Namespace) -> None:
        self._xp = xp

    def capabilities(self) -> dict[str, Any]:
        """Masks may be indices, shapes may depend on data, and how many axes an array may have."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The one device."""
        return CPU

    def devices(self) -> tuple[str, ...]:
        """The one device."""
        return (CPU,)

    def default_dtypes(self, *, device: Any = None) -> dict[str, dtypes.DType | None]:
        """The dtypes of arrays that are made without one. There is no complex one."""
        check_device(device)
        integer = dtypes.DEFAULT_INTEGER
        return {
            "real floating": self._xp.fmt,
            "complex floating": None,
            "integral": integer,
            "indexing": integer,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, dtypes.DType]:
        """The dtypes by the standard's names."""
        check_device(device)
        known: dict[str, dtypes.DType] = {**dtypes.PLAIN, **dict.fromkeys(STANDARD_FLOATS, self._xp.fmt)}
        return {name: dtype for name, dtype in known.items() if kind is None or dtypes.isdtype(dtype, kind)}


class Namespace:
    """The functions of the Python array API standard, on arrays of one format.

    Made by `array_api`. Two namespaces are equal if they compute alike; their random numbers may differ.
    """

    __array_api_version__ = VERSION
    __version__ = __version__

    def __init__(
        self,
        fmt: Format,
        mode: Rounding,
        accumulator: AccumulatorLike | None,
        rng: Generator,
        strict: bool,
    ) -> None:
        self.fmt, self.mode, self.accumulator, self.rng, self.strict = fmt, mode, accumulator, rng, strict
        own = [] if mode is Rounding.TIES_TO_EVEN else [mode.value]
        own += [] if accumulator is None else [str(accumulator)]
        own += ["strict"] if strict else []
        self.__name__ = ",".join([f"fp16sim.{fmt.name}", *own])

    def _key(self) -> tuple[Any, ...]:
        return self.fmt, self.mode, self.accumulator, self.strict

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Namespace) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"<namespace {self.__name__}>"

    def __reduce__(self) -> Any:
        return _restored, (*self._key(), self.rng)

    # --- names ------------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        found = self._found(name)
        if found is None:
            raise AttributeError(f"{self.__name__} has no {quoted(name)}; {did_you_mean(name, dir(self))}see dir(xp)")
        self.__dict__[name] = found[0]
        return found[0]

    def _found(self, name: str) -> tuple[Any] | None:
        if name in FUNCTIONS:
            return (MethodType(FUNCTIONS[name], self),)
        if name in PLAIN_FUNCTIONS:
            return (PLAIN_FUNCTIONS[name],)
        if name in EXTENSIONS:
            return (Extension(self, name),)
        if name in CONSTANTS:
            return (CONSTANTS[name],)
        own = {**FORMATS, **dict.fromkeys(STANDARD_FLOATS, self.fmt), **dtypes.PLAIN, **dtypes.COMPLEX}
        own |= {"float16": self.fmt} if self.fmt == BINARY16 else {}
        return (own[name],) if name in own else None

    def __dir__(self) -> list[str]:
        names = [*FUNCTIONS, *PLAIN_FUNCTIONS, *EXTENSIONS, *CONSTANTS, *FORMATS, *STANDARD_FLOATS, *dtypes.PLAIN]
        return sorted({*names, *dtypes.COMPLEX, "__array_namespace_info__", "__array_api_version__"})

    def __array_namespace_info__(self) -> Inspection:
        """What the namespace can do, and its dtypes and devices."""
        return Inspection(self)

    def of_version(self, api_version: str | None) -> Namespace:
        """The namespace, if it follows a version of the standard."""
        if api_version is not None and (not isinstance(api_version, str) or not "2021.12" <= api_version <= VERSION):
            raise ValueError(
                f"api_version={quoted(api_version)} is not a version that this namespace follows; it follows "
                f"{VERSION}, and code for older ones"
            )
        return self

    # --- for its functions ------------------------------------------------------------------------------------------

    def steps(self, fmt: Format) -> Steps:
        """The rounded operations of a format in the mode of the namespace."""
        return Steps(fmt, self.mode, self.rng, carrier_for(fmt, np.empty(0, np.float32)))

    def binary(self, dtype: Any) -> Format:
        """The format of a float dtype of NumPy."""
        return {2: BINARY16, 4: BINARY32, 8: BINARY64}[dtype.itemsize]

    def checked(self, dtype: Any) -> dtypes.DType:
        """A dtype that is asked for; Python's `float` is the format of the namespace."""
        return dtypes.checked(self.fmt if dtype is float else dtype)

    def wrap(self, y: Any) -> Any:
        """A result as an array of the namespace; several, as a tuple of them."""
        if isinstance(y, FloatArray):
            return y if isinstance(y, RealArray) and y.xp is self else RealArray(y.values, self, y.fmt)
        if isinstance(y, (list, tuple)):
            return tuple(map(self.wrap, y))
        return PlainArray(np.asarray(y), self)

    def plain_operand(self, x: Any, dtype: Any) -> Array:
        """A value to be written into an array of integers or booleans."""
        if isinstance(x, (PlainArray, np.ndarray)):
            y = operand(self, "setitem", x)
            dtypes.promoted([y.dtype, dtype])
        else:
            dtypes.result_type(x, dtype)
            y = of_dtype(self, x, dtype)
        return np.asarray(y.values)


# --- the one for a format -------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _shared(fmt: Format, name: str, mode: Rounding, accumulator: AccumulatorLike | None, strict: bool) -> Namespace:
    return Namespace(fmt, mode, accumulator, None, strict)


def array_api(
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
    strict: bool = False,
) -> Namespace:
    """A namespace of the Python array API standard, in which every operation rounds to one format.

    Its functions are those of this library: each result is correctly rounded, or exact. Code that is written for the
    standard, such as much of SciPy and scikit-learn, then computes in that format without a change.

    Parameters
    ----------
    fmt, mode, rng
        As for `round_to`: the format of floats, and how operations round.
    accumulator : Accumulator or str, optional
        Of `fp16sim.accumulators`, or its name: how sums, means, norms and products of matrices are added. By default
        one term after the other.
    strict : bool
        Whether to refuse `np.asarray(x)`, by which other libraries take the numbers out of the format.

    Returns
    -------
    Namespace
        `xp.float32` and `xp.float64` both name its format, because code that asks for them asks for floats. Other
        formats are dtypes too: `xp.astype(x, fs.BINARY32)`. Formats do not mix without `astype`.

    Raises
    ------
    ValueError, TypeError
        For a format, a mode or an accumulator that does not exist.

    Examples
    --------
    >>> import fp16sim as fs
    >>> xp = fs.array_api("bfloat16")
    >>> x = xp.linspace(0, 1, 5)
    >>> xp.sum(xp.exp(x)), x > 0.3
    (FloatArray(8.75, bfloat16), PlainArray([False, False,  True,  True,  True], bool))
    >>> fs.array([1.0], "bfloat16").__array_namespace__() == xp
    True
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if not isinstance(strict, bool):
        raise TypeError(f"strict={quoted(strict)} is not True or False")
    generator = as_generator(mode, rng)
    if accumulator is not None:
        resolve(accumulator, fmt, mode, generator)  # raises
    if generator is not None:
        return Namespace(fmt, mode, accumulator, generator, strict)
    return _shared(fmt, fmt.name, mode, accumulator, strict)


def _restored(
    fmt: Format, mode: Rounding, accumulator: AccumulatorLike | None, strict: bool, rng: Generator
) -> Namespace:
    return array_api(fmt, mode, accumulator=accumulator, rng=rng, strict=strict)


def namespace_of(x: FloatArray, api_version: str | None = None) -> Namespace:
    """The namespace of a FloatArray, with its format, mode and random numbers."""
    return array_api(x.fmt, x.mode, rng=x.rng).of_version(api_version)
