"""Testing: puzzles, hints, and worked solutions."""

import itertools

import numpy as np

import fp16sim as fs

from ..grading.puzzles import Puzzle


def _is_nan(code):
    return np.isnan(fs.decode(code, "binary16"))


def _pairs_of_codes():
    """Codes of zeros, ordinary numbers, infinities and NaN, each with each."""
    codes = [0x0000, 0x3C00, 0x8000, 0xBC00, 0x0001, 0x03FF, 0x7BFF, 0x7C00, 0x7C01, 0x7DFF, 0x7E00, 0x7FFF]
    codes += [0x8001, 0xFBFF, 0xFC00, 0xFC01, 0xFE00, 0xFFFF]
    return list(itertools.product(codes, codes))


PUZZLES = {
    "same_number": Puzzle(
        "f(one, other)",
        "whether two codes of binary16 are equal or both stand for NaN: True or False",
        "pairs of codes",
        _pairs_of_codes,
        lambda one, other: bool(one == other or (_is_nan(one) and _is_nan(other))),
        [
            ((0x3C00, 0x3C00), True),
            ((0x0000, 0x8000), False),
            ((0x7E00, 0xFC01), True),
            ((0x7C00, 0x7C01), False),
            ((0xFC00, 0x7C00), False),
            ((0x7C00, 0x7C00), True),
        ],
    ),
    "seconds_for_all_pairs": Puzzle(
        "f(width, per_second)",
        "the seconds for all pairs of numbers of so many bits",
        "cases",
        lambda: list(itertools.product(range(1, 33), (1, 1000, 10**6, 10**8))),
        lambda width, per_second: 4**width / per_second,
        [((1, 1), 4.0), ((8, 65536), 1.0), ((8, 1000), 65.536), ((16, 10**6), 4294.967296), ((2, 1), 16.0)],
    ),
    "allowed_error": Puzzle(
        "f(n, sizes)",
        "(n - 1) * u * sizes with the unit roundoff u of binary16: a bound for the error of a sum of n terms",
        "bounds",
        lambda: list(itertools.product(range(1, 40), (0.0, 1.0, 2.0, 3.5, 12.25, 1024.0))),
        lambda n, sizes: (n - 1) * sizes / 2**11,
        [((1, 8.0), 0.0), ((2, 1.0), 2.0**-11), ((3, 1024.0), 1.0), ((5, 2.0), 2.0**-8), ((11, 0.0), 0.0)],
    ),
}

HINTS = {
    "same_number": (
        "When are two different codes the same for us? Which code is the last one before the NaNs, without its sign?",
        "A code without its sign is code & 0x7FFF; infinity is 0x7C00 then, and what is above it is NaN.",
        "Return whether the codes are equal, or both of them are above 0x7C00 when their sign is taken off.",
    ),
    "seconds_for_all_pairs": (
        "How many numbers of 3 bits are there, and how many pairs of them?",
        "There are 2**width numbers. Each of them can be first, and each can be second, so that the count is squared.",
        "Divide the count, 2**width times 2**width, by per_second.",
    ),
    "allowed_error": (
        "How many additions does a sum of n terms have, and how much can each of them add to the error?",
        "There are n - 1 additions, and each contributes at most u times the sizes of all terms, with u = 2**-11.",
        "Multiply three factors: n - 1, then 2**-11, then sizes.",
    ),
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


def same_number(one, other):
    """Without the sign bit, all codes above that of infinity, 0x7C00, are NaN.

    Comparing codes tells the zeros apart, which == does not. Which NaN it is matters to nobody here.
    """
    return one == other or (one & 0x7FFF > 0x7C00 and other & 0x7FFF > 0x7C00)


def seconds_for_all_pairs(width, per_second):
    """2**width numbers, each with each: 4**width pairs. Each further bit makes it four times as long.

    Eight bits take a millisecond at 10**8 pairs a second, sixteen take 43 seconds, and thirty-two take 5845 years.
    """
    return 4**width / per_second


def allowed_error(n, sizes):
    """Each of the n - 1 additions errs by at most half an ulp of its own result, that is by u times that result.

    No result is larger than the sizes of all terms together. So each addition adds at most u * sizes to the error.
    (That argument forgets that the partial sums are rounded themselves. The bound holds all the same; Rump proved it.)
    """
    return (n - 1) * 2**-11 * sizes


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
