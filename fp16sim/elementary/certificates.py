"""Certificates of the elementary functions: over all inputs of a format, and for the machine that runs this.

A function is correctly rounded if the exact result of every input is further from a decision than float64 errs, or its
`side` decides. `closest_approach` measures that distance. `digest` condenses all results of a function. The tests have
compared the results behind certificates.json with MPFR, input by input. So `check` proves without MPFR that the libm of
this machine gives the right results: equal digests, equal results. The command line shows both: `fp16sim certify`.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..codes import all_values, encode_held
from ..conversion import Array
from ..files import write_text
from ..formats import BFLOAT16, BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import did_you_mean, quoted
from .definitions import FUNCTIONS
from .evaluation import NEAR, TINY, evaluate, nearest_boundary

FORMATS = (BINARY16, BFLOAT16)
MODES = tuple(mode for mode in Rounding if mode is not Rounding.STOCHASTIC)


@dataclass(frozen=True)
class Approach:
    """The input whose result is nearest to a decision, of those that no `side` decides.

    Attributes
    ----------
    x : float
    log2_distance : float
        The binary logarithm of the distance from the nearest number of precision + 1 bits, in ulp of that number.
    decided : int
        How many inputs are nearer than 2^-40, so that the function's `side` decides.
    """

    x: float
    log2_distance: float
    decided: int


def closest_approach(name: str, fmt: FormatLike = "binary16") -> Approach:
    """How near a function's results come to the numbers where a rounding changes, over all inputs of a format.

    Measured in float64, which is accurate to about 2^-50. A function is safe if the distance is much larger.

    Parameters
    ----------
    name : str
        Of a function of one argument, such as "exp".
    fmt : Format, str or dtype
        Of up to 16 bits.

    Examples
    --------
    >>> approach = closest_approach("exp", "binary16")
    >>> approach.log2_distance > -30
    True
    """
    fmt = get_format(fmt)
    x = _inputs(name, fmt)
    with np.errstate(all="ignore"):
        y = np.asarray(FUNCTIONS[name].approximate(x), np.float64)
        usable = np.isfinite(y) & (np.abs(y) > TINY)
        x, y = x[usable], y[usable]
        t = nearest_boundary(y, fmt)
        relative = np.abs(y - t) / np.abs(t)
        ulps = np.abs(y - t) / np.ldexp(1.0, np.frexp(t)[1] - fmt.precision)
    free = relative > NEAR
    at = int(np.argmin(np.where(free, ulps, np.inf)))
    return Approach(float(x[at]), math.log2(ulps[at]), int(np.count_nonzero(~free)))


def _inputs(name: str, fmt: Format) -> Array:
    if name not in FUNCTIONS:
        raise ValueError(
            f"name={quoted(name)} is not an elementary function of one argument; {did_you_mean(name, FUNCTIONS)}"
            f"use one of {', '.join(FUNCTIONS)}"
        )
    values = all_values(fmt)
    return values[~np.isnan(values)]


def digest(name: str, fmt: FormatLike, mode: Rounding | str) -> str:
    """The beginning of the SHA-256 of all result codes, in the order of the input codes; NaN as the quiet NaN."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    with np.errstate(all="ignore"):
        y = evaluate(name, [_inputs(name, fmt)], fmt, mode, None, np.float64)
    codes = encode_held(np.where(np.isnan(y), np.nan, y), fmt)
    return hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()[:16]


def check(names: list[str] | None = None) -> list[str]:
    """Compare the results on this machine with the certified ones: a line for each difference, [] if there is none.

    Takes a few seconds: every function, both 16-bit formats, six modes.
    """
    certified = json.loads((files(__package__) / "certificates.json").read_text(encoding="utf-8"))
    return [
        f"{key}: results on this machine differ from the certified ones"
        for key, value in digests(names).items()
        if certified.get(key) != value
    ]


def digests(names: list[str] | None = None) -> dict[str, str]:
    """The digest of each function, format and mode, by "function format mode"."""
    return {
        f"{name} {fmt.name} {mode.value}": digest(name, fmt, mode)
        for name in (FUNCTIONS if names is None else names)
        for fmt in FORMATS
        for mode in MODES
    }


def record() -> None:
    """Write the digests of this machine to certificates.json, after which the tests must compare it with MPFR."""
    text = json.dumps(digests(), indent=0, sort_keys=True) + "\n"
    write_text(Path(__file__).with_name("certificates.json"), text)
