"""The elementary functions by MPFR: for each input a number that rounds, in every mode, as the true value does.

MPFR gives bounds, 600 bits wide and one unit apart. Where they are equal, that is the value. Else the value is strictly
between them, and so is their midpoint; no rounding to fewer bits tells the two apart.
"""

import numpy as np

P = 600
NAMES = {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")} | {"rsqrt": "rec_sqrt"}


def _context(gmpy2, rounding, precision=P):
    return gmpy2.context(precision=precision, emin=-(2**50), emax=2**50, round=rounding)


def _bound(gmpy2, name, x, up):
    """f(x) rounded up or down to 600 bits, for finite x other than the zeros of the composed functions."""
    toward, away = (gmpy2.RoundUp, gmpy2.RoundDown) if up else (gmpy2.RoundDown, gmpy2.RoundUp)
    with _context(gmpy2, toward):
        x = gmpy2.mpfr(x)
        if name == "sigmoid":  # falls with its denominator
            with _context(gmpy2, away):
                denominator = 1 + gmpy2.exp(-x)
            return 1 / denominator
        if name == "softplus":
            return gmpy2.log1p(gmpy2.exp(x)) if x <= 0 else x + gmpy2.log1p(gmpy2.exp(-x))
        if name == "gelu":  # x erfc(-x / sqrt 2) / 2; grows with erfc for x > 0 and falls for x < 0; erfc itself falls
            outer = toward if x > 0 else away
            inner = gmpy2.RoundDown if outer == gmpy2.RoundUp else gmpy2.RoundUp
            with _context(gmpy2, inner):
                argument = -x / gmpy2.sqrt(gmpy2.mpfr(2)) if x > 0 else -x * gmpy2.sqrt(gmpy2.mpfr("0.5"))
            with _context(gmpy2, outer):
                tail = gmpy2.erfc(argument)
            return x * tail / 2
        return getattr(gmpy2, NAMES.get(name, name))(x)


def truth(gmpy2, name, x):
    """A number that decides every rounding as f(x) does."""
    if x == 0 or not np.isfinite(x):
        limits = {  # IEEE 754 and our own definitions, at the zeros and infinities
            "sigmoid": {0: 0.5, np.inf: 1.0, -np.inf: 0.0},
            "softplus": {np.inf: np.inf, -np.inf: 0.0},
            "gelu": {0: x, np.inf: np.inf, -np.inf: -0.0},
            "rsqrt": {0: np.copysign(np.inf, x), np.inf: 0.0, -np.inf: np.nan},
        }.get(name, {})
        if x in limits:
            return gmpy2.mpfr(float(limits[x]))
    low, high = (_bound(gmpy2, name, float(x), up) for up in (False, True))
    # Where one bound has left MPFR's own range, the other one is still huge, or tiny, and will do.
    if low == high or gmpy2.is_nan(low) or gmpy2.is_infinite(high) or high == 0:
        return low
    if gmpy2.is_infinite(low) or low == 0:
        return high
    with _context(gmpy2, gmpy2.RoundToNearest, 2 * P):
        return (low + high) / 2
