"""Certificates of the elementary functions: over all inputs of a format, and for the machine that runs this.

A function is correctly rounded if no input's value comes nearer to a decision than float64 errs, but for those inputs
that its `side` decides. `closest_approach` measures that distance. `digest` condenses all results of a function; those
in certificates.json were compared with MPFR, input by input, by the tests. So `check` proves the results of this
machine's libm right without MPFR: equal digests, equal results. As a script it prints the table of closest approaches:

    python -m fp16sim.certify
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..codes import all_values, encode_held
from ..formats import BFLOAT16, BINARY16, Format, FormatLike, Rounding, get_format, get_rounding
from .definitions import FUNCTIONS
from .evaluation import NEAR, SMALL, nearest_boundary
from .evaluation import apply as evaluate

FORMATS = (BINARY16, BFLOAT16)
MODES = tuple(mode for mode in Rounding if mode is not Rounding.STOCHASTIC)


@dataclass(frozen=True)
class Approach:
    """The input whose value comes nearest to a decision without being decided by an inequality.

    Attributes
    ----------
    x : float
    log2_distance : float
        The binary logarithm of the distance from the nearest number of precision + 1 bits, in its ulp.
    decided : int
        Inputs nearer than 2^-40, which the function's `side` decides.
    """

    x: float
    log2_distance: float
    decided: int


def closest_approach(name: str, fmt: FormatLike = "binary16") -> Approach:
    """How near a function's values come to the numbers where a rounding changes, over all inputs of a format.

    Measured by float64, which is good to about 2^-50. A function is safe where the distance is far above that.

    Parameters
    ----------
    name : str
        One of `fp16sim.functions.FUNCTIONS`.
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
        y = np.asarray(FUNCTIONS[name].evaluate(x), np.float64)
        usable = np.isfinite(y) & (np.abs(y) > SMALL)
        x, y = x[usable], y[usable]
        t = nearest_boundary(y, fmt)
        relative = np.abs(y - t) / np.abs(t)
        ulps = np.abs(y - t) / np.ldexp(1.0, np.frexp(t)[1] - fmt.precision)
    free = relative > NEAR
    at = int(np.argmin(np.where(free, ulps, np.inf)))
    return Approach(float(x[at]), math.log2(ulps[at]), int(np.count_nonzero(~free)))


def _inputs(name: str, fmt: Format) -> Any:
    if name not in FUNCTIONS:
        raise ValueError(f"name={name!r} is no elementary function of one argument; use one of {', '.join(FUNCTIONS)}")
    values = all_values(fmt)
    return values[~np.isnan(values)]


def digest(name: str, fmt: FormatLike, mode: Rounding | str) -> str:
    """The beginning of the SHA-256 of all result codes, in the order of the input codes; NaN as the quiet NaN."""
    fmt, mode = get_format(fmt), get_rounding(mode)
    with np.errstate(all="ignore"):
        y = evaluate(name, _inputs(name, fmt), fmt, mode, None, np.float64)
    codes = encode_held(np.where(np.isnan(y), np.nan, y), fmt)
    return hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()[:16]


def check(names: list[str] | None = None) -> list[str]:
    """Compare this machine's results with the certified ones; [] if all are equal, else a line for each difference.

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


def main() -> None:
    """Print the table of closest approaches; with --write, record this machine's digests (then run the tests)."""
    if "--write" in sys.argv:
        text = json.dumps(digests(), indent=0, sort_keys=True) + "\n"
        Path(__file__).with_name("certificates.json").write_text(text, encoding="utf-8")
        return
    print(f"{'function':10}" + "".join(f"{fmt.name:>22}{'decided':>9}" for fmt in FORMATS))
    for name in FUNCTIONS:
        cells = (closest_approach(name, fmt) for fmt in FORMATS)
        print(f"{name:10}" + "".join(f"{f'2^{a.log2_distance:.1f} ulp':>22}{a.decided:9}" for a in cells))


if __name__ == "__main__":
    main()
