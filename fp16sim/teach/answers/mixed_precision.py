"""Mixed precision: puzzles, hints, and worked solutions."""

import math
from fractions import Fraction

import fp16sim as fs

from ... import exact
from ..grading.puzzles import Puzzle


def _steps():
    """Steps of both signs, around the ties on both sides of 1, and from tiny to large."""
    yield from (0.5, -0.5, 0.001, -0.001, 0.003, -0.003, 0.0, 0.004, -0.004, 1e-10, -1e-10, -1.0)
    for k in range(6, 13):
        for x in (2.0**-k, 1.5 * 2.0**-k):
            for y in (x, math.nextafter(x, 0), math.nextafter(x, 1)):
                yield from (y, -y)


PUZZLES = {
    "moves_one": Puzzle(
        "f(step)",
        "whether 1.0 + step, rounded to bfloat16, is not 1.0 any more; step is a float of either sign: True or False",
        "steps",
        _steps,
        lambda step: exact.round_to(1 + Fraction(step), "bfloat16") != 1,
        [(0.5, True), (0.001, False), (-0.001, False), (0.003, False), (-0.003, True), (2.0**-8, False)],
    ),
    "half_ulp": Puzzle(
        "f(e)",
        "half the ulp of bfloat16 for numbers from 2**e up to 2**(e + 1), e from -20 to 20",
        "exponents",
        [0, *range(1, 21), *range(-20, 0)],
        lambda e: float(fs.ulp(2.0**e, "bfloat16")) / 2,
        [(0, 2.0**-8), (1, 2.0**-7), (-3, 2.0**-11), (8, 1.0), (10, 4.0)],
    ),
}

HINTS = {
    "half_ulp": (
        "How many digits has bfloat16? What is its ulp from 1 up to 2, where e is 0?",
        "It has 8 digits, one of them before the point. So from 2^e on the ulp is 2^e divided by 2^7, and half of that "
        "has one more factor 2.",
        "The exponent is e minus 8: seven places to the last digit, and one for the half.",
    ),
    "moves_one": (
        "Which numbers of bfloat16 stand next to 1, on both sides? How far away are the middles to them?",
        "Above 1 the ulp is 2^-7, below it is 2^-8. A step is felt if it goes beyond the middle: more than 2^-8 up, or "
        "more than 2^-9 down. A tie goes back to 1, which is even.",
        "Two comparisons with `or`: step with 2.0**-8, and step with -(2.0**-9).",
    ),
    "absorbed": (
        "What do you see if you add the step and compare with the weight? When would that be no loss?",
        "The sum, rounded to the format, equals the weight. A step of 0 changes nothing either, but it is not "
        "absorbed.",
        "Two conditions: step is not 0, and fs.add(weight, step, fmt) == weight. Make the result a bool.",
    ),
    "kahan_update": (
        "It is one turn of the loop of the sums. Which variables are the sum, the term, and what was lost?",
        "The weight is the sum, the step is the term. Take what was lost from the step, add, and find out what was "
        "lost "
        'this time: (new weight - weight) - y. Every operation has the format "bfloat16".',
        "y = fs.subtract(step, lost, fmt); moved = fs.add(weight, y, fmt); the new lost is two subtractions: moved "
        "minus weight, and that minus y.",
    ),
    "memory": (
        "How many numbers are there for each parameter, and how many bytes has each of them in the two cases?",
        "Weight, gradient, and two moments. Without master weights that is four times 2 bytes. With them: 2 for the "
        "weight, and 4 each for the second copy, the gradient, and both moments. An activation always has 2.",
        "8 bytes for each parameter, or 18 with master weights; and 2 for each activation.",
    ),
}


def moves_one(step):
    """The neighbours of 1 in bfloat16 are 1 + 2^-7 and 1 - 2^-8. What goes beyond the middle to one of them moves.

    Both middles are ties, and the last bit of 1 is 0, so both go back to 1. A weight of 1 feels a decrease that is half
    as large as the smallest increase that it feels.
    """
    return step > 2.0**-8 or step < -(2.0**-9)


def half_ulp(e):
    """With 8 digits, the last one stands 7 places behind the first: the ulp is 2^(e - 7), and half of it 2^(e - 8).

    At 0.17, e is -3, and half an ulp is 2^-11 = 0.00049. A step of 0.0003 is less.
    """
    return 2.0 ** (e - 8)


def absorbed(weight, step, fmt):
    """The step is absorbed if the rounded sum is the weight again. It happens to steps below half an ulp of the
    weight.

    A tie is absorbed, too, if the weight is the even one of the two neighbours. bool(...) makes Python's own truth
    value of NumPy's.
    """
    return bool(step != 0 and fs.add(weight, step, fmt) == weight)


def kahan_update(weight, lost, step):
    """What one addition loses is kept beside the weight, and the next step makes up for it.

    From 256 on, bfloat16 has only every second integer: a step of 1.0 is lost once, and the second one moves the
    weight by 2. It costs one more number of bfloat16 for each weight, half of what a master copy in float32 costs.
    """
    y = fs.subtract(step, lost, "bfloat16")
    moved = fs.add(weight, y, "bfloat16")
    return moved, fs.subtract(fs.subtract(moved, weight, "bfloat16"), y, "bfloat16")


def memory(parameters, activations, master):
    """Counting: for each parameter four numbers, or five with the second copy of the weights.

    With master weights 18 bytes instead of 8: "16 bits halve the memory" is true for weights and activations alone, and
    with many parameters the run takes more than in float32, which needs 16 for each.
    """
    return parameters * (2 + 4 + 4 + 8 if master else 8) + 2 * activations
