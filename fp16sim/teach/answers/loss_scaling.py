"""Loss scaling: puzzles, hints, and worked solutions."""

import math

from ... import exact
from ..grading.puzzles import Puzzle

EDGES = (2.0**-25, 2.0**-24, 65504.0, 65520.0, 65536.0)
"""Where binary16 ends: below the first a number becomes 0, from 65520 on infinite."""


def _gradients_and_shifts():
    """Numbers at the edges, and beside them, before they are multiplied; and ordinary ones."""
    for k in (0, 10, 4, 15, 20):
        for edge in EDGES:
            g = math.ldexp(edge, -k)
            for x in (g, math.nextafter(g, 0), math.nextafter(g, math.inf)):
                yield x, k
        for x in (1.0, 3.0, 1e-8, 1e-12, 1e-4, 100.0, 7e4):
            yield x, k


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
    "fits": Puzzle(
        "f(g, k)",
        "whether g * 2**k, g a positive float, rounded to binary16, is neither 0 nor infinity: True or False",
        "numbers",
        _gradients_and_shifts,
        lambda g, k: 0 < exact.round_to(math.ldexp(g, k), "binary16") < math.inf,
        [((1.0, 0), True), ((1e-8, 0), False), ((1e-8, 10), True), ((3.0, 15), False), ((3.0, 14), True)],
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
    "fits": (
        "At which number do products become 0, and at which do they become infinite?",
        "Up to 2^-25, half of the smallest number, the product becomes 0. From 65520 on it is infinite. It fits "
        "between the two, without the ends.",
        "Python can compare twice at once: low < x < high, with x = g times 2.0 to the power k.",
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
    "static_scale": (
        "Which of the gradients alone decides?",
        "The one that is largest in size. Start from 2^15 and halve the scale, but never below 1, as long as the "
        "product with it would be infinite.",
        "largest = max(map(abs, gradients)). A while loop with two conditions: the scale is above 1, and largest "
        "times scale is 65520 or more.",
    ),
    "dynamic_step": (
        "Which two things can happen in a step, and what does each change?",
        "If a gradient is not finite: the step is not taken, the scale is halved, and the count starts from 0. Else "
        "the count grows by one; if it has reached the interval, the scale doubles and the count starts from 0.",
        "all(map(math.isfinite, gradients)) tells which. In the good case compare good + 1 with interval.",
    ),
}


def fits(g, k):
    """Both ends are ties. 2^-25 is the middle between 0 and the smallest number, and goes to 0, which is even.

    65520 is the middle between 65504 and 65536, and goes to 65536, which does not exist: infinity.
    """
    return 2.0**-25 < g * 2.0**k < 65520


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


def static_scale(gradients):
    """Only the largest gradient decides. The others are lifted as far as it permits.

    A fixed scale must leave room: gradients of later steps may be larger than those that you measured. So one takes a
    smaller scale than this in practice, or a dynamic one.
    """
    largest, scale = max(map(abs, gradients)), 2.0**15
    while scale > 1 and largest * scale >= 65520:
        scale = scale / 2
    return scale


def dynamic_step(gradients, scale, good, interval):
    """Down at once, up only after a long good time: an overflow costs a whole step.

    The scale that is found in this way is near the largest that the gradients allow. The count starts anew after
    both, so that two changes are at least an interval apart on the way up.
    """
    if not all(map(math.isfinite, gradients)):
        return False, scale / 2, 0
    return (True, scale * 2, 0) if good + 1 == interval else (True, scale, good + 1)
