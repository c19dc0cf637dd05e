"""Testing: hints, and worked solutions."""

import numpy as np

import fp16sim as fs

HINTS = {
    "check_rounder": (
        "With which numbers would a wrong rounder be found out? The grader's faults are about ties, both ends, "
        "zeros, NaN, and what lies just beside a tie.",
        "Compare rounder(x) with fs.round_to(x) for a large array: all numbers of the format, the middles and quarters "
        "between them, what lies just beside these, powers of two far beyond, infinities and NaN, in both signs. "
        "Compare the signs of zeros, too, and let a NaN be the same as a NaN.",
        "values = np.unique(fs.all_values(fmt)) gives the numbers; np.diff the gaps; np.nextafter what lies beside. "
        "Two results agree if they are equal and np.signbit is equal, or if both are NaN. assert that all agree.",
    ),
    "check_truncation": (
        "What of your first test depends on the format and the mode?",
        "Only two names: the format for the numbers to try, and the mode for the right answers. Make them arguments.",
        'Call the same function with "bfloat16" and "toward_zero". The powers of two must reach beyond its range: '
        "below "
        "2^-133 and above 2^128.",
    ),
}


def interesting(fmt):
    """Every number of the format, every midpoint and every quarter, beside them, far beyond, and the specials."""
    values = np.unique(fs.all_values(fmt))
    values = values[np.isfinite(values) & (values >= 0)]
    gaps = np.diff(values, append=2 * values[-1] - values[-2])
    x = np.concatenate([values + gaps * part for part in (0, 0.25, 0.5, 0.75)])
    x = np.concatenate([x, np.nextafter(x, np.inf), np.nextafter(x, 0), 2.0 ** np.arange(-160, 160), [np.inf, np.nan]])
    return np.concatenate([x, -x])


def check(rounder, fmt, mode):
    """Compare a rounder with fs.round_to, and name the first number on which they differ."""
    x = interesting(fmt)
    with np.errstate(all="ignore"):
        expected, found = fs.round_to(x, fmt, mode), rounder(x)
    same = (found == expected) & (np.signbit(found) == np.signbit(expected)) | np.isnan(found) & np.isnan(expected)
    assert same.all(), f"rounder({x[~same][0]!r}) is {found[~same][0]!r}, not {expected[~same][0]!r}"


def check_rounder(rounder):
    """A rounder changes its answer at midpoints, at the numbers themselves and at the ends: so these are tried.

    Random numbers hardly ever hit a tie, and never 65520. For each number its two neighbours in float64 are tried as
    well, because wrong rounders lose what lies just beside a tie. `==` does not see the sign of a zero, and says that
    NaN differs from NaN: the comparison must say both itself.
    """
    check(rounder, "binary16", "ties_to_even")


def check_truncation(rounder):
    """The same numbers are interesting in each mode, so that only the format and the mode change."""
    check(rounder, "bfloat16", "toward_zero")
