"""The extension `fft`, as far as it is real: frequencies and shifts. The transforms themselves give complex numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import Namespace, check_device
from .dtypes import no_complex
from .operands import operand


def _frequencies(xp: Namespace, n: int, d: float, dtype: Any, device: Any, places: Any) -> Any:
    """k / (n d): the product and the quotient rounded."""
    check_device(device)
    goal = xp.fmt if dtype is None else xp.checked(dtype)
    return xp.asarray(places, dtype=goal) / (xp.asarray(float(n), dtype=goal) * d)


def fftfreq(xp: Namespace, n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of a transform of n numbers at distances d."""
    k = np.fft.ifftshift(np.arange(-(n // 2), n - n // 2)).astype(np.float64)
    return _frequencies(xp, n, d, dtype, device, k)


def rfftfreq(xp: Namespace, n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of a transform of n real numbers at distances d."""
    return _frequencies(xp, n, d, dtype, device, np.arange(n // 2 + 1, dtype=np.float64))


def fftshift(xp: Namespace, x: Any, /, *, axes: Any = None) -> Any:
    """The elements moved so that frequency 0 is in the middle."""
    y = operand(xp, "fftshift", x, "floating")
    return y._like(np.fft.fftshift(y.values, axes))


def ifftshift(xp: Namespace, x: Any, /, *, axes: Any = None) -> Any:
    """The elements moved back."""
    y = operand(xp, "ifftshift", x, "floating")
    return y._like(np.fft.ifftshift(y.values, axes))


def _complex_one(name: str) -> Callable[..., Any]:
    def transform(xp: Namespace, x: Any, /, *, n: Any = None, axis: int = -1, norm: str = "backward") -> Any:
        raise no_complex(f"what {name} takes or gives")

    return _named(transform, name)


def _complex_several(name: str) -> Callable[..., Any]:
    def transform(xp: Namespace, x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Any:
        raise no_complex(f"what {name} takes or gives")

    return _named(transform, name)


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raises TypeError: its numbers are complex."
    return function


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{function.__name__: function for function in (fftfreq, rfftfreq, fftshift, ifftshift)},
    **{name: _complex_one(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{name: _complex_several(name) for name in ("fftn", "ifftn", "rfftn", "irfftn")},
}
