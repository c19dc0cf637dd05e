"""A matrix unit whose factors are of narrower formats than the arrays that hold them, as in recipes for 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..conversion import Array, Generator
from ..formats import Format, Rounding
from ..rounding import round_without_flags
from .base import Steps
from .tensorcore import TensorCore


@dataclass(frozen=True, init=False)
class NarrowFactors(TensorCore):
    """Products as the unit computes them of factors of `formats`, in arrays of any wider format; exact as TensorCore.

    A factor's format is the first that holds all its numbers. So both may differ, as a gradient in e5m2 and a weight in
    e4m3fn do; the unit must treat both formats alike. The format matters only for the exponents of subnormal numbers.

    Examples
    --------
    >>> from fp16sim.formats import E4M3FN, E5M2
    >>> unit = NarrowFactors(TensorCore("hopper"), (E4M3FN, E5M2))
    >>> unit.path.group, unit.path.bits
    (32, 13)
    """

    formats: tuple[Format, ...]

    def __init__(self, core: TensorCore, formats: tuple[Format, ...]) -> None:
        how = {"model": core.model, "hypothetical": core.hypothetical}
        super().__init__(core.generation, core.fmt, formats[0], **how)  # type: ignore[arg-type]
        self._set(formats=formats)

    def with_factors(self, factors: Format, scales: Format | None = None) -> TensorCore:
        """Itself: the arrays' format is not that of the factors."""
        return super().with_factors(factors, scales) if scales else self

    def accepts(self, fmt: Format) -> bool:
        """Whether arrays of `fmt` can hold the factors."""
        return all(one.fits_in(fmt) for one in self.formats)

    def operand(self, source: Array, steps: Steps) -> Array:
        """A factor as it is: it was rounded before."""
        return np.asarray(source, steps.carrier)

    def _format_of(self, values: Array) -> Format:
        for fmt in self.formats[:-1]:
            held = round_without_flags(np.array(values, np.float64), fmt, Rounding.TOWARD_ZERO)
            if np.array_equal(held, values, equal_nan=True):
                return fmt
        return self.formats[-1]

    def for_format(self, fmt: Format, mode: Rounding, rng: Generator) -> TensorCore:
        """Itself."""
        return self
