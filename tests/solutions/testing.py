"""Solutions of the lesson "Testing numerics"."""

import numpy as np

import fp16sim as fs


def interesting(fmt):
    """Every number of the format, every midpoint and every quarter, beside them, far beyond, and the specials."""
    values = np.unique(fs.all_values(fmt))
    values = values[np.isfinite(values) & (values >= 0)]
    gaps = np.diff(values, append=2 * values[-1] - values[-2])
    x = np.concatenate([values + gaps * part for part in (0, 0.25, 0.5, 0.75)])
    x = np.concatenate([x, np.nextafter(x, np.inf), np.nextafter(x, 0), 2.0 ** np.arange(-160, 160), [np.inf, np.nan]])
    return np.concatenate([x, -x])


def check(rounder, fmt, mode):
    x = interesting(fmt)
    with np.errstate(all="ignore"):
        expected, found = fs.round_to(x, fmt, mode), rounder(x)
    same = (found == expected) & (np.signbit(found) == np.signbit(expected)) | np.isnan(found) & np.isnan(expected)
    assert same.all(), f"rounder({x[~same][0]!r}) is {found[~same][0]!r}, not {expected[~same][0]!r}"


def check_rounder(rounder):
    check(rounder, "binary16", "ties_to_even")


def check_truncation(rounder):
    check(rounder, "bfloat16", "toward_zero")


def shrink(values, limit):
    values = list(values)
    if sum(values) <= limit:
        return values
    k = 0
    while k < len(values):
        if sum(values) - values[k] > limit:
            del values[k]
        else:
            k += 1
    for k, value in enumerate(values):
        values[k] = max(0, limit + 1 - (sum(values) - value))
    return values
