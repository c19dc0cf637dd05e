"""Right quantizers of MXFP4 and NVFP4 in two styles that differ from the course's solution: Fractions, and NumPy."""

import math
from fractions import Fraction

import numpy as np

HALF = Fraction(1, 2)


def two(e):
    """2^e, exactly."""
    return Fraction(2) ** e


def floor_log2(x):
    """floor(log2(x)) of a Fraction."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if two(e) <= x else e - 1


def rounded(x, precision, emin, top):
    """x >= 0 rounded to so many bits, ties to even, and saturated."""
    if x == 0:
        return x
    quantum = two(max(floor_log2(x), emin) - precision + 1)
    n, rest = divmod(x / quantum, 1)
    n += rest > HALF or (rest == HALF and n % 2 == 1)
    return min(n * quantum, Fraction(top))


ELEMENTS = [Fraction(n, 2) for n in (0, 1, 2, 3, 4, 6, 8, 12)]


def code(x, scale):
    """The code of the element of x."""
    return ELEMENTS.index(rounded(abs(Fraction(x)) / scale, 2, 0, 6)) + 8 * (math.copysign(1, x) < 0)


def packed(codes):
    """Bytes."""
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def finite(block):
    """Whether all are numbers."""
    return all(map(math.isfinite, block))


def mxfp4_by_fractions(values, size):
    """As the definition says."""
    scales, codes = [], []
    for block in [values[i : i + size] for i in range(0, len(values), size)]:
        if not finite(block):
            scales, codes = [*scales, 255], [*codes, *[0] * size]
            continue
        amax = max(abs(Fraction(x)) for x in block)
        e = min(max(floor_log2(amax) - 2, -127), 127) if amax else -127
        scales, codes = [*scales, e + 127], [*codes, *(code(x, two(e)) for x in block)]
    return scales, packed(codes)


def e4m3fn(x):
    """A scale and its code."""
    y = max(rounded(x, 4, -6, 448), two(-9))
    e = max(floor_log2(y), -6)
    return y, int(y / two(e - 3)) + 8 * (e + 6)


def nvfp4_by_fractions(values, size):
    """As the definition says."""
    blocks = [values[i : i + size] for i in range(0, len(values), size)]
    largest = max((abs(Fraction(x)) for block in blocks if finite(block) for x in block), default=Fraction(0))
    tensor = max(rounded(largest / 2688, 24, -126, two(128) - two(104)), two(-149)) if largest else Fraction(1)
    scales, codes = [], []
    for block in blocks:
        amax = max(abs(Fraction(x)) for x in block) if finite(block) else None
        scale, scale_code = e4m3fn(amax / 6 / tensor) if amax else (Fraction(1), 0 if amax == 0 else 127)
        scales.append(scale_code)
        codes += [0] * size if amax is None else [code(x, scale * tensor) for x in block]
    return float(tensor), scales, packed(codes)


TIES = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0])


def codes_of(shares):
    """The codes of an array: the count of ties below, and at a tie the even one."""
    below, up_to = (np.searchsorted(TIES, np.abs(shares), side=side) for side in ("left", "right"))
    return np.where(below % 2 == 0, below, up_to) | np.where(np.signbit(shares), 8, 0)


def bytes_of(codes):
    """Bytes of an array of codes."""
    flat = codes.reshape(-1)
    return (flat[::2] | flat[1::2] << 4).astype(np.uint8)


def mxfp4_by_arrays(values, size):
    """Without a loop."""
    x = np.array(values, float).reshape(-1, size)
    good = np.isfinite(x).all(axis=1)
    x = np.where(good[:, None], x, 0)
    amax = np.abs(x).max(axis=1)
    e = np.clip(np.frexp(amax)[1] - 3, -127, 127)
    scales = np.where(good, np.where(amax == 0, 0, e + 127), 255)
    return scales, bytes_of(codes_of(np.ldexp(x, -e[:, None])))


def nvfp4_by_arrays(values, size):
    """Without a loop."""
    x = np.array(values, float).reshape(-1, size)
    good = np.isfinite(x).all(axis=1)
    x = np.where(good[:, None], x, 0)
    amax = np.abs(x).max(axis=1)
    tensor = float(np.float32(amax.max() / 2688)) or 2.0**-149 if amax.max() else 1.0
    shares = amax / (6 * tensor)
    e = np.maximum(np.frexp(shares)[1] - 1, -6)
    scale = np.clip(np.ldexp(np.rint(np.ldexp(shares, 3 - e)), e - 3), 2.0**-9, 448)
    e = np.maximum(np.frexp(scale)[1] - 1, -6)
    found = (np.ldexp(scale, 3 - e) + 8 * (e + 6)).astype(int)
    scales = np.where(good, np.where(amax == 0, 0, found), 127)
    return np.float32(tensor), scales, bytes_of(codes_of(x / (scale * tensor)[:, None]))
