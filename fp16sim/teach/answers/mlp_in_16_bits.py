"""A network in 16 bits: puzzles, hints, and worked solutions."""

import itertools
import math
from fractions import Fraction

import numpy as np

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle


def _gradients_and_scales():
    """Both ends of binary16 at each scale, what lies beside them, and sizes between them."""
    for scale in (1, 2, 16, 1024, 65536):
        ends = [x / scale for x in (2.0**-25, 2.0**-24, 65504.0, 65520.0)]
        beside = [float(np.nextafter(x, side)) for x in ends for side in (0, 1e9)]
        for size in (1.0, 2e-8, *ends, 65519.0 / scale, *beside, *(10.0**-k for k in range(12))):
            yield size, scale
            yield -size, scale


def _is_kept(gradient, scale):
    stored = exact.round_to(Fraction(gradient) * scale, "binary16")
    return stored != 0 and math.isfinite(stored)


def _weights_and_steps():
    """All weights of bfloat16 from 1 up to 2; steps around half an ulp, and smaller and larger ones."""
    half = 2.0**-8
    steps = (half, half + 2.0**-15, half - 2.0**-16, 2.0**-7, 2.0**-9, 1.5 * half, 2.0**-20, 0.25)
    return itertools.product([1 + k / 128 for k in range(128)], steps)


PUZZLES = {
    "is_kept": Puzzle(
        "f(gradient, scale)",
        "whether gradient * scale, rounded to binary16, is neither 0 nor infinite: True or False",
        "pairs",
        _gradients_and_scales,
        _is_kept,
        [
            ((1.0, 1), True),
            ((2e-8, 1), False),
            ((2e-8, 2), True),
            ((-(2.0**-25), 1), False),
            ((2.0**-34, 1024), True),
            ((2.0**-35, 1024), False),
            ((64.0, 1024), False),
            ((-63.96875, 1024), True),
        ],
    ),
    "moves": Puzzle(
        "f(weight, step)",
        "whether weight + step, rounded to bfloat16, is another number than the weight, which is from 1 to 2",
        "pairs",
        _weights_and_steps,
        lambda weight, step: exact.add(weight, step, "bfloat16") != weight,
        [
            ((1.0, 2.0**-8), False),
            ((1.0078125, 2.0**-8), True),
            ((1.5, 2.0**-8), False),
            ((1.9921875, 2.0**-8), True),
            ((1.0, 2.0**-7), True),
            ((1.0078125, 2.0**-9), False),
        ],
    ),
}

HINTS = {
    "is_kept": (
        "Which is the largest number that becomes 0, and from which number on is the result infinite?",
        "2^-25 becomes 0, because it is a tie; what is larger does not. 65520 becomes infinite, what is smaller does "
        "not. A negative number behaves like its absolute value, abs(...).",
        "size = abs(gradient) * scale, which is exact, because scale is a power of two. Return 2.0**-25 < size < ...",
    ),
    "moves": (
        "How far is it from a weight between 1 and 2 to the next one in bfloat16? What if the sum is in the middle?",
        "The ulp is 2^-7. More than half of it, 2^-8, moves every weight, and less moves none. Exactly half is a tie, "
        "which goes to even: it moves the weights whose last bit is 1. Or let fs.add(a, b, 'bfloat16') decide.",
        "Compare fs.add(weight, step, 'bfloat16') with the weight. By hand: weight * 128 is an integer, and the last "
        "bit is 1 where it is odd; so step > 2**-8, or step == 2**-8 and weight * 128 % 2 == 1.",
    ),
    "largest_scale": (
        "Which one of the gradients decides? And from which product on does binary16 have only infinity?",
        "Only the largest size counts: abs. Its product with the scale must stay below 65520. A product with a power "
        "of two is exact in Python, so that nothing else is rounded.",
        """Begin with scale = 32768. Then

            while some gradient g has abs(g) * scale >= 65520: halve the scale

        and return it. `any(... for g in gradients)` is False for an empty list.""",
    ),
    "one_weight": (
        "How many operations has one step, and which function of fs is each of them?",
        "Five operations: a product and a difference for the error, a product for the gradient, a product and a "
        "difference for the new weight. Each is one call of fs.multiply or fs.subtract, and these round.",
        """for _ in range(steps):

            error = fs.subtract(fs.multiply(w, x), target)
            then the gradient, and then the new w in the same way

        and return w after the loop.""",
    ),
}


def is_kept(gradient, scale):
    """Both ends of binary16 decide, and both are ties.

    2^-25 is half of the smallest number. It lies in the middle between 0 and 2^-24, and goes to 0, whose last bit is
    0. 65520 lies in the middle between 65504 and 65536, and goes to 65536, which does not exist. So neither of them is
    kept. The product with a power of two is exact in Python's floats.
    """
    return 2.0**-25 < abs(gradient) * scale < 65520


def moves(weight, step):
    """The sum lies between the weight and its neighbour above, or beyond it, and rounding decides.

    By hand: the ulp is 2^-7. A step of more than 2^-8 moves the weight and a smaller one does not; 2^-8 is a tie, which
    moves the weights whose last bit is 1, that is, where weight * 128 is odd.
    """
    return fs.add(weight, step, "bfloat16") != weight


def largest_scale(gradients):
    """The largest gradient decides. Products with powers of two are exact, so the only question is: 65520 or not?

    65520 itself is a tie between 65504 and 65536, and becomes infinite. `any` of nothing is False, so the empty list
    keeps the scale with which the loop began. A dynamic loss scale, which many libraries have, finds this number by
    trying.
    """
    scale = 32768
    while any(abs(g) * scale >= 65520 for g in gradients):
        scale //= 2
    return scale


def one_weight(w, x, target, rate, steps):
    """Five rounded operations a step. With w = 1, x = 1, target = 2 and rate = 0.001 the weight does not reach 2.

    Between 1 and 2 the ulp is 2^-10, so a step moves w only if it is larger than half of that, about 0.0005. The step
    is 0.001 * (2 - w). When w is about 1.5, the step is too small, and w stops there: in the middle between start and
    target. It never arrives, however long you train.
    """
    for _ in range(steps):
        error = fs.subtract(fs.multiply(w, x), target)
        gradient = fs.multiply(error, x)
        w = fs.subtract(w, fs.multiply(rate, gradient))
    return w
