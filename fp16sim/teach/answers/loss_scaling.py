"""Loss scaling: puzzles, hints, and worked solutions."""

import math

from ... import exact
from ..grading.puzzles import Puzzle


def _stored_and_shifts():
    """Numbers of binary16, some of them at half of the smallest number when they are divided, and their neighbours."""
    for k in (10, 4, 0, 15, 1, 20):
        for code in (0x3C00, 0x0001, 0x0002, 0x0400, 0x7BFF, 0x1234, 0x2000):
            yield float(exact.decode(code, "binary16")), k
        tie = int(exact.encode(max(2.0 ** (k - 25), 2.0**-23), "binary16"))  # at half of the smallest number, or near
        for code in range(tie - 1, tie + 3):
            yield float(exact.decode(code, "binary16")), k


def _largest():
    """Largest gradients around each limit, and ordinary ones."""
    for x in (3.0, 1.0, 0.5, 0.1, 1e-3, 1000.0, 7.0, 5e4):
        yield x
    for k in range(17):
        for edge in (65504.0, 65520.0):
            x = math.ldexp(edge, -k)
            yield from (x, math.nextafter(x, 0), math.nextafter(x, math.inf))


def _settled(largest):
    scale = 65536.0
    while exact.round_to(largest * scale, "binary16") == math.inf:
        scale /= 2
    return scale


PUZZLES = {
    "lost_again": Puzzle(
        "f(stored, k)",
        "whether stored / 2**k, rounded to binary16, is 0, for a positive number of binary16: True or False",
        "pairs",
        _stored_and_shifts,
        lambda stored, k: exact.round_to(math.ldexp(stored, -k), "binary16") == 0,
        [((1.0, 10), False), ((2.0**-15, 10), True), ((2.0**-14, 10), False), ((2.0**-24, 1), True), ((0.5, 24), True)],
    ),
    "settles_at": Puzzle(
        "f(largest)",
        "the largest of 65536, 32768, 16384, ... by which a positive float can be multiplied and stay finite",
        "numbers",
        _largest,
        _settled,
        [(3.0, 16384.0), (1.0, 32768.0), (0.5, 65536.0), (1000.0, 64.0), (1e-3, 65536.0)],
    ),
}

HINTS = {
    "lost_again": (
        "Which is the smallest positive number of binary16, and which numbers below it become 0?",
        "The quotient becomes 0 if it is at most 2^-25, half of the smallest number; that tie goes to 0, too.",
        "Divide `stored` by 2.0**k, which is exact in Python, and compare with 2.0**-25.",
    ),
    "settles_at": (
        "What must be true of the product of largest and scale, so that you have to go on?",
        "Go on as long as the product would be infinite in binary16: from 65520 on.",
        "Compare largest * scale with 65520; think about whether 65520 itself is finite or not.",
    ),
    "fate_of": (
        "Which products become 0 in binary16, and which infinite? What about negative ones?",
        "Look at the size, abs(x) times 2 to the power k: up to 2^-25 it becomes 0, unless x was 0; from 65520 on it "
        "becomes infinite.",
        "Make the list of sizes of the x that are not 0; then count twice with sum(...): those of at most 2.0**-25, "
        "and those of at least 65520.",
    ),
    "dynamic_step": (
        "Which two things can happen in a step, and what does each change?",
        "If a gradient is not finite: the step is not taken, the scale is halved, and the count starts from 0. Else "
        "the count grows by one; if it has reached the interval, the scale doubles and the count starts from 0.",
        "all(map(math.isfinite, gradients)) tells which. In the good case compare good + 1 with interval.",
    ),
    "count_skipped": (
        "What must you remember from one step to the next?",
        "The scale, the count of good steps, and how many were skipped. For each size: if its product with the scale "
        "is infinite, so 65520 or more, skip, halve, and count from 0; else count, and double at the interval.",
        "A loop `for g in largest`, with `if g * scale >= 65520`; in the other case add 1 to good, and if it equals "
        "interval, double the scale and set good to 0.",
    ),
}


def lost_again(stored, k):
    """Half of the smallest number, 2^-25, is a tie, and goes to 0. What is smaller does so as well.

    So a gradient that is too small for binary16 without its scale cannot be kept in binary16 once the scale is divided
    out: divide in binary32, and keep it there.
    """
    return stored / 2.0**k <= 2.0**-25


def settles_at(largest):
    """Halve as long as the product is infinite. 65520 itself is, so it belongs to the condition.

    The scale ends between 32752 and 65504 divided by the largest gradient, unless it starts below: the top of the
    format is used well, and no gradient is infinite.
    """
    scale = 65536.0
    while largest * scale >= 65520:
        scale = scale / 2
    return scale


def fate_of(gradients, k):
    """A power of two changes no digit, so Python's product is exact, and one comparison tells what rounding does.

    Signs do not matter: negative numbers become -0 and -infinity at the same sizes.
    """
    sizes = [abs(x) * 2.0**k for x in gradients if x != 0]
    return sum(x <= 2.0**-25 for x in sizes), sum(x >= 65520 for x in sizes)


def dynamic_step(gradients, scale, good, interval):
    """Down at once, up only after a long good time: an overflow costs a whole step.

    The scale that is found in this way is near the largest that the gradients allow. The count starts anew after
    both, so that two changes are at least an interval apart on the way up.
    """
    if not all(map(math.isfinite, gradients)):
        return False, scale / 2, 0
    return (True, scale * 2, 0) if good + 1 == interval else (True, scale, good + 1)


def count_skipped(largest, scale, interval):
    """The same rules as for one step, in a loop. Three numbers are carried from step to step.

    Too short an interval skips often, because the scale knocks at the limit again and again. Libraries wait for 2000
    steps.
    """
    good = skipped = 0
    for g in largest:
        if g * scale >= 65520:
            skipped, scale, good = skipped + 1, scale / 2, 0
        else:
            good += 1
            if good == interval:
                scale, good = scale * 2, 0
    return skipped
