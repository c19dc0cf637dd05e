"""The intermediates of arithmetic: they lose nothing that a rounding decision depends on.

The intermediate is a float64, for formats of up to 24 bits of precision (all named ones up to binary32):

- a product of two 24-bit significands has 48 bits, and float64 holds 53: it is exact.
- a sum may need hundreds of bits. TwoSum gives s = fl(a + b) and the error e with s + e = a + b exactly. Where e is not
  zero and the last bit of s is 0, s moves one ulp toward e: this is a + b rounded *to odd* in 53 bits, and rounding
  that to at most 51 bits gives in every mode what rounding the exact sum gives (Boldo and Melquiond 2008).
- fma is such a sum, of the exact product and c.
- a quotient a / b differs from every number m of p + 1 bits that it does not equal by a relative 1 / (B M) >= 2^-49
  (with integer significands A, B < 2^24 and M < 2^25, |A 2^k - M B| is a nonzero integer). float64 errs by at most
  2^-53, so it never reaches or crosses m: values and midpoints of the format, where decisions change, are such m.
- a root: |x - m^2| is a nonzero integer where m^2 < 2^50, so sqrt(x) and m differ by a relative 2^-51 at least.
- a remainder has no more bits than its operands: it is exact, and so is each step of its computation.
  `fmod` and `log_b` are exact in float64 for every format that it holds.

The probability of a stochastic step comes from the bits that rounding drops. For binary32, float64 has too few of them.
So that case, and all formats that float64 does not hold with this margin, go through the exact layer. There is one
shortcut, for speed: ties to even by float32, where that is innocuous (`hardware_for`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..conversion import Array
from ..formats import BINARY32, BINARY64, Format, Rounding, Specials, Subnormals
from ..rounding import kernels

# --- exact, or to odd, in float64 -----------------------------------------------------------------------------------


def add_to_odd(a: Array, b: Array, mode: Rounding) -> Array:
    """a + b in float64, rounded to odd; `mode` matters only for the sign of an exact zero."""
    s = np.asarray(a + b)
    # Knuth's TwoSum, which needs no branch: exact unless something overflows, and nothing does (|a|, |b| < 2^600).
    part = s - a
    error = (a - (s - part)) + (b - part)
    bits = s.view(np.int64)
    # Toward the error is away from zero where both have one sign: one up in a sign-magnitude code, else one down.
    # An infinite or NaN sum has a NaN error, which compares false.
    step = np.where((error > 0) == (s > 0), 1, -1)
    odd = np.where((np.abs(error) > 0) & (bits & 1 == 0), bits + step, bits).view(np.float64)
    if mode is Rounding.TOWARD_NEGATIVE:
        # An exact zero from operands of unlike signs is -0 in this mode; the hardware, in ties to even, gave +0.
        return np.where(s == 0, np.where(np.signbit(a) | np.signbit(b), -0.0, 0.0), odd)
    return odd


def _remainder(a: Array, b: Array) -> Array:
    # fmod(|a|, 2|b|) is exact, subtracts an even multiple of |b|, and leaves r < 2|b|. Then 0, 1 or 2 more times |b|
    # is nearest to r; at a tie the even number of times.
    y = np.abs(b)
    r = np.fmod(np.abs(a), 2 * y)
    r = np.where(2 * r > y, np.where(2 * r >= 3 * y, r - 2 * y, r - y), r)
    return np.where(r == 0, np.copysign(0.0, a), np.where(np.signbit(a), -r, r))


def _log_b(a: Array) -> Array:
    finite = np.isfinite(a)
    e = np.frexp(np.where(finite, a, 1.0))[1] - 1.0
    return np.where(finite & (a != 0), e, np.where(finite, -np.inf, a * a))  # infinity or a quiet NaN


LIFTED: dict[str, Callable[..., Array]] = {
    "add": lambda mode, a, b: add_to_odd(a, b, mode),
    "subtract": lambda mode, a, b: add_to_odd(a, -b, mode),
    "multiply": lambda mode, a, b: a * b,
    "divide": lambda mode, a, b: a / b,
    "sqrt": lambda mode, a: np.sqrt(a),
    "fma": lambda mode, a, b, c: add_to_odd(a * b, c, mode),
    "ieee_remainder": lambda mode, a, b: _remainder(a, b),
    "fmod": lambda mode, a, b: np.fmod(a, b),
    "log_b": lambda mode, a: _log_b(a),
}
EXACT_IN_FLOAT64 = frozenset({"fmod", "log_b"})
"""Operations that are exact there for every format that float64 holds."""

# --- which intermediate is enough ------------------------------------------------------------------------------------

UFUNCS: dict[str, np.ufunc] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "sqrt": np.sqrt,
}


@lru_cache(maxsize=256)
def float64_is_enough(fmt: Format, mode: Rounding) -> bool:
    """Whether the derivations above are valid: at most 24 bits, exponents far from float64's ends, bits for a draw."""
    in_range = fmt.precision <= 24 and fmt.emax <= 480 and fmt.quantum_exponent_min >= -500
    return in_range and (not mode.random or fmt.precision + 33 <= BINARY64.precision)


@lru_cache(maxsize=256)
def hardware_for(fmt: Format, mode: Rounding) -> type[np.float32] | type[np.float64] | None:
    """The dtype whose own operations, rounded once more to `fmt`, are correct in ties to even; or None.

    For binary32 and binary64 that is their own dtype. For narrower formats it is float32 where 24 >= 2p + 2 (Figueroa),
    so p <= 11. Near float32's own subnormals there is one more condition: a product of 2p bits above half of
    min_subnormal, where decisions are taken, must be exact, so its last bit must be 2^-149 or more:
    quantum_exponent_min - 2p >= -149. (A quotient is a relative 2^-(2p + 1) away from those decisions, a sum is exact
    there.)
    """
    if mode is not Rounding.TIES_TO_EVEN or fmt.saturate or fmt.subnormals is not Subnormals.GRADUAL:
        return None
    if fmt in (BINARY32, BINARY64):
        return np.float32 if fmt == BINARY32 else np.float64
    narrow = fmt.precision <= 11 and fmt.quantum_exponent_min - 2 * fmt.precision >= -149
    if narrow and fmt.specials is Specials.IEEE and kernels.find(fmt, mode, "float32") is not None:
        return np.float32
    return None
